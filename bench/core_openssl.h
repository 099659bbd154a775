/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL takes for verifying or decrypting alone: with a key of its own, and
 * contexts that are made once. */
#ifndef BENCH_CORE_OPENSSL_H
#define BENCH_CORE_OPENSSL_H

#include "base/str.h"

struct bare;

/* For the algorithm or encryption of that name, over that many bytes: signed ones, or the
 * header and the plaintext of an encrypted token. */
bool bare_open(const char *name, size_t header, size_t text, struct bare **out);
void bare_close(struct bare **bare);
/* Verify or decrypt once. context: the struct bare. */
bool bare_run(void *context);

#endif
