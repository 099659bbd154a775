/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes: what is asked for, by which method, and who answers. */
#include "policy/login.h"

#include "http/form_data.h"
#include "policy/kept_form.h"
#include "policy/login_resume.h"
#include "policy/login_routes.h"
#include "policy/logout.h"
#include "policy/upstream.h"

const char login_too_large[] = N_("What was sent is too large. If you were signed out meanwhile, go back, sign in in "
				  "another window, and send it again.");

/* Really ask what a login needs: revocations, and for local accounts these and a
 * key that signs. How an auth server elsewhere is, another address says. */
static bool is_healthy(struct worker *worker)
{
	struct store_question question = {0};
	struct store_answer answer;
	struct account account;
	if (worker->store_driver->ask(worker->store, &question, &answer) != ERR_NONE)
		return false;
	if (worker->snapshot->login->backend != LOGIN_LOCAL)
		return true;
	if (!worker->snapshot->login_issuer)
		return false;
	struct accounts *accounts = worker_accounts(worker);
	enum err err = accounts ? accounts_find(accounts, worker->arena, STR("health"), &account) : ERR_STORE;
	return err == ERR_NONE || err == ERR_NOT_FOUND;
}

static void health(const struct call *call)
{
	bool healthy = is_healthy(call->worker);
	call_begin(call, healthy ? 200 : 503);
	call_json(call, healthy ? STR("{\"status\":\"ok\"}\n") : STR("{\"status\":\"unavailable\"}\n"));
}

/* The other name of auth-logout's address, which web servers give to that program. */
static void sign_out(const struct call *call)
{
	logout_handle(call->worker, call->request, call->reply);
}

/* Who answers with each backend; NULL: with that one there is no such thing. */
static const struct route {
	struct str segment;
	struct str method;
	void (*answer[LOGIN_BACKENDS])(const struct call *call);
} routes[] = {
	/* segment, method, {local, upstream} */
	{{"login", 5}, {"GET", 3}, {login_show, login_show}},
	{{"login", 5}, {"POST", 4}, {login_submit, login_submit}},
	{{"signin", 6}, {"GET", 3}, {login_show, login_show}},
	{{"signin", 6}, {"POST", 4}, {login_submit, login_submit}},
	{{"resume", 6}, {"POST", 4}, {login_resume, login_resume}},
	{{"refresh", 7}, {"POST", 4}, {login_refresh, NULL}},
	{{"signout", 7}, {"GET", 3}, {sign_out, sign_out}},
	{{"signout", 7}, {"POST", 4}, {sign_out, sign_out}},
	{{"register", 8}, {"GET", 3}, {login_show_register, upstream_show_register}},
	{{"register", 8}, {"POST", 4}, {login_register, upstream_register}},
	{{"signup", 6}, {"GET", 3}, {login_show_register, upstream_show_register}},
	{{"signup", 6}, {"POST", 4}, {login_register, upstream_register}},
	{{"forgot-password", 15}, {"GET", 3}, {login_show_forgot_password, upstream_show_forgot_password}},
	{{"forgot-password", 15}, {"POST", 4}, {login_forgot_password, upstream_forgot_password}},
	{{"forgot_password", 15}, {"GET", 3}, {login_show_forgot_password, NULL}},
	{{"forgot_password", 15}, {"POST", 4}, {login_forgot_password, upstream_forgot_password}},
	{{"reset-password", 14}, {"GET", 3}, {login_show_reset_password, upstream_show_reset_password}},
	{{"reset-password", 14}, {"POST", 4}, {login_reset_password, upstream_reset_password}},
	{{"reset_password", 14}, {"GET", 3}, {login_show_reset_password, NULL}},
	{{"reset_password", 14}, {"POST", 4}, {login_reset_password, upstream_reset_password}},
	{{"verify-email", 12}, {"GET", 3}, {login_show_verify_email, upstream_show_verify_email}},
	{{"verify-email", 12}, {"POST", 4}, {login_verify_email, upstream_verify_email}},
	{{"verify_email", 12}, {"GET", 3}, {login_show_verify_email, NULL}},
	{{"verify_email", 12}, {"POST", 4}, {login_verify_email, upstream_verify_email}},
	{{"profile", 7}, {"GET", 3}, {login_profile, upstream_profile}},
	{{"sessions", 8}, {"GET", 3}, {login_sessions, NULL}},
	{{"sessions", 8}, {"POST", 4}, {login_sessions_end, NULL}},
	{{"verify-token", 12}, {"GET", 3}, {login_verify_token, upstream_verify_token}},
	{{"jwks.json", 9}, {"GET", 3}, {login_jwks, NULL}},
	{{"change-password", 15}, {"GET", 3}, {login_show_change_password, NULL}},
	{{"change-password", 15}, {"POST", 4}, {login_change_password, NULL}},
	{{"logo", 4}, {"GET", 3}, {login_logo, login_logo}},
	{{"health", 6}, {"GET", 3}, {health, health}},
	{{"auth-server-health", 18}, {"GET", 3}, {NULL, upstream_health}},
};

