/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: claims that the application gets in its environment. */
#include "policy/attribute.h"

#include <string.h>

static const char *const reserved[] = {"AUTH_USER_ID",	 "AUTH_EXPIRES", "AUTH_MATCHED_POLICY", "AUTH_REQUEST_ID",
				       "AUTH_TOKEN",	 "AUTH_POLICY",	 "AUTH_TYPE",		"AUTH_LOCAL_USER_ID",
				       NULL};

/* Only such a name cannot be forged by a request header, and only in upper case
 * is it the same behind every web server. */
static bool is_name(struct str name)
{
	if (!str_starts(name, STR("AUTH_")) || name.n == 5 || name.n > 64)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_')
			return false;
	}
	return true;
}

static bool is_reserved(struct str name)
{
	for (size_t i = 0; reserved[i]; i++)
		if (str_eq(name, str_of(reserved[i])))
			return true;
	return false;
}

static bool read_source(struct str text, struct attribute_source *out)
{
	if (str_starts(text, STR("claim:")) && text.n > 6) {
		*out = (struct attribute_source){ATTRIBUTE_CLAIM, str_skip(text, 6)};
		return true;
	}
	if (str_starts(text, STR("text:"))) {
		*out = (struct attribute_source){ATTRIBUTE_TEXT, str_skip(text, 5)};
		return true;
	}
	return false;
}

bool attribute_parse(struct arena *arena, const struct conf_text *line, struct attribute *out, struct conf_error *error)
{
	size_t equal = str_find(line->value, '=');
	struct str name = str_trim((struct str){line->value.p, equal}), part;
	struct str rest = equal < line->value.n ? str_trim(str_skip(line->value, equal + 1)) : STR_NONE;
	if (!is_name(name) || is_reserved(name))
		return conf_fail_at(error, line, "attribute",
				    "\"%.*s\" is no name for an attribute: AUTH_ and capital letters, digits, _; "
				    "not one that fcgi-auth sets itself",
				    STR_ARGS(name));
	struct attribute attribute = {.name = arena_copy(arena, name)};
	if (rest.n == 0)
		return conf_fail_at(error, line, "attribute", "write: %.*s = claim:PATH, text:DEFAULT", STR_ARGS(name));
	while (str_split(&rest, ',', &part)) {
		part = str_trim(part);
		if (attribute.n_sources == ATTRIBUTE_SOURCES_MAX)
			return conf_fail_at(error, line, "attribute", "more than %d sources", ATTRIBUTE_SOURCES_MAX);
		if (!read_source(part, &attribute.sources[attribute.n_sources++]))
			return conf_fail_at(error, line, "attribute", "\"%.*s\" is no source: claim:PATH or text:VALUE",
					    STR_ARGS(part));
	}
	*out = attribute;
	return attribute.name.p != NULL;
}

struct str attribute_value(struct arena *arena, const struct attribute *attribute, const struct subject *subject)
{
	for (size_t i = 0; i < attribute->n_sources; i++) {
		const struct attribute_source *source = &attribute->sources[i];
		struct str value = source->value;
		if (source->kind == ATTRIBUTE_CLAIM)
			value = json_text(arena, json_path(subject->claims->all, source->value));
		if (value.p && (value.n || source->kind == ATTRIBUTE_TEXT))
			return value;
	}
	return STR_NONE;
}
