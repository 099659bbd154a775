/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of other origins (Fetch standard, section 3.2): which may read answers, and what
 * their browsers are told before they send a request. */
#ifndef POLICY_CORS_H
#define POLICY_CORS_H

#include "http/reply.h"
#include "policy/access.h"

/* For how long a browser need not ask again, in seconds. */
enum { CORS_MAX_AGE = 600 };

/* Is it an origin as browsers send one? */
bool cors_check_origin(const struct conf_text *origin, struct conf_error *error);
/* Do cors-origin and cors-headers make sense in this policy, whose sources are known? */
bool cors_check(const struct policy *policy, const struct conf_section *section, struct conf_error *error);
/* Is the request's origin in the policy's cors-origin? */
bool cors_lists(const struct policy *policy, const struct request *request);
/* What Access-Control-Allow-Origin says to this request: its origin, or "*"; STR_NONE
 * where a policy that it falls under does not list it. */
struct str cors_origin(const struct snapshot *snapshot, const struct request *request);
/* The headers by which a page of that origin may read the answer; none for STR_NONE. */
void cors_headers(struct reply *reply, struct str origin);

/* Is it a preflight: a browser's question whether a page may send a request? It has no
 * credentials. *origin is what cors_origin() says, *policy whose answer it is. false
 * also where the web server would take the answer for an allow. */
bool cors_preflight(const struct snapshot *snapshot, const struct request *request, struct str *origin,
		    const struct policy **policy);
/* The answer, whole: 204. */
void cors_answer(struct arena *arena, const struct request *request, const struct policy *policy, struct str origin,
		 struct reply *reply);

#endif
