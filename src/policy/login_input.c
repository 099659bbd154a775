/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the forms of local accounts, and showing them again. */
#include "policy/login_input.h"

#include "http/negotiate.h"
#include "policy/event.h"

bool login_input_read(const struct call *call, struct login_input *input)
{
	struct arena *arena = call->worker->arena;
	enum err err = form_read(arena, call->request, &input->form);
	if (input->form.kind == FORM_EMPTY || input->form.kind == FORM_OTHER) {
		call_refuse_as(call, ERR_BAD_REQUEST, 415, "Send a form or application/json");
		return false;
	}
	if (err == ERR_NONE && call_is_cross_site(call))
		err = ERR_CROSS_SITE;
	if (err == ERR_NONE && input->form.kind == FORM_FIELDS)
		err = csrf_check(call, input->purpose, form_text(arena, &input->form, "csrf"), &input->csrf);
	if (err) {
		event_act(input->event, call->request, err, STR_NONE, NULL);
		call_refuse(call, err);
	}
	return err == ERR_NONE;
}

bool login_input_wants_page(const struct call *call, const struct login_input *input)
{
	return input->form.kind == FORM_FIELDS && negotiate_html(call->request);
}

struct str login_input_text(const struct call *call, const struct login_input *input, const char *name)
{
	struct str text = form_text(call->worker->arena, &input->form, name);
	return text.p ? str_trim(text) : text;
}

struct page *login_input_page(const struct call *call, const struct login_input *input)
{
	struct page *page = page_open(call->worker, call->request, input->page);
	if (input->csrf.field.p)
		page_form(call, page, &input->csrf);
	return page;
}

struct page *login_input_first_page(const struct call *call, const char *page, const char *purpose)
{
	struct login_input input = {.purpose = purpose, .page = page};
	enum err err = csrf_open(call, purpose, &input.csrf);
	struct page *opened = err ? NULL : login_input_page(call, &input);
	if (!opened)
		call_refuse(call, err ? err : ERR_INTERNAL);
	return opened;
}

void login_input_confirm(const struct call *call, const char *message)
{
	enum { ANSWER_MAX = 512 };
	struct buf b = arena_buf(call->worker->arena, ANSWER_MAX);
	buf_add(&b, STR("{\"success\":true,\"message\":"));
	buf_json(&b, str_of(message));
	buf_add(&b, STR("}\n"));
	if (b.full) {
		call_refuse(call, ERR_INTERNAL);
		return;
	}
	call_begin(call, 200);
	call_json(call, buf_str(&b));
}

void login_input_refuse(const struct call *call, enum err err, int64_t retry_after, const char *text)
{
	if (retry_after > 0)
		call_refuse_later(call, err, retry_after);
	else
		call_refuse_as(call, err, err_row(err)->status, text);
}
