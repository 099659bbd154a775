/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: what rules and attributes look at. */
#ifndef POLICY_SUBJECT_H
#define POLICY_SUBJECT_H

#include "token/claims.h"

struct subject {
	const struct claims *claims;
	const struct json *profile; /* an object; NULL where the policy has no profile */
	int64_t local_user_id;	    /* 0: the policy keeps no record of its users; in tools also: not seen yet */
};

#endif
