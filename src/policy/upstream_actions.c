/* SPDX-License-Identifier: Apache-2.0 */
/* What auth-login-proxy does by asking the auth server, but for the login itself:
 * registration, forgotten passwords, e-mail addresses, profiles, its health. */
#include "base/codec.h"
#include "http/negotiate.h"
#include "http/url.h"
#include "policy/attempt.h"
#include "policy/csrf.h"
#include "policy/event.h"
#include "policy/login_bounce.h"
#include "policy/login_routes.h"
#include "policy/pages.h"
#include "policy/upstream_internal.h"

enum { VALUES_MAX = 5, VALUE_MAX = 1024, WAIT_MS = 1000, NAME_LEAST = 3, NAME_MOST = 50 };

/* An action that is a form, or the same in JSON. */
struct action {
	enum upstream_action action;
	const char *purpose; /* of the form's proof of origin */
	const char *event;
	enum attempt_kind kind;
	const char *fields[VALUES_MAX];
	const char *done, *missing;
};

static const struct action actions[] = {
	{UPSTREAM_REGISTER, "register", "register", ATTEMPT_REGISTER, {"username", "email", "name", "password", NULL},
	 N_("Your account has been made"), N_("Enter a user name or an e-mail address, and a password")},
	{UPSTREAM_FORGOT, "forgot", "forgot_password", ATTEMPT_MAIL, {"email", "username", NULL},
	 N_("If there is an account with this address, a message is on its way"), N_("Enter your e-mail address")},
	{UPSTREAM_RESET, "reset", "reset_password", ATTEMPT_CODE, {"token", "password", NULL},
	 N_("Your password has been changed"), N_("The code and a new password are needed")},
	{UPSTREAM_VERIFY_EMAIL, "verify", "verify_email", ATTEMPT_CODE, {"token", NULL},
	 N_("Your e-mail address has been confirmed"), N_("The code is needed")},
};

struct submission {
	const struct action *row;
	struct form form;
	struct csrf csrf;
	struct upstream_value values[VALUES_MAX];
	size_t n;
	struct str return_to; /* as it came */
};

static bool accept(const struct call *call, struct submission *s)
{
	enum err err = form_read(call->worker->arena, call->request, &s->form);
	if (s->form.kind == FORM_EMPTY || s->form.kind == FORM_OTHER) {
		call_refuse_as(call, ERR_BAD_REQUEST, 415, "Send a form or application/json");
		return false;
	}
	if (err == ERR_NONE && call_is_cross_site(call))
		err = ERR_CROSS_SITE;
	if (err == ERR_NONE && s->form.kind == FORM_FIELDS)
		err = csrf_check(call, s->row->purpose, form_text(call->worker->arena, &s->form, "csrf"), &s->csrf);
	if (err)
		call_refuse(call, err);
	return err == ERR_NONE;
}

/* "register", "register_failed": the filter of fail2ban looks for the latter. */
static void note(const struct call *call, const struct submission *s, enum err err, struct str user, const char *text)
{
	struct str event = arena_printf(call->worker->arena, "%s%s", s->row->event, err ? "_failed" : "");
	if (event.p)
		event_act(event.p, call->request, err, user, text);
}

static struct str value_of(const struct submission *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(str_of(s->values[i].name), str_of(name)))
			return s->values[i].value;
	return STR_NONE;
}

/* Three to fifty letters, digits and _. */
static bool is_plain(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_')
			return false;
	}
	return name.n >= NAME_LEAST && name.n <= NAME_MOST;
}

