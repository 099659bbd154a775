/* SPDX-License-Identifier: Apache-2.0 */
/* GET /login, the page, and POST /login, as a form or as JSON. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/negotiate.h"
#include "http/url.h"
#include "policy/csrf.h"
#include "policy/event.h"
#include "policy/form.h"
#include "policy/login_bounce.h"
#include "policy/login_resume.h"
#include "policy/login_routes.h"
#include "policy/pages.h"
#include "policy/session.h"
#include "policy/upstream.h"

static const char purpose[] = "login";

/* The origin of this site; STR_NONE when the Host header is no plain name. */
static struct str own_origin(const struct call *call)
{
	struct str authority = call->request->authority;
	for (size_t i = 0; i < authority.n; i++)
		if (strchr("/@\\?#\" <>", authority.p[i]))
			return STR_NONE;
	if (authority.n == 0)
		return STR_NONE;
	return arena_printf(call->worker->arena, "%s://%.*s", call->request->https ? "https" : "http",
			    STR_ARGS(authority));
}

struct str login_return_address(const struct call *call, struct str address)
{
	const struct conf_list *list = &call->worker->snapshot->login->return_origins;
	struct str *origins = arena_array(call->worker->arena, list->n + 1, sizeof *origins);
	if (!address.n || !origins)
		return STR_NONE;
	for (size_t i = 0; i < list->n; i++)
		origins[i] = list->items[i].value;
	if (url_return_is_safe(address, own_origin(call), origins, list->n))
		return address;
	/* Its query may hold what must not be in a log. */
	struct str shown = {address.p, str_find(address, '?')};
	event_act("return_refused", call->request, ERR_BAD_REQUEST, shown,
		  "the address to return to is on another site");
	return STR_NONE;
}

void login_show(const struct call *call)
{
	struct csrf csrf;
	if (login_bounce_show(call))
		return;
	enum err err = csrf_open(call, purpose, &csrf);
	if (err) {
		call_refuse(call, err);
		return;
	}
	struct page *page = page_open(call->worker, call->request, "login");
	page_text(page, "rd", login_return_address(call, url_field(call->worker->arena, call->request->query, "rd")));
	page_form(call, page, &csrf);
	page_send(page, call->reply, 200);
}

/* What was typed or sent. */
struct attempt {
	struct form form;
	struct csrf csrf; /* of a form */
	struct str user, password;
	bool by_email;	     /* the field is called so */
	int64_t retry_after; /* seconds, or 0 */
	struct str return_to; /* checked; STR_NONE for "/" */
	struct str kept;      /* a form that waits for the login, or STR_NONE */
};

static void read_attempt(const struct call *call, struct attempt *attempt)
{
	struct arena *arena = call->worker->arena;
	const struct form *form = &attempt->form;
	struct str user = form_text(arena, form, "username"), email = form_text(arena, form, "email");
	/* Both would be two users in one request. */
	attempt->user = user.p && email.p ? STR_NONE : user.p ? user : email;
	attempt->by_email = !user.p;
	attempt->password = form_text(arena, form, "password");
	if (form->kind != FORM_FIELDS)
		return;
	struct str address = form_text(arena, form, "rd");
	if (!address.p)
		address = url_field(arena, call->request->query, "rd");
	attempt->return_to = login_return_address(call, address);
	/* The body is wiped with the password. */
	struct str kept = kept_form_find(form->body);
	attempt->kept = kept.p ? arena_copy(arena, kept) : STR_NONE;
}

/* Show the form again, or say it in JSON. Sets and clears no session. */
static void reject(const struct call *call, const struct attempt *attempt, enum err err, const char *message)
{
	int status = err_row(err)->status;
	if (attempt->form.kind != FORM_FIELDS || status >= 500 || !negotiate_html(call->request)) {
		if (attempt->retry_after > 0)
			call_refuse_later(call, err, attempt->retry_after);
		else
			call_refuse_as(call, err, status, message);
		return;
	}
	struct page *page = page_open(call->worker, call->request, "login");
	page_text(page, "rd", attempt->return_to);
	page_text(page, "kept", attempt->kept);
	page_text(page, "user", attempt->user);
	page_say(page, message);
	page_form(call, page, &attempt->csrf);
	reply_begin(call->reply, status);
	reply_header(call->reply, "Cache-Control", STR("no-store"));
	if (attempt->retry_after > 0)
		reply_header_int(call->reply, "Retry-After", attempt->retry_after);
	page_send_body(page, call->reply);
}

