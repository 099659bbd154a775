/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /change-password: by the token's user, who knows the current password. */
#include "base/clock.h"
#include "http/negotiate.h"
#include "policy/csrf.h"
#include "policy/event.h"
#include "policy/form.h"
#include "policy/letter.h"
#include "policy/login_routes.h"
#include "policy/pages.h"
#include "policy/password.h"
#include "policy/password_policy.h"
#include "policy/revocation.h"
#include "policy/session.h"

static const char purpose[] = "password";

/* What the change needs; filled step by step. */
struct change {
	struct form form;
	struct claims claims;
	struct str current, fresh;
	struct account account;
	const char *text; /* for the client, instead of the error's own; or NULL */
	const char *why;  /* for the log; or NULL */
	int64_t retry_after; /* seconds, or 0 */
};

static enum err find_claims(const struct call *call, enum carrier *carrier, struct claims *claims)
{
	struct issuer *issuer = call->worker->snapshot->login_issuer;
	struct issuer_set ours = {&issuer, issuer ? 1 : 0};
	return session_find(call, &ours, carrier, claims);
}

/* The page; message: why it comes once more, or NULL. */
static void show(const struct call *call, const struct claims *claims, int status, const char *message,
		 int64_t retry_after)
{
	struct csrf csrf;
	enum err err = csrf_open(call, purpose, &csrf);
	if (err) {
		call_refuse(call, err);
		return;
	}
	struct page *page = page_open(call->worker, call->request, "password");
	page_base(page, call->mount);
	page_text(page, "user", claims->user_id);
	if (message)
		page_say(page, message);
	page_form(call, page, &csrf);
	reply_begin(call->reply, status);
	reply_header(call->reply, "Cache-Control", STR("no-store"));
	if (retry_after > 0)
		reply_header_int(call->reply, "Retry-After", retry_after);
	page_send_body(page, call->reply);
}

void login_show_change_password(const struct call *call)
{
	struct claims claims;
	enum carrier carrier;
	enum err err = find_claims(call, &carrier, &claims);
	if (err == ERR_NONE)
		show(call, &claims, 200, NULL, 0);
	else if (!login_send_here(call, err))
		call_refuse(call, err);
}

/* The user of a token of ours. A form that comes with the cookie alone must prove
 * that it comes from this site; JSON can come from no other. */
static enum err find_user(const struct call *call, struct change *change)
{
	struct csrf csrf;
	enum carrier carrier;
	if (call_is_cross_site(call))
		return ERR_CROSS_SITE;
	enum err err = find_claims(call, &carrier, &change->claims);
	if (err)
		return err;
	bool proven = carrier == CARRIER_BEARER || change->form.kind == FORM_JSON ||
		      negotiate_same_origin(call->request);
	if (proven)
		return ERR_NONE;
	return csrf_check(call, purpose, form_text(call->worker->arena, &change->form, "csrf"), &csrf);
}

static enum err check_current(const struct call *call, struct change *change)
{
	struct login_proof proof = {.kind = ATTEMPT_CODE, .user = change->claims.user_id, .password = change->current};
	enum err err = login_check_password(call, &proof);
	change->account = proof.account;
	change->why = proof.why;
	change->retry_after = proof.retry_after;
	if (err)
		return err;
	change->text = password_policy_problem(call->worker, change->fresh, change->current);
	return change->text ? ERR_BAD_REQUEST : ERR_NONE;
}

/* First the account, so that no login with the old password gets a token behind the
 * revocation; of two changes at once one wins. */
static enum err apply(const struct call *call, struct change *change, struct str *token)
{
	struct worker *worker = call->worker;
	const struct account *account = &change->account;
	unsigned cost = (unsigned)worker->snapshot->login->password_cost;
	struct str hash;
	if (!password_hash(worker->arena, change->fresh, cost, &hash))
		return ERR_INTERNAL;
	enum err err = accounts_set_password(worker_accounts(worker), account, hash, clock_now());
	if (err == ERR_NOT_FOUND)
		return ERR_BAD_CREDENTIALS;
	if (err)
		return err;
	if (login_mails(worker->snapshot) && account->email.n)
		letter_send(call, LETTER_CHANGED, account, STR_NONE);
	err = revocation_add_user(worker, change->claims.iss, account->id, STR("password changed"));
	return err ? err : session_issue(call, account, token);
}

static enum err read_change(const struct call *call, struct change *change)
{
	enum err err = find_user(call, change);
	if (err)
		return err;
	change->current = form_text(call->worker->arena, &change->form, "current");
	change->fresh = form_text(call->worker->arena, &change->form, "new");
	if (change->current.n && change->fresh.n)
		return ERR_NONE;
	change->text = "Send the current password as \"current\" and the new one as \"new\"";
	return ERR_BAD_REQUEST;
}

static void confirm(const struct call *call, const struct change *change, struct str token)
{
	bool page = change->form.kind == FORM_FIELDS && negotiate_html(call->request);
	struct str body = session_json(call, "Password changed", token, &change->account);
	call_begin(call, page ? 303 : 200);
	bool cookie = page || negotiate_same_origin(call->request);
	if (!body.p || (cookie && !session_set_cookie(call, token)))
		call_refuse(call, ERR_INTERNAL);
	else if (page)
		call_redirect(call, arena_printf(call->worker->arena, "%.*sprofile?done=password",
						 STR_ARGS(call->mount)));
	else
		call_json(call, body);
}

static const char *explain(const struct change *change, enum err err)
{
	switch (err) {
	case ERR_BAD_CREDENTIALS: return N_("The current password is wrong.");
	case ERR_CROSS_SITE: return N_("The form was open for too long. Please try again.");
	default: return change->text ? change->text : err_row(err)->text;
	}
}

/* People who are signed in get the page once more. */
static void refuse(const struct call *call, const struct change *change, enum err err)
{
	int status = err_row(err)->status;
	bool again = change->form.kind == FORM_FIELDS && negotiate_html(call->request) && change->claims.user_id.n &&
		     status < 500 && !call_is_cross_site(call);
	if (again)
		show(call, &change->claims, status,
		     change->retry_after > 0 ? attempt_text(change->retry_after) : explain(change, err),
		     change->retry_after);
	else if (change->retry_after > 0)
		call_refuse_later(call, err, change->retry_after);
	else
		call_refuse_as(call, err, status, change->text);
}

void login_change_password(const struct call *call)
{
	struct change change = {0};
	struct str token = STR_NONE;
	enum err err = form_read(call->worker->arena, call->request, &change.form);
	if (change.form.kind == FORM_EMPTY || change.form.kind == FORM_OTHER) {
		call_refuse_as(call, ERR_BAD_REQUEST, 415, "Send a form or application/json");
		return;
	}
	if (err == ERR_NONE)
		err = read_change(call, &change);
	if (err == ERR_NONE)
		err = check_current(call, &change);
	if (err == ERR_NONE)
		err = apply(call, &change, &token);
	form_forget(&change.form, change.current);
	form_forget(&change.form, change.fresh);
	event_act(err ? "password_change_failed" : "password_changed", call->request, err, change.claims.user_id,
		  change.why);
	if (err)
		refuse(call, &change, err);
	else
		confirm(call, &change, token);
}
