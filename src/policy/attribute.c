/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: what the application gets in its environment. */
#include "policy/attribute.h"

#include "http/reply.h"

/* What has another meaning to web servers, to applications or to us: a claim that came
 * under such a name would be believed. */
static const char *const reserved[] = {
	"AUTH_USER_ID",	       "AUTH_LOCAL_USER_ID", "AUTH_EXPIRES", "AUTH_MATCHED_POLICY", "AUTH_REQUEST_ID",
	"AUTH_TOKEN",	       "AUTH_POLICY",	     "AUTH_TYPE",    "AUTH_API_KEY_ID",	    "AUTH_WEBSOCKET_PROTOCOL",
	"AUTH_EFFECTIVE_PATH", "AUTH_CORS_ORIGIN",   "AUTH_CACHE",   "AUTH_CACHE_WANTED",   "AUTH_ACCEL_REDIRECT",
	"AUTH_PREFLIGHT",      NULL,
};

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

/* Of the form "Variable-NAME: VALUE", as every web server takes it. */
enum { LINE_OVERHEAD = sizeof "Variable-: \r\n" - 1 };

static const char *read_source(struct str word, struct attribute *attribute)
{
	if (attribute->n_sources == ATTRIBUTE_SOURCES_MAX)
		return "is one source too many: eight may be given";
	struct value_source *source = &attribute->sources[attribute->n_sources];
	if (attribute->n_sources > 0 && source[-1].kind == SOURCE_TEXT)
		return "stands behind a text, which always has a value and no commas: put text:VALUE last";
	attribute->n_sources++;
	const char *wrong = value_source_read(word, source);
	return !wrong && source->kind == SOURCE_SCOPE ? "is for rules: write claim:scope" : wrong;
}

bool attribute_parse(struct arena *arena, const struct conf_text *line, struct attribute *out, struct conf_error *error)
{
	size_t equal = str_find(line->value, '=');
	struct str name = str_trim((struct str){line->value.p, equal});
	struct str rest = equal < line->value.n ? str_trim(str_skip(line->value, equal + 1)) : STR_NONE;
	if (!is_name(name) || is_reserved(name))
		return conf_fail_at(error, line, "attribute",
				    "\"%.*s\" is no name for an attribute: AUTH_ and capital letters, digits, _; "
				    "not one that fcgi-auth sets itself",
				    STR_ARGS(name));
	struct attribute attribute = {.text = line->value, .name = arena_copy(arena, name)};
	if (rest.n == 0)
		return conf_fail_at(error, line, "attribute", "write: %.*s = claim:PATH, text:DEFAULT", STR_ARGS(name));
	while (rest.p) {
		struct str word = value_source_cut(&rest, ',');
		const char *wrong = read_source(word, &attribute);
		if (wrong)
			return conf_fail_at(error, line, "attribute",
					    "\"%.*s\" %s (sources are claim:PATH, profile:PATH, user, text:VALUE)",
					    STR_ARGS(word), wrong);
	}
	*out = attribute;
	return attribute.name.p != NULL;
}

/* NULL: it is a text, or a list of texts, that only one value could have become. */
static const char *check_list(const struct json *value)
{
	if (value->type == JSON_OBJECT)
		return "is an object";
	if (value->type != JSON_ARRAY)
		return NULL;
	for (const struct json *element = value->child; element; element = element->next) {
		struct str text = json_scalar(element);
		if (!text.p)
			return "is a list with null, a list or an object in it";
		if (str_find(text, ',') < text.n)
			return "is a list, and an element has a comma in it";
	}
	return NULL;
}

static const char *check_text(const struct attribute *attribute, struct str text)
{
	if (!text.p)
		return "is more than a request has memory for";
	if (str_has_control(text))
		return "has control bytes";
	if (attribute->name.n + text.n + LINE_OVERHEAD >= REPLY_LINE_MAX)
		return "is too long for a web server";
	return str_is_utf8(text) ? NULL : "is no UTF-8";
}

/* *out is set when the result is NULL. */
static const char *find_value(struct arena *arena, const struct attribute *attribute, const struct subject *subject,
			      struct str *out)
{
	for (size_t i = 0; i < attribute->n_sources; i++) {
		const struct value_source *source = &attribute->sources[i];
		struct json memory;
		const struct json *value = value_source_find(source, subject, &memory);
		if (!value || value->type == JSON_NULL)
			continue;
		const char *wrong = check_list(value);
		struct str text = wrong ? STR_NONE : json_text(arena, value);
		if (!wrong)
			wrong = check_text(attribute, text);
		if (wrong)
			return wrong;
		if (text.n > 0 || source->kind == SOURCE_TEXT) {
			*out = text;
			return NULL;
		}
	}
	*out = STR_NONE;
	return NULL;
}

struct str attribute_value(struct arena *arena, const struct attribute *attribute, const struct subject *subject)
{
	struct str value;
	return find_value(arena, attribute, subject, &value) ? STR_NONE : value;
}

const char *attribute_left_out(struct arena *arena, const struct attribute *attribute, const struct subject *subject)
{
	struct str value;
	return find_value(arena, attribute, subject, &value);
}
