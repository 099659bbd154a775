/* SPDX-License-Identifier: Apache-2.0 */
/* The list of a user's sessions: noting one, and ending them. */
#include "base/clock.h"
#include "base/log.h"
#include "policy/event.h"
#include "policy/pages.h"
#include "policy/revocation.h"
#include "policy/session.h"

/* Tokens of a session follow each other, and the last one may end later than any that
 * is known here. A session that has ended gets no new ones. */
enum { KEPT = 31 * 86400 };

/* When the last token of a session of ours is over: exp is what is known of it. */
static int64_t end_of(const struct worker *worker, int64_t exp)
{
	const struct snapshot *s = worker->snapshot;
	int64_t longest = s->login->lifetime > s->login->session_max ? s->login->lifetime : s->login->session_max;
	int64_t kept = longest / 1000 > KEPT ? longest / 1000 : KEPT;
	int64_t latest = clock_now() + kept;
	int64_t leeway = s->login_issuer ? issuer_wants(s->login_issuer).rules->leeway : 0;
	return (exp > latest ? exp : latest) + leeway + 1;
}

bool session_is_ours(const struct worker *worker, const struct claims *claims)
{
	const struct issuer *issuer = worker->snapshot->login_issuer;
	return issuer && str_eq(claims->issuer, issuer_name(issuer));
}

/* Durable here, or even more. */
static bool is_kept(enum err err)
{
	return err == ERR_NONE || err == ERR_STORE_PARTIAL;
}

/* What was ended and is still listed does no harm: it is not good any more. */
static void forget(struct worker *worker, struct str sid)
{
	struct accounts *accounts = worker_accounts(worker);
	if (!accounts || sessions_remove(accounts, sid))
		log_text(LOG_WARNING, "accounts", "a session that has ended could not be taken off the list");
}

enum err session_end_listed(struct worker *worker, const struct session *session, struct str note)
{
	struct ended_session ended = {.iss = session->iss.n ? session->iss : STR_NONE, .sid = session->sid,
				      .user = session->user, .expires = end_of(worker, session->expires)};
	enum err err = revocation_end_session(worker, &ended, note);
	if (is_kept(err))
		forget(worker, session->sid);
	return err;
}

static enum err end_each(struct worker *worker, const struct sessions *sessions, struct str except, struct str note)
{
	enum err first = ERR_NONE;
	for (size_t i = 0; i < sessions->n; i++) {
		if (str_eq(sessions->items[i].sid, except))
			continue;
		enum err err = session_end_listed(worker, &sessions->items[i], note);
		if (is_kept(first) && err)
			first = err;
	}
	return first;
}

/* A login goes on without: what is not on the list ends with all the others of its user. */
void session_note(const struct call *call, const struct claims *claims)
{
	struct worker *worker = call->worker;
	struct accounts *accounts = worker_accounts(worker);
	struct sessions excess;
	struct session session = {.sid = claims->sid, .user = claims->user_id, .iss = claims->iss,
				  .address = call->request->remote_addr, .created = claims->iat,
				  .seen = claims->iat, .expires = claims->exp};
	request_parameter(call->request, STR("HTTP_USER_AGENT"), &session.agent);
	if (!accounts || sessions_add(accounts, worker->arena, &session, &excess)) {
		log_text(LOG_WARNING, "accounts", "a session could not be put on the list");
		return;
	}
	if (excess.n == 0)
		return;
	enum err err = end_each(worker, &excess, STR_NONE, STR("too many sessions"));
	event_act("sessions_ended", call->request, is_kept(err) ? ERR_NONE : err, claims->user_id,
		  "too many sessions of one user");
}

enum err session_end(struct worker *worker, const struct token *token, const struct claims *claims, struct str note)
{
	enum err err = revocation_add_token(worker, token, claims, note);
	if (claims->sid.n == 0 || !is_kept(err))
		return err;
	struct ended_session ended = {.iss = claims->iss, .sid = claims->sid, .user = claims->user_id,
				      .expires = end_of(worker, claims->exp)};
	bool ours = session_is_ours(worker, claims);
	enum err all = ours ? revocation_end_session(worker, &ended, note)
			    : revocation_add_session(worker, claims->iss, claims->sid, note);
	if (ours && is_kept(all))
		forget(worker, claims->sid);
	return all ? all : err;
}

enum err session_end_all(const struct call *call, struct str user_id, struct str except_sid)
{
	struct worker *worker = call->worker;
	struct accounts *accounts = worker_accounts(worker);
	struct sessions sessions;
	/* Also those whose tokens are good by leeway alone, or would be by a clock that is set back. */
	enum err err = accounts ? sessions_list(accounts, worker->arena, user_id, clock_now() - STORE_KEPT, &sessions)
				: ERR_STORE;
	return err ? err : end_each(worker, &sessions, except_sid, STR("sessions ended"));
}

const char session_no_account[] =
	N_("There is no account here that a new token could be made for: log out everywhere");

static int64_t auth_time_of(const struct claims *claims)
{
	int64_t time;
	return json_date(json_member(claims->all, STR("auth_time")), &time) ? time : claims->iat;
}

/* Everything of the user issued up to now ends, listed or not; this session goes on
 * with a new token. What it is made of is read first: nobody shall lose the session
 * because there is no account to go on with. */
enum err session_end_others(const struct call *call, const struct claims *claims, struct str *token)
{
	struct worker *worker = call->worker;
	struct accounts *accounts = worker_accounts(worker);
	struct account account;
	if (!session_is_ours(worker, claims))
		return ERR_NOT_FOUND;
	enum err err = accounts ? accounts_find(accounts, worker->arena, claims->user_id, &account) : ERR_STORE;
	if (err)
		return err;
	/* Found by an e-mail address, it is somebody else. */
	if (!str_eq(account.id, claims->user_id))
		return ERR_NOT_FOUND;
	if (account.disabled || account.pending)
		return ERR_USER_INACTIVE;
	err = revocation_add_user(worker, claims->iss, claims->user_id, STR("all other sessions"));
	return is_kept(err) ? session_go_on(call, &account, claims->sid, auth_time_of(claims), token) : err;
}

struct str session_others_json(const struct call *call, struct str token)
{
	struct buf b = arena_buf(call->worker->arena, token.n + 256);
	buf_add(&b, STR("{\"message\":\"All other sessions have ended\",\"token\":"));
	buf_json(&b, token);
	buf_add(&b, STR("}\n"));
	return b.full ? STR_NONE : buf_str(&b);
}
