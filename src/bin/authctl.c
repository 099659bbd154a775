/* SPDX-License-Identifier: Apache-2.0 */
/* The admin's command: a table of commands and main(). */
#include "bin/authctl.h"

#include <stdio.h>

#include "bin/authctl_output.h"

#define PLACE (TAKES(OPTION_COOKIE) | TAKES(OPTION_QUERY) | TAKES(OPTION_WEBSOCKET))
#define CHOICE (TAKES(OPTION_POLICY) | TAKES(OPTION_URL) | PLACE | TAKES(OPTION_NOW))
#define LIVE                                                                                                    \
	(TAKES(OPTION_LIVE) | TAKES(OPTION_PUBLIC) | TAKES(OPTION_LOGIN) | TAKES(OPTION_ENDPOINT) |             \
	 TAKES(OPTION_TEXT) | TAKES(OPTION_CA_FILE) | TAKES(OPTION_INSECURE) | TAKES(OPTION_TIMEOUT) |          \
	 TAKES(OPTION_USER) | TAKES(OPTION_ISSUER) | TAKES(OPTION_CLAIM) | TAKES(OPTION_CLAIM_JSON) |           \
	 TAKES(OPTION_TOKEN) | TAKES(OPTION_POLICY))

const struct command authctl_commands[] = {
	{"check", "", 0, 0, LIVE, authctl_check,
	 "check configuration, keys, state directory, stores and clock, and the web server (--live)"},
	{"reference", "", 0, 0, 0, authctl_reference, "print every option of the configuration with its default"},
	{"secret generate", "", 0, 0, TAKES(OPTION_BYTES), authctl_secret_generate, "print a new secret"},
	{"keys list", "", 0, 0, TAKES(OPTION_ISSUER), authctl_keys_list, "list the keys of the issuers in their order"},
	{"keys add", "", 0, 0,
	 TAKES(OPTION_ISSUER) | TAKES(OPTION_ALGORITHM) | TAKES(OPTION_FROM) | TAKES(OPTION_FROM_SECRET) |
		 TAKES(OPTION_FIRST),
	 authctl_keys_add, "add a new key to a key ring, and print its kid"},
	{"keys promote", "KID", 1, 0, TAKES(OPTION_ISSUER) | TAKES(OPTION_AT_ONCE), authctl_keys_promote,
	 "let this key of the ring sign from now on"},
	{"keys retire", "KID", 1, 0, TAKES(OPTION_ISSUER), authctl_keys_retire,
	 "take a key out of the ring: tokens it signed are refused"},
	{"token issue", "", 0, TAKES(OPTION_USER),
	 TAKES(OPTION_ISSUER) | TAKES(OPTION_LIFETIME) | TAKES(OPTION_CLAIM) | TAKES(OPTION_CLAIM_JSON),
	 authctl_token_issue, "print a signed token"},
	{"token verify", "", 0, 0, CHOICE, authctl_token_verify,
	 "say as one JSON line whether the token on standard input would be let in"},
	{"explain", "", 0, 0, TAKES(OPTION_TOKEN) | CHOICE, authctl_explain,
	 "say step by step why the token on standard input is let in or not"},
	{"users add", "ID", 1, 0,
	 TAKES(OPTION_EMAIL) | TAKES(OPTION_NAME) | TAKES(OPTION_ROLE) | TAKES(OPTION_GENERATE) |
		 TAKES(OPTION_VERIFIED),
	 authctl_users_add, "add an account; the password comes from standard input"},
	{"users passwd", "ID", 1, 0, TAKES(OPTION_GENERATE), authctl_users_passwd,
	 "set a new password and end all sessions of the account"},
	{"users list", "", 0, 0, 0, authctl_users_list, "list all accounts"},
	{"users show", "ID", 1, 0, 0, authctl_users_show, "show one account"},
	{"users disable", "ID", 1, 0, 0, authctl_users_disable,
	 "let the account log in no more and end all its sessions"},
	{"users confirm", "ID", 1, 0, 0, authctl_users_confirm,
	 "take the e-mail address for confirmed, so that the account may log in"},
	{"users enable", "ID", 1, 0, 0, authctl_users_enable, "let the account log in again"},
	{"users unlock", "ID", 1, 0, 0, authctl_users_unlock,
	 "let an account in again that wrong passwords have locked"},
	{"users remove", "ID", 1, 0, 0, authctl_users_remove, "remove the account and end all its sessions"},
	{"users import-htpasswd", "FILE", 1, 0, TAKES(OPTION_UPDATE), authctl_users_import,
	 "add the users of an Apache or nginx password file"},
	{"records list", "", 0, 0, TAKES(OPTION_USER), authctl_records_list,
	 "list the users who were seen, where a policy has local-user"},
	{"records show", "LOCAL-ID", 1, 0, 0, authctl_records_show, "show the record of one user"},
	{"records remove", "LOCAL-ID", 1, 0, 0, authctl_records_remove, "remove the record of one user"},
	{"revocations list", "", 0, 0, TAKES(OPTION_USER), authctl_revocations_list,
	 "list what is revoked and has not expired, newest first"},
	{"revocations show", "KEY", 1, 0, 0, authctl_revocations_show, "show one revocation"},
	{"revocations add", "", 0, 0,
	 TAKES(OPTION_TOKEN) | TAKES(OPTION_USER) | TAKES(OPTION_SESSION) | TAKES(OPTION_ISS),
	 authctl_revocations_add, "revoke a token (--token -), all of a user (--user ID) or session (--session SID)"},
	{"revocations remove", "KEY", 1, 0, 0, authctl_revocations_remove, "take a revocation back"},
	{"revocations stats", "", 0, 0, 0, authctl_revocations_stats, "count what is revoked"},
	{"cache stats", "", 0, 0, 0, authctl_cache_stats, "count what is kept of users' profiles"},
	{"cache flush", "", 0, 0, TAKES(OPTION_PROFILE) | TAKES(OPTION_USER), authctl_cache_flush,
	 "forget what is kept: all, or the profile of one user"},
	{"templates list", "", 0, 0, 0, authctl_templates_list, "list the files that the pages are made of"},
	{"templates show", "FILE", 1, 0, 0, authctl_templates_show, "print one of them, to begin one's own with"},
	{"api-keys add", "", 0, TAKES(OPTION_OWNER),
	 TAKES(OPTION_NAME) | TAKES(OPTION_SCOPE) | TAKES(OPTION_EXPIRES) | TAKES(OPTION_RATE) |
		 TAKES(OPTION_PRINT_RECORD),
	 authctl_api_keys_add, "make an API key and print it, this once"},
	{"api-keys list", "", 0, 0, TAKES(OPTION_OWNER), authctl_api_keys_list, "list the API keys, newest first"},
	{"api-keys show", "ID", 1, 0, 0, authctl_api_keys_show, "show one API key"},
	{"api-keys revoke", "ID", 1, 0, 0, authctl_api_keys_revoke, "end an API key at once, on every host"},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};

int main(int argc, char *argv[])
{
	struct arguments arguments;
	int status;
	if (arguments_parse(argc, argv, &arguments, &status))
		status = arguments.command->run(&arguments);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		output_error("standard output cannot be written");
		return EXIT_FAILED;
	}
	return status;
}
