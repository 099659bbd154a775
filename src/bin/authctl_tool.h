/* SPDX-License-Identifier: Apache-2.0 */
/* What a command works with: the configuration, a worker as the programs have
 * it, the store, the accounts; and standard input. */
#ifndef BIN_AUTHCTL_TOOL_H
#define BIN_AUTHCTL_TOOL_H

#include "bin/authctl.h"
#include "policy/runtime.h"

struct tool {
	const struct arguments *arguments;
	struct conf *conf;	   /* of tool_open_conf() */
	struct snapshot *snapshot; /* of tool_open() and tool_load() */
	const struct server_conf *server;
	struct worker worker; /* number 0, without a runtime */
	struct store *store;
	char store_why[1024]; /* why the store could not be opened, or "" */
};

/* Load the configuration and keys. EX_OK, or the exit status after an error has
 * been printed. The worker's store says ERR_STORE until tool_open_store(). */
int tool_open(const struct arguments *arguments, struct tool *out);
/* The same without a word: error says what is wrong. */
int tool_load(const struct arguments *arguments, struct tool *out, struct conf_error *error);
/* Load the configuration alone, for commands that mend the keys: no snapshot, and
 * of the worker its arena and token thread. As tool_open(). */
int tool_open_conf(const struct arguments *arguments, struct tool *out);
void tool_close(struct tool *tool);
/* Open the store in state-dir. false: store_why is set, and the worker's store goes on saying ERR_STORE. */
bool tool_open_store(struct tool *tool);
/* The same for commands that cannot do without: prints the error. */
bool tool_need_store(struct tool *tool);
/* Open worker.accounts. false: an error has been printed. */
bool tool_need_accounts(struct tool *tool);
/* The iss that the login puts into its tokens, and others it accepts: a token of a
 * local user has one of these. An issuer without iss: one STR_NONE. *n is 0
 * without an issuer that signs. false: an error has been printed. */
bool tool_login_iss(const struct tool *tool, const struct str **out, size_t *n);
/* The claims of --claim and --claim-json, as members of a JSON object. EX_OK, or
 * EX_USAGE after an error has been printed. */
int token_read_claims(const struct tool *tool, struct str *members);
/* Log an act of the admin, unless the log is standard error. user may be STR_NONE. */
void tool_log(const struct tool *tool, const char *event, struct str user);
/* The same for an act on a key. */
void tool_log_key(const struct tool *tool, const char *event, struct str issuer, struct str kid);

/* All of standard input without one line end, cut where it is longer than any token. */
bool input_token(struct arena *arena, struct str *out);
/* A password: typed twice on a terminal without echo, else one line of standard
 * input. false: an error has been printed. */
bool input_password(struct arena *arena, struct str *out);

#endif
