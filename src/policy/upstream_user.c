/* SPDX-License-Identifier: Apache-2.0 */
/* Who is signed in, as the auth server sees it: after our own verification, never
 * instead of it. And what else it is asked without a form: its health, a logout. */
#include "base/log.h"
#include "http/negotiate.h"
#include "policy/cookies.h"
#include "policy/login_routes.h"
#include "policy/pages.h"
#include "policy/upstream_internal.h"
#include "policy/verify.h"

enum { WAIT_MS = 1000, LOGOUT_MS = 2000, REST_MS = 5000 };

/* One call, in its bounds. */
static enum err ask_once(const struct call *call, const struct upstream_question *question, int64_t timeout_ms,
			 struct upstream_outcome *out)
{
	struct upstream_visit visit;
	struct fetch_answer answer;
	enum err err = upstream_begin(call, timeout_ms, WAIT_MS, &visit);
	if (err)
		return err;
	err = upstream_ask(&visit, question, &answer);
	if (err == ERR_NONE)
		upstream_judge(&visit, &answer, out);
	upstream_end(&visit);
	return err;
}

/* A good token of ours, as the server wants to see it. false: the reply is complete. */
static bool find_token(const struct call *call, struct upstream_question *question, struct claims *claims)
{
	struct worker *worker = call->worker;
	struct token_sources sources = {.carriers = {CARRIER_BEARER, CARRIER_COOKIE}, .n_carriers = 2};
	struct credentials credentials;
	struct token token;
	sources.cookies = cookies_with_tokens(worker, &sources.n_cookies);
	enum err err = sources.cookies ? credentials_find(&sources, worker->arena, call->request, &credentials)
				       : ERR_INTERNAL;
	if (err == ERR_NONE)
		err = verify_token(worker, &worker->snapshot->issuers, &credentials, &token, claims);
	if (err) {
		call_refuse(call, err);
		return false;
	}
	question->clients_cookies = credentials.carrier == CARRIER_COOKIE &&
				    upstream_cookie_passes(worker->snapshot->upstream, credentials.cookie);
	if (!question->clients_cookies)
		question->bearer = credentials.token;
	return true;
}

/* Does the server know the session, too? It may answer "null" or "{}" with status 200
 * when it does not. false: the reply is complete. */
static bool ask_about(const struct call *call, const struct upstream_question *question,
		      struct upstream_outcome *out)
{
	enum err err = ask_once(call, question, call->worker->snapshot->upstream->conf->timeout, out);
	if (err)
		upstream_fail(out, err);
	if (out->err == ERR_NONE && out->json && out->json->child)
		return true;
	if (out->err == ERR_NONE || out->status == 401)
		*out = (struct upstream_outcome){
			.err = ERR_UPSTREAM_REFUSED, .status = 401,
			.text = STR(N_("The auth server does not know this session any more"))};
	upstream_refuse(call, out);
	return false;
}

void upstream_profile(const struct call *call)
{
	struct upstream_question question = {.action = UPSTREAM_PROFILE};
	struct upstream_outcome outcome;
	struct claims claims;
	/* People get our page. */
	if (!call->worker->snapshot->upstream->urls[UPSTREAM_PROFILE].p || negotiate_navigation(call->request)) {
		login_profile(call);
		return;
	}
	if (!find_token(call, &question, &claims) || !ask_about(call, &question, &outcome))
		return;
	struct buf b = arena_buf(call->worker->arena, REPLY_MAX - REPLY_HEAD_MAX);
	json_print(&b, outcome.json);
	buf_char(&b, '\n');
	if (b.full) {
		call_refuse(call, ERR_UPSTREAM_ANSWER);
		return;
	}
	call_begin(call, 200);
	call_json(call, buf_str(&b));
}

void upstream_verify_token(const struct call *call)
{
	struct upstream_question question = {.action = UPSTREAM_VERIFY};
	struct upstream_outcome outcome;
	struct claims claims;
	if (call->worker->snapshot->upstream->urls[UPSTREAM_VERIFY].p &&
	    (!find_token(call, &question, &claims) || !ask_about(call, &question, &outcome)))
		return;
	login_verify_token(call);
}

