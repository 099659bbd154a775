/* SPDX-License-Identifier: Apache-2.0 */
/* Handing one mail to a mail server (RFC 5321), or to a command, in bounded time. */
#ifndef NET_MAIL_H
#define NET_MAIL_H

#include "base/arena.h"

/* Who takes it. */
struct mail_way {
	const char *smtp;    /* as mail_check_url() takes it; NULL: the command */
	const char *command; /* an absolute path and words, between blanks */
	const char *user, *password; /* for the server; NULL: without */
	const char *ca_file;	     /* PEM file of authorities to trust; NULL: the system's */
	int64_t timeout_ms;	     /* for all of it */
};

struct mail {
	const char *from, *to; /* addresses */
	struct str text;       /* header and body, lines end with CR LF */
};

enum mail_result {
	MAIL_SENT,
	MAIL_LATER,  /* nobody there, no answer in time, or refused for now */
	MAIL_REFUSED /* it would be refused again */
};

/* "smtp://host[:port]" or "smtps://host[:port]". false: why says what is wrong. */
bool mail_check_url(struct str url, struct buf *why);
/* Loads libcurl when it is called for the first time: to be called by one thread before others start. */
bool mail_start(struct buf *why);
/* Over smtp: what is said is encrypted, and the server's certificate is checked; to
 * this machine itself only when ca_file is set. Else why says what went wrong,
 * without a word of the mail. */
enum mail_result mail_send(const struct mail_way *way, const struct mail *mail, struct buf *why);

/* mail_command.c: run the command without a shell, the mail on standard input. Status
 * 75 (EX_TEMPFAIL) and no end in time mean MAIL_LATER. */
enum mail_result mail_run(const struct mail_way *way, const struct mail *mail, struct buf *why);

#endif
