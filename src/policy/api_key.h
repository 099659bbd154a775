/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: credentials of programs. A key is PREFIX_ID_SECRET; only a hash of the
 * secret is kept, in a record that all hosts know. */
#ifndef POLICY_API_KEY_H
#define POLICY_API_KEY_H

#include "token/claims.h"

struct worker;

/* The iss of the claims that an API key makes: with the key's id as jti it names the
 * revocation of one key, and with the owner that of all of an owner's. */
#define API_KEY_ISS "urn:fcgi-auth:api-key"

/* Does the text look like one, so that a bearer credential is taken for it? */
bool api_key_is(struct str text);
/* Check a key and make the claims of it: user_id is the owner, jti the id, scope its
 * scopes, exp its end. Not the revocation: that is a step of its own, as for a token.
 * ERR_TOKEN_MALFORMED, ERR_UNKNOWN_KEY, ERR_BAD_SIGNATURE (the secret is wrong),
 * ERR_TOKEN_EXPIRED, ERR_RATE_LIMITED, ERR_STORE. */
enum err api_key_verify(struct worker *worker, struct str text, struct claims *out);

#endif
