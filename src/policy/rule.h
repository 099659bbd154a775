/* SPDX-License-Identifier: Apache-2.0 */
/* One `require`: [not] SOURCE OP VALUE. */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include "base/conf.h"
#include "policy/value_source.h"

enum rule_op {
	RULE_EQUAL,
	RULE_UNEQUAL,
	RULE_IN,
	RULE_CONTAINS,
	RULE_DOMAIN,
	RULE_EXISTS,
	RULE_LESS,
	RULE_AT_MOST,
	RULE_MORE,
	RULE_AT_LEAST
};

struct rule {
	struct str text; /* as written */
	bool negated;
	struct value_source source;
	enum rule_op op;
	struct str value;
};

/* Parse a line; error says what is wrong with it. Slices point into the line. */
bool rule_parse(const struct conf_text *line, struct rule *out, struct conf_error *error);
/* Does it hold? A list holds when one of its elements does, a scope when one of its
 * words does; what is absent or null holds for nothing but `not` and `!=`. A rule on
 * the profile of a subject without one never holds. */
bool rule_holds(const struct rule *rule, const struct subject *subject);

#endif
