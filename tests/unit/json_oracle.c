/* SPDX-License-Identifier: Apache-2.0 */
#include "json_oracle.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* The same tree, by json-c's reading of the same text? */
static bool same(const struct json *ours, struct json_object *theirs);

static bool same_number(const struct json *ours, struct json_object *theirs)
{
	char *text = strndup(ours->text.p, ours->text.n);
	int64_t integer;
	bool equal;
	if (json_integer(ours, &integer) && json_object_is_type(theirs, json_type_int))
		equal = json_object_get_int64(theirs) == integer;
	else if (json_object_is_type(theirs, json_type_int)) /* json-c saturates */
		equal = json_object_get_uint64(theirs) == strtoull(text, NULL, 10) || text[0] == '-';
	else
		equal = json_object_get_double(theirs) == strtod(text, NULL);
	free(text);
	return equal;
}

static bool same_array(const struct json *ours, struct json_object *theirs)
{
	size_t n = 0;
	for (const struct json *element = ours->child; element; element = element->next, n++)
		if (n >= json_object_array_length(theirs) || !same(element, json_object_array_get_idx(theirs, n)))
			return false;
	return n == json_object_array_length(theirs);
}

static bool same_object(const struct json *ours, struct json_object *theirs)
{
	int n = 0;
	for (const struct json *member = ours->child; member; member = member->next, n++) {
		char *name = strndup(member->name.p, member->name.n);
		struct json_object *value = NULL;
		bool found = json_object_object_get_ex(theirs, name, &value);
		free(name);
		if (!found || !same(member, value))
			return false;
	}
	return n == json_object_object_length(theirs);
}

static bool same(const struct json *ours, struct json_object *theirs)
{
	switch (ours->type) {
	case JSON_NULL:
		return theirs == NULL;
	case JSON_FALSE:
	case JSON_TRUE:
		return json_object_is_type(theirs, json_type_boolean) &&
		       json_object_get_boolean(theirs) == (ours->type == JSON_TRUE);
	case JSON_NUMBER:
		return same_number(ours, theirs);
	case JSON_STRING:
		return json_object_is_type(theirs, json_type_string) &&
		       str_eq(ours->text, (struct str){json_object_get_string(theirs),
						       (size_t)json_object_get_string_len(theirs)});
	case JSON_ARRAY:
		return json_object_is_type(theirs, json_type_array) && same_array(ours, theirs);
	case JSON_OBJECT:
		return json_object_is_type(theirs, json_type_object) && same_object(ours, theirs);
	}
	return false;
}

bool json_oracle_agrees(const struct json *ours, struct str text)
{
	struct json_tokener *tokener = json_tokener_new();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL ends a number at the end of the text. */
	char *z = strndup(text.p, text.n);
	struct json_object *theirs = json_tokener_parse_ex(tokener, z, (int)text.n + 1);
	bool agrees = json_tokener_get_error(tokener) == json_tokener_success && same(ours, theirs);
	json_object_put(theirs);
	free(z);
	json_tokener_free(tokener);
	return agrees;
}
