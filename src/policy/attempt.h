/* SPDX-License-Identifier: Apache-2.0 */
/* Against guessing: how often a client may try, and how often an account may be tried,
 * counted by all programs and hosts of the site. */
#ifndef POLICY_ATTEMPT_H
#define POLICY_ATTEMPT_H

#include "policy/call.h"

/* Each kind is counted by itself. */
enum attempt_kind {
	ATTEMPT_LOGIN,	  /* a password; `lockout` failures lock the account for `lockout-time` */
	ATTEMPT_REGISTER, /* a new account */
	ATTEMPT_MAIL,	  /* something that makes us send mail; account: who gets it */
	ATTEMPT_CODE,	  /* reset and verification codes, and the current password of who is signed in; locks too */
	ATTEMPT_KINDS
};

/* May this client, and this account, try now? Before any work is done for it. Counts the
 * try, and counts it as a failure until attempt_end(): of those that come at once no more
 * are let in either. account: its id, or what was typed where no account has that name, so
 * that an answer does not tell which ones there are; STR_NONE: none. ERR_RATE_LIMITED,
 * ERR_ACCOUNT_LOCKED: *retry_after in seconds. ERR_STORE: nobody can count. */
enum err attempt_begin(const struct call *call, enum attempt_kind kind, struct str account, int64_t *retry_after);
/* How it ended: a success clears the failures of the account. */
void attempt_end(const struct call *call, enum attempt_kind kind, struct str account, bool success);
/* What a page says of ERR_RATE_LIMITED and ERR_ACCOUNT_LOCKED. */
const char *attempt_text(int64_t retry_after);

/* For `authctl users`: for how many seconds still is it locked against logins (0: it is not)? And let it in again:
 * ERR_STORE_PARTIAL: on this host alone. */
int64_t attempt_locked(struct worker *worker, struct str account);
enum err attempt_unlock(struct worker *worker, struct str account);

#endif
