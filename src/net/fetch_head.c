/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the header lines of an answer. */
#include "net/fetch.h"

bool fetch_next_header(struct str *head, struct str *name, struct str *value)
{
	struct str line;
	while (str_split(head, '\n', &line)) {
		size_t colon = str_find(line, ':');
		if (colon == line.n)
			continue;
		*name = (struct str){line.p, colon};
		*value = str_trim(str_skip(line, colon + 1));
		return true;
	}
	return false;
}

struct str fetch_header(struct str head, struct str name)
{
	struct str other, value;
	while (fetch_next_header(&head, &other, &value))
		if (str_eq_nocase(other, name))
			return value;
	return STR_NONE;
}

bool fetch_type_is_json(struct str type)
{
	struct str essence = str_trim((struct str){type.p, str_find(type, ';')});
	if (str_eq_nocase(essence, STR("application/json")))
		return true;
	const struct str top = STR("application/"), suffix = STR("+json");
	return essence.n > top.n + suffix.n && str_eq_nocase((struct str){essence.p, top.n}, top) &&
	       str_eq_nocase(str_skip(essence, essence.n - suffix.n), suffix);
}
