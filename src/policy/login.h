/* SPDX-License-Identifier: Apache-2.0 */
/* auth-login-proxy: a table of routes below the path where it is mounted. */
#ifndef POLICY_LOGIN_H
#define POLICY_LOGIN_H

#include "http/reply.h"
#include "policy/runtime.h"

/* What a program that serves logins must be able to read and to write: a form that
 * waits for the login is carried along in the page (login_resume.h). Everything else
 * is held to LOGIN_FIELDS_MAX. */
enum { LOGIN_FIELDS_MAX = 64 << 10, LOGIN_BODY_MAX = 512 << 10, LOGIN_REPLY_MAX = 1 << 20 };

/* What a person is told whose request was larger. */
extern const char login_too_large[];

/* Answer one request; the reply is complete when it returns. */
void login_handle(struct worker *worker, const struct request *request, struct reply *reply);

#endif
