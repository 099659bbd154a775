/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of `authctl users`. */
#ifndef BIN_AUTHCTL_USERS_H
#define BIN_AUTHCTL_USERS_H

#include "bin/authctl_tool.h"

/* Why the id cannot be one, or NULL: it stands in tokens, headers and paths. */
const char *users_id_problem(struct str id);
/* Open everything that a change of accounts needs. */
int users_open(const struct arguments *arguments, struct tool *out);
/* Find the account of operand 0. false: an error has been printed. */
bool users_find(struct tool *tool, struct account *out);
/* Read the password, or make one (--generate), check it and hash it. made is
 * what was made, for users_done(), or STR_NONE. false: an error has been printed. */
bool users_password(struct tool *tool, struct str *hash, struct str *made);
/* Revoke all tokens of the user. revoked: how many issuers' names that took, 0
 * when no issuer signs for local accounts. false: an error has been printed. */
bool users_revoke(struct tool *tool, struct str id, const char *note, size_t *revoked);

/* Print one account, and whether it is locked. */
void users_print(struct tool *tool, const struct account *account);

/* What has been done, for users_done(). */
struct users_act {
	const char *event; /* in the log */
	const char *word;  /* "added" */
	bool revokes;
	size_t revoked;	 /* users_revoke() */
	struct str made; /* generated password, or STR_NONE */
};

/* Log the act and say it. */
void users_done(struct tool *tool, struct str id, const struct users_act *act);

#endif
