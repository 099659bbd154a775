/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of local accounts: issuing, handing over in the cookie, finding again. */
#ifndef POLICY_SESSION_H
#define POLICY_SESSION_H

#include "policy/call.h"
#include "policy/credentials.h"
#include "policy/verify.h"
#include "store/session_list.h"

/* The token of the request (Authorization, else the cookies that may carry one),
 * verified against those issuers. As verify_token, and ERR_NO_TOKEN,
 * ERR_AMBIGUOUS_TOKEN. carrier says where it was. */
enum err session_find(const struct call *call, const struct issuer_set *issuers, enum carrier *carrier,
		      struct claims *claims);
/* A token to be made for a local account. */
struct new_token {
	const struct account *account;
	struct str sid, jti; /* jti STR_NONE: a random one */
	int64_t auth_time, now, lifetime; /* seconds; now is its iat */
};
/* Sign it, and verify as any program of ours would. claims is filled when it is refused as revoked, too. */
enum err session_sign(struct worker *worker, const struct new_token *wanted, struct str *text, struct claims *claims);
/* A new session of the account, noted among its others: its token, with the claims sid
 * (128 random bits) and auth_time, has passed our own verification. Of too many
 * sessions the oldest end. ERR_STORE, ERR_INTERNAL when no issuer signs or the token
 * would be refused. */
enum err session_issue(const struct call *call, const struct account *account, struct str *token);
/* The same as a further token of a session that goes on; sid: STR_NONE for one
 * without a name, which gets one. */
enum err session_go_on(const struct call *call, const struct account *account, struct str sid, int64_t auth_time,
		       struct str *token);
/* Revoke what the login cookie holds, when its signature is ours and it is still
 * good: a token planted there before a login must not live beside the new one. */
enum err session_revoke_old(const struct call *call);
/* Add the cookie with the token to a begun reply. false: it does not fit into a line. */
bool session_set_cookie(const struct call *call, struct str token);
/* The same for a token that ends at another time (seconds). */
bool session_set_cookie_until(const struct call *call, struct str token, int64_t expires);
/* {"success","message","token","user":{id,email,name},"data":{token,user}}, so that clients of both kinds
 * of auth servers read it; without a token that is null. STR_NONE when the arena is used up. */
struct str session_json(const struct call *call, const char *message, struct str token, const struct account *account);

/* session_end.c */

/* Is it a token of the issuer that signs for local accounts? */
bool session_is_ours(const struct worker *worker, const struct claims *claims);
/* Put the session of a new token of ours on its user's list, and end those that are
 * too many; what fails is logged. */
void session_note(const struct call *call, const struct claims *claims);
/* End what a verified token stands for: this token, and its session with every other
 * token of that sid, whoever made it. Durable with ERR_NONE and ERR_STORE_PARTIAL. */
enum err session_end(struct worker *worker, const struct token *token, const struct claims *claims, struct str note);
/* End one of the list. */
enum err session_end_listed(struct worker *worker, const struct session *session, struct str note);
/* End the noted sessions of a user of ours, but for the one of that sid (STR_NONE: all).
 * The first error of several; the others are ended even so. */
enum err session_end_all(const struct call *call, struct str user_id, struct str except_sid);
/* Revoke every token of the claims' user but one, a new one in the same session. Before
 * anything is revoked: ERR_NOT_FOUND for a user who has no account here,
 * ERR_USER_INACTIVE. Otherwise as session_issue. */
enum err session_end_others(const struct call *call, const struct claims *claims, struct str *token);
/* What the client is told of it: {"message","token"}; STR_NONE: no memory. And with ERR_NOT_FOUND. */
struct str session_others_json(const struct call *call, struct str token);
extern const char session_no_account[];

/* session_view.c */

/* The sessions of the claims' user that are good now, the claims' own among them.
 * ERR_NOT_FOUND: the token is of an issuer whose sessions are not known here. ERR_STORE. */
enum err session_list(const struct call *call, const struct claims *claims, struct sessions *out);
/* Note that the session of a verified token is in use. */
void session_see(const struct call *call, const struct claims *claims);
/* End the session of that sid when it is on the list of the claims' user, else
 * ERR_NOT_FOUND. Durable with ERR_NONE and ERR_STORE_PARTIAL. */
enum err session_end_one(const struct call *call, const struct claims *claims, struct str sid);

#endif
