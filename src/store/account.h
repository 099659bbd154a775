/* SPDX-License-Identifier: Apache-2.0 */
/* Local accounts in state-dir/accounts.db. Passwords come and go as crypt(3) hashes. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "base/arena.h"
#include "base/err.h"

enum {
	ACCOUNT_ID_MAX = 255,
	ACCOUNT_HASH_MAX = 255,
	ACCOUNT_EMAIL_MAX = 255,
	ACCOUNT_NAME_MAX = 255,
	ACCOUNT_ROLES_MAX = 1023
};

struct account {
	struct str id;	     /* user id in tokens; never changes */
	struct str email;    /* may be empty; unique without regard to case (of ASCII letters) when given */
	struct str name;     /* for people; may be empty */
	struct str roles;    /* separated by blanks; may be empty */
	struct str password; /* crypt(3) hash; empty: no password login */
	bool disabled;
	bool pending;	  /* registered, and the e-mail not confirmed yet: no login before it is */
	int64_t verified; /* when the e-mail was confirmed, in seconds; 0: never */
	int64_t created, changed, last_login; /* seconds; 0 for never */
};

struct accounts; /* one per thread */

/* Opens state_dir/accounts.db, creating it where it is new. false: why says
 * what is wrong and what to do. */
bool accounts_open(const char *state_dir, struct accounts **out, struct buf *why);
void accounts_close(struct accounts **accounts);
/* By id, or else by e-mail (no account has another's id as its e-mail). Texts are
 * copied into the arena. ERR_NOT_FOUND, ERR_STORE. */
enum err accounts_find(struct accounts *accounts, struct arena *arena, struct str login, struct account *out);
/* ERR_BAD_REQUEST when the id or e-mail is taken, the id is empty, or a text is too
 * long, no UTF-8 or has control bytes. Durable when it returns. */
enum err accounts_add(struct accounts *accounts, const struct account *account);
/* Replace every field of the account with that id. ERR_NOT_FOUND, ERR_BAD_REQUEST as above. Durable. */
enum err accounts_change(struct accounts *accounts, const struct account *account);
/* ERR_NOT_FOUND. Durable. */
enum err accounts_remove(struct accounts *accounts, struct str id);
/* The last word on a login: ERR_NOT_FOUND when the account has meanwhile got another
 * password, or may not log in. A time before the last one noted changes nothing. */
enum err accounts_note_login(struct accounts *accounts, const struct account *account, int64_t now);
enum account_taken { ACCOUNT_FREE, ACCOUNT_ID_TAKEN, ACCOUNT_EMAIL_TAKEN };

/* accounts_add for a stranger: an id that differs from another's in the case of
 * letters alone is taken, too. Whoever has not confirmed an e-mail within `patience`
 * seconds makes room. ERR_BAD_REQUEST with what is taken, or ACCOUNT_FREE: a text does not fit. */
enum err accounts_register(struct accounts *accounts, const struct account *account, int64_t patience,
			   enum account_taken *taken);
/* The e-mail has been confirmed by somebody who read a mail to it. ERR_NOT_FOUND: the
 * account has another one by now, or it was confirmed before. Durable. */
enum err accounts_confirm(struct accounts *accounts, struct str id, struct str email, int64_t now);
/* The same by somebody who sets a password in place of the one whose hash is old, of
 * which there can be but one. ERR_NOT_FOUND: there is another by now, or the account
 * is disabled. Durable. */
enum err accounts_reset(struct accounts *accounts, const struct account *account, struct str hash, int64_t now);
/* Another password in place of the one whose hash is old. ERR_NOT_FOUND: there is
 * another by now, or the account is disabled. Durable. */
enum err accounts_set_password(struct accounts *accounts, const struct account *account, struct str hash, int64_t now);
/* Another hash of the same password, unless the password was changed meanwhile
 * (ERR_NOT_FOUND). Says nothing to those who keep verdicts: nothing of them has changed. */
enum err accounts_renew_hash(struct accounts *accounts, struct str id, struct str old, struct str fresh);
/* In the order of ids; each returns false to stop, and may change accounts. The
 * texts live until it returns. */
enum err accounts_list(struct accounts *accounts, bool (*each)(void *context, const struct account *account),
		       void *context);
/* Is every page of the file whole? Reads all of it. */
bool accounts_check(struct accounts *accounts, struct buf *why);

#endif
