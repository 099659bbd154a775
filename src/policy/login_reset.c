/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /reset-password: a new password for who has the link of a mail. */
#include "base/clock.h"
#include "http/url.h"
#include "policy/attempt.h"
#include "policy/event.h"
#include "policy/letter.h"
#include "policy/login_input.h"
#include "policy/login_link.h"
#include "policy/login_routes.h"
#include "policy/password.h"
#include "policy/password_policy.h"
#include "policy/revocation.h"
#include "policy/session.h"

static const char purpose[] = "reset-password";

struct reset {
	struct login_input input;
	struct str token, password;
	struct account account;
	const char *text; /* for the client, instead of the error's own; or NULL */
	bool spent;	  /* the link is good for nothing */
	int64_t retry_after;
};

void login_show_reset_password(const struct call *call)
{
	struct str token = url_field(call->worker->arena, call->request->query, "token");
	if (!login_mails(call->worker->snapshot)) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	struct page *page = login_input_first_page(call, "reset", purpose);
	if (!page)
		return;
	page_text(page, "token", token);
	page_send(page, call->reply, 200);
}

/* Every token of the user that was issued up to now, listed or not. */
static enum err end_sessions(const struct call *call, struct str user)
{
	struct worker *worker = call->worker;
	const struct snapshot *snapshot = worker->snapshot;
	if (!snapshot->login_issuer)
		return ERR_NONE;
	const struct issuer_conf *conf = conf_find(snapshot->conf, &issuer_kind, issuer_name(snapshot->login_issuer));
	size_t n = conf->iss.n ? conf->iss.n : 1;
	enum err err = ERR_NONE;
	for (size_t i = 0; i < n && err == ERR_NONE; i++)
		err = revocation_add_user(worker, conf->iss.n ? conf->iss.items[i].value : STR_NONE, user,
					  STR("password reset"));
	return err ? err : session_end_all(call, user, STR_NONE);
}

/* First the account, so that no login with the old password gets a token behind the revocation. */
static enum err apply(const struct call *call, struct reset *reset)
{
	struct worker *worker = call->worker;
	unsigned cost = (unsigned)worker->snapshot->login->password_cost;
	struct str hash;
	if (!password_hash(worker->arena, reset->password, cost, &hash))
		return ERR_INTERNAL;
	enum err err = accounts_reset(worker_accounts(worker), &reset->account, hash, clock_now());
	if (err)
		return err;
	letter_send(call, LETTER_CHANGED, &reset->account, STR_NONE);
	/* Whoever kept the owner out by guessing has guessed at the old one. */
	if (attempt_unlock(worker, reset->account.id))
		event_act("reset_password", call->request, ERR_NONE, reset->account.id, "a lock may still hold");
	err = end_sessions(call, reset->account.id);
	return err == ERR_STORE_PARTIAL ? ERR_NONE : err;
}

static enum err decide(const struct call *call, struct reset *reset)
{
	enum err err = attempt_begin(call, ATTEMPT_CODE, STR_NONE, &reset->retry_after);
	if (err)
		return err;
	err = login_link_read(call, LINK_RESET, reset->token, &reset->account);
	if (err == ERR_NONE) {
		reset->text = password_policy_problem(call->worker, reset->password, STR_NONE);
		err = reset->text ? ERR_BAD_REQUEST : apply(call, reset);
	}
	attempt_end(call, ATTEMPT_CODE, STR_NONE, err == ERR_NONE);
	if (err != ERR_NOT_FOUND)
		return err;
	reset->spent = true;
	reset->text = N_("This link was used already, or it is too old.");
	return ERR_BAD_REQUEST;
}

static void reject(const struct call *call, const struct reset *reset, enum err err)
{
	int status = err_row(err)->status;
	if (reset->retry_after > 0 || status >= 500 || !login_input_wants_page(call, &reset->input)) {
		login_input_refuse(call, err, reset->retry_after, reset->text);
		return;
	}
	struct page *page = login_input_page(call, &reset->input);
	page_text(page, "token", reset->spent ? STR_NONE : reset->token);
	page_say(page, reset->text ? reset->text : err_row(err)->text);
	page_send(page, call->reply, status);
}

static void confirm(const struct call *call, const struct reset *reset)
{
	static const char text[] = N_("Your password is changed. You can sign in with it now.");
	if (!login_input_wants_page(call, &reset->input)) {
		login_input_confirm(call, text);
		return;
	}
	struct page *page = login_input_page(call, &reset->input);
	page_say_good(page, text);
	page_send(page, call->reply, 200);
}

void login_reset_password(const struct call *call)
{
	struct reset reset = {.input = {.purpose = purpose, .event = "reset_password_failed", .page = "reset"}};
	if (!login_mails(call->worker->snapshot)) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	if (!login_input_read(call, &reset.input))
		return;
	reset.token = login_input_text(call, &reset.input, "token");
	reset.password = form_text(call->worker->arena, &reset.input.form, "password");
	enum err err = decide(call, &reset);
	event_act(err ? "reset_password_failed" : "reset_password", call->request, err, reset.account.id, NULL);
	if (err)
		reject(call, &reset, err);
	else
		confirm(call, &reset);
	form_forget(&reset.input.form, reset.password);
}
