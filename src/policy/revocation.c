/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of revocations, and the questions and entries made of them. */
#include "policy/revocation.h"

#include <string.h>

#include "base/clock.h"
#include "policy/api_key.h"

/* Longer than any token lives that it is held against; API keys may have no end. */
enum { FOR_EVER = 400 * 86400 };

static bool make_key(struct token_thread *thread, const struct str *parts, size_t n, struct store_key *out)
{
	unsigned char digest[DIGEST_SIZE];
	if (!digest_parts(thread, parts, n, digest))
		return false;
	memcpy(out->bytes, digest, STORE_KEY_SIZE);
	return true;
}

bool revocation_token_key(struct token_thread *thread, const struct token *token, const struct claims *claims,
			  struct store_key *out)
{
	if (claims->jti.n)
		return make_key(thread, (struct str[]){STR("jti"), claims->iss, claims->jti}, 3, out);
	return make_key(thread, (struct str[]){STR("token"), token->canonical}, 2, out);
}

bool revocation_user_key(struct token_thread *thread, struct str iss, struct str user_id, struct store_key *out)
{
	return make_key(thread, (struct str[]){STR("user"), iss, user_id}, 3, out);
}

bool revocation_session_key(struct token_thread *thread, struct str iss, struct str sid, struct store_key *out)
{
	return make_key(thread, (struct str[]){STR("sid"), iss, sid}, 3, out);
}

enum err revocation_check(struct worker *worker, const struct token *token, const struct claims *claims,
			  const struct store_key *cached_key, struct str *cached)
{
	struct store_question question = {.has_session = claims->sid.n > 0, .now = clock_now()};
	struct store_answer answer = {0};
	if (cached_key) {
		question.has_cached = true;
		question.cached = *cached_key;
		question.arena = worker->arena;
	}
	if (!revocation_token_key(worker->token, token, claims, &question.token) ||
	    !revocation_user_key(worker->token, claims->iss, claims->user_id, &question.user) ||
	    (question.has_session &&
	     !revocation_session_key(worker->token, claims->iss, claims->sid, &question.session)))
		return ERR_INTERNAL;
	enum err err = worker->store_driver->ask(worker->store, &question, &answer);
	if (err)
		return err;
	if (cached)
		*cached = answer.cached;
	/* A token that does not say when it was issued cannot be newer than the mark. */
	bool too_old = answer.not_before > 0 && (claims->iat == TIME_ABSENT || claims->iat <= answer.not_before);
	return answer.revoked || too_old ? ERR_TOKEN_REVOKED : ERR_NONE;
}

enum err revocation_add_token(struct worker *worker, const struct token *token, const struct claims *claims,
			      struct str note)
{
	int64_t now = clock_now();
	struct store_entry entry = {.kind = STORE_TOKEN, .created = now, .user = claims->user_id, .note = note};
	if (!revocation_token_key(worker->token, token, claims, &entry.key))
		return ERR_INTERNAL;
	if (claims->exp == TIME_ABSENT || claims->renewable)
		entry.expires = now + FOR_EVER;
	else if (__builtin_add_overflow(claims->exp, claims->leeway + 1, &entry.expires))
		entry.expires = INT64_MAX;
	return worker->store_driver->add(worker->store, &entry);
}

enum err revocation_add_user(struct worker *worker, struct str iss, struct str user_id, struct str note)
{
	int64_t now = clock_now();
	struct store_entry entry = {.kind = STORE_USER, .not_before = now, .expires = now + FOR_EVER,
				    .created = now, .user = user_id, .note = note};
	struct store_question question = {.now = now};
	struct store_answer answer = {0};
	if (str_eq(iss, STR(API_KEY_ISS)))
		entry.expires = now + API_KEY_FOR_EVER;
	if (!revocation_user_key(worker->token, iss, user_id, &entry.key))
		return ERR_INTERNAL;
	/* A login in the second of an earlier mark issues at the mark + 1: a second
	 * mark within that second must reach beyond it. */
	question.user = entry.key;
	enum err err = worker->store_driver->ask(worker->store, &question, &answer);
	/* Nobody can tell: then this host must know it at least. */
	if (err == ERR_STORE)
		answer.not_before = now;
	else if (err)
		return err;
	if (answer.not_before >= now)
		entry.not_before = answer.not_before + 1;
	return worker->store_driver->add(worker->store, &entry);
}

enum err revocation_add_session(struct worker *worker, struct str iss, struct str sid, struct str note)
{
	return revocation_end_session(worker, &(struct ended_session){.iss = iss, .sid = sid,
								      .expires = clock_now() + FOR_EVER}, note);
}

enum err revocation_end_session(struct worker *worker, const struct ended_session *session, struct str note)
{
	struct store_entry entry = {.kind = STORE_SESSION, .expires = session->expires, .created = clock_now(),
				    .user = session->user, .note = note};
	if (!revocation_session_key(worker->token, session->iss, session->sid, &entry.key))
		return ERR_INTERNAL;
	return worker->store_driver->add(worker->store, &entry);
}

static bool logout_key(struct worker *worker, const struct logout_token *logout, struct store_key *out)
{
	return make_key(worker->token, (struct str[]){STR("logout"), logout->iss, logout->jti}, 3, out);
}

enum err revocation_check_logout(struct worker *worker, const struct logout_token *logout)
{
	struct store_question question = {.now = clock_now()};
	struct store_answer answer = {0};
	if (!logout_key(worker, logout, &question.token))
		return ERR_INTERNAL;
	question.user = question.token;
	enum err err = worker->store_driver->ask(worker->store, &question, &answer);
	return err ? err : answer.revoked ? ERR_BAD_REQUEST : ERR_NONE;
}

enum err revocation_add_logout(struct worker *worker, const struct logout_token *logout)
{
	struct store_entry entry = {.kind = STORE_TOKEN, .created = clock_now(), .user = logout->user_id,
				    .note = STR("logout token that came")};
	if (!logout_key(worker, logout, &entry.key))
		return ERR_INTERNAL;
	if (__builtin_add_overflow(logout->exp, logout->leeway + 1, &entry.expires))
		entry.expires = INT64_MAX;
	return worker->store_driver->add(worker->store, &entry);
}
