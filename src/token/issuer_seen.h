/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that an issuer has authenticated before. Only that is remembered: what
 * their claims say is judged each time. */
#ifndef TOKEN_ISSUER_SEEN_H
#define TOKEN_ISSUER_SEEN_H

#include "token/issuer_internal.h"

/* What a token is remembered by: the issuer and the keys that it has at this
 * moment, the cookie, and all of the token's text. */
struct seen_key {
	bool usable; /* false: such a token is not remembered */
	unsigned char bytes[DIGEST_SIZE];
};

/* HMAC tokens are not: to look one up costs what verifying it does. */
struct seen_key seen_key(const struct issuer *issuer, struct token_thread *thread, const struct token *token);
/* Was it authenticated under that key? Then payload is set as the driver's
 * authenticate sets it. */
bool seen_find(const struct seen_key *key, struct token_thread *thread, struct arena *arena, int64_t now,
	       struct token *token);
/* Remember a token that was authenticated under that key and whose claims are good. */
void seen_put(const struct seen_key *key, struct token_thread *thread, const struct token *token,
	      const struct claims *claims);

#endif
