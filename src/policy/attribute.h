/* SPDX-License-Identifier: Apache-2.0 */
/* One `attribute`: NAME = source, source …; the first that has a value gives it. */
#ifndef POLICY_ATTRIBUTE_H
#define POLICY_ATTRIBUTE_H

#include "base/conf.h"
#include "policy/subject.h"

enum attribute_source_kind { ATTRIBUTE_CLAIM, ATTRIBUTE_TEXT };

struct attribute_source {
	enum attribute_source_kind kind;
	struct str value; /* claim path, or text */
};

enum { ATTRIBUTE_SOURCES_MAX = 8 };

struct attribute {
	struct str name; /* AUTH_…, followed by a NUL */
	struct attribute_source sources[ATTRIBUTE_SOURCES_MAX];
	size_t n_sources;
};

/* Parse a line; names that the product sets itself are refused. */
bool attribute_parse(struct arena *arena, const struct conf_text *line, struct attribute *out,
		     struct conf_error *error);
/* The value for these claims, or STR_NONE. */
struct str attribute_value(struct arena *arena, const struct attribute *attribute, const struct subject *subject);

#endif
