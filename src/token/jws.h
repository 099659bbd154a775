/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS (RFC 7515): taken apart, verified, made. */
#ifndef TOKEN_JWS_H
#define TOKEN_JWS_H

#include "token/key.h"
#include "token/token.h"

/* Take a compact JWS apart: three strict base64url parts, header a strict JSON
 * object with "kid" and "typ" strings where they are there (RFC 7515 section
 * 7.1). "crit", "b64", "zip" and "enc" are refused: none of them is understood
 * here, and a token that has one means something else than what would be read
 * (sections 4.1.11; RFC 7797; RFC 7516). payload stays NULL.
 * ERR_TOKEN_MALFORMED otherwise. */
enum err jws_parse(struct arena *arena, struct str text, struct token *out);
/* The same, and the payload a strict JSON object (RFC 7519 section 7.2). */
enum err jws_parse_claims(struct arena *arena, struct str text, struct token *out);

/* The signature, by the keys of the algorithm that the header names, which must
 * be one of the allowed. ERR_BAD_ALGORITHM, ERR_UNKNOWN_KEY, ERR_BAD_SIGNATURE,
 * ERR_INTERNAL. */
enum err jws_verify(const struct key_set *keys, struct token_thread *thread, struct algorithm_set allowed,
		    const struct token *token);

/* Print the token of a payload, signed with the set's first key, with typ "JWT"
 * and its kid.
 * out is used up front to back: its bytes are what is signed. */
bool jws_sign(const struct key_set *keys, struct token_thread *thread, struct str payload, struct buf *out);

#endif
