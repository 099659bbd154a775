/* SPDX-License-Identifier: Apache-2.0 */
/* auth-logout: revokes the presented token; the client always gets logged out. */
#ifndef POLICY_LOGOUT_H
#define POLICY_LOGOUT_H

#include "http/reply.h"
#include "policy/runtime.h"

/* A form or a JSON object; nothing of ours is larger. */
enum { LOGOUT_BODY_MAX = 64 << 10 };

/* Answer one request; the reply is complete when it returns. */
void logout_handle(struct worker *worker, const struct request *request, struct reply *reply);

#endif
