/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a tree: members, paths, and values of exactly the type wanted. */
#include "token/json.h"

const struct json *json_member(const struct json *object, struct str name)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *member = object->child; member; member = member->next)
		if (str_eq(member->name, name))
			return member;
	return NULL;
}

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

const struct json *json_path(const struct json *object, struct str path)
{
	const struct json *value = path.p ? object : NULL;
	for (struct str rest = path, name; value && rest.p;)
		value = cut_name(&rest, &name) ? json_member(value, name) : NULL;
	return value;
}

bool json_path_valid(struct str path)
{
	if (!path.p)
		return false;
	for (struct str rest = path, name; rest.p;)
		if (!cut_name(&rest, &name))
			return false;
	return true;
}

bool json_string(const struct json *value, struct str *out)
{
	if (!value || value->type != JSON_STRING)
		return false;
	*out = value->text;
	return true;
}

bool json_integer(const struct json *value, int64_t *out)
{
	if (!value || value->type != JSON_NUMBER)
		return false;
	bool negative = str_starts(value->text, STR("-"));
	struct str digits = str_skip(value->text, negative ? 1 : 0);
	uint64_t magnitude;
	if (!str_to_uint(digits, (uint64_t)INT64_MAX + (negative ? 1 : 0), &magnitude))
		return false;
	*out = (int64_t)(negative ? -magnitude : magnitude);
	return true;
}

/* A number without its sign, taken apart: whole.fraction × 10^exponent. */
struct decimal {
	struct str whole, fraction;
	int64_t exponent;
};

static struct decimal take_apart(struct str text)
{
	struct decimal d = {.whole = text};
	size_t e = str_find(text, 'e') < text.n ? str_find(text, 'e') : str_find(text, 'E');
	if (e < text.n) {
		struct str digits = str_skip(text, e + 1);
		bool negative = digits.p[0] == '-';
		if (negative || digits.p[0] == '+')
			digits = str_skip(digits, 1);
		for (size_t i = 0; i < digits.n && d.exponent < 1000000; i++)
			d.exponent = d.exponent * 10 + (digits.p[i] - '0');
		if (negative)
			d.exponent = -d.exponent;
		d.whole.n = e;
	}
	size_t point = str_find(d.whole, '.');
	if (point < d.whole.n)
		d.fraction = str_skip(d.whole, point + 1);
	d.whole.n = point;
	return d;
}

static char digit_at(const struct decimal *d, size_t i)
{
	if (i < d->whole.n)
		return d->whole.p[i];
	i -= d->whole.n;
	return i < d->fraction.n ? d->fraction.p[i] : '0';
}

bool json_date(const struct json *value, int64_t *out)
{
	if (!value || value->type != JSON_NUMBER || value->text.p[0] == '-')
		return false;
	struct decimal d = take_apart(value->text);
	size_t given = d.whole.n + d.fraction.n, first = 0;
	while (first < given && digit_at(&d, first) == '0')
		first++;
	int64_t digits = (int64_t)d.whole.n + d.exponent - (int64_t)first;
	if (first == given || digits <= 0) {
		*out = 0;
		return true;
	}
	if (digits > 308)
		return false;
	int64_t seconds = 0;
	for (size_t i = first; digits > 0; i++, digits--)
		if (__builtin_mul_overflow(seconds, 10, &seconds) ||
		    __builtin_add_overflow(seconds, digit_at(&d, i) - '0', &seconds)) {
			seconds = INT64_MAX;
			break;
		}
	*out = seconds;
	return true;
}

static struct str scalar_text(const struct json *value)
{
	switch (value->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		return value->text;
	case JSON_TRUE:
	case JSON_FALSE:
		return value->raw;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return STR_NONE;
}

struct str json_text(struct arena *arena, const struct json *value)
{
	if (!value || value->type != JSON_ARRAY)
		return value ? scalar_text(value) : STR_NONE;
	/* What the elements are when unescaped is no longer than the list as written. */
	struct buf joined = arena_buf(arena, value->raw.n);
	for (const struct json *element = value->child; element; element = element->next) {
		struct str text = scalar_text(element);
		if (!text.p)
			return STR_NONE;
		if (element != value->child)
			buf_char(&joined, ',');
		buf_add(&joined, text);
	}
	return joined.full ? STR_NONE : buf_str(&joined);
}
