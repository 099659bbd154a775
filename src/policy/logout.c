/* SPDX-License-Identifier: Apache-2.0 */
/* auth-logout: which tokens came, revoking them, and the truthful answers. */
#include "policy/logout.h"

#include "http/negotiate.h"
#include "http/url.h"
#include "policy/cookies.h"
#include "policy/csrf.h"
#include "policy/event.h"
#include "policy/form.h"
#include "policy/login_bounce.h"
#include "policy/login_routes.h"
#include "policy/logout_backchannel.h"
#include "policy/pages.h"
#include "policy/revocation.h"
#include "policy/session.h"
#include "policy/upstream.h"
#include "store/generation.h"

static const char purpose[] = "logout";

enum { PRESENTED_MAX = 16 };

/* Every token of the request: logging out ends all of them, not the first alone. */
struct presented {
	struct credentials tokens[PRESENTED_MAX];
	size_t n;
	bool bearer; /* one came in Authorization, which no browser adds by itself */
};

enum scope { THIS_SESSION, EVERYWHERE, OTHERS };

/* What is asked for. */
struct wish {
	struct form form;
	enum scope scope;
	struct str back; /* where a browser goes afterwards */
};

struct outcome {
	bool ended;  /* a token with a good signature is good no more */
	bool failed; /* one could not be ended */
	struct str user;
	struct str token; /* one that ended */
};

static void add_token(struct presented *presented, struct credentials token)
{
	for (size_t i = 0; i < presented->n; i++)
		if (str_eq(presented->tokens[i].token, token.token) &&
		    str_eq(presented->tokens[i].cookie, token.cookie))
			return;
	if (presented->n < PRESENTED_MAX)
		presented->tokens[presented->n++] = token;
}

static void add_cookies(const struct call *call, struct str name, struct presented *presented)
{
	struct str rest = call->request->cookie, value;
	while (cookies_next_value(&rest, name, &value))
		add_token(presented, (struct credentials){.token = value, .carrier = CARRIER_COOKIE, .cookie = name});
	if (credentials_join(call->worker->arena, call->request->cookie, name, &value) == ERR_NONE)
		add_token(presented, (struct credentials){.token = value, .carrier = CARRIER_COOKIE, .cookie = name});
}

static void find_tokens(const struct call *call, struct presented *out)
{
	static const struct token_sources bearer = {.carriers = {CARRIER_BEARER}, .n_carriers = 1};
	const struct conf_list *more = &call->worker->snapshot->logout->cookies;
	struct credentials credentials;
	size_t n;
	const struct str *names = cookies_with_tokens(call->worker, &n);
	*out = (struct presented){0};
	out->bearer = credentials_find(&bearer, call->worker->arena, call->request, &credentials) == ERR_NONE;
	if (out->bearer)
		add_token(out, credentials);
	for (size_t i = 0; names && i < n; i++)
		add_cookies(call, names[i], out);
	for (size_t i = 0; i < more->n; i++)
		add_cookies(call, more->items[i].value, out);
}

/* The worse of what all came to: not durable, then not certain for all hosts. An expired
 * token may be an old one that was found, so it ends neither its session nor others. */
static enum err revoke(struct worker *worker, const struct token *token, const struct claims *claims, bool everywhere,
		       bool expired)
{
	if (expired)
		return revocation_add_token(worker, token, claims, STR("logout"));
	enum err err = session_end(worker, token, claims, STR("logout"));
	if (!everywhere || (err != ERR_NONE && err != ERR_STORE_PARTIAL))
		return err;
	enum err user = revocation_add_user(worker, claims->iss, claims->user_id, STR("logout everywhere"));
	return user ? user : err;
}

static void end_token(const struct call *call, const struct credentials *presented, bool everywhere,
		      struct outcome *outcome)
{
	struct worker *worker = call->worker;
	const struct snapshot *s = worker->snapshot;
	struct token token;
	struct claims claims = {0};
	enum err err = verify_token(worker, &s->issuers, presented, &token, &claims);
	/* A session that its server does not know has no claims: whoever made it up
	 * must not write into the store. */
	if (err == ERR_TOKEN_EXPIRED && claims.user_id.n == 0)
		return;
	/* ERR_STORE: a good one, of which other hosts may know more. */
	if (err == ERR_NONE || err == ERR_TOKEN_EXPIRED || (err == ERR_STORE && claims.user_id.n > 0)) {
		/* An expired one too: a clock that is set back must not revive it. */
		err = revoke(worker, &token, &claims, everywhere, err == ERR_TOKEN_EXPIRED);
	} else if (err == ERR_TOKEN_REVOKED) {
		/* By a process that may have been killed before it could tell web servers. */
		err = generation_announce(s->server->state_dir.value.p) ? ERR_NONE : ERR_STORE;
	} else if (err_row(err)->status < 500) {
		/* Not one of ours either. */
		return;
	}
	if (claims.user_id.n)
		outcome->user = claims.user_id;
	if (err == ERR_NONE) {
		outcome->ended = true;
		outcome->token = presented->token;
		return;
	}
	outcome->failed = true;
	event_act("logout_failed", call->request, err, claims.user_id,
		  err == ERR_STORE_PARTIAL ? "the revocation is durable on this host, but not all others know it yet"
					   : "the revocation could not be made durable");
}

