/* SPDX-License-Identifier: Apache-2.0 */
/* Where the data is, and how its rows are read. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

struct json_object *vectors_open(const char *name, size_t least)
{
	char path[4096];
	const char *folder = getenv("srcdir");
	snprintf(path, sizeof path, "%s/tests/data/%s", folder ? folder : ".", name);
	struct json_object *rows = json_object_from_file(path);
	CU_ASSERT_FATAL(rows != NULL && json_object_array_length(rows) >= least);
	return rows;
}

struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;
	return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

struct str text_of(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return STR_NONE;
	return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}
