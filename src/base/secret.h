/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: where they come from, and randomness. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/arena.h"

enum { SECRET_MAX = 65536 };

/* Read the secret that a configuration value names:
 *   file:PATH  refused when its mode lets group or others read it (a group that
 *              only root and the file's owner belong to counts as others)
 *   cred:NAME  a file in $CREDENTIALS_DIRECTORY (systemd)
 *   env:NAME   an environment variable
 *   text:…     the value itself, for tests
 * One line end at the end of a file is not part of the secret. The bytes are
 * copied into the arena. false: `why` says what is wrong and what to do. */
bool secret_load(struct arena *arena, struct str spec, struct str *out, struct buf *why);
/* The file behind a spec (file:, cred:), NUL-terminated in the arena, or STR_NONE. */
struct str secret_path(struct arena *arena, struct str spec);
/* Fill with random bytes from the kernel; ends the process when it has none. */
void random_bytes(void *out, size_t n);
/* Overwrite in a way that no compiler leaves out. */
void secret_wipe(void *memory, size_t n);
/* Are n bytes equal? The time depends on n alone. */
bool secret_equal(const void *a, const void *b, size_t n);

#endif
