/* SPDX-License-Identifier: Apache-2.0 */
/* Text that goes out and comes back, and that nobody else can read or make:
 * AES-256-GCM (NIST SP 800-38D) under a random IV. */
#ifndef TOKEN_SEAL_H
#define TOKEN_SEAL_H

#include "base/arena.h"
#include "base/codec.h"

enum { SEAL_KEY_SIZE = 32, SEAL_IV_SIZE = 12, SEAL_TAG_SIZE = 16 };

/* Bytes of the text for n bytes of plaintext. */
#define SEAL_SIZE(n) BASE64URL_ENCODED((n) + SEAL_IV_SIZE + SEAL_TAG_SIZE)

/* Print the sealed bytes as base64url: IV, ciphertext, tag. false: no memory. */
bool seal_close(struct arena *arena, const unsigned char key[SEAL_KEY_SIZE], struct str plain, struct buf *out);
/* The plaintext, in the arena. false: it was not sealed with that key, or is not
 * what was sealed, or there is no memory. */
bool seal_open(struct arena *arena, const unsigned char key[SEAL_KEY_SIZE], struct str text, struct str *plain);

#endif
