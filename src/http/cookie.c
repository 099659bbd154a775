/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing cookies. */
#include "http/cookie.h"

unsigned cookie_find(struct str header, struct str name, struct str *value)
{
	unsigned found = 0;
	struct str rest = header, pair;
	while (str_split(&rest, ';', &pair)) {
		pair = str_trim(pair);
		if (pair.n <= name.n || pair.p[name.n] != '=' || !str_starts(pair, name))
			continue;
		struct str v = str_trim(str_skip(pair, name.n + 1));
		if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
			v = (struct str){v.p + 1, v.n - 2};
		if (found == 0) {
			*value = v;
			found = 1;
		} else if (!str_eq(*value, v)) {
			return 2;
		}
	}
	return found;
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
