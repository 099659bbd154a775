/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a tree: members, and values of exactly the type wanted. */
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

/* Greater exponents count as about this one: no sum with a length overflows. */
#define EXPONENT_MAX INT64_C(1000000000000000)

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
		for (size_t i = 0; i < digits.n && d.exponent < EXPONENT_MAX; i++)
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

/* A number as sign and digits d1 d2 d3 … of 0.d1d2d3… × 10^magnitude, d1 not 0. */
struct significant {
	struct decimal decimal;
	size_t first, n; /* place of d1, and how many digits there are from it */
	int64_t magnitude;
	int sign; /* 0: the number is 0 */
};

static struct significant significant_of(struct str text)
{
	bool negative = str_starts(text, STR("-"));
	struct significant s = {.decimal = take_apart(str_skip(text, negative ? 1 : 0))};
	size_t given = s.decimal.whole.n + s.decimal.fraction.n;
	while (s.first < given && digit_at(&s.decimal, s.first) == '0')
		s.first++;
	s.n = given - s.first;
	s.magnitude = (int64_t)s.decimal.whole.n + s.decimal.exponent - (int64_t)s.first;
	s.sign = s.n == 0 ? 0 : negative ? -1 : 1;
	return s;
}

bool json_date(const struct json *value, int64_t *out)
{
	if (!value || value->type != JSON_NUMBER || value->text.p[0] == '-')
		return false;
	struct significant s = significant_of(value->text);
	if (s.sign == 0 || s.magnitude <= 0) {
		*out = 0;
		return true;
	}
	if (s.magnitude > 308)
		return false;
	int64_t seconds = 0;
	for (size_t i = 0; i < (size_t)s.magnitude; i++)
		if (__builtin_mul_overflow(seconds, 10, &seconds) ||
		    __builtin_add_overflow(seconds, digit_at(&s.decimal, s.first + i) - '0', &seconds)) {
			seconds = INT64_MAX;
			break;
		}
	*out = seconds;
	return true;
}

int json_compare(const struct json *a, const struct json *b)
{
	struct significant x = significant_of(a->text), y = significant_of(b->text);
	if (x.sign != y.sign || x.sign == 0)
		return x.sign - y.sign;
	if (x.magnitude != y.magnitude)
		return x.magnitude < y.magnitude ? -x.sign : x.sign;
	for (size_t i = 0; i < x.n || i < y.n; i++) {
		int order = digit_at(&x.decimal, x.first + i) - digit_at(&y.decimal, y.first + i);
		if (order)
			return order < 0 ? -x.sign : x.sign;
	}
	return 0;
}

struct str json_scalar(const struct json *value)
{
	if (!value)
		return STR_NONE;
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
		return json_scalar(value);
	/* What the elements are when unescaped is no longer than the list as written. */
	struct buf joined = arena_buf(arena, value->raw.n);
	for (const struct json *element = value->child; element; element = element->next) {
		struct str text = json_scalar(element);
		if (!text.p)
			return STR_NONE;
		if (element != value->child)
			buf_char(&joined, ',');
		buf_add(&joined, text);
	}
	return joined.full ? STR_NONE : buf_str(&joined);
}
