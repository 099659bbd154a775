/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that run the suites. */
#ifndef TESTS_CONFORMANCE_H
#define TESTS_CONFORMANCE_H

#include <json-c/json.h>

#include "base/arena.h"

struct run {
	struct arena *arena;
	unsigned passed, failed, not_offered;
};

/* The member of that name, or NULL. */
struct json_object *member(struct json_object *object, const char *name);
/* STR_NONE for what is no string. */
struct str text_of(struct json_object *value);
/* Is the member that text? */
bool is(struct json_object *row, const char *name, const char *want);
/* Is the case's payload, where it has one, this? */
bool is_payload(struct json_object *row, struct str payload);
/* Judge the answer to a case and say what is wrong with it. */
void count(struct run *run, struct json_object *row, bool accepted);

void run_jwe(struct run *run, struct json_object *row);

#endif
