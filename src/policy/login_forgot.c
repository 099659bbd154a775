/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /forgot-password: a mail with a link, if there is such an account. The
 * answer is the same in either case, and as fast. */
#include "policy/attempt.h"
#include "policy/event.h"
#include "policy/letter.h"
#include "policy/login_input.h"
#include "policy/login_link.h"
#include "policy/login_routes.h"

static const char purpose[] = "forgot-password";

void login_show_forgot_password(const struct call *call)
{
	if (!login_mails(call->worker->snapshot)) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	struct page *page = login_input_first_page(call, "forgot", purpose);
	if (page)
		page_send(page, call->reply, 200);
}

/* ERR_NONE, too, when there is nobody to send it to; *why says so, to the log alone. */
static enum err send_link(const struct call *call, struct str email, struct str *user, const char **why)
{
	struct accounts *accounts = worker_accounts(call->worker);
	struct account account;
	enum err err = accounts ? accounts_find(accounts, call->worker->arena, email, &account) : ERR_STORE;
	if (err == ERR_NOT_FOUND) {
		*why = "no such account";
		return ERR_NONE;
	}
	if (err)
		return err;
	*user = account.id;
	if (account.disabled || !account.password.n || !account.email.n) {
		*why = "the account is disabled, or has no password or address";
		return ERR_NONE;
	}
	struct str token = login_link_make(call, LINK_RESET, &account);
	if (!token.p)
		return ERR_STORE;
	letter_send(call, LETTER_RESET, &account, token);
	return ERR_NONE;
}

static void reject(const struct call *call, const struct login_input *input, struct str email)
{
	static const char text[] = N_("This is no e-mail address.");
	if (!login_input_wants_page(call, input)) {
		call_refuse_as(call, ERR_BAD_REQUEST, 400, text);
		return;
	}
	struct page *page = login_input_page(call, input);
	page_text(page, "email", email);
	page_say(page, text);
	page_send(page, call->reply, 400);
}

static void confirm(const struct call *call, const struct login_input *input)
{
	static const char text[] = N_("If there is an account with this address, a mail is on its way to it.");
	if (!login_input_wants_page(call, input)) {
		login_input_confirm(call, text);
		return;
	}
	struct page *page = login_input_page(call, input);
	page_say_good(page, text);
	page_send(page, call->reply, 200);
}

void login_forgot_password(const struct call *call)
{
	struct login_input input = {.purpose = purpose, .event = "forgot_password_failed", .page = "forgot"};
	int64_t retry_after = 0;
	struct str user = STR_NONE;
	const char *why = NULL;
	if (!login_mails(call->worker->snapshot)) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	if (!login_input_read(call, &input))
		return;
	struct str email = login_input_text(call, &input, "email");
	if (!mail_address_is_valid(email)) {
		event_act("forgot_password_failed", call->request, ERR_BAD_REQUEST, STR_NONE, NULL);
		reject(call, &input, email);
		return;
	}
	enum err err = attempt_begin(call, ATTEMPT_MAIL, email, &retry_after);
	if (err == ERR_NONE)
		err = send_link(call, email, &user, &why);
	event_act(err ? "forgot_password_failed" : "forgot_password", call->request, err, user, why);
	if (err)
		login_input_refuse(call, err, retry_after, NULL);
	else
		confirm(call, &input);
}
