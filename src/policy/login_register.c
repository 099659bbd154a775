/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /register: people make local accounts for themselves.
 *
 * With verify-email nobody learns here whether an address has an account: the answer
 * is the same, its owner gets another mail, and the user name that was chosen is kept
 * for the stranger as it would have been. */
#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/negotiate.h"
#include "http/url.h"
#include "policy/attempt.h"
#include "policy/event.h"
#include "policy/letter.h"
#include "policy/login_bounce.h"
#include "policy/login_input.h"
#include "policy/login_link.h"
#include "policy/login_routes.h"
#include "policy/password.h"
#include "policy/password_policy.h"
#include "policy/session.h"

enum { USER_MIN = 3, USER_MAX = 50, ID_BYTES = 16 };

static const char purpose[] = "register";

struct enrolment {
	struct login_input input;
	struct str user, email, name, password;
	struct str return_to; /* checked; STR_NONE for "/" */
	struct account account;
	const char *text; /* for the client, instead of the error's own; or NULL */
	const char *why;  /* for the log; or NULL */
	int64_t retry_after;
};

void login_show_register(const struct call *call)
{
	if (!call->worker->snapshot->login->registration) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	struct page *page = login_input_first_page(call, "register", purpose);
	if (!page)
		return;
	page_text(page, "rd", login_return_address(call, url_field(call->worker->arena, call->request->query, "rd")));
	page_send(page, call->reply, 200);
}

/* What is asked for ---------------------------------------------------------- */

static bool is_user_name(struct str user)
{
	for (size_t i = 0; i < user.n; i++) {
		char c = user.p[i];
		bool alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		if (!alphanumeric && c != '_' && c != '.' && c != '-')
			return false;
	}
	return user.n >= USER_MIN && user.n <= USER_MAX;
}

static const char *problem_of(const struct call *call, const struct enrolment *e)
{
	if (!e->email.n || !e->password.n)
		return N_("Enter an e-mail address and a password.");
	if (e->user.n && !is_user_name(e->user))
		return N_("A user name has 3 to 50 letters, digits, dots, hyphens or underscores.");
	if (!mail_address_is_valid(e->email))
		return N_("This is no e-mail address.");
	if (e->name.n > ACCOUNT_NAME_MAX || str_has_control(e->name))
		return N_("The name is too long.");
	return password_policy_problem(call->worker, e->password, STR_NONE);
}

static void read_fields(const struct call *call, struct enrolment *e)
{
	e->user = login_input_text(call, &e->input, "username");
	e->email = login_input_text(call, &e->input, "email");
	e->name = login_input_text(call, &e->input, "name");
	e->password = form_text(call->worker->arena, &e->input.form, "password");
	if (e->input.form.kind == FORM_FIELDS)
		e->return_to = login_return_address(call, form_text(call->worker->arena, &e->input.form, "rd"));
}

/* Nobody's user name: these have no such length. */
static struct str random_id(struct arena *arena)
{
	unsigned char bytes[ID_BYTES];
	struct buf b = arena_buf(arena, BASE64URL_ENCODED(ID_BYTES) + 4);
	random_bytes(bytes, sizeof bytes);
	buf_add(&b, STR("u-"));
	base64url_encode(&b, bytes, sizeof bytes);
	return b.full ? STR_NONE : buf_str(&b);
}

static enum err make_account(const struct call *call, struct enrolment *e)
{
	struct arena *arena = call->worker->arena;
	const struct login_conf *login = call->worker->snapshot->login;
	int64_t now = clock_now();
	e->account = (struct account){
		.id = e->user.n ? e->user : random_id(arena),
		.email = e->email,
		.name = e->name,
		.pending = login->verify_email,
		.created = now,
		.changed = now,
	};
	bool hashed = password_hash(arena, e->password, (unsigned)login->password_cost, &e->account.password);
	return e->account.id.p && hashed ? ERR_NONE : ERR_INTERNAL;
}

/* Making it ------------------------------------------------------------------ */

/* The owner of the address hears of it, and can set a password. */
static void tell_owner(const struct call *call, struct str email)
{
	struct account owner;
	if (accounts_find(worker_accounts(call->worker), call->worker->arena, email, &owner) || !owner.email.n ||
	    !owner.password.n || owner.disabled)
		return;
	struct str token = login_link_make(call, LINK_RESET, &owner);
	if (token.p)
		letter_send(call, LETTER_TAKEN, &owner, token);
}

static enum err add(const struct call *call, const struct account *account, enum account_taken *taken)
{
	struct accounts *accounts = worker_accounts(call->worker);
	return accounts ? accounts_register(accounts, account, LINK_CONFIRM_SECONDS, taken) : ERR_STORE;
}

