/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in and registering at the auth server, and what is made of its answer. A
 * session is one when its token, or its cookies, pass our own verification. */
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/cookies.h"
#include "policy/login_routes.h"
#include "policy/pages.h"
#include "policy/revocation.h"
#include "policy/session.h"
#include "policy/upstream_internal.h"

enum { WAIT_MS = 1000, LINE_MAX = 8000, BODY_ROOM = 4096 };

/* Verification -------------------------------------------------------------- */

static const char *advice(enum err err)
{
	switch (err) {
	case ERR_BAD_SIGNATURE:
	case ERR_DECRYPT_FAILED:
	case ERR_UNKNOWN_KEY: return "; signature does not match: same secret on both sides?";
	case ERR_TOKEN_MALFORMED: return "; is it a token that an [issuer] reads? see session, exchange and token";
	case ERR_BAD_ISSUER: return "; no [issuer] takes tokens like it";
	case ERR_TOKEN_EXPIRED:
	case ERR_NOT_YET_VALID: return "; are both clocks right?";
	default: return "";
	}
}

/* Identical to one that was logged out in this very second: without a jti, and with
 * times in seconds, a server makes no other. In a moment it does. */
static void fail_revoked(struct upstream_outcome *out)
{
	upstream_fail(out, ERR_OVERLOADED);
	out->text = STR(N_("You have just logged out: sign in again in a moment"));
	out->retry_after = 1;
}

static void verify(const struct upstream_visit *visit, enum upstream_action action,
		   const struct credentials *credentials, struct upstream_outcome *out)
{
	struct worker *worker = visit->call->worker;
	struct token token;
	enum err err = verify_token(worker, &worker->snapshot->issuers, credentials, &token, &out->claims);
	if (err == ERR_NONE) {
		out->signed_in = true;
	} else if (err == ERR_TOKEN_REVOKED) {
		fail_revoked(out);
	} else if (err_row(err)->status >= 500) {
		upstream_fail(out, err);
	} else {
		bool cookie = credentials->carrier == CARRIER_COOKIE;
		upstream_complain(visit->call, action, ERR_UPSTREAM_ANSWER,
				  "the token of its %s is refused here (%s)%s", cookie ? "cookies" : "answer",
				  err_row(err)->reason, advice(err));
		upstream_fail(out, ERR_UPSTREAM_ANSWER);
	}
}

/* The cookies that we would pass on, as auth-verify will see them. false: none that it looks at. */
static bool verify_cookies(const struct upstream_visit *visit, enum upstream_action action,
			   struct upstream_outcome *out)
{
	struct worker *worker = visit->call->worker;
	struct token_sources sources = {.carriers = {CARRIER_COOKIE}, .n_carriers = 1};
	struct request request = *visit->call->request;
	struct credentials credentials;
	request.cookie = upstream_cookie_header(visit, true, false);
	sources.cookies = cookies_with_tokens(worker, &sources.n_cookies);
	if (!sources.cookies || credentials_find(&sources, worker->arena, &request, &credentials) != ERR_NONE)
		return false;
	verify(visit, action, &credentials, out);
	return true;
}

/* Tokens -------------------------------------------------------------------- */

static struct str find_token(const struct upstream_visit *visit, const struct fetch_answer *answer,
			     const struct json *json)
{
	const struct upstream_conf *conf = visit->upstream->conf;
	struct str text = STR_NONE;
	for (size_t i = 0; i < conf->token_header.n; i++) {
		text = fetch_header(answer->head, conf->token_header.items[i].value);
		if (text.n)
			return text;
	}
	return json_string(upstream_find(&conf->token, json), &text) && text.n ? text : STR_NONE;
}

