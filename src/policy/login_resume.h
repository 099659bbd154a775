/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that were posted without a session, and go on after the login. */
#ifndef POLICY_LOGIN_RESUME_H
#define POLICY_LOGIN_RESUME_H

#include "policy/kept_form.h"
#include "policy/pages.h"

/* POST /resume: auth-verify has sent the browser here with the form. Show the login
 * page that keeps it; who is signed in already is asked whether it is to be sent. */
void login_resume(const struct call *call);
/* After a login that brought a kept form: begin the reply. Its cookies may follow. */
void login_resume_begin(const struct call *call);
/* And end it with the page that asks whether the form is to be sent. When it is none of
 * ours or too old, that says so, with a link to return_to (STR_NONE: "/"). */
void login_resume_go_on(const struct call *call, struct str kept, struct str return_to);

#endif