/* Whatever ails it, for who asks it is one thing. */
void upstream_health(const struct call *call)
{
	const struct upstream *upstream = call->worker->snapshot->upstream;
	const struct upstream_question question = {.action = UPSTREAM_HEALTH};
	struct upstream_outcome outcome = {0};
	if (!upstream->urls[UPSTREAM_HEALTH].p) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	enum err err = ask_once(call, &question, upstream->conf->timeout, &outcome);
	if (err || outcome.err) {
		call_refuse(call, ERR_UPSTREAM);
		return;
	}
	call_begin(call, 200);
	call_json(call, STR("{\"status\":\"ok\"}\n"));
}

int upstream_check(struct worker *worker, struct buf *why)
{
	const struct upstream *upstream = worker->snapshot->upstream;
	const struct fetch_send sent = {.ca_file = upstream->conf->ca_file.value.p};
	struct str url = upstream->urls[UPSTREAM_HEALTH];
	struct fetch *fetch = worker_fetch(worker);
	struct fetch_answer answer;
	struct fetch_request request = {
		.url = url.p ? url : upstream->conf->base.value,
		.headers = upstream->headers,
		.n_headers = upstream->n_headers,
		.timeout_ms = upstream->conf->timeout,
		.connect_timeout_ms = upstream->conf->connect_timeout,
		.max_body = (size_t)upstream->conf->max_body,
		.allow_plain_http = upstream->conf->allow_plain_http,
		.send = &sent,
	};
	if (fetch)
		return fetch_get(fetch, worker->arena, &request, &answer, why) ? answer.status : 0;
	buf_add(why, STR("no memory for a call, or no libcurl: the log says more"));
	return 0;
}

/* Logout --------------------------------------------------------------------- */

/* Is the token the value of one of the cookies that go with it? */
static bool is_cookie(const struct call *call, struct str token)
{
	struct str rest = call->request->cookie, pair;
	while (str_split(&rest, ';', &pair)) {
		pair = str_trim(pair);
		size_t equals = str_find(pair, '=');
		if (equals < pair.n && str_eq(str_skip(pair, equals + 1), token) &&
		    upstream_cookie_passes(call->worker->snapshot->upstream, (struct str){pair.p, equals}))
			return true;
	}
	return false;
}

static enum err tell(struct upstream_visit *visit, struct str token, struct upstream_outcome *out)
{
	struct arena *arena = visit->call->worker->arena;
	struct upstream_value csrf = {.name = "csrfToken"};
	struct upstream_question question = {
		.action = UPSTREAM_LOGOUT,
		.encoding = upstream_encoding(visit->upstream, UPSTREAM_LOGOUT),
		.bearer = is_cookie(visit->call, token) ? STR_NONE : token,
		.clients_cookies = true,
	};
	struct fetch_answer answer;
	enum err err = upstream_csrf(visit, &csrf.value);
	if (err)
		return err;
	question.body =
		upstream_body(arena, visit->upstream, UPSTREAM_LOGOUT, &(struct upstream_values){&csrf, 1, NULL});
	if (!question.body.p)
		return ERR_INTERNAL;
	err = upstream_ask(visit, &question, &answer);
	if (err == ERR_NONE)
		upstream_judge(visit, &answer, out);
	return err;
}

void upstream_logout(const struct call *call, struct str token)
{
	struct worker *worker = call->worker;
	const struct upstream *upstream = worker->snapshot->upstream;
	struct upstream_visit visit;
	struct upstream_outcome outcome = {0};
	if (!upstream || !upstream->urls[UPSTREAM_LOGOUT].p ||
	    worker->snapshot->logout->upstream == LOGOUT_UPSTREAM_OFF || upstream_gate_rests(worker->upstream_gate))
		return;
	int64_t timeout = upstream->conf->timeout < LOGOUT_MS ? upstream->conf->timeout : LOGOUT_MS;
	/* Nobody waits for the sake of this. */
	if (upstream_begin(call, timeout, 0, &visit)) {
		upstream_complain(call, UPSTREAM_LOGOUT, ERR_OVERLOADED, "too many calls are under way");
		return;
	}
	enum err err = tell(&visit, token, &outcome);
	upstream_end(&visit);
	if (err == ERR_UPSTREAM || err == ERR_UPSTREAM_TIMEOUT)
		upstream_gate_rest(worker->upstream_gate, REST_MS);
}
