/* SPDX-License-Identifier: Apache-2.0 */
/* (under construction) */
#include "policy/local_user.h"

#include "base/err.h"

enum err local_user_touch(struct worker *worker, const struct policy *policy, struct subject *subject)
{
	(void)worker;
	(void)policy;
	(void)subject;
	return ERR_NONE;
}
