/* SPDX-License-Identifier: Apache-2.0 */
/* [mail] */
#ifndef POLICY_MAIL_OPTIONS_H
#define POLICY_MAIL_OPTIONS_H

#include "base/conf.h"
#include "net/mail.h"

struct mail_conf {
	struct conf_text from, smtp, command, user, password, ca_file;
	int64_t timeout; /* milliseconds */
};

extern const struct conf_kind mail_kind;

/* What comes of it, in the arena of the snapshot. */
struct mail_sender {
	bool on;	 /* is there mail at all? */
	struct str name; /* of From, UTF-8; may be STR_NONE */
	const char *address;
	struct mail_way way;
};

struct snapshot;
/* Sets the snapshot's mail; and what [login] promises by mail needs it. */
bool mail_options_check(struct snapshot *snapshot, struct conf_error *error);
/* Is it one address in ASCII, in the form local@domain.tld, without quotes, comments and
 * what has a meaning to shells and mail servers? */
bool mail_address_is_valid(struct str address);

#endif
