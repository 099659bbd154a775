/* SPDX-License-Identifier: Apache-2.0 */
/* From host and path to the policy, without a look at each policy: patterns are
 * found by their literal beginning. */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "policy/access.h"

struct route_table;

/* Index the patterns of all policies, in the arena; n > 0 or not. NULL: no memory. */
const struct route_table *route_table_make(struct arena *arena, const struct policy *policies, size_t n);
/* The policy whose pattern for this host is the most specific one that matches the
 * path (url_pattern_compare), named for a host before one for all; of equals the
 * first. NULL: there is none. The time goes with the segments of the path and the
 * patterns that begin alike, not with the number of policies. */
const struct policy *route_table_find(const struct route_table *table, struct str host, struct str path);

#endif
