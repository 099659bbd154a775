/* SPDX-License-Identifier: Apache-2.0 */
/* auth-verify's adapter: a request in, the verdict out in the form that every
 * web server's external authorizer understands. */
#include "base/codec.h"
#include "base/log.h"
#include "http/forwarded.h"
#include "http/negotiate.h"
#include "policy/cors.h"
#include "policy/event.h"
#include "policy/pages.h"
#include "policy/session_renew.h"
#include "policy/verdict_cache.h"
#include "web/adapter_internal.h"

/* How long a client shall wait after a 503, in seconds. */
enum { RETRY_AFTER = 5 };

static void variable(struct worker *worker, struct reply *reply, struct str name, struct str value)
{
	struct buf header = arena_buf(worker->arena, name.n + 10);
	buf_add(&header, STR("Variable-"));
	buf_add(&header, name);
	if (header.cap == 0 || !str_is_utf8(value) || !reply_header(reply, buf_z(&header), value))
		log_text(LOG_ERR, "attribute_left_out",
			 "%.*s: has control bytes, is no UTF-8, or is too long for a web server (%zu bytes)",
			 STR_ARGS(name), value.n);
}

static bool is_api_key(const struct verdict *verdict)
{
	return verdict->credentials.carrier == CARRIER_API_KEY;
}

static void allow_user(struct worker *worker, struct reply *reply, const struct verdict *verdict)
{
	const struct policy *policy = verdict->policy;
	const struct claims *claims = &verdict->claims;
	reply_header(reply, "Variable-REMOTE_USER", claims->user_id);
	reply_header(reply, "Variable-AUTH_USER_ID", claims->user_id);
	if (verdict->subject.local_user_id)
		reply_header_int(reply, "Variable-AUTH_LOCAL_USER_ID", verdict->subject.local_user_id);
	for (size_t i = 0; i < policy->n_attributes; i++) {
		const struct attribute *attribute = &policy->attributes[i];
		struct str value = attribute_value(worker->arena, attribute, &verdict->subject);
		const char *why = value.p ? NULL : attribute_left_out(worker->arena, attribute, &verdict->subject);
		if (value.p)
			variable(worker, reply, attribute->name, value);
		else if (why)
			log_text(LOG_ERR, "attribute_left_out", "%s: the value %s", attribute->name.p, why);
	}
	if (claims->exp != TIME_ABSENT)
		reply_header_int(reply, "Variable-AUTH_EXPIRES", claims->exp);
	if (is_api_key(verdict))
		reply_header(reply, "Variable-AUTH_API_KEY_ID", claims->jti);
	else if (policy->conf->pass_token)
		variable(worker, reply, STR("AUTH_TOKEN"), verdict->token.text);
}

/* nginx takes any answer of 2xx for an allow. Where it sends the name of a location along,
 * its configuration lets nobody through but by this redirect to it. */
static void prove(struct reply *reply, const struct request *request)
{
	struct str location;
	if (request_parameter(request, STR("AUTH_ACCEL_REDIRECT"), &location) == 1)
		reply_header(reply, "X-Accel-Redirect", location);
}

/* What no web server may keep is not spoken of, an allow with a cookie for one. */
static void allow_again(struct worker *worker, const struct request *request, const struct verdict *verdict,
			struct reply *reply)
{
	/* Where nobody notices a changed file, no change would end it. */
	if (!runtime_watches(worker->runtime))
		return;
	struct verdict_hold hold = verdict_cache_hold(worker->snapshot, request, verdict);
	if (hold.seconds > 0)
		reply_header(reply, "Variable-AUTH_CACHE",
			     arena_printf(worker->arena, "max-age=%lld; scope=%s", (long long)hold.seconds,
					  hold.every_path ? "policy" : "path"));
}

/* The next token of a session in use. What an application sees is no place for it: a
 * web server that does not pass a plain Set-Cookie on says that it takes a variable. */
static bool renew(struct worker *worker, const struct request *request, const struct verdict *verdict,
		  struct reply *reply)
{
	struct str cookie = session_renew_cookie(worker, request, verdict), wanted;
	if (!cookie.p)
		return false;
	bool variable = request_parameter(request, STR("FCGI_AUTH_COOKIE_WANTED"), &wanted) == 1;
	if (variable)
		return reply_header(reply, "Variable-AUTH_SET_COOKIE", cookie);
	/* Where one gets through, the other does: no shared cache may keep the page. */
	return reply_header(reply, "Set-Cookie", cookie) && reply_header(reply, "Cache-Control", STR("private"));
}

