/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of `authctl explain`. */
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
/* The rows of the step "token": form, header, claims and times against the issuer's options. */
void explain_token(struct explanation *explanation);
/* The first of them: what form it has, and what is wrong where it could not be read. */
void explain_form(struct explanation *explanation, struct str text);
/* Of the step "user": the profile, where the policy has one. */
void explain_profile(struct explanation *explanation);
/* The same for an API key, and a sentence on what to do, or NULL. */
void explain_api_key(struct explanation *explanation);
const char *explain_api_key_hint(enum err err);
/* "a, b" */
struct str explain_list(const struct explanation *explanation, const struct conf_list *list);

#endif
