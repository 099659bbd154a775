/* SPDX-License-Identifier: Apache-2.0 */
/* Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4): an issuer's word
 * that a session, or all of a user, has ended. */
#ifndef TOKEN_LOGOUT_TOKEN_H
#define TOKEN_LOGOUT_TOKEN_H

#include "token/claims.h"

struct logout_token {
	struct str iss, jti;
	struct str sid;	    /* STR_NONE: all sessions of the user */
	struct str user_id; /* as tokens of the issuer name users; STR_NONE: the session alone */
	int64_t exp, leeway; /* seconds */
};

/* Judge one whose signature is right, by its issuer's rules at time now (section 2.6).
 * aud must be one of audience or, as the client's id is known there, of
 * authorized-parties. false: why says what is wrong, for the issuer's admin. */
bool logout_token_check(const struct claims_rules *rules, const struct token *token, int64_t now,
			struct logout_token *out, const char **why);
/* Is it a security event token (RFC 8417), as logout tokens are? Such a one gives nobody
 * access, whoever signed it. */
bool logout_token_is_event(const struct token *token);

#endif
