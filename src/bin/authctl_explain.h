/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of `authctl explain`. */
#ifndef BIN_AUTHCTL_EXPLAIN_H
#define BIN_AUTHCTL_EXPLAIN_H

#include "bin/authctl_judge.h"
#include "bin/authctl_output.h"

struct explanation {
	const struct judgement *judgement;
	struct document document;
	bool json;
};

/* One thing of a step: what was wanted and what came; either may be STR_NONE. */
void explain_row(struct explanation *explanation, const char *what, struct str wanted, struct str came);
/* The rows of the step "token": header, claims and times against the issuer's options. */
void explain_token(struct explanation *explanation);
/* "a, b" */
struct str explain_list(const struct explanation *explanation, const struct conf_list *list);

#endif
