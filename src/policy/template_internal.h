/* SPDX-License-Identifier: Apache-2.0 */
/* What parsing a template leaves for printing it. */
#ifndef POLICY_TEMPLATE_INTERNAL_H
#define POLICY_TEMPLATE_INTERNAL_H

#include "policy/template.h"

enum template_kind {
	TEMPLATE_TEXT,
	TEMPLATE_WORDS,	     /* {{"…"}} */
	TEMPLATE_VALUE,	     /* {{name}} */
	TEMPLATE_TRANSLATED, /* {{~name}} */
	TEMPLATE_WITH,	     /* {{#name}} */
	TEMPLATE_WITHOUT     /* {{^name}} */
};

struct template_node {
	enum template_kind kind;
	struct str text; /* or the name of the value */
	const struct template_node *inner, *next;
};

#endif
