/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of links in mails: signed, for one purpose and account, for a limited time,
 * and for one use. Nothing is stored for them. */
#ifndef POLICY_LOGIN_LINK_H
#define POLICY_LOGIN_LINK_H

#include "policy/call.h"

enum link_purpose { LINK_CONFIRM, LINK_RESET };

/* Seconds that each is good for. */
enum { LINK_CONFIRM_SECONDS = 86400, LINK_RESET_SECONDS = 3600 };

/* "expiry.id.signature"; STR_NONE when it cannot be made, which the log says. It ends with
 * the password and the e-mail address that the account has now. */
struct str login_link_make(const struct call *call, enum link_purpose purpose, const struct account *account);
/* Whose it is. That it was not used yet, accounts_confirm() and accounts_reset() find out,
 * given this very account. ERR_NOT_FOUND: it is none of ours, or not good any more. ERR_STORE. */
enum err login_link_read(const struct call *call, enum link_purpose purpose, struct str token, struct account *out);

#endif