static enum err refuse_taken(struct enrolment *e, enum account_taken taken)
{
	e->text = taken == ACCOUNT_ID_TAKEN ? N_("This user name is taken.")
					    : N_("There is an account with this e-mail address already.");
	e->why = taken == ACCOUNT_ID_TAKEN ? "the user name is taken" : "the e-mail address is taken";
	return ERR_BAD_REQUEST;
}

static enum err enrol(const struct call *call, struct enrolment *e)
{
	enum account_taken taken = ACCOUNT_FREE;
	enum err err = make_account(call, e);
	if (err == ERR_NONE)
		err = add(call, &e->account, &taken);
	if (err == ERR_BAD_REQUEST && taken == ACCOUNT_EMAIL_TAKEN && e->account.pending) {
		/* An account that nobody can confirm, and that goes away by itself. */
		struct account instead = e->account;
		instead.email = STR("");
		tell_owner(call, e->email);
		e->why = "the e-mail address is taken; its owner was told";
		err = add(call, &instead, &taken);
	} else if (err == ERR_NONE && e->account.pending) {
		struct str token = login_link_make(call, LINK_CONFIRM, &e->account);
		if (token.p)
			letter_send(call, LETTER_CONFIRM, &e->account, token);
	}
	return err == ERR_BAD_REQUEST ? refuse_taken(e, taken) : err;
}

static enum err decide(const struct call *call, struct enrolment *e)
{
	enum err err = attempt_begin(call, ATTEMPT_REGISTER, STR_NONE, &e->retry_after);
	if (err)
		return err;
	e->text = problem_of(call, e);
	/* Whoever has the address gets no more mails than by /forgot-password. */
	if (!e->text && call->worker->snapshot->login->verify_email)
		err = attempt_begin(call, ATTEMPT_MAIL, e->email, &e->retry_after);
	if (err == ERR_NONE)
		err = e->text ? ERR_BAD_REQUEST : enrol(call, e);
	attempt_end(call, ATTEMPT_REGISTER, STR_NONE, err == ERR_NONE);
	return err;
}

/* Answers -------------------------------------------------------------------- */

static void reject(const struct call *call, const struct enrolment *e, enum err err)
{
	int status = err_row(err)->status;
	if (e->retry_after > 0 || status >= 500 || !login_input_wants_page(call, &e->input)) {
		login_input_refuse(call, err, e->retry_after, e->text);
		return;
	}
	struct page *page = login_input_page(call, &e->input);
	page_text(page, "username", e->user);
	page_text(page, "email", e->email);
	page_text(page, "name", e->name);
	page_text(page, "rd", e->return_to);
	page_say(page, e->text ? e->text : err_row(err)->text);
	page_send(page, call->reply, status);
}

/* Until the address is confirmed there is no token. */
static void ask_to_confirm(const struct call *call, const struct enrolment *e)
{
	static const char text[] = N_("We have sent you a mail. Confirm your address with the link in it.");
	struct str body = session_json(call, text, STR_NONE, &e->account);
	if (e->input.form.kind == FORM_FIELDS) {
		call_begin(call, 303);
		call_redirect(call, STR("./verify-email"));
	} else if (body.p) {
		call_begin(call, 201);
		call_json(call, body);
	} else {
		call_refuse(call, ERR_INTERNAL);
	}
}

/* As after a login. */
static void welcome(const struct call *call, const struct enrolment *e, struct str token)
{
	bool json = e->input.form.kind == FORM_JSON;
	struct str body = json ? session_json(call, "Registration successful", token, &e->account) : STR("");
	call_begin(call, json ? 201 : 303);
	bool cookie = !json || negotiate_same_origin(call->request);
	if (!body.p || (cookie && !session_set_cookie(call, token))) {
		call_refuse(call, ERR_INTERNAL);
		return;
	}
	if (cookie)
		login_bounce_mark(call);
	if (json)
		call_json(call, body);
	else
		call_redirect(call, e->return_to.p ? e->return_to : STR("/"));
}

static void answer(const struct call *call, const struct enrolment *e)
{
	struct str token = STR_NONE;
	if (e->account.pending) {
		ask_to_confirm(call, e);
		return;
	}
	enum err err = session_issue(call, &e->account, &token);
	if (err == ERR_NONE)
		err = session_revoke_old(call);
	if (err)
		call_refuse(call, err);
	else
		welcome(call, e, token);
}

void login_register(const struct call *call)
{
	struct enrolment e = {.input = {.purpose = purpose, .event = "register_failed", .page = "register"}};
	if (!call->worker->snapshot->login->registration) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	if (!login_input_read(call, &e.input))
		return;
	read_fields(call, &e);
	enum err err = decide(call, &e);
	event_act(err ? "register_failed" : "register", call->request, err, err ? STR_NONE : e.account.id, e.why);
	if (err)
		reject(call, &e, err);
	else
		answer(call, &e);
	form_forget(&e.input.form, e.password);
}
