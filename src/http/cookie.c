/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing cookies. */
#include "http/cookie.h"

/* Name and value of "name=value", with or without blanks around and quotes; false: no such pair. */
static bool read_pair(struct str pair, struct str *name, struct str *value)
{
	pair = str_trim(pair);
	size_t equals = str_find(pair, '=');
	if (equals == pair.n)
		return false;
	struct str v = str_trim(str_skip(pair, equals + 1));
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		v = (struct str){v.p + 1, v.n - 2};
	*name = (struct str){pair.p, equals};
	*value = v;
	return true;
}

unsigned cookie_find(struct str header, struct str name, struct str *value)
{
	unsigned found = 0;
	struct str rest = header, pair, n, v;
	while (str_split(&rest, ';', &pair)) {
		if (!read_pair(pair, &n, &v) || !str_eq(n, name))
			continue;
		if (found == 0) {
			*value = v;
			found = 1;
		} else if (!str_eq(*value, v)) {
			return 2;
		}
	}
	return found;
}

static bool chunk_number(struct str own, struct str name, uint64_t *number)
{
	return own.n > name.n + 1 && own.p[name.n] == '.' && str_starts(own, name) &&
	       str_to_uint(str_skip(own, name.n + 1), UINT64_MAX, number);
}

bool cookie_is_chunk(struct str pair, struct str name, unsigned *number, struct str *own)
{
	struct str value;
	uint64_t n;
	if (!read_pair(pair, own, &value) || !chunk_number(*own, name, &n) || n >= COOKIE_CHUNKS_MAX)
		return false;
	*number = (unsigned)n;
	return true;
}

enum cookie_chunks_found cookie_find_chunks(struct str header, struct str name, struct cookie_chunks *out)
{
	struct str rest = header, pair, own, value;
	uint64_t number, most = 0;
	*out = (struct cookie_chunks){0};
	while (str_split(&rest, ';', &pair)) {
		if (!read_pair(pair, &own, &value) || !chunk_number(own, name, &number))
			continue;
		/* Cut off, it would be another value. */
		if (number >= COOKIE_CHUNKS_MAX)
			return COOKIE_CHUNKS_BROKEN;
		struct str *place = &out->values[number];
		if (place->p && !str_eq(*place, value))
			return COOKIE_CHUNKS_SEVERAL;
		if (place->p)
			continue;
		*place = value;
		out->n++;
		out->size += value.n;
		most = number > most ? number : most;
	}
	if (out->n == 0)
		return COOKIE_CHUNKS_NONE;
	return out->n == most + 1 ? COOKIE_CHUNKS_ALL : COOKIE_CHUNKS_BROKEN;
}

void cookie_join(const struct cookie_chunks *chunks, struct buf *out)
{
	for (size_t i = 0; i < chunks->n; i++)
		buf_add(out, chunks->values[i]);
}

void cookie_print(struct buf *out, struct str name, struct str value, const struct cookie_attributes *attributes)
{
	buf_add(out, name);
	buf_char(out, '=');
	buf_add(out, value);
	buf_add(out, STR("; Path="));
	buf_add(out, attributes->path);
	if (attributes->domain.n) {
		buf_add(out, STR("; Domain="));
		buf_add(out, attributes->domain);
	}
	if (attributes->max_age >= 0) {
		buf_add(out, STR("; Max-Age="));
		buf_int(out, attributes->max_age);
	}
	if (attributes->max_age == 0)
		buf_add(out, STR("; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
	if (attributes->secure)
		buf_add(out, STR("; Secure"));
	buf_add(out, STR("; HttpOnly; SameSite="));
	buf_add(out, str_of(attributes->same_site));
}
