/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl revocations`: looking at what is revoked, and changing it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bin/authctl_output.h"
#include "bin/authctl_tool.h"
#include "policy/revocation.h"
#include "policy/verify.h"

static const char *const kinds[] = {[STORE_TOKEN] = "token", [STORE_USER] = "user", [STORE_SESSION] = "session"};

static const char *kind_of(const struct store_entry *entry)
{
	return (size_t)entry->kind < sizeof kinds / sizeof *kinds ? kinds[entry->kind] : "unknown";
}

static int cannot_read(void)
{
	output_error("the revocations cannot be read to the end: authctl check says more");
	return EXIT_FAILED;
}

/* Keys: 32 hexadecimal digits --------------------------------------------- */

enum { KEY_DIGITS = 2 * STORE_KEY_SIZE };

static struct str print_key(const struct store_key *key, char memory[KEY_DIGITS])
{
	struct buf out = buf_over(memory, KEY_DIGITS);
	buf_hex(&out, key->bytes, sizeof key->bytes);
	return buf_str(&out);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_key(const struct arguments *arguments, struct store_key *out)
{
	struct str text = str_of(arguments->operands[0]);
	bool good = text.n == KEY_DIGITS;
	for (size_t i = 0; good && i < STORE_KEY_SIZE; i++) {
		int high = digit(text.p[2 * i]), low = digit(text.p[2 * i + 1]);
		good = high >= 0 && low >= 0;
		out->bytes[i] = good ? (unsigned char)(high * 16 + low) : 0;
	}
	return good ? EX_OK
		    : arguments_wrong(arguments, "KEY is the %d hexadecimal digits that revocations list shows",
				      KEY_DIGITS);
}

/* Printing ---------------------------------------------------------------- */

static void print_json(const struct store_entry *entry)
{
	struct document document;
	char key[KEY_DIGITS];
	document_begin(&document);
	document_text(&document, "key", print_key(&entry->key, key));
	document_text(&document, "kind", str_of(kind_of(entry)));
	document_text(&document, "user", entry->user.n ? entry->user : STR_NONE);
	document_time(&document, "not_before", entry->kind == STORE_USER ? entry->not_before : TIME_ABSENT,
		      TIME_ABSENT);
	document_number(&document, "created", entry->created);
	document_number(&document, "expires", entry->expires);
	document_text(&document, "note", entry->note.n ? entry->note : STR_NONE);
	document_end(&document);
}

static void print_row(const struct store_entry *entry)
{
	char key[KEY_DIGITS], date[OUTPUT_DATE_SIZE];
	output_column(print_key(&entry->key, key), KEY_DIGITS + 1);
	output_column(str_of(kind_of(entry)), 8);
	output_column(entry->kind == STORE_USER ? str_of(output_date(entry->not_before, date)) : STR("-"), 21);
	output_column(str_of(output_date(entry->expires, date)), 21);
	output_column(entry->user.n ? entry->user : STR("-"), 24);
	output_text(entry->note.n ? entry->note : STR("-"));
	putchar('\n');
}

static void print_entry(const struct store_entry *entry)
{
	char text[KEY_DIGITS], date[OUTPUT_DATE_SIZE];
	struct str key = print_key(&entry->key, text);
	printf("key          %.*s\nkind         %s\n", STR_ARGS(key), kind_of(entry));
	fputs("user         ", stdout);
	output_text(entry->user.n ? entry->user : STR("-"));
	if (entry->kind == STORE_USER)
		printf("\nnot before   %s (older tokens are refused)", output_date(entry->not_before, date));
	printf("\ncreated      %s", output_date(entry->created, date));
	printf("\nexpires      %s\nnote         ", output_date(entry->expires, date));
	output_text(entry->note.n ? entry->note : STR("-"));
	putchar('\n');
}

/* list, show, stats -------------------------------------------------------- */

struct listing {
	const struct arguments *arguments;
	struct str user;	     /* that user's alone, or STR_NONE */
	const struct store_key *key; /* that one alone, or NULL */
	size_t found;
	size_t counts[sizeof kinds / sizeof *kinds];
};

static bool list_entry(void *context, const struct store_entry *entry)
{
	struct listing *listing = context;
	if (listing->user.p && !str_eq(listing->user, entry->user))
		return true;
	listing->found++;
	if (listing->arguments->json)
		print_json(entry);
	else
		print_row(entry);
	return true;
}

static int list(struct tool *tool)
{
	struct listing listing = {.arguments = tool->arguments,
				  .user = str_of(arguments_value(tool->arguments, OPTION_USER))};
	if (!tool->arguments->json)
		printf("%-32s %-7s %-20s %-20s %-23s %s\n", "KEY", "KIND", "NOT BEFORE", "EXPIRES", "USER", "NOTE");
	if (tool->worker.store_driver->list(tool->worker.store, clock_now(), list_entry, &listing))
		return cannot_read();
	return EX_OK;
}

static bool show_entry(void *context, const struct store_entry *entry)
{
	struct listing *listing = context;
	if (memcmp(listing->key->bytes, entry->key.bytes, STORE_KEY_SIZE) != 0)
		return true;
	listing->found++;
	if (listing->arguments->json)
		print_json(entry);
	else
		print_entry(entry);
	return false;
}

static int not_there(void)
{
	output_error("there is no revocation with this key, or it has expired (all: authctl revocations list)");
	return EXIT_FAILED;
}

static int show(struct tool *tool)
{
	struct store_key key;
	struct listing listing = {.arguments = tool->arguments, .key = &key};
	int status = read_key(tool->arguments, &key);
	if (status)
		return status;
	if (tool->worker.store_driver->list(tool->worker.store, clock_now(), show_entry, &listing))
		return cannot_read();
	return listing.found ? EX_OK : not_there();
}

static bool count_entry(void *context, const struct store_entry *entry)
{
	struct listing *listing = context;
	if ((size_t)entry->kind < sizeof kinds / sizeof *kinds)
		listing->counts[entry->kind]++;
	listing->found++;
	return true;
}

/* Are there other hosts, which must be told? */
static bool has_hosts(const struct tool *tool)
{
	return tool->snapshot->store->memcached.n > 0;
}

static bool print_described(void *context, struct str line)
{
	const struct arguments *arguments = context;
	if (arguments->json) {
		bool good = str_starts(line, STR("ok "));
		struct document document;
		document_begin(&document);
		document_bool(&document, "good", good);
		document_text(&document, "store", str_skip(line, good ? 3 : 4));
		document_end(&document);
		return true;
	}
	fputs("store        ", stdout);
	output_text(line);
	putchar('\n');
	return true;
}

static int stats(struct tool *tool)
{
	struct listing listing = {.arguments = tool->arguments};
	if (tool->worker.store_driver->list(tool->worker.store, clock_now(), count_entry, &listing))
		return cannot_read();
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_number(&document, "tokens", (int64_t)listing.counts[STORE_TOKEN]);
		document_number(&document, "users", (int64_t)listing.counts[STORE_USER]);
		document_number(&document, "sessions", (int64_t)listing.counts[STORE_SESSION]);
		document_number(&document, "total", (int64_t)listing.found);
		document_end(&document);
	} else {
		printf("tokens       %zu\nusers        %zu\nsessions     %zu\ntotal        %zu\n",
		       listing.counts[STORE_TOKEN], listing.counts[STORE_USER], listing.counts[STORE_SESSION],
		       listing.found);
	}
	struct arguments arguments = *tool->arguments;
	if (has_hosts(tool))
		tool->worker.store_driver->describe(tool->worker.store, print_described, &arguments);
	return EX_OK;
}

/* add, remove -------------------------------------------------------------- */

static int not_durable(void)
{
	output_error("NOT revoked: the store could not make it durable; authctl check says more");
	return EXIT_FAILED;
}

/* What add says for a key; name: of the user or session; err: what the store said.
 * Its exit status. */
static int added(const struct tool *tool, const struct store_key *key, enum store_entry_kind kind, struct str name,
		 enum err err)
{
	static const char *const whose[] = {[STORE_TOKEN] = "this token of user",
					    [STORE_USER] = "all tokens up to now of user",
					    [STORE_SESSION] = "all tokens of session"};
	char text[KEY_DIGITS];
	if (err != ERR_NONE && err != ERR_STORE_PARTIAL)
		return not_durable();
	tool_log(tool, "revocation_add", kind == STORE_SESSION ? STR_NONE : name);
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "key", print_key(key, text));
		document_text(&document, "kind", str_of(kinds[kind]));
		document_text(&document, kind == STORE_SESSION ? "session" : "user", name);
		document_bool(&document, "durable", true);
		if (has_hosts(tool))
			document_bool(&document, "everywhere", err == ERR_NONE);
		document_end(&document);
		return err == ERR_NONE ? EX_OK : EXIT_FAILED;
	}
	printf("%.*s %s \"", STR_ARGS(print_key(key, text)), whose[kind]);
	output_text(name);
	printf("\": revoked, durable on this host%s\n",
	       has_hosts(tool) && err == ERR_NONE ? "; others refuse it too" : "");
	if (err == ERR_STORE_PARTIAL)
		output_error("other hosts: not all can be told now; they are as soon as they can be reached, and until "
			     "then may let it pass (authctl check)");
	return err == ERR_NONE ? EX_OK : EXIT_FAILED;
}

/* Only what one of our issuers has signed is revoked: nobody fills the list. An
 * expired token may be, and one that is revoked already. */
static int add_token(struct tool *tool)
{
	struct worker *worker = &tool->worker;
	const struct snapshot *snapshot = tool->snapshot;
	struct str text;
	struct token token;
	struct claims claims = {0};
	struct store_key key;
	if (!input_token(worker->arena, &text))
		return EXIT_FAILED;
	enum err err = verify_token(worker, &snapshot->issuers, &(struct credentials){.token = text}, &token, &claims);
	/* A good one, of which other hosts may know more. */
	if (err == ERR_STORE && claims.user_id.n > 0)
		err = ERR_NONE;
	if (err == ERR_STORE)
		return not_durable();
	if (err != ERR_NONE && err != ERR_TOKEN_EXPIRED && err != ERR_TOKEN_REVOKED) {
		output_error("NOT revoked: the token is not good (%s), so it opens nothing; authctl explain --token - "
			     "says more",
			     err_row(err)->reason);
		return EXIT_FAILED;
	}
	if (!revocation_token_key(worker->token, &token, &claims, &key))
		return not_durable();
	err = revocation_add_token(worker, &token, &claims, STR("authctl"));
	return added(tool, &key, STORE_TOKEN, claims.user_id, err);
}

static int add_one(struct tool *tool, enum store_entry_kind kind, struct str iss, struct str name)
{
	struct store_key key;
	struct worker *worker = &tool->worker;
	bool user = kind == STORE_USER;
	if (!(user ? revocation_user_key : revocation_session_key)(worker->token, iss, name, &key))
		return not_durable();
	enum err err = (user ? revocation_add_user : revocation_add_session)(worker, iss, name, STR("authctl"));
	return added(tool, &key, kind, name, err);
}

/* Everything of a user, or of a session, of each issuer that it may be of. */
static int add_all(struct tool *tool, enum store_entry_kind kind, struct str name)
{
	struct str given = str_of(arguments_value(tool->arguments, OPTION_ISS));
	const struct str *iss = &given;
	size_t n = 1;
	if (!given.p && !tool_login_iss(tool, &iss, &n))
		return EXIT_FAILED;
	if (n == 0)
		return arguments_wrong(
			tool->arguments,
			"no issuer signs for local accounts: give the iss of the tokens by --iss");
	int status = EX_OK;
	for (size_t i = 0; i < n; i++) {
		int one = add_one(tool, kind, iss[i], name);
		status = one ? one : status;
	}
	return status;
}

static int add(struct tool *tool)
{
	struct str user = str_of(arguments_value(tool->arguments, OPTION_USER));
	struct str session = str_of(arguments_value(tool->arguments, OPTION_SESSION));
	bool token = arguments_value(tool->arguments, OPTION_TOKEN) != NULL;
	if (token + (user.p != NULL) + (session.p != NULL) != 1 ||
	    (token && arguments_value(tool->arguments, OPTION_ISS)))
		return arguments_wrong(tool->arguments, "give one of --token -, --user ID and --session SID (with "
							"--iss ISS if need be)");
	if (session.p && (session.n == 0 || !str_is_utf8(session)))
		return arguments_wrong(tool->arguments, "--session is the text of a claim sid");
	if (user.p && !claims_user_id_valid(user))
		return arguments_wrong(tool->arguments,
				       "--user is 1 to %d bytes of UTF-8 without control bytes and blanks at the ends",
				       USER_ID_MAX);
	if (token)
		return add_token(tool);
	return user.p ? add_all(tool, STORE_USER, user) : add_all(tool, STORE_SESSION, session);
}

static int remove_key(struct tool *tool)
{
	struct store_key key;
	bool was_there = false;
	int status = read_key(tool->arguments, &key);
	if (status)
		return status;
	enum err err = tool->worker.store_driver->remove(tool->worker.store, &key, &was_there);
	if (err != ERR_NONE && err != ERR_STORE_PARTIAL) {
		output_error("the revocation cannot be removed: authctl check says more");
		return EXIT_FAILED;
	}
	if (!was_there)
		return not_there();
	tool_log(tool, "revocation_remove", STR_NONE);
	if (tool->arguments->json) {
		struct document document;
		char text[KEY_DIGITS];
		document_begin(&document);
		document_text(&document, "key", print_key(&key, text));
		document_bool(&document, "removed", true);
		document_end(&document);
	} else {
		puts("the revocation is removed: what it revoked is good again until it expires");
	}
	if (err == ERR_STORE_PARTIAL) {
		output_error("a server of [store] memcached could not be reached: other hosts may go on to refuse it");
		return EXIT_FAILED;
	}
	return EX_OK;
}

/* Frame -------------------------------------------------------------------- */

static int run(const struct arguments *arguments, int (*command)(struct tool *tool))
{
	struct tool tool;
	int status = tool_open(arguments, &tool);
	if (status)
		return status;
	status = tool_need_store(&tool) ? command(&tool) : EXIT_FAILED;
	tool_close(&tool);
	return status;
}

int authctl_revocations_list(const struct arguments *arguments)
{
	return run(arguments, list);
}

int authctl_revocations_show(const struct arguments *arguments)
{
	return run(arguments, show);
}

int authctl_revocations_add(const struct arguments *arguments)
{
	return run(arguments, add);
}

int authctl_revocations_remove(const struct arguments *arguments)
{
	return run(arguments, remove_key);
}

int authctl_revocations_stats(const struct arguments *arguments)
{
	return run(arguments, stats);
}
