/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: which command, its options and operands, and the help. No
 * operand or value is ever repeated in an error: it may be a password or token
 * that was put in the wrong place. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_internal.h"
#include "bin/authctl.h"
#include "bin/authctl_output.h"
#include "policy/version.h"

#define COMMON (TAKES(OPTION_CONFIG) | TAKES(OPTION_JSON) | TAKES(OPTION_HELP) | TAKES(OPTION_VERSION))

static const struct row {
	const char *name;
	char letter;
	const char *value; /* as the usage shows it, or NULL for none */
	bool repeats;
	const char *help;
} rows[OPTION_COUNT] = {
	[OPTION_CONFIG] = {"config", 'c', "FILE", false,
			   "configuration; else $FCGI_AUTH_CONF, else " SYSCONFDIR "/fcgi-auth/fcgi-auth.conf"},
	[OPTION_JSON] = {"json", 0, NULL, false, "print JSON, one document a line"},
	[OPTION_HELP] = {"help", 'h', NULL, false, "print help, for a command too"},
	[OPTION_VERSION] = {"version", 'V', NULL, false, "print the versions"},
	[OPTION_BYTES] = {"bytes", 0, "N", false, "random bytes in the secret: 32 to 1024, 48 by default"},
	[OPTION_USER] = {"user", 0, "ID", false, "the user that it is about"},
	[OPTION_ISSUER] = {"issuer", 0, "NAME", false, "which [issuer]; else that of [login], else the only one"},
	[OPTION_LIFETIME] = {"lifetime", 0, "DURATION", false,
			     "how long the token is good, as 8h; else that of [login]"},
	[OPTION_CLAIM] = {"claim", 0, "NAME=TEXT", true, "a further claim of the token"},
	[OPTION_CLAIM_JSON] = {"claim-json", 0, "NAME=JSON", true, "a further claim that is no text"},
	[OPTION_TOKEN] = {"token", 0, "-", false, "a token is read from standard input"},
	[OPTION_POLICY] = {"policy", 0, "NAME", false, "judge by this policy"},
	[OPTION_URL] = {"url", 0, "URL", false, "judge a request for this address"},
	[OPTION_COOKIE] = {"cookie", 0, "NAME", false, "the token comes in this cookie, not as bearer token"},
	[OPTION_QUERY] = {"query", 0, "NAME", false, "the token comes in this query parameter"},
	[OPTION_WEBSOCKET] = {"websocket", 0, NULL, false,
			      "the token comes as a protocol, with the handshake of a WebSocket"},
	[OPTION_NOW] = {"now", 0, "SECONDS", false, "judge as if it were that time (seconds since 1970)"},
	[OPTION_EMAIL] = {"email", 0, "ADDRESS", false, "e-mail address of the account"},
	[OPTION_NAME] = {"name", 0, "NAME", false, "name of the person or program"},
	[OPTION_ROLE] = {"role", 0, "ROLE", true, "a role of the account"},
	[OPTION_GENERATE] = {"generate", 0, NULL, false, "make a random password and print it"},
	[OPTION_VERIFIED] = {"verified", 0, NULL, false, "the e-mail address is known to be the user's"},
	[OPTION_UPDATE] = {"update", 0, NULL, false, "replace the passwords of accounts that exist"},
	[OPTION_ISS] = {"iss", 0, "ISS", false, "the claim iss of the tokens; else that of the login's issuer"},
	[OPTION_ALGORITHM] = {"algorithm", 0, "ALG", false, "what the key is for; else the issuer's first algorithm"},
	[OPTION_FROM] = {"from", 0, "FILE", false, "add the private key in this PEM file"},
	[OPTION_FROM_SECRET] = {"from-secret", 0, "SPEC", false, "add this secret: file:PATH, cred:NAME or env:NAME"},
	[OPTION_FIRST] = {"first", 0, NULL, false, "let the key sign at once"},
	[OPTION_SESSION] = {"session", 0, "SID", false, "the claim sid of the session's tokens"},
	[OPTION_PROFILE] = {"profile", 0, "NAME", false, "of this [profile]"},
	[OPTION_OWNER] = {"owner", 0, "ID", false, "the user that the API key acts for"},
	[OPTION_SCOPE] = {"scope", 0, "WORDS", false, "what the API key may do, as \"read write\""},
	[OPTION_EXPIRES] = {"expires", 0, "DURATION", false, "how long the API key is good, as 90d; else for ever"},
	[OPTION_RATE] = {"rate", 0, "RATE", false,
			 "how often it may be used on each host, as 100/m; else as [api-keys] says"},
	[OPTION_PRINT_RECORD] = {"print-record", 0, NULL, false,
				 "store nothing, print the line for the file of [api-keys]"},
	[OPTION_LIVE] = {"live", 0, "URL", true, "ask the web server for this page, which needs a login"},
	[OPTION_PUBLIC] = {"public", 0, "URL", true, "a page that everybody may see"},
	[OPTION_LOGIN] = {"login", 0, "URL", false, "the login page; else login-url of the policy"},
	[OPTION_ENDPOINT] = {"endpoint", 0, "URL", true, "where auth-verify is asked, which nobody outside may reach"},
	[OPTION_TEXT] = {"text", 0, "TEXT", false, "stands on the protected pages and nowhere else"},
	[OPTION_CA_FILE] = {"ca-file", 0, "FILE", false, "trust the certificates of the authorities in this PEM file"},
	[OPTION_INSECURE] = {"insecure", 0, NULL, false,
			     "take any certificate, and send tokens over plain http to other machines"},
	[OPTION_TIMEOUT] = {"timeout", 0, "DURATION", false, "how long to wait for an answer; 10s by default"},
	[OPTION_AT_ONCE] = {"at-once", 0, NULL, false, "even when programs may not have read the key yet"},
};

