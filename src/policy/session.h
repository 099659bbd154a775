/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of local accounts: issuing, handing over in the cookie, finding again. */
#ifndef POLICY_SESSION_H
#define POLICY_SESSION_H

#include "policy/call.h"
#include "policy/credentials.h"
#include "policy/verify.h"

/* The token of the request (Authorization, else the cookies that may carry one),
 * verified against those issuers. As verify_token, and ERR_NO_TOKEN,
 * ERR_AMBIGUOUS_TOKEN. carrier says where it was. */
enum err session_find(const struct call *call, const struct issuer_set *issuers, enum carrier *carrier,
		      struct claims *claims);
/* A new token for the account, which has passed our own verification. ERR_STORE,
 * ERR_INTERNAL when no issuer signs or the token would be refused. */
enum err session_issue(struct worker *worker, const struct account *account, struct str *token);
/* Revoke what the login cookie holds, when its signature is ours and it is still
 * good: a token planted there before a login must not live beside the new one. */
enum err session_revoke_old(const struct call *call);
/* Add the cookie with the token to a begun reply. false: it does not fit into a line. */
bool session_set_cookie(const struct call *call, struct str token);
/* {"message","token","user":{id,email,name}}; STR_NONE when the arena is used up. */
struct str session_json(const struct call *call, const char *message, struct str token, const struct account *account);

#endif
