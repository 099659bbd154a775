/* SPDX-License-Identifier: Apache-2.0 */
/* Which passwords may be set. */
#ifndef POLICY_PASSWORD_POLICY_H
#define POLICY_PASSWORD_POLICY_H

#include "policy/runtime.h"

/* Why the owner of an account can't have that password, for the owner to read; NULL: it
 * is good. old: the password until now, or STR_NONE. */
const char *password_policy_problem(struct worker *worker, struct str password, struct str old);

#endif
