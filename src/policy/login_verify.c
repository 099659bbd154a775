/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /verify-email: whoever has read a mail to an address confirms it.
 * GET changes nothing: programs that look at mails follow the links in them. */
#include "base/clock.h"
#include "http/url.h"
#include "policy/attempt.h"
#include "policy/event.h"
#include "policy/login_input.h"
#include "policy/login_link.h"
#include "policy/login_routes.h"

static const char purpose[] = "verify-email";

void login_show_verify_email(const struct call *call)
{
	struct str token = url_field(call->worker->arena, call->request->query, "token");
	if (!login_mails(call->worker->snapshot)) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	struct page *page = login_input_first_page(call, "verify", purpose);
	if (!page)
		return;
	if (token.n)
		page_text(page, "token", token);
	else
		page_say_good(page, "We have sent you a mail. Confirm your address with the link in it.");
	page_send(page, call->reply, 200);
}

static enum err confirm(const struct call *call, struct str token, struct account *account)
{
	enum err err = login_link_read(call, LINK_CONFIRM, token, account);
	if (err)
		return err;
	return accounts_confirm(worker_accounts(call->worker), account->id, account->email, clock_now());
}

static void answer(const struct call *call, const struct login_input *input, enum err err)
{
	static const char good[] = N_("Your address is confirmed. You can sign in now.");
	static const char bad[] = N_("This link was used already, or it is too old.");
	if (!login_input_wants_page(call, input) || (err && err != ERR_NOT_FOUND)) {
		if (err)
			call_refuse_as(call, err == ERR_NOT_FOUND ? ERR_BAD_REQUEST : err,
				       err == ERR_NOT_FOUND ? 400 : err_row(err)->status,
				       err == ERR_NOT_FOUND ? bad : NULL);
		else
			login_input_confirm(call, good);
		return;
	}
	struct page *page = login_input_page(call, input);
	if (err)
		page_say(page, bad);
	else
		page_say_good(page, good);
	page_send(page, call->reply, err ? 400 : 200);
}

void login_verify_email(const struct call *call)
{
	struct login_input input = {.purpose = purpose, .event = "verify_email_failed", .page = "verify"};
	struct account account = {0};
	int64_t retry_after = 0;
	if (!login_mails(call->worker->snapshot)) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	if (!login_input_read(call, &input))
		return;
	enum err err = attempt_begin(call, ATTEMPT_CODE, STR_NONE, &retry_after);
	if (err) {
		event_act("verify_email_failed", call->request, err, STR_NONE, NULL);
		login_input_refuse(call, err, retry_after, NULL);
		return;
	}
	err = confirm(call, login_input_text(call, &input, "token"), &account);
	attempt_end(call, ATTEMPT_CODE, STR_NONE, err == ERR_NONE);
	event_act(err ? "verify_email_failed" : "verify_email", call->request,
		  err == ERR_NOT_FOUND ? ERR_BAD_REQUEST : err, err ? STR_NONE : account.id, NULL);
	answer(call, &input, err);
}
