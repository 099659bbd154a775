/* SPDX-License-Identifier: Apache-2.0 */
/* Sending mail behind the back of requests: nobody learns from the time of an answer
 * whether a mail was sent, and no mail server holds up a login. */
#ifndef POLICY_MAILER_H
#define POLICY_MAILER_H

#include "policy/mail_options.h"

struct mailer;

/* patient: try again for a while; else, for a process of one request, once, by a child
 * that outlives it. */
bool mailer_open(bool patient, struct mailer **out);
/* What waits is tried once more, and then lost, which the log says. */
void mailer_close(struct mailer **mailer);
/* Take a copy, and return at once; a thread of its own sends it. about is for the log. What
 * goes wrong is in the log alone: the queue is full, nobody took it. */
void mailer_put(struct mailer *mailer, const struct mail_sender *sender, const struct mail *mail, struct str about);

#endif
