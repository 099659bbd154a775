/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking tokens, and asking whether one is. A token's key is its iss and jti,
 * else the hash of its canonical text; a user's is iss and user id; a session's
 * iss and sid. */
#ifndef POLICY_REVOCATION_H
#define POLICY_REVOCATION_H

#include "policy/runtime.h"
#include "token/logout_token.h"

/* One read of the store, which brings what its cache has for the key (NULL: nothing
 * is wanted), in the arena. ERR_TOKEN_REVOKED, ERR_STORE. */
enum err revocation_check(struct worker *worker, const struct token *token, const struct claims *claims,
			  const struct store_key *cached_key, struct str *cached);
/* Revoke this one token until it expires; durable when it returns ERR_NONE or
 * ERR_STORE_PARTIAL (see store.h). note says why ("logout"). */
enum err revocation_add_token(struct worker *worker, const struct token *token, const struct claims *claims,
			      struct str note);
/* Revoke every token of the user issued up to now. */
enum err revocation_add_user(struct worker *worker, struct str iss, struct str user_id, struct str note);
/* Revoke every token of the session, whenever issued. sid: its claim. */
enum err revocation_add_session(struct worker *worker, struct str iss, struct str sid, struct str note);
/* The same for one of which it is known when its last token expires, leeway and all. */
struct ended_session {
	struct str iss, sid;
	struct str user; /* for lists; may be STR_NONE */
	int64_t expires; /* seconds */
};
enum err revocation_end_session(struct worker *worker, const struct ended_session *session, struct str note);
/* Has this logout token come before? ERR_BAD_REQUEST, ERR_STORE. */
enum err revocation_check_logout(struct worker *worker, const struct logout_token *logout);
/* Remember it on all hosts, as long as it could be sent once more; as revocation_add_token. */
enum err revocation_add_logout(struct worker *worker, const struct logout_token *logout);
/* The keys, for `authctl revocations`. */
bool revocation_token_key(struct token_thread *thread, const struct token *token, const struct claims *claims,
			  struct store_key *out);
bool revocation_user_key(struct token_thread *thread, struct str iss, struct str user_id, struct store_key *out);
bool revocation_session_key(struct token_thread *thread, struct str iss, struct str sid, struct store_key *out);

#endif
