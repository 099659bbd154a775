/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWE (RFC 7516) with direct encryption ("dir", RFC 7518 section 4.5). */
#ifndef TOKEN_JWE_H
#define TOKEN_JWE_H

#include "token/encryption.h"
#include "token/token.h"

/* Take a compact JWE apart: five parts, header a strict JSON object with "kid" and
 * "typ" strings where they are there; iv, ciphertext and tag strict base64url.
 * "crit" and "zip" are refused. ERR_TOKEN_MALFORMED. */
enum err jwe_parse(struct arena *arena, struct str text, struct token *out);

/* A key for exactly one encryption, with the kid that it goes by or STR_NONE. */
struct jwe_key;

/* false: the key has not exactly key_size bytes, or no memory. */
bool jwe_key_open(const struct encryption *encryption, struct str key, struct str kid, struct jwe_key **out);
/* Wipes the key. */
void jwe_key_close(struct jwe_key **key);
const struct encryption *jwe_key_encryption(const struct jwe_key *key);
struct str jwe_key_kid(const struct jwe_key *key);

/* What a header wants: alg must be "dir", enc one of the allowed, and the
 * encrypted key empty. ERR_BAD_ALGORITHM; ERR_TOKEN_MALFORMED for an encrypted key. */
enum err jwe_check_header(const struct token *token, struct encryption_set allowed, const struct encryption **out);
/* Decrypt into the arena. iv and tag must have their exact sizes, the tag is
 * checked before anything is decrypted (CBC) or given out (GCM).
 * ERR_DECRYPT_FAILED, one for all reasons; ERR_INTERNAL. */
enum err jwe_decrypt(const struct jwe_key *key, struct token_thread *thread, struct arena *arena,
		     const struct token *token, struct str *plaintext);
/* Encrypt with a random iv, for tests and for issuing: prints the token. kid may be STR_NONE. */
bool jwe_encrypt(const struct jwe_key *key, struct token_thread *thread, struct arena *arena, struct str plaintext,
		 struct buf *out);

#endif