const char *arguments_value(const struct arguments *arguments, enum option_id id)
{
	for (size_t i = 0; i < arguments->n_given; i++)
		if (arguments->given[i].id == id)
			return arguments->given[i].value;
	return NULL;
}

/* Help ------------------------------------------------------------------- */

static void print_option(struct buf *out, enum option_id id, bool needed)
{
	const struct row *row = &rows[id];
	buf_printf(out, needed ? " --%s%s%s" : " [--%s%s%s]", row->name, row->value ? " " : "",
		   row->value ? row->value : "");
	if (row->repeats)
		buf_add(out, STR("..."));
}

/* "users add ID [--email ADDRESS]" */
static const char *print_usage(const struct command *command, char *memory, size_t size)
{
	struct buf out = buf_over(memory, size);
	buf_add(&out, str_of(command->words));
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		if (command->needs & TAKES(id))
			print_option(&out, id, true);
	buf_printf(&out, "%s%s", command->operands[0] ? " " : "", command->operands);
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		if (command->takes & TAKES(id))
			print_option(&out, id, false);
	return buf_z(&out);
}

static void print_options(uint64_t options)
{
	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		const struct row *row = &rows[id];
		char text[64];
		struct buf b = buf_over(text, sizeof text);
		if (!(options & TAKES(id)))
			continue;
		if (row->letter)
			buf_printf(&b, "-%c, ", row->letter);
		buf_printf(&b, "--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
		printf("  %-24s %s\n", buf_z(&b), row->help);
	}
}

static int help_command(const struct command *command)
{
	char usage[512];
	printf("usage: authctl [-c FILE] [--json] %s\n\nauthctl %s: %s.\n\n", print_usage(command, usage, sizeof usage),
	       command->words, command->help);
	print_options(command->needs | command->takes | COMMON);
	return EX_OK;
}

static bool in_group(const struct command *command, struct str group)
{
	return group.n == 0 || (str_starts(str_of(command->words), group) && command->words[group.n] == ' ');
}

