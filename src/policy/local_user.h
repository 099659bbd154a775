/* SPDX-License-Identifier: Apache-2.0 */
/* The site's own record of each user: an id of its own for foreign keys. */
#ifndef POLICY_LOCAL_USER_H
#define POLICY_LOCAL_USER_H

#include "policy/subject.h"

struct worker;
struct policy;

/* Find or make the record of a user who was verified, and refresh it when something
 * has changed or enough time has passed. Sets subject->local_user_id. ERR_STORE: the
 * record can neither be read nor made. A tool (worker without a runtime) only looks:
 * it leaves local_user_id at 0 for a user who has no record yet. */
enum err local_user_touch(struct worker *worker, const struct policy *policy, struct subject *subject);
/* Who vouches for the user, as the record has it. */
struct str local_user_issuer(const struct worker *worker, const struct claims *claims);

#endif