static void allow(struct worker *worker, const struct request *request, const struct verdict *verdict,
		  struct reply *reply)
{
	reply_begin(reply, 200);
	if (!verdict->anonymous)
		allow_user(worker, reply, verdict);
	if (request->websocket && request->websocket_protocol.n)
		variable(worker, reply, STR("AUTH_WEBSOCKET_PROTOCOL"),
			 credentials_websocket_rest(&verdict->policy->sources, worker->arena, request));
	struct str origin = cors_origin(worker->snapshot, request);
	if (origin.p)
		reply_header(reply, "Variable-AUTH_CORS_ORIGIN", origin);
	reply_header(reply, "Variable-AUTH_MATCHED_POLICY", verdict->policy->name);
	reply_header(reply, "Variable-AUTH_REQUEST_ID", str_of(request->id));
	prove(reply, request);
	if (!renew(worker, request, verdict, reply))
		allow_again(worker, request, verdict, reply);
	reply_end(reply);
	if (worker->snapshot->server->log_allow)
		event_allow(worker, request, verdict);
}

/* The login page with the address first asked for. */
static struct str login_location(struct worker *worker, const struct request *request, struct str login_url)
{
	struct str target = credentials_hide(worker->snapshot, worker->arena, request->target);
	struct buf b = arena_buf(worker->arena, login_url.n + 32 + 3 * (target.n + request->authority.n));
	buf_add(&b, login_url);
	buf_char(&b, str_find(login_url, '?') < login_url.n ? '&' : '?');
	buf_add(&b, STR("rd="));
	/* A login page on another host must know which site to come back to. */
	if (login_url.n && login_url.p[0] != '/') {
		buf_add(&b, request->https ? STR("https%3A%2F%2F") : STR("http%3A%2F%2F"));
		percent_encode(&b, request->authority, "");
	}
	percent_encode(&b, target, "/");
	return b.full ? login_url : buf_str(&b);
}

/* A person before a browser: programs with a key are told what is wrong, whatever they accept. */
static bool is_person(const struct request *request, const struct verdict *verdict)
{
	return negotiate_navigation(request) && !is_api_key(verdict);
}

static bool redirects_to_login(const struct policy *policy)
{
	int how = policy->conf->unauthenticated;
	return how == UNAUTHENTICATED_AUTO || how == UNAUTHENTICATED_REDIRECT;
}

/* The page where a person can go on, for a request without a session; STR_NONE for others. */
static struct str redirect_location(struct worker *worker, const struct request *request, const struct verdict *verdict)
{
	if (err_row(verdict->err)->status != 401 || !verdict->policy || !is_person(request, verdict) ||
	    !redirects_to_login(verdict->policy))
		return STR_NONE;
	return login_location(worker, request, verdict->policy->conf->login_url.value);
}

/* Can a login here give the tokens that the policy wants? */
static bool has_login(const struct snapshot *snapshot, const struct policy *policy)
{
	if (snapshot->login->backend != LOGIN_LOCAL)
		return true;
	for (size_t i = 0; i < policy->issuers.n; i++)
		if (policy->issuers.items[i] == snapshot->login_issuer)
			return true;
	return false;
}

/* A person's form without a session: the browser posts it once more, to where it
 * waits for the login. Never one of another site: posted again from a page of ours,
 * it would bring the cookies that SameSite keeps from that one. STR_NONE: lost. */
static struct str resume_location(struct worker *worker, const struct request *request, const struct verdict *verdict)
{
	const struct snapshot *snapshot = worker->snapshot;
	if (err_row(verdict->err)->status != 401 || !verdict->policy || !redirects_to_login(verdict->policy) ||
	    !negotiate_form(request) || is_api_key(verdict) || snapshot->login->resume_max == 0 ||
	    !has_login(snapshot, verdict->policy))
		return STR_NONE;
	struct str url = login_resume_url(worker->arena, verdict->policy->conf->login_url.value);
	return url.p ? login_location(worker, request, url) : STR_NONE;
}

static void challenge(struct worker *worker, struct reply *reply, const struct verdict *verdict)
{
	const struct err_row *row = err_row(verdict->err);
	struct str realm = verdict->policy ? verdict->policy->conf->realm.value : STR("fcgi-auth");
	struct str value = arena_printf(worker->arena, "Bearer realm=\"%.*s\"%s%s%s", STR_ARGS(realm),
					row->rfc6750 ? ", error=\"" : "", row->rfc6750 ? row->rfc6750 : "",
					row->rfc6750 ? "\"" : "");
	if (row->rfc6750)
		value = arena_printf(worker->arena, "%.*s, error_description=\"%s\"", STR_ARGS(value), row->text);
	reply_header(reply, "WWW-Authenticate", value);
}

/* Two cookies of one name: a sibling site may have planted one, with any path
 * that this request lies under. All of these are deleted. */
static void clear_twins(struct worker *worker, const struct request *request, const struct verdict *verdict,
			struct reply *reply)
{
	struct cookie_attributes attributes = login_cookie_attributes(worker->snapshot->login, request->https, 0);
	struct str path = request->path;
	for (size_t i = 0, cut = 0; i <= path.n && cut < 8; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		struct buf b = arena_buf(worker->arena, 512);
		attributes.path = i == 0 ? STR("/") : (struct str){path.p, i};
		if (str_find(attributes.path, ';') == attributes.path.n) {
			cookie_print(&b, verdict->credentials.cookie, STR(""), &attributes);
			if (!b.full)
				reply_header(reply, "Set-Cookie", buf_str(&b));
		}
		cut++;
	}
}

