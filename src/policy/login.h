/* SPDX-License-Identifier: Apache-2.0 */
/* auth-login-proxy: a table of routes below the path where it is mounted. */
#ifndef POLICY_LOGIN_H
#define POLICY_LOGIN_H

#include "http/reply.h"
#include "policy/runtime.h"

/* Answer one request; the reply is complete when it returns. */
void login_handle(struct worker *worker, const struct request *request, struct reply *reply);

#endif