enum { ROUTES = sizeof routes / sizeof *routes };

/* Does the row answer for the segment, with the backend of this configuration? */
static bool is_route(const struct call *call, const struct route *route)
{
	return str_eq(route->segment, call->segment) && route->answer[call->worker->snapshot->login->backend];
}

/* The methods of a segment that has no route for the request's method; empty: no such segment. */
static struct str methods_of(const struct call *call)
{
	struct buf b = arena_buf(call->worker->arena, 64);
	for (size_t i = 0; i < ROUTES; i++) {
		if (!is_route(call, &routes[i]))
			continue;
		buf_add(&b, b.n ? STR(", ") : STR(""));
		buf_add(&b, routes[i].method);
		if (str_eq(routes[i].method, STR("GET")))
			buf_add(&b, STR(", HEAD"));
	}
	if (b.n)
		buf_add(&b, STR(", OPTIONS"));
	return buf_str(&b);
}

/* A form that waits for the login is larger than what else is sent here. */
static size_t body_max(const struct call *call)
{
	enum form_encoding encoding;
	if (str_eq(call->segment, STR("resume")))
		return LOGIN_BODY_MAX;
	bool login = str_eq(call->segment, STR("login")) || str_eq(call->segment, STR("signin"));
	bool fields = form_data_encoding(call->request->content_type, &encoding) && encoding == FORM_URLENCODED;
	return login && fields && kept_form_find(call->request->body).p ? LOGIN_BODY_MAX : LOGIN_FIELDS_MAX;
}

static void answer(const struct call *call)
{
	bool head = str_eq(call->request->method, STR("HEAD"));
	struct str method = head ? STR("GET") : call->request->method;
	for (size_t i = 0; i < ROUTES; i++) {
		if (!is_route(call, &routes[i]) || !str_eq(routes[i].method, method))
			continue;
		if (call->request->body.n > body_max(call))
			call_refuse_as(call, ERR_BAD_REQUEST, 413, login_too_large);
		else
			routes[i].answer[call->worker->snapshot->login->backend](call);
		return;
	}
	struct str allow = methods_of(call);
	if (allow.n && str_eq(call->request->method, STR("OPTIONS")))
		call_options(call, allow);
	else if (allow.n)
		call_refuse_method(call, allow);
	else
		call_refuse(call, ERR_NOT_FOUND);
}

void login_handle(struct worker *worker, const struct request *request, struct reply *reply)
{
	struct call call;
	if (!call_open(worker, request, reply, &call))
		return;
	struct str login_url = arena_printf(worker->arena, "%.*slogin", STR_ARGS(call.mount));
	call.login_url = login_url;
	call.cors_origins = &worker->snapshot->login->cors_origin;
	answer(&call);
	call_share(&call);
	if (str_eq(request->method, STR("HEAD")))
		call_cut_body(reply);
}
