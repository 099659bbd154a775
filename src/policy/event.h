/* SPDX-License-Identifier: Apache-2.0 */
/* The log lines of decisions and acts, in the field order that the fail2ban
 * filters rest on: event, client, status, reason, rid, …, user-supplied values last. */
#ifndef POLICY_EVENT_H
#define POLICY_EVENT_H

#include "base/log.h"
#include "policy/verify.h"

void event_deny(struct worker *worker, const struct request *request, const struct verdict *verdict);
void event_allow(struct worker *worker, const struct request *request, const struct verdict *verdict);
/* The answer to a preflight, with log-allow. */
void event_preflight(const struct request *request, const struct policy *policy);
/* An act of login or logout: event=login, login_failed, logout, logout_failed …; user may be STR_NONE. */
void event_act(const char *event, const struct request *request, enum err err, struct str user, const char *text);

#endif
