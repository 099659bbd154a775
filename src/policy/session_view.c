/* SPDX-License-Identifier: Apache-2.0 */
/* What a user sees of the own sessions, and keeping the list true meanwhile. */
#include "base/clock.h"
#include "policy/revocation.h"
#include "policy/session.h"

/* Noted once in so many seconds: looking at a page must not write each time. */
enum { SEEN_STEP = 60 };

/* The list does not know how a session may have ended: on another host, by a change of
 * the password, by authctl. */
static enum err is_alive(struct worker *worker, const struct session *session, bool *alive)
{
	struct str iss = session->iss.n ? session->iss : STR_NONE;
	struct store_question question = {.has_session = true, .now = clock_now()};
	struct store_answer answer = {0};
	if (!revocation_session_key(worker->token, iss, session->sid, &question.session) ||
	    !revocation_user_key(worker->token, iss, session->user, &question.user))
		return ERR_INTERNAL;
	question.token = question.session;
	enum err err = worker->store_driver->ask(worker->store, &question, &answer);
	if (err == ERR_NONE)
		*alive = !answer.revoked && (answer.not_before == 0 || session->seen > answer.not_before);
	return err;
}

static enum err drop_dead(struct worker *worker, struct sessions *sessions)
{
	struct session *kept = arena_array(worker->arena, sessions->n + 1, sizeof *kept);
	size_t n = 0;
	if (!kept)
		return ERR_INTERNAL;
	for (size_t i = 0; i < sessions->n; i++) {
		bool alive;
		enum err err = is_alive(worker, &sessions->items[i], &alive);
		if (err)
			return err;
		if (alive)
			kept[n++] = sessions->items[i];
	}
	*sessions = (struct sessions){kept, n};
	return ERR_NONE;
}

static const struct session *find(const struct sessions *sessions, struct str sid)
{
	for (size_t i = 0; i < sessions->n; i++)
		if (str_eq(sessions->items[i].sid, sid))
			return &sessions->items[i];
	return NULL;
}

void session_see(const struct call *call, const struct claims *claims)
{
	struct accounts *accounts = worker_accounts(call->worker);
	if (accounts && claims->sid.n)
		sessions_see(accounts, claims->sid, clock_now() > claims->iat ? clock_now() : claims->iat,
			     claims->exp);
}

/* The session that looks is in use now, and on the list, whatever kept it off at its login. */
static bool refresh(const struct call *call, const struct claims *claims, const struct sessions *sessions)
{
	const struct session *own = find(sessions, claims->sid);
	if (claims->sid.n == 0 || (own && own->seen > clock_now() - SEEN_STEP && own->expires >= claims->exp))
		return false;
	if (own)
		session_see(call, claims);
	else
		session_note(call, claims);
	return true;
}

enum err session_list(const struct call *call, const struct claims *claims, struct sessions *out)
{
	struct worker *worker = call->worker;
	struct accounts *accounts = worker_accounts(worker);
	struct sessions found;
	if (!session_is_ours(worker, claims))
		return ERR_NOT_FOUND;
	enum err err = accounts ? sessions_list(accounts, worker->arena, claims->user_id, clock_now(), &found)
				: ERR_STORE;
	if (err == ERR_NONE && refresh(call, claims, &found))
		err = sessions_list(accounts, worker->arena, claims->user_id, clock_now(), &found);
	if (err == ERR_NONE)
		err = drop_dead(worker, &found);
	if (err == ERR_NONE)
		*out = found;
	return err;
}

enum err session_end_one(const struct call *call, const struct claims *claims, struct str sid)
{
	struct sessions sessions;
	enum err err = session_list(call, claims, &sessions);
	if (err)
		return err;
	const struct session *session = find(&sessions, sid);
	return session ? session_end_listed(call->worker, session, STR("session ended")) : ERR_NOT_FOUND;
}