/* Browsers do it over https alone. */
static void clear_site_data(const struct call *call)
{
	const struct conf_list *clear = &call->worker->snapshot->logout->clear;
	struct buf b = arena_buf(call->worker->arena, 64);
	for (size_t i = 0; i < clear->n; i++)
		buf_printf(&b, "%s\"%.*s\"", i ? ", " : "", STR_ARGS(clear->items[i].value));
	if (b.n && call->request->https)
		reply_header(call->reply, "Clear-Site-Data", buf_str(&b));
}

/* Applications that call it "signout" look for "success". */
static struct str answer_json(const struct call *call, bool invalidated)
{
	static const char *const says[] = {
		"\"message\":\"Logout completed\","
		"\"detail\":\"Local session cleared (backend cleanup may have failed)\"",
		"\"message\":\"Successfully logged out\",\"detail\":\"Token has been invalidated\"",
	};
	return arena_printf(call->worker->arena, "{%s%s}\n",
			    str_eq(call->segment, STR("signout")) ? "\"success\":true," : "", says[invalidated]);
}

/* "Token has been invalidated" is said when it is true for every token of ours
 * that came. When none came, or none that we know, nothing was invalidated: then,
 * as after a failure, the answer claims no more than that this client's own
 * session is cleared. */
static void answer(const struct call *call, const struct wish *wish, const struct outcome *outcome)
{
	bool page = negotiate_html(call->request);
	call_begin(call, page ? 303 : 200);
	cookies_clear_all(call);
	login_bounce_forget(call);
	clear_site_data(call);
	if (page)
		call_redirect(call, wish->back);
	else
		call_json(call, answer_json(call, outcome->ended && !outcome->failed));
}

static void log_out(const struct call *call, const struct presented *presented, const struct wish *wish)
{
	bool everywhere = wish->scope == EVERYWHERE;
	struct outcome outcome = {0};
	for (size_t i = 0; i < presented->n; i++)
		end_token(call, &presented->tokens[i], everywhere, &outcome);
	if (!outcome.failed)
		event_act("logout", call->request, ERR_NONE, outcome.user,
			  !outcome.ended ? "no token that could be revoked" : everywhere ? "everywhere" : NULL);
	answer(call, wish, &outcome);
	if (outcome.ended)
		upstream_logout(call, outcome.token);
}

/* All sessions of the user but this one, which goes on with another token. */
static void log_out_others(const struct call *call, const struct wish *wish)
{
	struct claims claims = {0};
	enum carrier carrier;
	struct str token;
	enum err err = session_find(call, &call->worker->snapshot->issuers, &carrier, &claims);
	if (err == ERR_NONE)
		err = session_end_others(call, &claims, &token);
	event_act(err ? "sessions_end_failed" : "sessions_ended", call->request, err, claims.user_id, "all others");
	if (err == ERR_NOT_FOUND) {
		call_refuse_as(call, ERR_BAD_REQUEST, 409, session_no_account);
		return;
	}
	bool page = negotiate_html(call->request);
	struct str body = err ? STR_NONE : session_others_json(call, token);
	call_begin(call, page ? 303 : 200);
	if (err || !body.p || (carrier == CARRIER_COOKIE && !session_set_cookie(call, token)))
		call_refuse(call, err ? err : ERR_INTERNAL);
	else if (page)
		call_redirect(call, wish->back);
	else
		call_json(call, body);
}

static bool query_says(const struct call *call, const char *name)
{
	return str_eq(url_field(call->worker->arena, call->request->query, name), STR("1"));
}

static void show_button(const struct call *call)
{
	struct csrf csrf;
	enum err err = csrf_open(call, purpose, &csrf);
	if (err) {
		call_refuse(call, err);
		return;
	}
	struct page *page = page_open(call->worker, call->request, "logout");
	page_flag(page, "everywhere", query_says(call, "all"));
	page_form(call, page, &csrf);
	page_send(page, call->reply, 200);
}

/* To rd, when a browser may be sent there after a login too, else to return-to. */
static struct str where_to(const struct call *call, const struct form *form)
{
	struct arena *arena = call->worker->arena;
	struct str address = form->kind == FORM_FIELDS ? form_text(arena, form, "rd") : STR_NONE;
	if (!address.p)
		address = url_field(arena, call->request->query, "rd");
	address = login_return_address(call, address);
	return address.p ? address : call->worker->snapshot->logout->return_to.value;
}

/* A link on a page of this site logs out at once; an image or a script that names
 * the address, and everything that comes from elsewhere, does not. */
static void get(const struct call *call)
{
	const struct request *request = call->request;
	bool deliberate = request->origin.n > 0 || str_eq(request->sec_fetch_mode, STR("navigate"));
	struct presented presented;
	if (str_eq(request->method, STR("GET")) && negotiate_same_origin(request) && deliberate) {
		struct wish wish = {.scope = THIS_SESSION};
		wish.back = where_to(call, &wish.form);
		find_tokens(call, &presented);
		log_out(call, &presented, &wish);
	} else if (call_is_cross_site(call) && !negotiate_navigation(request)) {
		call_refuse(call, ERR_CROSS_SITE);
	} else {
		show_button(call);
	}
}

