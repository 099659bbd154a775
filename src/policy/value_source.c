/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of rules and attributes, from how they are written to what is there. */
#include "policy/value_source.h"

static bool separates(char c, char separator)
{
	return c == separator || (separator == ' ' && c == '\t');
}

/* Only dotted paths have them: in pointers and texts a quote is a byte like others. */
static bool has_quoted_names(struct str text)
{
	size_t colon = str_find(text, ':');
	bool pointer = str_starts(str_skip(text, colon), STR(":/"));
	return !pointer && !str_starts(text, STR("text:"));
}

struct str value_source_cut(struct str *rest, char separator)
{
	struct str text = str_trim(*rest);
	size_t end = 0;
	bool quotes = has_quoted_names(text), quoted = false;
	for (; end < text.n && (quoted || !separates(text.p[end], separator)); end++)
		quoted ^= quotes && text.p[end] == '"';
	*rest = end < text.n ? str_trim(str_skip(text, end + 1)) : STR_NONE;
	return str_trim((struct str){text.p, end});
}

static const char *read_path(struct str path, enum value_source_kind kind, struct value_source *out)
{
	if (!json_path_valid(path))
		return "has no path: write names joined by dots, a name with dots, slashes or blanks in double "
		       "quotes, or a JSON pointer, as /address/city";
	*out = (struct value_source){kind, path};
	return NULL;
}

const char *value_source_read(struct str word, struct value_source *out)
{
	if (str_starts(word, STR("claim:")))
		return read_path(str_skip(word, 6), SOURCE_CLAIM, out);
	if (str_starts(word, STR("profile:")))
		return read_path(str_skip(word, 8), SOURCE_PROFILE, out);
	if (str_starts(word, STR("text:")))
		*out = (struct value_source){SOURCE_TEXT, str_skip(word, 5)};
	else if (str_eq(word, STR("user")))
		*out = (struct value_source){SOURCE_USER, STR_NONE};
	else if (str_eq(word, STR("scope")))
		*out = (struct value_source){SOURCE_SCOPE, STR_NONE};
	else
		return "is no source";
	return NULL;
}

static const struct json *text_value(struct str text, struct json *memory)
{
	*memory = (struct json){.type = JSON_STRING, .text = text, .raw = text};
	return memory;
}

const struct json *value_source_find(const struct value_source *source, const struct subject *subject,
				     struct json *memory)
{
	const struct json *claims = subject->claims->all, *scope;
	switch (source->kind) {
	case SOURCE_CLAIM:
		return json_path(claims, source->value);
	case SOURCE_PROFILE:
		return json_path(subject->profile, source->value);
	case SOURCE_USER:
		return text_value(subject->claims->user_id, memory);
	case SOURCE_SCOPE:
		/* Some issuers have the list of RFC 8693's scope under another name. */
		scope = json_member(claims, STR("scope"));
		return scope ? scope : json_member(claims, STR("scp"));
	case SOURCE_TEXT:
		break;
	}
	return text_value(source->value, memory);
}
