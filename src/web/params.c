/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs from bytes to struct param, with the limits and character rules. What a
 * parameter means, and which may come twice, is not known here. */
#include "web/params.h"

#include <string.h>

/* One length: a byte below 128, or four bytes with the highest bit set. */
static bool read_length(const unsigned char **at, const unsigned char *end, size_t *length)
{
	size_t left = (size_t)(end - *at);
	if (left < 1)
		return false;
	const unsigned char *p = *at;
	if (p[0] < 0x80) {
		*length = p[0];
		*at += 1;
		return true;
	}
	if (left < 4)
		return false;
	*length = (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*at += 4;
	return true;
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '=')
			return false;
	return true;
}

bool params_add(struct params *out, struct str name, struct str value, const char **why)
{
	if (name.n == 0 || name.n > PARAMS_NAME_MAX)
		*why = "length of a parameter's name";
	else if (!is_name(name))
		*why = "character in a parameter's name";
	else if (value.n > 0 && memchr(value.p, '\0', value.n))
		*why = "NUL in a parameter's value";
	else if (out->n == PARAMS_MAX)
		*why = "number of parameters";
	else {
		out->items[out->n++] = (struct param){name, value};
		return true;
	}
	return false;
}

enum params_result params_decode(struct params *out, const char *bytes, size_t n, const char **why)
{
	const unsigned char *at = (const unsigned char *)bytes, *end = at + n;
	const char *refused = NULL;

	out->n = 0;
	while (at < end) {
		size_t name_n, value_n;
		if (!read_length(&at, end, &name_n) || !read_length(&at, end, &value_n) ||
		    name_n > (size_t)(end - at) || value_n > (size_t)(end - at) - name_n) {
			*why = "a parameter longer than its stream";
			return PARAMS_BROKEN;
		}
		struct str name = {(const char *)at, name_n}, value = {(const char *)at + name_n, value_n};
		at += name_n + value_n;
		/* Go on after a refusal: whether the rest is sound decides what is answered. */
		const char *reason;
		if (!params_add(out, name, value, &reason) && !refused)
			refused = reason;
	}
	if (!refused && out->n == 0)
		refused = "no parameters";
	if (!refused)
		return PARAMS_GOOD;
	*why = refused;
	return PARAMS_REFUSED;
}

bool params_add_environment(struct params *out, char *const *environment, size_t max, const char **why)
{
	size_t total = 0;
	for (; *environment; environment++) {
		struct str name = str_of(*environment), value;
		size_t equals = str_find(name, '=');
		total += name.n;
		if (equals == name.n || total > max) {
			*why = total > max ? "length of the parameters" : "a parameter without value";
			return false;
		}
		value = str_skip(name, equals + 1);
		name.n = equals;
		if (!params_add(out, name, value, why))
			return false;
	}
	return true;
}

static bool is_content_length(const struct param *param)
{
	return param->value.n > 0 && str_eq(param->name, STR("CONTENT_LENGTH"));
}

bool params_content_length(const struct params *params, uint64_t *length)
{
	uint64_t largest = 0;
	for (size_t i = 0; i < params->n; i++) {
		uint64_t given;
		if (!is_content_length(&params->items[i]))
			continue;
		if (!str_to_uint(params->items[i].value, INT64_MAX, &given))
			return false;
		if (given > largest)
			largest = given;
	}
	*length = largest;
	return true;
}

bool params_allow_body(const struct params *params, size_t n)
{
	for (size_t i = 0; i < params->n; i++) {
		uint64_t given;
		if (is_content_length(&params->items[i]) &&
		    (!str_to_uint(params->items[i].value, INT64_MAX, &given) || given != n))
			return false;
	}
	return true;
}
