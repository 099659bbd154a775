/* SPDX-License-Identifier: Apache-2.0 */
/* Sliding sessions. A token of ours in the last part of its life has one successor, the
 * same for everybody who works it out: nothing is stored, so nothing can race. The old
 * one stays good until its own end; a logout with either ends both, by their sid. */
#ifndef POLICY_SESSION_RENEW_H
#define POLICY_SESSION_RENEW_H

#include "policy/verify.h"

/* From when on does the token have a successor (seconds)? TIME_ABSENT: never; it is none
 * of a local account's session, renewal is off, or session-max lets it live no longer. */
int64_t session_renewal_at(const struct snapshot *snapshot, const struct claims *claims);
/* The same for the token that decided a request, where a new cookie could replace it. */
int64_t session_renewal_of(const struct snapshot *snapshot, const struct verdict *verdict);
/* The successor of a token that has been found good, and when it ends. ERR_NOT_FOUND:
 * it has none now; ERR_USER_INACTIVE: the account is disabled, or gone; ERR_STORE. */
enum err session_renew(struct worker *worker, const struct claims *claims, struct str *token, int64_t *expires);
/* For an allowed request: the line of the cookie that takes the place of the one that
 * came. STR_NONE for what is no person's page: other answers may lie in shared caches. */
struct str session_renew_cookie(struct worker *worker, const struct request *request, const struct verdict *verdict);

#endif
