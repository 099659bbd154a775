/* SPDX-License-Identifier: Apache-2.0 */
/* A token from standard input before the very pipeline that requests go through. */
#ifndef BIN_AUTHCTL_JUDGE_H
#define BIN_AUTHCTL_JUDGE_H

#include "bin/authctl_tool.h"
#include "policy/verify.h"

struct judgement {
	struct tool tool;
	struct request request;
	struct str address; /* its target, without the token in it */
	const char *policy_from; /* "--policy", "--url", "the only one" */
	struct str token;
	struct verdict verdict;
};

/* Build the request that the options describe and decide about it. EX_OK, or the
 * exit status after an error has been printed; then there is nothing to close. */
int judge_open(const struct arguments *arguments, struct judgement *out);
void judge_close(struct judgement *judgement);
/* The claims, when the signature over them is right; else NULL. */
const struct json *judge_claims(const struct judgement *judgement);
/* "allow", "deny". */
const char *judge_decision(const struct judgement *judgement);
/* "ok", "anonymous", or why not. */
const char *judge_reason(const struct judgement *judgement);

#endif
