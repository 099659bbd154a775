/* SPDX-License-Identifier: Apache-2.0 */
/* What rules and attributes look at: claim:PATH, profile:PATH, user, scope, text:…. */
#ifndef POLICY_VALUE_SOURCE_H
#define POLICY_VALUE_SOURCE_H

#include "policy/subject.h"

enum value_source_kind { SOURCE_CLAIM, SOURCE_PROFILE, SOURCE_USER, SOURCE_SCOPE, SOURCE_TEXT };

struct value_source {
	enum value_source_kind kind;
	struct str value; /* path (json.h) of a claim or in the profile; the text; else STR_NONE */
};

/* Cut the source at the beginning of *rest off, up to the separator (' ' means tab, too):
 * one inside the double quotes of a dotted path does not count. What stays has no
 * blanks at its beginning, and is STR_NONE when there is no separator. */
struct str value_source_cut(struct str *rest, char separator);
/* Read what was cut off. NULL, or what is wrong with it. The value points into word. */
const char *value_source_read(struct str word, struct value_source *out);
/* What is there for this user: a text for user and text:…; NULL when it is absent.
 * memory is for a value that no document has, and must live as long as the result. */
const struct json *value_source_find(const struct value_source *source, const struct subject *subject,
				     struct json *memory);

#endif
