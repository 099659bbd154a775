/* SPDX-License-Identifier: Apache-2.0 */
/* The site's own record of each user: an id of its own for foreign keys. */
#ifndef POLICY_LOCAL_USER_H
#define POLICY_LOCAL_USER_H

#include "policy/subject.h"

struct worker;
struct policy;

/* Find or make the record of a user who was verified, and refresh it when something
 * has changed or enough time has passed. Sets subject->local_user_id. ERR_STORE: the
 * record can neither be read nor made. */
enum err local_user_touch(struct worker *worker, const struct policy *policy, struct subject *subject);

#endif