/* The session that has just begun there, for a token that anybody can verify. */
static struct str exchange(struct upstream_visit *visit, struct upstream_outcome *out)
{
	const struct upstream_question question = {.action = UPSTREAM_EXCHANGE};
	struct fetch_answer answer;
	struct upstream_outcome exchanged;
	enum err err = upstream_ask(visit, &question, &answer);
	if (err) {
		upstream_fail(out, err);
		return STR_NONE;
	}
	upstream_judge(visit, &answer, &exchanged);
	struct str token = exchanged.err ? STR_NONE : find_token(visit, &answer, exchanged.json);
	if (!token.p) {
		if (!exchanged.err)
			upstream_complain(visit->call, UPSTREAM_EXCHANGE, ERR_UPSTREAM_ANSWER, "it gives no token");
		upstream_fail(out, ERR_UPSTREAM_ANSWER);
	}
	return token;
}

static void verify_session(struct upstream_visit *visit, enum upstream_action action,
			   const struct fetch_answer *answer, struct upstream_outcome *out)
{
	bool cookies = visit->upstream->conf->session == UPSTREAM_SESSION_COOKIES, found;
	if (cookies) {
		found = verify_cookies(visit, action, out);
	} else {
		struct str token = find_token(visit, answer, out->json);
		if (visit->upstream->urls[UPSTREAM_EXCHANGE].p && visit->n_cookies > 0)
			token = exchange(visit, out);
		found = token.p || out->err;
		if (token.p) {
			out->token = token;
			verify(visit, action, &(struct credentials){.token = token, .carrier = CARRIER_BEARER}, out);
		}
	}
	/* Some begin a session with a registration, others want a mail to be answered first. */
	if (found || action == UPSTREAM_REGISTER)
		return;
	upstream_complain(visit->call, action, ERR_UPSTREAM_ANSWER, "it answers with status %d, but with no %s",
			  answer->status, cookies ? "cookie of a session" : "token");
	upstream_fail(out, ERR_UPSTREAM_ANSWER);
}

/* Calls --------------------------------------------------------------------- */

enum err upstream_csrf(struct upstream_visit *visit, struct str *out)
{
	const struct upstream_question question = {.action = UPSTREAM_CSRF};
	struct fetch_answer answer;
	struct upstream_outcome outcome;
	*out = STR_NONE;
	if (!visit->upstream->urls[UPSTREAM_CSRF].p)
		return ERR_NONE;
	enum err err = upstream_ask(visit, &question, &answer);
	if (err)
		return err;
	upstream_judge(visit, &answer, &outcome);
	if (outcome.err)
		return outcome.err < ERR_STORE ? ERR_UPSTREAM_ANSWER : outcome.err;
	if (json_string(json_member(outcome.json, STR("csrfToken")), out))
		return ERR_NONE;
	upstream_complain(visit->call, UPSTREAM_CSRF, ERR_UPSTREAM_ANSWER, "it gives no csrfToken");
	return ERR_UPSTREAM_ANSWER;
}

static enum err ask(struct upstream_visit *visit, enum upstream_action action, const struct upstream_values *given,
		    struct fetch_answer *answer)
{
	struct upstream_value items[UPSTREAM_VALUES_MAX + 1] = {0};
	struct upstream_values values = {items, 0, given->form};
	for (; values.n < given->n && values.n < UPSTREAM_VALUES_MAX; values.n++)
		items[values.n] = given->items[values.n];
	items[values.n].name = "csrfToken";
	enum err err = action == UPSTREAM_LOGIN ? upstream_csrf(visit, &items[values.n].value) : ERR_NONE;
	if (err)
		return err;
	values.n++;
	struct upstream_question question = {
		.action = action,
		.body = upstream_body(visit->call->worker->arena, visit->upstream, action, &values),
		.encoding = upstream_encoding(visit->upstream, action),
	};
	if (!question.body.p)
		return ERR_INTERNAL;
	err = upstream_ask(visit, &question, answer);
	/* It has a password. */
	secret_wipe((void *)(uintptr_t)question.body.p, question.body.n);
	return err;
}

void upstream_sign_in(const struct call *call, enum upstream_action action, const struct upstream_values *values,
		      struct upstream_outcome *out)
{
	struct upstream_visit visit;
	struct fetch_answer answer;
	enum err err = upstream_begin(call, call->worker->snapshot->upstream->conf->login_timeout, WAIT_MS, &visit);
	if (err) {
		upstream_fail(out, err);
		return;
	}
	err = ask(&visit, action, values, &answer);
	if (err)
		upstream_fail(out, err);
	else
		upstream_judge(&visit, &answer, out);
	if (out->err == ERR_NONE)
		verify_session(&visit, action, &answer, out);
	upstream_end(&visit);
	out->cookies = visit.cookies;
	out->n_cookies = out->signed_in ? visit.n_cookies : 0;
}

