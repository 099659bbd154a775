/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the body of a POST, and wiping it. */
#include "policy/form.h"

#include "base/secret.h"
#include "http/url.h"

static enum form_kind kind_of(const struct request *request)
{
	struct str type = request->content_type;
	type.n = str_find(type, ';');
	type = str_trim(type);
	if (str_eq_nocase(type, STR("application/json")))
		return FORM_JSON;
	if (str_eq_nocase(type, STR("application/x-www-form-urlencoded")))
		return FORM_FIELDS;
	return type.n == 0 && request->body.n == 0 ? FORM_EMPTY : FORM_OTHER;
}

enum err form_read(struct arena *arena, const struct request *request, struct form *out)
{
	*out = (struct form){.kind = kind_of(request), .body = request->body};
	if (out->kind != FORM_JSON)
		return ERR_NONE;
	bool good = json_parse(arena, request->body, &out->json) && out->json->type == JSON_OBJECT;
	return good ? ERR_NONE : ERR_BAD_REQUEST;
}

struct str form_text(struct arena *arena, const struct form *form, const char *name)
{
	struct str text = STR_NONE;
	if (form->kind == FORM_JSON)
		json_string(json_member(form->json, str_of(name)), &text);
	else if (form->kind == FORM_FIELDS)
		text = url_field(arena, form->body, name);
	return str_is_utf8(text) ? text : STR_NONE;
}

enum err form_json_flag(const struct form *form, const char *name, bool *out)
{
	const struct json *member = json_member(form->json, str_of(name));
	if (member && member->type != JSON_TRUE && member->type != JSON_FALSE)
		return ERR_BAD_REQUEST;
	*out = member && member->type == JSON_TRUE;
	return ERR_NONE;
}

/* The bytes are in the transport's buffer or the arena: ours to write, though a slice can't say so. */
static void wipe(struct str s)
{
	secret_wipe((void *)(uintptr_t)s.p, s.n);
}

void form_forget(const struct form *form, struct str text)
{
	wipe(text);
	wipe(form->body);
}
