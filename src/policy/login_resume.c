/* SPDX-License-Identifier: Apache-2.0 */
/* The form comes here by a 307, is kept in the login page, and goes out of the page
 * that asks whether it is to be sent. */
#include "policy/login_resume.h"

#include <string.h>

#include "base/log.h"
#include "http/form_data.h"
#include "http/negotiate.h"
#include "http/url.h"
#include "policy/cookies.h"
#include "policy/event.h"
#include "policy/login.h"
#include "policy/login_routes.h"
#include "policy/session.h"

enum {
	ASKED_SECONDS = 60,
	/* Of the page that asks: what a field takes beside its name and value, and all the rest. */
	FIELD_MAX = 300,
	FRAME_MAX = 64 << 10
};

/* --- the page that asks ---------------------------------------------------------------- */

static size_t escaped_size(struct str s)
{
	size_t n = s.n;
	for (size_t i = 0; i < s.n; i++)
		n += strchr("&<>\"'", s.p[i]) ? 5 : 0;
	return n;
}

/* Will the page that asks fit into a reply? Name and value stand there twice. */
static bool fits(const struct form_data *data)
{
	size_t size = FRAME_MAX;
	for (size_t i = 0; i < data->n; i++)
		size += FIELD_MAX + 2 * (escaped_size(data->fields[i].name) + escaped_size(data->fields[i].value));
	return size <= LOGIN_REPLY_MAX;
}

static void add_field(struct page *page, const struct form_data_field *field)
{
	struct page *item = page_item(page, field->is_file ? "files" : "fields");
	page_text(item, "name", field->name);
	page_text(item, field->is_file ? "file" : "value", field->value);
	page_flag(item, "lines", str_find(field->value, '\n') < field->value.n);
}

static void ask(const struct call *call, const struct kept_form *form, const struct form_data *data)
{
	struct page *page = page_open(call->worker, call->request, "resume");
	page_text(page, "action", form->address);
	page_text(page, "enctype", form_data_enctype(data->encoding));
	if (data->windows_1252)
		page_text(page, "charset", STR("windows-1252"));
	for (size_t i = 0; i < data->n; i++)
		add_field(page, &data->fields[i]);
	event_act("form_resumed", call->request, ERR_NONE, STR_NONE, NULL);
	page_send_body(page, call->reply);
}

void login_resume_begin(const struct call *call)
{
	reply_begin(call->reply, 200);
	reply_header(call->reply, "Cache-Control", STR("no-store"));
}

void login_resume_go_on(const struct call *call, struct str kept, struct str return_to)
{
	struct kept_form form;
	struct form_data data;
	if (kept_form_open(call, kept, &form) == ERR_NONE && login_return_address(call, form.address).p &&
	    form_data_read(call->worker->arena, form.type, form.body, &data)) {
		ask(call, &form, &data);
		return;
	}
	event_act("form_lost", call->request, ERR_BAD_REQUEST, STR_NONE, "too old, or not sealed here");
	struct page *page = page_open(call->worker, call->request, "message");
	page_text(page, "heading", str_of(N_("You are signed in")));
	page_text(page, "text", str_of(N_("What you had entered has waited too long and could not be kept.")));
	page_text(page, "link", return_to.p ? return_to : STR("/"));
	page_text(page, "link_text", str_of(N_("Go on")));
	page_send_body(page, call->reply);
}

/* --- what came --------------------------------------------------------------------------- */

static bool is_at(struct str address, struct str origin)
{
	return str_starts(address, origin) && (address.n == origin.n || address.p[origin.n] == '/');
}

/* From a page of the site that the form was for: this one, or, where it has its login on
 * another host, the one of return-origins whose address it is. */
static bool is_own_form(const struct call *call, struct str address)
{
	const struct conf_list *origins = &call->worker->snapshot->login->return_origins;
	const struct request *request = call->request;
	if (negotiate_same_origin(request))
		return address.p[0] == '/' || (request->origin.n && is_at(address, request->origin));
	for (size_t i = 0; i < origins->n; i++)
		if (str_eq(origins->items[i].value, request->origin) && is_at(address, request->origin))
			return true;
	return false;
}

static void refuse(const struct call *call, enum err err, int status, const char *text)
{
	event_act("form_refused", call->request, err, STR_NONE, text);
	call_refuse_as(call, err, status, text);
}

/* false: refused, the reply is complete. */
static bool accept(const struct call *call, struct kept_form *form, struct form_data *data)
{
	const struct request *request = call->request;
	enum form_encoding encoding;
	*form = (struct kept_form){
		.address = login_return_address(call, url_field(call->worker->arena, request->query, "rd")),
		.type = request->content_type,
		.body = request->body,
	};
	if (!form_data_encoding(form->type, &encoding))
		refuse(call, ERR_BAD_REQUEST, 415, N_("Send a form"));
	else if (!form->address.p)
		refuse(call, ERR_BAD_REQUEST, 400, N_("The address that the form was for is missing"));
	else if (!is_own_form(call, form->address))
		refuse(call, ERR_CROSS_SITE, err_row(ERR_CROSS_SITE)->status, err_row(ERR_CROSS_SITE)->text);
	else if (form->body.n > (size_t)call->worker->snapshot->login->resume_max)
		refuse(call, ERR_BAD_REQUEST, 413, login_too_large);
	else if (!form_data_read(call->worker->arena, form->type, form->body, data))
		refuse(call, ERR_BAD_REQUEST, 400, N_("This form cannot be kept until you have signed in"));
	else if (!fits(data))
		refuse(call, ERR_BAD_REQUEST, 413, login_too_large);
	else
		return true;
	return false;
}

/* --- who is signed in already -------------------------------------------------------------- */

/* Asked within the last minute, a person who has sent the form came back: the session
 * does not count there, and the login has to be shown. */
static const struct str asked = {"auth-resumed", 12};

static bool is_signed_in(const struct call *call)
{
	enum carrier carrier;
	struct claims claims;
	struct str value;
	return cookie_find(call->request->cookie, asked, &value) == 0 &&
	       session_find(call, &call->worker->snapshot->issuers, &carrier, &claims) == ERR_NONE &&
	       carrier == CARRIER_COOKIE;
}

static void ask_again(const struct call *call, const struct kept_form *form, const struct form_data *data)
{
	const struct cookie_attributes attributes = {
		.path = call->mount, .same_site = "Lax", .secure = call->request->https, .max_age = ASKED_SECONDS};
	login_resume_begin(call);
	if (!cookies_set(call, asked, STR("1"), &attributes))
		log_text(LOG_WARNING, "login", "the cookie that breaks loops does not fit into the reply");
	ask(call, form, data);
}

void login_resume(const struct call *call)
{
	struct kept_form form;
	struct form_data data;
	struct csrf csrf;
	struct str kept;
	if (!accept(call, &form, &data))
		return;
	if (is_signed_in(call)) {
		ask_again(call, &form, &data);
		return;
	}
	enum err err = kept_form_seal(call, &form, &kept);
	if (err == ERR_NONE)
		err = csrf_open(call, "login", &csrf);
	if (err) {
		call_refuse(call, err);
		return;
	}
	event_act("form_kept", call->request, ERR_NONE, STR_NONE, NULL);
	struct page *page = page_open(call->worker, call->request, "login");
	page_text(page, "rd", form.address);
	page_text(page, "kept", kept);
	page_say_good(page, "You have been signed out meanwhile. Sign in, and what you entered will not be lost.");
	page_form(call, page, &csrf);
	page_send(page, call->reply, 200);
}
