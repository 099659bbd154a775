/* SPDX-License-Identifier: Apache-2.0 */
/* Clerk's claims, version 2, in the words of version 1. */
#ifndef TOKEN_CLERK_CLAIMS_H
#define TOKEN_CLERK_CLAIMS_H

#include "token/json.h"

/* Claims of version 2 ("v":2) pack the organisation into "o" and "fea". Give the
 * same claims with org_id, org_slug, org_role and org_permissions put in front, so
 * that rules and attributes need one name for both versions. What is not written
 * as Clerk writes it gives no such claim, and permissions all or none. Claims of
 * another version, and a name that is there already, stay as they are. The result
 * points to the claims and into the arena. */
const struct json *clerk_claims(struct arena *arena, const struct json *claims);

#endif
