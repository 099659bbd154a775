/* SPDX-License-Identifier: Apache-2.0 */
/* One `require`: [not] SOURCE OP VALUE. */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include "base/conf.h"
#include "policy/subject.h"

enum rule_source { RULE_CLAIM, RULE_USER, RULE_SCOPE };
enum rule_op {
	RULE_EQUAL,
	RULE_UNEQUAL,
	RULE_IN,
	RULE_CONTAINS,
	RULE_EXISTS,
	RULE_LESS,
	RULE_AT_MOST,
	RULE_MORE,
	RULE_AT_LEAST
};

struct rule {
	struct str text; /* as written */
	bool negated;
	enum rule_source source;
	struct str path; /* of the claim */
	enum rule_op op;
	struct str value;
};

/* Parse a line; error says what is wrong with it. Slices point into the line. */
bool rule_parse(const struct conf_text *line, struct rule *out, struct conf_error *error);
/* Does it hold? A claim that is an array holds when one of its elements does;
 * an absent one holds for nothing but `not` and `!=`. */
bool rule_holds(struct arena *arena, const struct rule *rule, const struct subject *subject);

#endif
