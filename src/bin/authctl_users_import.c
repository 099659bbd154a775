/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl users import-htpasswd`. The file is read to its end first: one that is
 * broken somewhere changes nothing. */
#include <stdio.h>

#include "base/clock.h"
#include "base/secret.h"
#include "bin/authctl_output.h"
#include "bin/authctl_users.h"
#include "policy/htpasswd.h"

struct import {
	struct tool *tool;
	struct arena *arena; /* of one line */
	const char *path;
	bool update;
	size_t imported, updated, skipped, refused;
};

static void report(struct import *import, const struct htpasswd_entry *entry, const char *result, const char *why)
{
	if (import->tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "file", str_of(import->path));
		document_number(&document, "line", entry->line);
		document_text(&document, "user", entry->user);
		document_text(&document, "result", str_of(result));
		document_text(&document, "why", str_of(why));
		document_end(&document);
		return;
	}
	output_text(str_of(import->path));
	printf(":%u: %s: \"", entry->line, result);
	output_text(entry->user);
	printf("\"%s%s\n", why ? ": " : "", why ? why : "");
}

static bool refuse(struct import *import, const struct htpasswd_entry *entry, const char *why)
{
	import->refused++;
	report(import, entry, "refused", why);
	return true;
}

static bool add(struct import *import, const struct htpasswd_entry *entry)
{
	int64_t now = clock_now();
	struct account account = {.id = entry->user,
				  .email = STR(""),
				  .name = STR(""),
				  .roles = STR(""),
				  .password = entry->hash,
				  .created = now,
				  .changed = now};
	if (accounts_add(import->tool->worker.accounts, &account))
		return refuse(import, entry, "the account cannot be written: authctl check says more");
	tool_log(import->tool, "user_add", entry->user);
	import->imported++;
	report(import, entry, "imported", NULL);
	return true;
}

/* A new password ends the sessions that the old one began, as with `users passwd`. */
static bool update(struct import *import, const struct htpasswd_entry *entry, struct account *account)
{
	size_t revoked;
	bool same =
		account->password.n == entry->hash.n && secret_equal(account->password.p, entry->hash.p, entry->hash.n);
	if (!import->update || same) {
		import->skipped++;
		report(import, entry, "skipped",
		       import->update ? "the same password" : "exists; --update replaces its password");
		return true;
	}
	account->password = entry->hash;
	account->changed = clock_now();
	if (accounts_change(import->tool->worker.accounts, account))
		return refuse(import, entry, "the account cannot be written: authctl check says more");
	if (!users_revoke(import->tool, account->id, "users import-htpasswd", &revoked))
		return refuse(import, entry, "the password is replaced, but older tokens are not revoked");
	tool_log(import->tool, "user_passwd", entry->user);
	import->updated++;
	report(import, entry, "updated", revoked ? "all tokens issued up to now are revoked" : NULL);
	return true;
}

static bool take(void *context, const struct htpasswd_entry *entry)
{
	struct import *import = context;
	struct account account;
	const char *problem = users_id_problem(entry->user);
	arena_reset(import->arena);
	if (problem)
		return refuse(import, entry, problem);
	enum err err = accounts_find(import->tool->worker.accounts, import->arena, entry->user, &account);
	if (err == ERR_NOT_FOUND)
		return add(import, entry);
	if (err)
		return refuse(import, entry, "the accounts cannot be read: authctl check says more");
	if (!str_eq(account.id, entry->user))
		return refuse(import, entry, "it is the e-mail address of another account");
	return update(import, entry, &account);
}

static int run(struct import *import)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	if (!htpasswd_read(import->path, NULL, NULL, &why)) {
		output_error("%s (nothing was imported)", buf_z(&why));
		return EXIT_FAILED;
	}
	if (!htpasswd_read(import->path, take, import, &why)) {
		output_error("%s (the file changed meanwhile)", buf_z(&why));
		return EXIT_FAILED;
	}
	if (!import->tool->arguments->json)
		printf("%zu imported, %zu updated, %zu skipped, %zu refused\n", import->imported, import->updated,
		       import->skipped, import->refused);
	return import->refused ? EXIT_FAILED : EX_OK;
}

int authctl_users_import(const struct arguments *arguments)
{
	enum { LINE_ARENA = 65536 };
	struct tool tool;
	struct import import = {.tool = &tool,
				.path = arguments->operands[0],
				.update = arguments_value(arguments, OPTION_UPDATE) != NULL};
	int status = users_open(arguments, &tool);
	if (status)
		return status;
	if (arena_open(LINE_ARENA, &import.arena)) {
		status = run(&import);
	} else {
		output_error("no memory");
		status = EXIT_FAILED;
	}
	arena_close(&import.arena);
	tool_close(&tool);
	return status;
}
