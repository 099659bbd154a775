/* SPDX-License-Identifier: Apache-2.0 */
/* Reading whole files that everybody may read: secrets are read by secret.h. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"

/* Read the file at path, of at most `most` bytes, into the arena, which needs one
 * byte more. Refused when it is no plain file, is larger, or everybody could write
 * it. false: why says what is wrong and what to do. */
bool file_load(struct arena *arena, const char *path, size_t most, struct str *out, struct buf *why);

/* What the descriptor has, from where it stands to its end, into memory of most + 1
 * bytes. false: it cannot be read, or has more than `most`. */
bool file_read(int fd, char *to, size_t most, size_t *n);

#endif
