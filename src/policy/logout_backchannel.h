/* SPDX-License-Identifier: Apache-2.0 */
/* POST …/backchannel: an issuer tells that a session or a user has been logged out
 * (OpenID Connect Back-Channel Logout 1.0 section 2.5). */
#ifndef POLICY_LOGOUT_BACKCHANNEL_H
#define POLICY_LOGOUT_BACKCHANNEL_H

#include "policy/call.h"

/* 200 once the logout is durable on all hosts; 400 for what is no logout token of an
 * issuer of ours, or one that came before; 503 when nobody can tell or it cannot be
 * kept: then it may be sent again. */
void logout_backchannel(const struct call *call);

#endif