/* A form of this site that was open for too long, or whose cookie did not come: here
 * it is again, with all that it brought but the password. */
static bool offer_again(const struct call *call, struct attempt *attempt)
{
	struct kept_form form;
	if (call_is_cross_site(call) || !negotiate_html(call->request) || csrf_open(call, purpose, &attempt->csrf))
		return false;
	read_attempt(call, attempt);
	if (attempt->kept.p && kept_form_open(call, attempt->kept, &form))
		attempt->kept = STR_NONE;
	attempt->user = arena_copy(call->worker->arena, attempt->user);
	form_forget(&attempt->form, attempt->password);
	reject(call, attempt, ERR_CROSS_SITE,
	       attempt->kept.p ? "This page had become too old. Sign in once more, and what you entered will not be "
				 "lost."
			       : "The form was open for too long. Please try again. If this comes again, allow cookies "
				 "for this site.");
	return true;
}

/* Is it a form of ours, or JSON, which no page of another site can send here
 * without a preflight that is never granted? Refused: the reply is complete. */
static bool accept(const struct call *call, struct attempt *attempt)
{
	enum err err = form_read(call->worker->arena, call->request, &attempt->form);
	if (attempt->form.kind == FORM_EMPTY || attempt->form.kind == FORM_OTHER) {
		call_refuse_as(call, ERR_BAD_REQUEST, 415, "Send a form or application/json");
		return false;
	}
	if (err == ERR_NONE && call_is_cross_site(call))
		err = ERR_CROSS_SITE;
	if (err == ERR_NONE && attempt->form.kind == FORM_FIELDS)
		err = csrf_check(call, purpose, form_text(call->worker->arena, &attempt->form, "csrf"), &attempt->csrf);
	if (err) {
		event_act("login_refused", call->request, err, STR_NONE, NULL);
		if (err != ERR_CROSS_SITE || !offer_again(call, attempt))
			call_refuse(call, err);
	}
	return err == ERR_NONE;
}

static enum err sign_in(const struct call *call, const struct account *account, struct str *token)
{
	struct worker *worker = call->worker;
	enum err err = session_issue(call, account, token);
	if (err == ERR_NONE)
		err = session_revoke_old(call);
	enum err noted = err ? err : accounts_note_login(worker_accounts(worker), account, clock_now());
	/* Disabled or given another password while this one was looked at: the token that
	 * was just issued may be younger than the revocation. */
	if (noted == ERR_NOT_FOUND)
		return ERR_BAD_CREDENTIALS;
	if (err == ERR_NONE && noted)
		log_text(LOG_WARNING, "accounts", "the time of a login could not be noted");
	return err;
}

static const char *text_of(const struct attempt *attempt, enum err err)
{
	if (attempt->retry_after > 0)
		return attempt_text(attempt->retry_after);
	if (err == ERR_BAD_CREDENTIALS && attempt->by_email)
		return N_("Invalid email or password");
	return err == ERR_USER_INACTIVE ? "Confirm your e-mail address first, with the link in the mail we sent you."
					: err_row(err)->text;
}

/* A login that worked. */
struct success {
	struct str user, token;
	struct str body; /* of the answer to JSON; STR_NONE: it does not fit */
	const struct upstream_outcome *upstream; /* NULL: an account of our own */
};

static bool set_cookies(const struct call *call, const struct success *success, bool ours)
{
	if (success->upstream)
		return upstream_set_cookies(call, success->upstream, ours);
	return !ours || session_set_cookie(call, success->token);
}

/* A form gets the cookie and goes on; JSON gets the token, and the cookie too
 * when it comes from a page of this site: a program has no use for one. */
