/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl users list`, and how an account is shown: never its password's hash. */
#include <stdio.h>

#include "base/clock.h"
#include "bin/authctl_output.h"
#include "bin/authctl_users.h"
#include "policy/attempt.h"

/* locked_until: NULL in lists. */
static void print_json(const struct account *account, const int64_t *locked_until)
{
	struct document document;
	struct str roles = account->roles, role;
	document_begin(&document);
	document_text(&document, "id", account->id);
	document_text(&document, "email", account->email.n ? account->email : STR_NONE);
	document_text(&document, "name", account->name.n ? account->name : STR_NONE);
	document_open(&document, "roles", "[]");
	while (roles.n && str_split(&roles, ' ', &role))
		if (role.n)
			document_text(&document, NULL, role);
	document_close(&document, "[]");
	document_bool(&document, "disabled", account->disabled);
	document_bool(&document, "pending", account->pending);
	document_time(&document, "verified", account->verified, 0);
	document_bool(&document, "has_password", account->password.n > 0);
	document_number(&document, "created", account->created);
	document_number(&document, "changed", account->changed);
	document_time(&document, "last_login", account->last_login, 0);
	if (locked_until)
		document_time(&document, "locked_until", *locked_until, 0);
	document_end(&document);
}

static void print_field(const char *name, struct str value)
{
	printf("%-12s ", name);
	output_text(value.n ? value : STR("-"));
	putchar('\n');
}

static void print_date(const char *name, int64_t at)
{
	char date[OUTPUT_DATE_SIZE];
	print_field(name, at ? str_of(output_date(at, date)) : STR("never"));
}

static struct str state_of(const struct account *account)
{
	if (account->disabled)
		return STR("disabled");
	return account->pending ? STR("pending") : STR("enabled");
}

/* After wrong passwords; 0: it is not. Where the store cannot be opened `authctl check` says so. */
static int64_t find_lock(struct tool *tool, const struct account *account)
{
	if (!tool->worker.store && !tool_open_store(tool))
		return 0;
	int64_t left = attempt_locked(&tool->worker, account->id);
	return left ? clock_now() + left : 0;
}

void users_print(struct tool *tool, const struct account *account)
{
	int64_t locked_until = find_lock(tool, account);
	if (tool->arguments->json) {
		print_json(account, &locked_until);
		return;
	}
	print_field("id", account->id);
	print_field("email", account->email);
	print_field("name", account->name);
	print_field("roles", account->roles);
	print_field("state", state_of(account));
	print_field("password", account->password.n ? STR("set") : STR("none: no login by password"));
	print_date("confirmed", account->verified);
	print_date("created", account->created);
	print_date("changed", account->changed);
	print_date("last login", account->last_login);
	if (locked_until)
		print_date("locked until", locked_until);
}

static bool print_row(void *context, const struct account *account)
{
	const struct tool *tool = context;
	char date[OUTPUT_DATE_SIZE];
	if (tool->arguments->json) {
		print_json(account, NULL);
		return true;
	}
	output_column(account->id, 24);
	output_column(state_of(account), 9);
	output_column(account->last_login ? str_of(output_date(account->last_login, date)) : STR("never"), 21);
	output_column(account->email.n ? account->email : STR("-"), 28);
	output_text(account->roles.n ? account->roles : STR("-"));
	putchar('\n');
	return true;
}

int authctl_users_list(const struct arguments *arguments)
{
	struct tool tool;
	int status = users_open(arguments, &tool);
	if (status)
		return status;
	if (!arguments->json)
		printf("%-23s %-8s %-20s %-27s %s\n", "ID", "STATE", "LAST LOGIN", "E-MAIL", "ROLES");
	if (accounts_list(tool.worker.accounts, print_row, &tool)) {
		output_error("the accounts cannot be read to the end: authctl check says more");
		status = EXIT_FAILED;
	}
	tool_close(&tool);
	return status;
}
