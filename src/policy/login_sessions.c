/* SPDX-License-Identifier: Apache-2.0 */
/* GET /sessions, the user's own as JSON, and POST /sessions, which ends one of them or
 * all others. Nobody sees or ends another user's: the token says whose list it is. */
#include "http/negotiate.h"
#include "policy/csrf.h"
#include "policy/event.h"
#include "policy/form.h"
#include "policy/login_routes.h"
#include "policy/pages.h"
#include "policy/session.h"

enum { LIST_MAX = 96 << 10 };

static void print_session(struct buf *b, const struct session *session, bool current)
{
	buf_add(b, STR("{\"id\":"));
	buf_json(b, session->sid);
	buf_add(b, STR(",\"current\":"));
	buf_add(b, current ? STR("true") : STR("false"));
	buf_printf(b, ",\"created\":%lld,\"seen\":%lld,\"expires\":%lld", (long long)session->created,
		   (long long)session->seen, (long long)session->expires);
	buf_add(b, STR(",\"address\":"));
	buf_json(b, session->address);
	buf_add(b, STR(",\"agent\":"));
	buf_json(b, session->agent);
	buf_char(b, '}');
}

static enum err find_own(const struct call *call, enum carrier *carrier, struct claims *claims)
{
	struct issuer *issuer = call->worker->snapshot->login_issuer;
	struct issuer_set ours = {&issuer, issuer ? 1 : 0};
	return session_find(call, &ours, carrier, claims);
}

void login_sessions(const struct call *call)
{
	struct claims claims;
	enum carrier carrier;
	struct sessions sessions;
	enum err err = find_own(call, &carrier, &claims);
	if (err == ERR_NONE)
		err = session_list(call, &claims, &sessions);
	struct buf b = arena_buf(call->worker->arena, LIST_MAX);
	if (err == ERR_NONE) {
		buf_add(&b, STR("{\"sessions\":["));
		for (size_t i = 0; i < sessions.n; i++) {
			buf_add(&b, i ? STR(",") : STR(""));
			print_session(&b, &sessions.items[i], str_eq(sessions.items[i].sid, claims.sid));
		}
		buf_add(&b, STR("]}\n"));
		err = b.full ? ERR_INTERNAL : ERR_NONE;
	}
	if (err) {
		call_refuse(call, err);
		return;
	}
	call_begin(call, 200);
	call_json(call, buf_str(&b));
}

/* What shall end, and by whom. */
struct ending {
	struct form form;
	struct claims claims;
	bool others;
	struct str sid;
	struct str token; /* that the session goes on with, when all others have ended */
	const char *text; /* for the client, instead of the error's own; or NULL */
	int status;	  /* the same; or 0 */
};

/* A form that comes with the cookie alone must be one of the profile page; JSON can
 * come from no other site. */
static enum err check_origin(const struct call *call, const struct ending *ending, enum carrier carrier)
{
	struct csrf csrf;
	if (call_is_cross_site(call))
		return ERR_CROSS_SITE;
	if (ending->form.kind != FORM_FIELDS || carrier == CARRIER_BEARER)
		return ERR_NONE;
	return csrf_check(call, LOGIN_SESSIONS_PURPOSE, form_text(call->worker->arena, &ending->form, "csrf"), &csrf);
}

static enum err read_ending(const struct call *call, struct ending *ending)
{
	struct arena *arena = call->worker->arena;
	ending->sid = form_text(arena, &ending->form, "session");
	if (ending->form.kind == FORM_JSON && form_json_flag(&ending->form, "others", &ending->others))
		return ERR_BAD_REQUEST;
	if (str_eq(form_text(arena, &ending->form, "others"), STR("1")))
		ending->others = true;
	if (ending->others == (ending->sid.n > 0)) {
		ending->text = "Send either the id of a session as \"session\", or \"others\"";
		return ERR_BAD_REQUEST;
	}
	return ERR_NONE;
}

static enum err end(const struct call *call, struct ending *ending)
{
	if (!ending->others) {
		enum err err = session_end_one(call, &ending->claims, ending->sid);
		if (err == ERR_NOT_FOUND)
			ending->text = N_("There is no such session of yours any more");
		return err == ERR_STORE_PARTIAL ? ERR_NONE : err;
	}
	enum err err = session_end_others(call, &ending->claims, &ending->token);
	if (err == ERR_NOT_FOUND) {
		ending->status = 409;
		ending->text = session_no_account;
	}
	return err;
}

/* End a begun 303 to the page, which says what was done. */
static void show_again(const struct call *call, const char *done)
{
	call_redirect(call, arena_printf(call->worker->arena, "%.*sprofile?done=%s", STR_ARGS(call->mount), done));
}

/* With the token that the session goes on with: in the cookie where one came. */
static void confirm(const struct call *call, const struct ending *ending, enum carrier carrier)
{
	bool page = ending->form.kind == FORM_FIELDS && negotiate_html(call->request);
	struct str body = ending->others ? session_others_json(call, ending->token)
					 : STR("{\"message\":\"The session has ended\"}\n");
	call_begin(call, page ? 303 : 200);
	bool cookie = ending->others && carrier == CARRIER_COOKIE;
	if (!body.p || (cookie && !session_set_cookie(call, ending->token)))
		call_refuse(call, ERR_INTERNAL);
	else if (page)
		show_again(call, ending->others ? "others" : "session");
	else
		call_json(call, body);
}

/* Somebody else was faster, or the page was old: it is shown anew. */
static bool show_gone(const struct call *call, const struct ending *ending, enum err err)
{
	if (err != ERR_NOT_FOUND || ending->others || ending->form.kind != FORM_FIELDS ||
	    !negotiate_html(call->request))
		return false;
	call_begin(call, 303);
	show_again(call, "gone");
	return true;
}

void login_sessions_end(const struct call *call)
{
	struct ending ending = {0};
	enum carrier carrier = CARRIER_BEARER;
	enum err err = form_read(call->worker->arena, call->request, &ending.form);
	if (ending.form.kind == FORM_EMPTY || ending.form.kind == FORM_OTHER) {
		call_refuse_as(call, ERR_BAD_REQUEST, 415, "Send a form or application/json");
		return;
	}
	if (err == ERR_NONE)
		err = find_own(call, &carrier, &ending.claims);
	if (err == ERR_NONE)
		err = check_origin(call, &ending, carrier);
	if (err == ERR_NONE)
		err = read_ending(call, &ending);
	if (err == ERR_NONE)
		err = end(call, &ending);
	event_act(err ? "sessions_end_failed" : "sessions_ended", call->request, err, ending.claims.user_id,
		  ending.others ? "all others" : NULL);
	if (err == ERR_NONE)
		confirm(call, &ending, carrier);
	else if (!show_gone(call, &ending, err))
		call_refuse_as(call, err, ending.status ? ending.status : err_row(err)->status, ending.text);
}
