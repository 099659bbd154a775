/* SPDX-License-Identifier: Apache-2.0 */
/* The body of an action: our fields under the server's names. */
#include "base/codec.h"
#include "http/url.h"
#include "policy/upstream_internal.h"

enum { ROOM = 1024 };

struct body {
	struct buf out;
	bool form, first;
};

static struct str theirs(const struct upstream *upstream, enum upstream_action action, struct str ours)
{
	for (size_t i = 0; i < upstream->conf->fields.n; i++)
		if (upstream->fields[i].action == action && str_eq(upstream->fields[i].ours, ours))
			return upstream->fields[i].theirs;
	return ours;
}

static void begin_field(struct body *body, struct str name)
{
	if (!body->first)
		buf_char(&body->out, body->form ? '&' : ',');
	body->first = false;
	if (body->form)
		percent_encode(&body->out, name, "");
	else
		buf_json(&body->out, name);
	buf_char(&body->out, body->form ? '=' : ':');
}

static void add_text(struct body *body, struct str name, struct str value)
{
	begin_field(body, name);
	if (body->form)
		percent_encode(&body->out, value, "");
	else
		buf_json(&body->out, value);
}

/* Text, number, true and false: what a form can have as well. */
static void add_extra(struct body *body, struct arena *arena, const struct form *form, struct str name)
{
	if (form->kind == FORM_FIELDS) {
		struct str value = url_field(arena, form->body, name.p);
		if (value.p && str_is_utf8(value))
			add_text(body, name, value);
		return;
	}
	const struct json *value = form->kind == FORM_JSON ? json_member(form->json, name) : NULL;
	struct str text = json_scalar(value);
	if (!text.p)
		return;
	if (body->form || value->type == JSON_STRING) {
		add_text(body, name, text);
		return;
	}
	begin_field(body, name);
	buf_add(&body->out, value->raw);
}

struct str upstream_body(struct arena *arena, const struct upstream *upstream, enum upstream_action action,
			 const struct upstream_values *values)
{
	const struct form *form = values->form;
	size_t size = ROOM + (form ? 6 * form->body.n : 0);
	for (size_t i = 0; i < values->n; i++)
		size += 6 * values->items[i].value.n;
	struct body body = {.out = arena_buf(arena, size), .first = true,
			    .form = upstream_encoding(upstream, action) == UPSTREAM_REQUEST_FORM};
	if (!body.form)
		buf_char(&body.out, '{');
	for (size_t i = 0; i < values->n; i++)
		if (values->items[i].value.p)
			add_text(&body, theirs(upstream, action, str_of(values->items[i].name)),
				 values->items[i].value);
	for (size_t i = 0; form && i < upstream->conf->extra_fields.n; i++)
		if (upstream->extra_fields[i].action == action)
			add_extra(&body, arena, form, upstream->extra_fields[i].ours);
	if (!body.form)
		buf_char(&body.out, '}');
	return body.out.full ? STR_NONE : buf_str(&body.out);
}