/* Whom a page helps: it says who is signed in, and how to be somebody else. */
static bool shows_page(const struct request *request, const struct verdict *verdict)
{
	int status = err_row(verdict->err)->status;
	return (status == 403 || status >= 500) && is_person(request, verdict);
}

/* "/auth/" of "/auth/login?x". */
static struct str folder_of(struct str address)
{
	address.n = str_find(address, '?');
	while (address.n > 0 && address.p[address.n - 1] != '/')
		address.n--;
	return address;
}

/* With the way back, unless that makes it longer than the page may be. */
static struct str login_link(struct worker *worker, const struct request *request, struct str login_url)
{
	enum { LINK_MAX = 1500 };
	struct str location = login_url.n ? login_location(worker, request, login_url) : STR_NONE;
	return location.n > LINK_MAX ? login_url : location;
}

static void refusal_page(struct worker *worker, const struct request *request, const struct verdict *verdict,
			 struct reply *reply)
{
	int status = err_row(verdict->err)->status;
	struct page *page = page_refusal(worker, request, verdict->err, status, NULL);
	struct str login_url = verdict->policy ? verdict->policy->conf->login_url.value : STR_NONE;
	page_base(page, folder_of(login_url));
	if (status == 403) {
		page_text(page, "user", verdict->claims.user_id);
		page_text(page, "link", login_link(worker, request, login_url));
		page_text(page, "link_text", STR("Use another account"));
	}
	page_send_body(page, reply);
}

static void refusal_body(struct worker *worker, const struct request *request, const struct verdict *verdict,
			 struct reply *reply)
{
	enum err told = is_api_key(verdict) ? api_key_public_error(verdict->err) : verdict->err;
	struct str login_url = verdict->policy ? verdict->policy->conf->login_url.value : STR_NONE;
	if (err_row(verdict->err)->status == 401)
		challenge(worker, reply, verdict);
	reply_body(reply, "application/json", page_refusal_json(worker->arena, told, request->id, login_url));
}

static void deny(struct worker *worker, const struct request *request, const struct verdict *verdict,
		 struct reply *reply)
{
	int status = err_row(verdict->err)->status;
	struct str again = resume_location(worker, request, verdict);
	struct str location = again.p ? again : redirect_location(worker, request, verdict);
	reply_begin(reply, again.p ? 307 : location.p ? 302 : status);
	reply_header(reply, "Cache-Control", STR("no-store"));
	cors_headers(reply, cors_origin(worker->snapshot, request));
	if (verdict->err == ERR_AMBIGUOUS_TOKEN && verdict->credentials.cookie.n)
		clear_twins(worker, request, verdict, reply);
	if (status == 503)
		reply_header_int(reply, "Retry-After", RETRY_AFTER);
	else if (verdict->err == ERR_RATE_LIMITED)
		reply_header_int(reply, "Retry-After", verdict->retry_after);
	if (location.p) {
		reply_header(reply, "Location", location);
		reply_end(reply);
	} else if (shows_page(request, verdict)) {
		refusal_page(worker, request, verdict, reply);
	} else {
		refusal_body(worker, request, verdict, reply);
	}
	event_deny(worker, request, verdict);
}

static void preflight(struct worker *worker, const struct request *request, const struct policy *policy,
		      struct str origin, struct reply *reply)
{
	cors_answer(worker->arena, request, policy, origin, reply);
	if (worker->snapshot->server->log_allow)
		event_preflight(request, policy);
}

static void handle(void *context, unsigned number, const struct incoming *in, struct reply *reply)
{
	struct worker *worker = adapter_begin(context, number, reply);
	struct incoming original;
	struct request request;
	struct verdict verdict;
	const char *why;
	const struct policy *policy;
	struct str origin;
	forwarded_read(worker->arena, &worker->snapshot->trusted, FORWARDED_ASKS, in, &original);
	enum err err = request_read(worker->arena, &original, worker_request_number(worker), &request, &why);
	if (err == ERR_NONE && cors_preflight(worker->snapshot, &request, &origin, &policy)) {
		preflight(worker, &request, policy, origin, reply);
		adapter_end(worker, reply);
		return;
	}
	verify_request(worker, &request, err, why, &verdict);
	if (verdict.err == ERR_NONE)
		allow(worker, &request, &verdict, reply);
	else
		deny(worker, &request, &verdict, reply);
	adapter_end(worker, reply);
}

bool adapter_authorizer_open(struct runtime *runtime, struct adapter **out)
{
	struct adapter *adapter;
	if (!adapter_new(runtime, &adapter))
		return false;
	adapter->handler.handle = handle;
	runtime_hold_user_records(runtime);
	*out = adapter;
	return true;
}