/* NULL, or what is wrong, for people. */
static const char *read_values(const struct call *call, struct submission *s)
{
	const struct upstream_conf *conf = call->worker->snapshot->upstream->conf;
	size_t given = 0;
	for (const char *const *name = s->row->fields; *name; name++) {
		struct str value = form_text(call->worker->arena, &s->form, *name);
		const struct json *member = s->form.kind == FORM_JSON ? json_member(s->form.json, str_of(*name)) : NULL;
		bool text = !member || member->type == JSON_STRING || member->type == JSON_NULL;
		if (!text || value.n > VALUE_MAX || str_has_control(value))
			return N_("A field is too long, or is no plain text");
		if (value.n == 0)
			value = STR_NONE;
		s->values[s->n++] = (struct upstream_value){*name, value};
		given += value.p != NULL;
	}
	struct str name = value_of(s, "username");
	bool all = s->row->action != UPSTREAM_FORGOT && s->row->action != UPSTREAM_REGISTER;
	if (given == 0 || (all && given < s->n) ||
	    (s->row->action == UPSTREAM_REGISTER &&
	     (!value_of(s, "password").p || (!name.p && !value_of(s, "email").p))))
		return s->row->missing;
	if (s->row->action == UPSTREAM_REGISTER && conf->username == UPSTREAM_USERNAME_PLAIN && name.p &&
	    !is_plain(name))
		return N_("A user name has 3 to 50 letters, digits and _");
	return NULL;
}

/* The form with what was typed, but for the password. */
static struct page *open_page(const struct call *call, const struct submission *s)
{
	struct page *page = page_open(call->worker, call->request, s->row->purpose);
	for (size_t i = 0; i < s->n; i++)
		if (!str_eq(str_of(s->values[i].name), STR("password")))
			page_text(page, s->values[i].name, s->values[i].value);
	page_form(call, page, &s->csrf);
	return page;
}

/* On the page of the form, or in JSON. */
static void refuse(const struct call *call, const struct submission *s, const struct upstream_outcome *outcome)
{
	if (s->form.kind != FORM_FIELDS || outcome->status >= 500 || !negotiate_html(call->request)) {
		upstream_refuse(call, outcome);
		return;
	}
	struct page *page = open_page(call, s);
	page_say(page, outcome->text.p ? outcome->text.p : err_row(outcome->err)->text);
	reply_begin(call->reply, outcome->status);
	reply_header(call->reply, "Cache-Control", STR("no-store"));
	if (outcome->retry_after > 0)
		reply_header_int(call->reply, "Retry-After", outcome->retry_after);
	page_send_body(page, call->reply);
}

/* Asking -------------------------------------------------------------------- */

static void ask(const struct call *call, const struct upstream_question *question, struct upstream_outcome *out)
{
	struct upstream_visit visit;
	struct fetch_answer answer;
	enum err err = upstream_begin(call, call->worker->snapshot->upstream->conf->timeout, WAIT_MS, &visit);
	if (err) {
		upstream_fail(out, err);
		return;
	}
	err = upstream_ask(&visit, question, &answer);
	if (err)
		upstream_fail(out, err);
	else
		upstream_judge(&visit, &answer, out);
	upstream_end(&visit);
}

/* The code in the address, as the link in a mail has it. */
static void get(const struct call *call, const struct submission *s, struct upstream_outcome *out)
{
	struct str url = call->worker->snapshot->upstream->urls[s->row->action], token = value_of(s, "token");
	struct buf b = arena_buf(call->worker->arena, url.n + 3 * token.n);
	buf_add(&b, url);
	percent_encode(&b, token, "");
	if (b.full)
		upstream_fail(out, ERR_INTERNAL);
	else
		ask(call, &(struct upstream_question){.action = s->row->action, .url = buf_str(&b)}, out);
}

static void send(const struct call *call, struct submission *s, struct upstream_outcome *out)
{
	const struct upstream *upstream = call->worker->snapshot->upstream;
	enum upstream_action action = s->row->action;
	const struct upstream_values values = {s->values, s->n, &s->form};
	if (action == UPSTREAM_REGISTER) {
		upstream_sign_in(call, action, &values, out);
		return;
	}
	if (action == UPSTREAM_VERIFY_EMAIL && upstream->verify_by_get) {
		get(call, s, out);
		return;
	}
	struct upstream_question question = {
		.action = action,
		.body = upstream_body(call->worker->arena, upstream, action, &values),
		.encoding = upstream_encoding(upstream, action),
	};
	if (question.body.p)
		ask(call, &question, out);
	else
		upstream_fail(out, ERR_INTERNAL);
	form_forget(&(struct form){0}, question.body);
}

/* Answering ----------------------------------------------------------------- */