/* May this request act? What the browser calls cross-site may not. A form that
 * brings cookies shows that it is ours; JSON and requests without a body, that no
 * browser sends from a foreign page without saying so, need not. */
static enum err check_origin(const struct call *call, const struct form *form, const struct presented *presented)
{
	struct csrf csrf;
	if (call_is_cross_site(call))
		return ERR_CROSS_SITE;
	if (form->kind != FORM_FIELDS || presented->bearer || negotiate_same_origin(call->request))
		return ERR_NONE;
	return csrf_check(call, purpose, url_field(call->worker->arena, form->body, "csrf"), &csrf);
}

static enum err read_scope(const struct call *call, struct wish *wish)
{
	struct arena *arena = call->worker->arena;
	bool all = false, others = false;
	if (wish->form.kind == FORM_JSON && (form_json_flag(&wish->form, "everywhere", &all) ||
					     form_json_flag(&wish->form, "others", &others)))
		return ERR_BAD_REQUEST;
	all = all || query_says(call, "all") || str_eq(form_text(arena, &wish->form, "all"), STR("1"));
	others = others || query_says(call, "others") || str_eq(form_text(arena, &wish->form, "others"), STR("1"));
	if (all && others)
		return ERR_BAD_REQUEST;
	wish->scope = all ? EVERYWHERE : others ? OTHERS : THIS_SESSION;
	return ERR_NONE;
}

/* Scripts that send JSON elsewhere name its type here too, with nothing to send. */
static enum err read_body(const struct call *call, struct form *form)
{
	enum err err = form_read(call->worker->arena, call->request, form);
	if (form->kind != FORM_JSON || call->request->body.n)
		return err;
	form->kind = FORM_EMPTY;
	return ERR_NONE;
}

static void post(const struct call *call)
{
	struct wish wish = {0};
	struct presented presented;
	enum err err = read_body(call, &wish.form);
	if (wish.form.kind == FORM_OTHER) {
		call_refuse_as(call, ERR_BAD_REQUEST, 415, "Send a form, application/json or no body");
		return;
	}
	find_tokens(call, &presented);
	if (err == ERR_NONE)
		err = check_origin(call, &wish.form, &presented);
	if (err == ERR_NONE)
		err = read_scope(call, &wish);
	if (err) {
		event_act("logout_refused", call->request, err, STR_NONE, NULL);
		call_refuse(call, err);
		return;
	}
	wish.back = where_to(call, &wish.form);
	if (wish.scope == OTHERS)
		log_out_others(call, &wish);
	else
		log_out(call, &presented, &wish);
}

/* A place for return-to, where there is nothing better to see. */
static void show_signed_out(const struct call *call)
{
	struct page *page = page_open(call->worker, call->request, "signed-out");
	/* auth-login-proxy is beside, not below. */
	struct str base = {call->mount.p, call->mount.n - 1};
	while (base.n > 0 && base.p[base.n - 1] != '/')
		base.n--;
	page_base(page, base.n ? base : STR("/"));
	page_text(page, "return_to", STR("/"));
	page_send(page, call->reply, 200);
}

/* Below the address of the program, which answers at every other one as a logout. */
static const struct route {
	struct str segment, allow;
	void (*get)(const struct call *call), (*post)(const struct call *call);
} routes[] = {
	{{"signed-out", 10}, {"GET, HEAD, OPTIONS", 18}, show_signed_out, NULL},
	{{"backchannel", 11}, {"POST, OPTIONS", 13}, NULL, logout_backchannel},
	{{NULL, 0}, {"GET, HEAD, POST, OPTIONS", 24}, get, post},
};

static const struct route *find_route(const struct call *call)
{
	const struct route *route = routes;
	while (route->segment.p && !str_eq(route->segment, call->segment))
		route++;
	return route;
}

static void serve(const struct call *call, const struct route *route, bool head)
{
	struct str method = head ? STR("GET") : call->request->method;
	if (route->post == logout_backchannel && !call->worker->snapshot->logout->backchannel)
		call_refuse(call, ERR_NOT_FOUND);
	else if (str_eq(method, STR("OPTIONS")))
		call_options(call, route->allow);
	else if (str_eq(method, STR("POST")) && route->post)
		route->post(call);
	else if (str_eq(method, STR("GET")) && route->get)
		route->get(call);
	else
		call_refuse_method(call, route->allow);
}

void logout_handle(struct worker *worker, const struct request *request, struct reply *reply)
{
	struct call call;
	bool head = str_eq(request->method, STR("HEAD"));
	if (!call_open(worker, request, reply, &call))
		return;
	const struct route *route = find_route(&call);
	if (!route->segment.p)
		call.cors_origins = &worker->snapshot->logout->cors_origin;
	serve(&call, route, head);
	call_share(&call);
	if (head)
		call_cut_body(reply);
}
