/* SPDX-License-Identifier: Apache-2.0 */
/* The mails to the owners of local accounts: plain text, in the language of the request. */
#ifndef POLICY_LETTER_H
#define POLICY_LETTER_H

#include "policy/call.h"
#include "policy/catalogue.h"

enum letter {
	LETTER_CONFIRM, /* an address, with a link */
	LETTER_RESET,	/* a password, with a link */
	LETTER_TAKEN,	/* somebody registered with an address that has an account; with a link to reset */
	LETTER_CHANGED, /* the password was changed */
	LETTERS
};

/* Hand it to the mailer. token: for the link, or STR_NONE. Takes the same time
 * whatever becomes of it, which the log says. */
void letter_send(const struct call *call, enum letter letter, const struct account *account, struct str token);

/* What is sent. */
struct letter_text {
	const struct mail_sender *sender;
	const struct catalogue *catalogue;
	struct str site, url;  /* title (or STR_NONE) and url of [login] */
	struct str to, user, token;
	int64_t now;
};

/* Header and body as RFC 5322, 2045 and 2047 have them; STR_NONE: the arena is used up,
 * or there is something in it that no header can carry. */
struct str letter_print(struct arena *arena, enum letter letter, const struct letter_text *text);

#endif
