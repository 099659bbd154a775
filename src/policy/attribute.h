/* SPDX-License-Identifier: Apache-2.0 */
/* One `attribute`: NAME = source, source …; the first that has a value gives it. */
#ifndef POLICY_ATTRIBUTE_H
#define POLICY_ATTRIBUTE_H

#include "base/conf.h"
#include "policy/value_source.h"

enum { ATTRIBUTE_SOURCES_MAX = 8 };

struct attribute {
	struct str text; /* as written */
	struct str name; /* AUTH_…, followed by a NUL */
	struct value_source sources[ATTRIBUTE_SOURCES_MAX];
	size_t n_sources;
};

/* Parse a line; names that the product sets itself are refused. */
bool attribute_parse(struct arena *arena, const struct conf_text *line, struct attribute *out,
		     struct conf_error *error);
/* What the application gets for this user: the value of the first source that has one;
 * what is absent, null, an empty text or an empty list is none. STR_NONE when there is
 * none, and when the first cannot be handed on (an object, control bytes, too long, …):
 * then the attribute is left out, whatever the sources behind it have. */
struct str attribute_value(struct arena *arena, const struct attribute *attribute, const struct subject *subject);
/* Why is it left out? The words for "the value …", or NULL when it is not. */
const char *attribute_left_out(struct arena *arena, const struct attribute *attribute, const struct subject *subject);

#endif