static void answer(const struct call *call, const struct submission *s, const struct upstream_outcome *outcome)
{
	bool page = s->form.kind == FORM_FIELDS && negotiate_html(call->request);
	struct str return_to = page ? login_return_address(call, s->return_to) : STR_NONE;
	if (page && !outcome->signed_in) {
		struct page *shown = open_page(call, s);
		page_say_good(shown, outcome->text.p ? outcome->text.p : s->row->done);
		page_send(shown, call->reply, 200);
		return;
	}
	struct str body = upstream_json(call, outcome, s->row->done);
	bool ours = page || negotiate_same_origin(call->request) || call_listed_origin(call).p;
	call_begin(call, page ? 303 : outcome->status);
	if (!body.p || (outcome->signed_in && !upstream_set_cookies(call, outcome, ours))) {
		call_refuse(call, ERR_UPSTREAM_ANSWER);
		return;
	}
	if (outcome->signed_in && ours)
		login_bounce_mark(call);
	if (page)
		call_redirect(call, return_to.p ? return_to : STR("/"));
	else
		call_json(call, body);
}

static void act(const struct call *call, enum upstream_action action)
{
	struct submission s = {.row = actions};
	struct upstream_outcome outcome;
	if (!call->worker->snapshot->upstream->urls[action].p) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	while (s.row->action != action)
		s.row++;
	if (!accept(call, &s))
		return;
	const char *wrong = read_values(call, &s);
	if (wrong) {
		outcome = (struct upstream_outcome){.err = ERR_BAD_REQUEST, .status = 400, .text = str_of(wrong)};
		refuse(call, &s, &outcome);
		return;
	}
	s.return_to = form_text(call->worker->arena, &s.form, "rd");
	struct str name = value_of(&s, "username"), user = arena_copy(call->worker->arena,
								      name.p ? name : value_of(&s, "email"));
	int64_t retry_after = 0;
	/* How often an account may be tried, who knows the accounts decides. */
	enum err err = attempt_begin(call, s.row->kind, STR_NONE, &retry_after);
	if (err) {
		note(call, &s, err, user, NULL);
		upstream_fail(&outcome, err);
		outcome.retry_after = retry_after;
		refuse(call, &s, &outcome);
		return;
	}
	send(call, &s, &outcome);
	attempt_end(call, s.row->kind, STR_NONE, !outcome.err);
	form_forget(&s.form, value_of(&s, "password"));
	err = !outcome.err && outcome.signed_in ? upstream_revoke_old(call, &outcome) : ERR_NONE;
	if (err)
		upstream_fail(&outcome, err);
	note(call, &s, outcome.err, user, outcome.text.p);
	if (outcome.err)
		refuse(call, &s, &outcome);
	else
		answer(call, &s, &outcome);
}

static void show(const struct call *call, enum upstream_action action)
{
	struct submission s = {.row = actions};
	if (!call->worker->snapshot->upstream->urls[action].p) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	while (s.row->action != action)
		s.row++;
	enum err err = csrf_open(call, s.row->purpose, &s.csrf);
	if (err) {
		call_refuse(call, err);
		return;
	}
	struct page *page = open_page(call, &s);
	page_text(page, "token", url_field(call->worker->arena, call->request->query, "token"));
	page_text(page, "rd", login_return_address(call, url_field(call->worker->arena, call->request->query, "rd")));
	page_send(page, call->reply, 200);
}

void upstream_register(const struct call *call)
{
	act(call, UPSTREAM_REGISTER);
}

void upstream_show_register(const struct call *call)
{
	show(call, UPSTREAM_REGISTER);
}

void upstream_forgot_password(const struct call *call)
{
	act(call, UPSTREAM_FORGOT);
}

void upstream_show_forgot_password(const struct call *call)
{
	show(call, UPSTREAM_FORGOT);
}

void upstream_reset_password(const struct call *call)
{
	act(call, UPSTREAM_RESET);
}

void upstream_show_reset_password(const struct call *call)
{
	show(call, UPSTREAM_RESET);
}

void upstream_verify_email(const struct call *call)
{
	act(call, UPSTREAM_VERIFY_EMAIL);
}

void upstream_show_verify_email(const struct call *call)
{
	show(call, UPSTREAM_VERIFY_EMAIL);
}