static void welcome(const struct call *call, const struct attempt *attempt, const struct success *success)
{
	bool json = attempt->form.kind == FORM_JSON;
	if (attempt->kept.p)
		login_resume_begin(call);
	else
		call_begin(call, json ? 200 : 303);
	bool cookie = !json || negotiate_same_origin(call->request) || call_listed_origin(call).p;
	if ((json && !success->body.p) || !set_cookies(call, success, cookie)) {
		call_refuse(call, success->upstream ? ERR_UPSTREAM_ANSWER : ERR_INTERNAL);
		return;
	}
	event_act("login", call->request, ERR_NONE, success->user, NULL);
	if (cookie)
		login_bounce_mark(call);
	if (json)
		call_json(call, success->body);
	else if (attempt->kept.p)
		login_resume_go_on(call, attempt->kept, attempt->return_to);
	else
		call_redirect(call, attempt->return_to.p ? attempt->return_to : STR("/"));
}

/* The password is gone when it returns. */
static enum err prove(const struct call *call, struct attempt *attempt, struct login_proof *proof)
{
	*proof = (struct login_proof){.kind = ATTEMPT_LOGIN, .user = attempt->user, .password = attempt->password};
	enum err err = login_check_password(call, proof);
	attempt->user = arena_copy(call->worker->arena, attempt->user);
	attempt->retry_after = proof->retry_after;
	form_forget(&attempt->form, attempt->password);
	return err;
}

/* The auth server's own words, on the page or in JSON. */
static void reject_upstream(const struct call *call, const struct attempt *attempt,
			    const struct upstream_outcome *outcome)
{
	bool page = attempt->form.kind == FORM_FIELDS && outcome->status < 500 && negotiate_html(call->request);
	event_act("login_failed", call->request, outcome->err, attempt->user, outcome->text.p);
	if (page)
		reject(call, attempt, outcome->err, outcome->text.p ? outcome->text.p : err_row(outcome->err)->text);
	else
		upstream_refuse(call, outcome);
}

static void submit_upstream(const struct call *call, struct attempt *attempt)
{
	const struct upstream_value items[] = {{"username", attempt->user}, {"password", attempt->password}};
	const struct upstream_values values = {items, sizeof items / sizeof *items, &attempt->form};
	struct upstream_outcome outcome;
	/* How often an account may be tried, who knows the accounts decides. */
	enum err err = attempt_begin(call, ATTEMPT_LOGIN, STR_NONE, &attempt->retry_after);
	if (err) {
		event_act("login_failed", call->request, err, attempt->user, NULL);
		reject(call, attempt, err, text_of(attempt, err));
		return;
	}
	upstream_sign_in(call, UPSTREAM_LOGIN, &values, &outcome);
	attempt_end(call, ATTEMPT_LOGIN, STR_NONE, !outcome.err);
	attempt->user = arena_copy(call->worker->arena, attempt->user);
	form_forget(&attempt->form, attempt->password);
	if (outcome.err == ERR_NONE) {
		outcome.err = upstream_revoke_old(call, &outcome);
		outcome.status = err_row(outcome.err)->status;
	}
	if (outcome.err)
		reject_upstream(call, attempt, &outcome);
	else
		welcome(call, attempt,
			&(struct success){.user = outcome.claims.user_id, .upstream = &outcome,
					  .body = upstream_json(call, &outcome, "Login successful")});
}

void login_submit(const struct call *call)
{
	struct attempt attempt = {0};
	struct login_proof proof;
	struct str token;
	if (!accept(call, &attempt))
		return;
	read_attempt(call, &attempt);
	if (!attempt.user.n || !attempt.password.n) {
		reject(call, &attempt, ERR_BAD_REQUEST, N_("Enter your user name and your password"));
		return;
	}
	if (call->worker->snapshot->upstream) {
		submit_upstream(call, &attempt);
		return;
	}
	enum err err = prove(call, &attempt, &proof);
	if (err == ERR_NONE)
		err = sign_in(call, &proof.account, &token);
	if (err) {
		event_act("login_failed", call->request, err, attempt.user, proof.why);
		reject(call, &attempt, err, text_of(&attempt, err));
		return;
	}
	welcome(call, &attempt,
		&(struct success){.user = proof.account.id, .token = token,
				  .body = session_json(call, "Login successful", token, &proof.account)});
}
