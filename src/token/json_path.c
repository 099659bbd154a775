/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways to write where a value is: JSON pointers, and names joined by dots. */
#include "token/json.h"

/* Cut the first name off a path; false: none, or not written well. */
static bool cut_name(struct str *rest, struct str *name)
{
	if (!str_starts(*rest, STR("\"")))
		return str_split(rest, '.', name) && name->n > 0 && str_find(*name, '/') == name->n &&
		       str_find(*name, '"') == name->n;
	struct str inside = str_skip(*rest, 1);
	size_t end = str_find(inside, '"');
	if (end == inside.n)
		return false;
	*name = (struct str){inside.p, end};
	struct str after = str_skip(inside, end + 1);
	if (after.n > 0 && after.p[0] != '.')
		return false;
	*rest = after.n > 0 ? str_skip(after, 1) : STR_NONE;
	return true;
}

/* The next token of a pointer, of which the first '/' is cut off already. */
static bool cut_token(struct str *rest, struct str *token)
{
	str_split(rest, '/', token);
	for (size_t i = 0; i < token->n; i++)
		if (token->p[i] == '~' && (i + 1 == token->n || (token->p[i + 1] != '0' && token->p[i + 1] != '1')))
			return false;
	return true;
}

static bool token_is(struct str token, struct str name)
{
	while (token.n > 0 && name.n > 0) {
		bool escape = token.p[0] == '~';
		char c = !escape ? token.p[0] : token.p[1] == '0' ? '~' : '/';
		if (c != name.p[0])
			return false;
		token = str_skip(token, escape ? 2 : 1);
		name = str_skip(name, 1);
	}
	return token.n == 0 && name.n == 0;
}

static const struct json *child_at(const struct json *value, struct str token)
{
	uint64_t index;
	const struct json *child = value->child;
	if (value->type == JSON_OBJECT) {
		while (child && !token_is(token, child->name))
			child = child->next;
		return child;
	}
	if (!str_to_uint(token, JSON_NODES_MAX, &index))
		return NULL;
	while (child && index-- > 0)
		child = child->next;
	return child;
}

static const struct json *follow_pointer(const struct json *value, struct str pointer)
{
	for (struct str rest = str_skip(pointer, 1), token; value && rest.p;)
		value = cut_token(&rest, &token) ? child_at(value, token) : NULL;
	return value;
}

const struct json *json_path(const struct json *object, struct str path)
{
	const struct json *value = path.p ? object : NULL;
	if (str_starts(path, STR("/")))
		return follow_pointer(value, path);
	for (struct str rest = path, name; value && rest.p;)
		value = cut_name(&rest, &name) ? json_member(value, name) : NULL;
	return value;
}

bool json_path_valid(struct str path)
{
	bool pointer = str_starts(path, STR("/"));
	if (!path.p)
		return false;
	for (struct str rest = str_skip(path, pointer ? 1 : 0), name; rest.p;)
		if (!(pointer ? cut_token(&rest, &name) : cut_name(&rest, &name)))
			return false;
	return true;
}