static int help_group(struct str group)
{
	uint64_t options = COMMON;
	fputs("usage: authctl [-c FILE] [--json] COMMAND [OPTION]... [OPERAND]\n\ncommands:\n", stdout);
	for (const struct command *command = authctl_commands; command->words; command++) {
		char text[64];
		if (!in_group(command, group))
			continue;
		snprintf(text, sizeof text, "%s%s%s", command->words, command->operands[0] ? " " : "",
			 command->operands);
		printf("  %-27s %s\n", text, command->help);
		options |= command->needs | command->takes;
	}
	fputs("\noptions:\n", stdout);
	print_options(options);
	fputs("\nThe exit status is 0; 1 when something failed or access is denied; 64 for wrong use;\n"
	      "78 when the configuration is wrong. More: authctl COMMAND --help\n",
	      stdout);
	return EX_OK;
}

static int print_version(void)
{
	char text[512];
	struct buf b = buf_over(text, sizeof text);
	version_print(&b, "authctl");
	fwrite(b.p, 1, b.n, stdout);
	return EX_OK;
}

/* Errors ----------------------------------------------------------------- */

int arguments_wrong(const struct arguments *arguments, const char *format, ...)
{
	char text[512], usage[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	output_error("%s: %s; usage: authctl %s", arguments->command->words, text,
		     print_usage(arguments->command, usage, sizeof usage));
	return EX_USAGE;
}

static const char *command_word(const void *list, size_t i)
{
	return ((const struct command *)list)[i].words;
}

static bool is_group(struct str word)
{
	for (const struct command *command = authctl_commands; command->words; command++)
		if (word.n && in_group(command, word))
			return true;
	return false;
}

static int unknown_command(int argc, char *argv[])
{
	char memory[128];
	struct buf words = buf_over(memory, sizeof memory - 1);
	for (int i = 0; i < argc && i < 2 && argv[i][0] != '-'; i++)
		buf_printf(&words, "%s%s", i ? " " : "", argv[i]);
	struct str text = buf_str(&words);
	const char *near = conf_nearest(text, command_word, authctl_commands);
	if (words.n == 0)
		output_error("a command is missing (all: authctl --help)");
	else if (is_group(text))
		output_error("%.*s needs a second word (all: authctl %.*s --help)", STR_ARGS(text), STR_ARGS(text));
	else
		output_error("there is no such command%s%s%s (all: authctl --help)", near ? "; did you mean \"" : "",
			     near ? near : "", near ? "\"?" : "");
	return EX_USAGE;
}

static const char *option_word(const void *list, size_t i)
{
	return i < OPTION_COUNT ? ((const struct row *)list)[i].name : NULL;
}

/* What getopt did not like: only the option's name is shown, never its value. */
static int wrong_option(const struct arguments *arguments, const char *argument, int result, int letter)
{
	const char *where = arguments->command ? arguments->command->words : "authctl";
	struct str name = str_of(argument);
	name.n = str_find(name, '=');
	if (result == ':') {
		output_error("%s: %.*s needs a value", where, STR_ARGS(name));
	} else if (!str_starts(name, STR("--"))) {
		output_error("%s: there is no option -%c (all: authctl --help)", where, letter ? letter : '?');
	} else {
		const char *near = conf_nearest(str_skip(name, 2), option_word, rows);
		output_error("%s: %.*s is no option here%s%s%s (all: authctl %s%s--help)", where, STR_ARGS(name),
			     near ? "; did you mean --" : "", near ? near : "", near ? "?" : "",
			     arguments->command ? where : "", arguments->command ? " " : "");
	}
	return EX_USAGE;
}

/* Parsing ---------------------------------------------------------------- */

static const struct command *find_command(int argc, char *argv[], int *n_words)
{
	for (const struct command *command = authctl_commands; command->words; command++) {
		struct str rest = str_of(command->words), word;
		int n = 0;
		while (n < argc && str_split(&rest, ' ', &word) && str_eq(str_of(argv[n]), word)) {
			n++;
			if (rest.p)
				continue;
			*n_words = n;
			return command;
		}
	}
	return NULL;
}

static const char *default_config(void)
{
	const char *path = getenv("FCGI_AUTH_CONF");
	return path && path[0] ? path : SYSCONFDIR "/fcgi-auth/fcgi-auth.conf";
}

static bool keep(struct arguments *out, enum option_id id, const char *value, int *status)
{
	if (id == OPTION_CONFIG)
		out->config = value;
	else if (id == OPTION_JSON)
		out->json = true;
	if (TAKES(id) & COMMON)
		return true;
	if (out->n_given == GIVEN_MAX || (!rows[id].repeats && arguments_value(out, id))) {
		*status = arguments_wrong(out, "--%s is given too often", rows[id].name);
		return false;
	}
	out->given[out->n_given++] = (struct given){id, value ? value : ""};
	return true;
}

/* Read the options at the front of argv (before the command), or all of them. */
static bool read_options(int argc, char *argv[], struct arguments *out, int *status)
{
	struct option options[OPTION_COUNT + 1] = {{0}};
	uint64_t taken = COMMON | (out->command ? out->command->needs | out->command->takes : 0);
	size_t n = 0;
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		if (taken & TAKES(id))
			options[n++] = (struct option){rows[id].name, rows[id].value ? required_argument : no_argument,
						       NULL, 256 + (int)id};
	optind = 0;
	opterr = 0;
	for (;;) {
		int result = getopt_long(argc, argv, out->command ? ":c:hV" : "+:c:hV", options, NULL);
		if (result == -1)
			return true;
		if (result == '?' || result == ':') {
			*status = wrong_option(out, argv[optind - 1], result, optopt);
			return false;
		}
		enum option_id id = result >= 256   ? (enum option_id)(result - 256)
				    : result == 'c' ? OPTION_CONFIG
				    : result == 'h' ? OPTION_HELP
						    : OPTION_VERSION;
		if (id == OPTION_HELP || id == OPTION_VERSION) {
			*status = id == OPTION_VERSION ? print_version()
				  : out->command       ? help_command(out->command)
						       : help_group(STR(""));
			return false;
		}
		if (!keep(out, id, optarg, status))
			return false;
	}
}

/* `authctl users --help`: the commands of a group. */
static bool is_group_help(int argc, char *argv[])
{
	return argc > 1 && is_group(str_of(argv[0])) && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static bool check_operands(const struct arguments *arguments, unsigned n, int *status)
{
	const struct command *command = arguments->command;
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		if ((command->needs & TAKES(id)) && !arguments_value(arguments, id)) {
			*status = arguments_wrong(arguments, "--%s is missing", rows[id].name);
			return false;
		}
	const char *token = arguments_value(arguments, OPTION_TOKEN);
	if (n == command->n_operands && (!token || strcmp(token, "-") == 0))
		return true;
	*status = n != command->n_operands
			  ? arguments_wrong(arguments, "operands given: %u, wanted: %u%s", n, command->n_operands,
					    command->n_operands ? "" : " (a token comes on standard input)")
			  : arguments_wrong(arguments,
					    "--token takes - alone: tokens come on standard input, where no list of "
					    "processes shows them");
	return false;
}

bool arguments_parse(int argc, char *argv[], struct arguments *out, int *status)
{
	*out = (struct arguments){.config = default_config()};
	if (!read_options(argc, argv, out, status))
		return false;
	int n_words = 0;
	argc -= optind;
	argv += optind;
	out->command = find_command(argc, argv, &n_words);
	if (!out->command) {
		*status = is_group_help(argc, argv) ? help_group(str_of(argv[0])) : unknown_command(argc, argv);
		return false;
	}
	/* getopt skips the first word, as if it were the program's name. */
	argc -= n_words - 1;
	argv += n_words - 1;
	if (!read_options(argc, argv, out, status))
		return false;
	out->operands = argv + optind;
	return check_operands(out, (unsigned)(argc - optind), status);
}
