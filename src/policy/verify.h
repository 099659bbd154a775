/* SPDX-License-Identifier: Apache-2.0 */
/* The decision about a request: a table of steps, the first that fails decides. */
#ifndef POLICY_VERIFY_H
#define POLICY_VERIFY_H

#include "policy/credentials.h"
#include "policy/runtime.h"
#include "policy/subject.h"

enum verify_step {
	VERIFY_REQUEST,
	VERIFY_POLICY,
	VERIFY_CREDENTIALS,
	VERIFY_TOKEN,
	VERIFY_REVOCATION,
	VERIFY_USER,
	VERIFY_RULES,
	VERIFY_DONE
};

/* Each field is written once, by the step that owns it; what a failed step
 * would have written is absent. */
struct verdict {
	enum err err;
	enum verify_step step;		/* the one that failed, or VERIFY_DONE */
	bool anonymous;			/* allowed without a user */
	struct str why;			/* detail for the log and `explain`: the rule, the parameter; or STR_NONE */
	const struct policy *policy;	/* policy */
	bool two_policies;		/* allowed by another one as well: the paths asked for and served differ */
	struct credentials credentials; /* credentials */
	struct token token;		/* token */
	struct claims claims;
	int64_t retry_after;		/* of ERR_RATE_LIMITED, in seconds */
	struct str cached;		/* revocation: what the store's cache has of the user */
	struct profile_lookup profile;	/* user; source is NULL where the policy has none */
	struct subject subject;
};

/* Decide. request_err is what request_read returned, why its detail. */
void verify_request(struct worker *worker, const struct request *request, enum err request_err, const char *why,
		    struct verdict *out);
/* The token steps alone for a token from anywhere (cookie: the name of the one it
 * came in, or STR_NONE): parsed, its issuer found among those given, verified, not
 * revoked. claims is filled on ERR_TOKEN_EXPIRED and ERR_TOKEN_REVOKED too, and on
 * ERR_STORE: then it is good, unless it was revoked, which nobody can tell. */
enum err verify_token(struct worker *worker, const struct issuer_set *issuers, const struct credentials *credentials,
		      struct token *token, struct claims *claims);
/* The word for a step in `explain`. */
const char *verify_step_name(enum verify_step step);

#endif