/* Answers ------------------------------------------------------------------- */

static void add_name(struct buf *b, const char *name)
{
	if (b->n > 1)
		buf_char(b, ',');
	buf_json(b, str_of(name));
	buf_char(b, ':');
}

static void add_user(struct buf *b, const struct upstream *upstream, const struct upstream_outcome *outcome)
{
	const struct json *user = upstream_find(&upstream->conf->user, outcome->json);
	const struct json *id = upstream_find(&upstream->conf->user_id, outcome->json);
	if (user) {
		add_name(b, "user");
		json_print(b, user);
	} else if (outcome->signed_in) {
		add_name(b, "user");
		login_print_user(b, &outcome->claims);
	} else if (id) {
		add_name(b, "user");
		buf_add(b, STR("{\"id\":"));
		json_print(b, id);
		buf_char(b, '}');
	}
}

struct str upstream_json(const struct call *call, const struct upstream_outcome *outcome, const char *message)
{
	const struct json *json = outcome->json;
	struct buf b = arena_buf(call->worker->arena, REPLY_MAX - REPLY_HEAD_MAX);
	buf_char(&b, '{');
	if (!json_member(json, STR("message"))) {
		add_name(&b, "message");
		buf_json(&b, str_of(message));
	}
	if (outcome->token.p && !json_member(json, STR("token"))) {
		add_name(&b, "token");
		buf_json(&b, outcome->token);
	}
	if (!json_member(json, STR("user")))
		add_user(&b, call->worker->snapshot->upstream, outcome);
	for (const struct json *member = json ? json->child : NULL; member; member = member->next) {
		/* Of two tokens the one that has been verified. */
		bool token = outcome->token.p && str_eq(member->name, STR("token"));
		if (b.n > 1)
			buf_char(&b, ',');
		buf_json(&b, member->name);
		buf_char(&b, ':');
		if (token)
			buf_json(&b, outcome->token);
		else
			json_print(&b, member);
	}
	buf_add(&b, STR("}\n"));
	return b.full ? STR_NONE : buf_str(&b);
}

enum err upstream_revoke_old(const struct call *call, const struct upstream_outcome *outcome)
{
	struct str name = call->worker->snapshot->login->cookie.value, value;
	/* Two logins within a second may give the same token: it must live. */
	if (outcome->token.p && cookie_find(call->request->cookie, name, &value) && str_eq(value, outcome->token))
		return ERR_NONE;
	return session_revoke_old(call);
}

bool upstream_set_cookies(const struct call *call, const struct upstream_outcome *outcome, bool ours)
{
	const struct upstream *upstream = call->worker->snapshot->upstream;
	for (size_t i = 0; i < outcome->n_cookies; i++) {
		if (!upstream_cookie_passes(upstream, outcome->cookies[i].name))
			continue;
		struct buf line = arena_buf(call->worker->arena, LINE_MAX);
		upstream_cookie_print(call, &outcome->cookies[i], &line);
		if (line.full || !reply_cookie(call->reply, buf_str(&line))) {
			log_text(LOG_ERR, "upstream_failed", "a cookie of the auth server does not fit into a line");
			return false;
		}
	}
	/* As long as the token is good, and no longer than lifetime. */
	int64_t end = clock_now() + call->worker->snapshot->login->lifetime / 1000, exp = outcome->claims.exp;
	return !ours || !outcome->token.p ||
	       session_set_cookie_until(call, outcome->token, exp != TIME_ABSENT && exp < end ? exp : end);
}

void upstream_refuse(const struct call *call, const struct upstream_outcome *outcome)
{
	call_refuse_with(call, outcome->err, outcome->status, outcome->text.p, outcome->retry_after);
}
