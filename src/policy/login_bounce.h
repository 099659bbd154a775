/* SPDX-License-Identifier: Apache-2.0 */
/* Breaking the loop of a browser that signs in and comes back without its cookie. */
#ifndef POLICY_LOGIN_BOUNCE_H
#define POLICY_LOGIN_BOUNCE_H

#include "policy/call.h"

/* Remember a sign-in in the browser for a minute: one more cookie in a begun reply. */
void login_bounce_mark(const struct call *call);
/* Has this browser signed in within the last minute, and does it come without any
 * cookie that may carry a token? Then the reply is a page that names the likely
 * cause, and true; the mark is taken back, so that the next visit shows the form. */
bool login_bounce_show(const struct call *call);
/* Who logs out comes back without a cookie for a good reason: take the mark back. */
void login_bounce_forget(const struct call *call);

#endif
