/* SPDX-License-Identifier: Apache-2.0 */
/* Reading whole files that everybody may read: secrets are read by secret.h. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"

/* Read the file at path, of at most `most` bytes, into the arena, which needs one
 * byte more. Refused when it is no plain file, is larger, or everybody could write
 * it. false: why says what is wrong and what to do. */
bool file_load(struct arena *arena, const char *path, size_t most, struct str *out, struct buf *why);

#endif
