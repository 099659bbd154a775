/* SPDX-License-Identifier: Apache-2.0 */
/* authctl's frame: the table of commands, and what a command line says. */
#ifndef BIN_AUTHCTL_H
#define BIN_AUTHCTL_H

#include <sysexits.h>

#include "base/str.h"

/* Exit states beside EX_OK, EX_USAGE and EX_CONFIG. */
enum { EXIT_FAILED = 1 };

enum option_id {
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_BYTES,
	OPTION_USER,
	OPTION_ISSUER,
	OPTION_LIFETIME,
	OPTION_CLAIM,
	OPTION_CLAIM_JSON,
	OPTION_TOKEN,
	OPTION_POLICY,
	OPTION_URL,
	OPTION_COOKIE,
	OPTION_QUERY,
	OPTION_WEBSOCKET,
	OPTION_NOW,
	OPTION_EMAIL,
	OPTION_NAME,
	OPTION_ROLE,
	OPTION_GENERATE,
	OPTION_VERIFIED,
	OPTION_UPDATE,
	OPTION_ISS,
	OPTION_ALGORITHM,
	OPTION_FROM,
	OPTION_FROM_SECRET,
	OPTION_FIRST,
	OPTION_AT_ONCE,
	OPTION_SESSION,
	OPTION_PROFILE,
	OPTION_OWNER,
	OPTION_SCOPE,
	OPTION_EXPIRES,
	OPTION_RATE,
	OPTION_PRINT_RECORD,
	OPTION_LIVE,
	OPTION_PUBLIC,
	OPTION_LOGIN,
	OPTION_ENDPOINT,
	OPTION_TEXT,
	OPTION_CA_FILE,
	OPTION_INSECURE,
	OPTION_TIMEOUT,
	OPTION_COUNT
};

#define TAKES(id) (UINT64_C(1) << (id))

struct arguments;

struct command {
	const char *words;    /* "users add" */
	const char *operands; /* as the usage shows them, "" for none */
	unsigned n_operands;
	uint64_t needs, takes;			       /* options: TAKES() bits */
	int (*run)(const struct arguments *arguments); /* gives the exit status */
	const char *help;
};

enum { GIVEN_MAX = 64 };

/* A command line that fits its command. */
struct arguments {
	const struct command *command;
	const char *config; /* path */
	bool json;
	char *const *operands;
	size_t n_given;
	struct given {
		enum option_id id;
		const char *value; /* "" for an option that has none */
	} given[GIVEN_MAX];
};

/* The commands; the last has no words. */
extern const struct command authctl_commands[];

/* Parse the command line. false: *status is what to exit with, and help or an
 * error has been printed. */
bool arguments_parse(int argc, char *argv[], struct arguments *out, int *status);
/* The value of an option, or NULL when it is not there. */
const char *arguments_value(const struct arguments *arguments, enum option_id id);
/* Print "authctl: WORDS: …" and how the command is used. Gives EX_USAGE. */
__attribute__((format(printf, 2, 3))) int arguments_wrong(const struct arguments *arguments, const char *format, ...);

/* The commands, one file for each group. */
int authctl_check(const struct arguments *arguments);
int authctl_reference(const struct arguments *arguments);
int authctl_secret_generate(const struct arguments *arguments);
int authctl_keys_list(const struct arguments *arguments);
int authctl_keys_add(const struct arguments *arguments);
int authctl_keys_promote(const struct arguments *arguments);
int authctl_keys_retire(const struct arguments *arguments);
int authctl_token_issue(const struct arguments *arguments);
int authctl_token_verify(const struct arguments *arguments);
int authctl_explain(const struct arguments *arguments);
int authctl_users_add(const struct arguments *arguments);
int authctl_users_passwd(const struct arguments *arguments);
int authctl_users_list(const struct arguments *arguments);
int authctl_users_show(const struct arguments *arguments);
int authctl_users_disable(const struct arguments *arguments);
int authctl_users_confirm(const struct arguments *arguments);
int authctl_users_unlock(const struct arguments *arguments);
int authctl_users_enable(const struct arguments *arguments);
int authctl_users_remove(const struct arguments *arguments);
int authctl_users_import(const struct arguments *arguments);
int authctl_records_list(const struct arguments *arguments);
int authctl_records_show(const struct arguments *arguments);
int authctl_records_remove(const struct arguments *arguments);
int authctl_revocations_list(const struct arguments *arguments);
int authctl_revocations_show(const struct arguments *arguments);
int authctl_revocations_add(const struct arguments *arguments);
int authctl_revocations_remove(const struct arguments *arguments);
int authctl_revocations_stats(const struct arguments *arguments);
int authctl_templates_list(const struct arguments *arguments);
int authctl_templates_show(const struct arguments *arguments);
int authctl_cache_stats(const struct arguments *arguments);
int authctl_cache_flush(const struct arguments *arguments);
int authctl_api_keys_add(const struct arguments *arguments);
int authctl_api_keys_list(const struct arguments *arguments);
int authctl_api_keys_show(const struct arguments *arguments);
int authctl_api_keys_revoke(const struct arguments *arguments);

#endif
