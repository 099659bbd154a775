/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of tests/data, read by json-c. */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <json-c/json.h>

#include "base/str.h"

/* The rows of tests/data/NAME, to be given back by json_object_put; a file that is
 * not there or has fewer rows ends the test case. */
struct json_object *vectors_open(const char *name, size_t least);
/* The member of that name, or NULL. */
struct json_object *member(struct json_object *object, const char *name);
/* STR_NONE for what is no string. */
struct str text_of(struct json_object *value);

#endif
