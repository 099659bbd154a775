/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "store/account.h"

struct bed {
	struct folder folder;
	struct accounts *accounts;
	struct arena *arena;
};

static void bed_start(struct bed *bed)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	bool good = accounts_open(bed->folder.path, &bed->accounts, &why) && arena_open(65536, &bed->arena);
	if (!good) {
		fprintf(stderr, "the accounts do not open: %s\n", buf_z(&why));
		exit(99);
	}
}

static void bed_stop(struct bed *bed)
{
	accounts_close(&bed->accounts);
	arena_close(&bed->arena);
}

static void bed_open(struct bed *bed)
{
	folder_open(&bed->folder);
	bed_start(bed);
}

static void bed_close(struct bed *bed)
{
	bed_stop(bed);
	folder_close(&bed->folder);
}

static struct account account(const char *id, const char *email)
{
	return (struct account){.id = str_of(id), .email = str_of(email), .created = 1800000000, .changed = 1800000000};
}

static enum err add(struct bed *bed, const char *id, const char *email)
{
	struct account a = account(id, email);
	return accounts_add(bed->accounts, &a);
}

static enum err find(struct bed *bed, const char *login, struct account *out)
{
	return accounts_find(bed->accounts, bed->arena, str_of(login), out);
}

static void every_field(void)
{
	struct bed bed;
	bed_open(&bed);
	struct account want = {
		.id = STR("ada"), .email = STR("Ada@Example.org"), .name = STR("Ada Lovelace \xc3\xa9 '\""),
		.roles = STR("admin wiki"), .password = STR("$2b$12$x"), .disabled = true,
		.created = 1, .changed = 2, .last_login = 3, .verified = 4, .pending = true,
	};
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &want), ERR_NONE);
	bed_stop(&bed);
	bed_start(&bed);
	struct account got = {0};
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NONE);
	UNIT_STR_EQ(got.id, want.id, "id");
	UNIT_STR_EQ(got.email, want.email, "e-mail");
	UNIT_STR_EQ(got.name, want.name, "name");
	UNIT_STR_EQ(got.roles, want.roles, "roles");
	UNIT_STR_EQ(got.password, want.password, "password");
	CU_ASSERT(got.disabled);
	CU_ASSERT(got.created == 1 && got.changed == 2 && got.last_login == 3);
	CU_ASSERT(got.verified == 4 && got.pending);
	bed_close(&bed);
}

static void logins(void)
{
	struct bed bed;
	bed_open(&bed);
	CU_ASSERT_EQUAL(add(&bed, "ada", "Ada@Example.org"), ERR_NONE);
	CU_ASSERT_EQUAL(add(&bed, "no-mail", ""), ERR_NONE);
	static const struct {
		const char *login, *id;
	} rows[] = {
		{"ada", "ada"},		     {"Ada@Example.org", "ada"}, {"ada@example.ORG", "ada"},
		{"no-mail", "no-mail"},	     {"ADA", NULL},		 {"", NULL},
		{"ada@example.org ", NULL}, {"%", NULL},		 {"ada' OR '1'='1", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct account got = {0};
		enum err err = find(&bed, rows[i].login, &got);
		UNIT_ROW(err == (rows[i].id ? ERR_NONE : ERR_NOT_FOUND), rows[i].login);
		UNIT_STR_EQ(got.id, str_of(rows[i].id), rows[i].login);
	}
	bed_close(&bed);
}

static void one_of_each(void)
{
	struct bed bed;
	bed_open(&bed);
	CU_ASSERT_EQUAL(add(&bed, "ada", "ada@example.org"), ERR_NONE);
	CU_ASSERT_EQUAL(add(&bed, "x@example.org", "x@example.org"), ERR_NONE);
	CU_ASSERT_EQUAL(add(&bed, "b", ""), ERR_NONE);
	static const struct {
		const char *name, *id, *email;
	} taken[] = {
		{"the id", "ada", ""},
		{"the e-mail", "c", "ada@example.org"},
		{"the e-mail in capitals", "c", "ADA@EXAMPLE.ORG"},
		{"another's id as e-mail", "c", "ada"},
		{"another's id as e-mail in capitals", "c", "ADA"},
		{"another's e-mail as id", "ada@example.org", ""},
		{"another's e-mail as id in capitals", "Ada@example.org", ""},
		{"no id", "", "n@example.org"},
	};
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		UNIT_ROW(add(&bed, taken[i].id, taken[i].email) == ERR_BAD_REQUEST, taken[i].name);
	UNIT_ROW(add(&bed, "c", "") == ERR_NONE, "an empty e-mail is nobody's");
	struct account c = account("c", "Ada@example.org");
	UNIT_ROW(accounts_change(bed.accounts, &c) == ERR_BAD_REQUEST, "a change to a taken e-mail");
	c.email = STR("c@example.org");
	UNIT_ROW(accounts_change(bed.accounts, &c) == ERR_NONE, "a change to a free one");
	c.email = STR("C@example.org");
	UNIT_ROW(accounts_change(bed.accounts, &c) == ERR_NONE, "and of its own capitals");
	bed_close(&bed);
}

static void renewed_hashes(void)
{
	struct bed bed;
	bed_open(&bed);
	struct account ada = account("ada", ""), got = {0};
	ada.password = STR("old");
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &ada), ERR_NONE);
	static const struct {
		const char *name, *id, *old, *fresh, *then;
		enum err err;
	} rows[] = {
		{"renewed", "ada", "old", "better", "better", ERR_NONE},
		{"changed meanwhile", "ada", "old", "stale", "better", ERR_NOT_FOUND},
		{"nobody's", "ben", "old", "better", "better", ERR_NOT_FOUND},
		{"no text", "ada", "better", "\n", "better", ERR_BAD_REQUEST},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum err err = accounts_renew_hash(bed.accounts, str_of(rows[i].id), str_of(rows[i].old),
						   str_of(rows[i].fresh));
		UNIT_ROW(err == rows[i].err, rows[i].name);
		CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NONE);
		UNIT_STR_EQ(got.password, str_of(rows[i].then), rows[i].name);
	}
	CU_ASSERT_EQUAL(got.changed, ada.changed);
	bed_close(&bed);
}

static void texts_that_do_not_fit(void)
{
	struct bed bed;
	bed_open(&bed);
	char longer[ACCOUNT_ROLES_MAX + 1];
	memset(longer, 'x', sizeof longer);
	static const struct {
		const char *name;
		size_t field, max;
	} fields[] = {
		{"id", offsetof(struct account, id), ACCOUNT_ID_MAX},
		{"email", offsetof(struct account, email), ACCOUNT_EMAIL_MAX},
		{"name", offsetof(struct account, name), ACCOUNT_NAME_MAX},
		{"roles", offsetof(struct account, roles), ACCOUNT_ROLES_MAX},
		{"password", offsetof(struct account, password), ACCOUNT_HASH_MAX},
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct account a = account("a", "");
		struct str *field = (struct str *)(void *)((char *)&a + fields[i].field);
		*field = (struct str){longer, fields[i].max + 1};
		UNIT_ROW(accounts_add(bed.accounts, &a) == ERR_BAD_REQUEST, fields[i].name);
		*field = STR("line\nbreak");
		UNIT_ROW(accounts_add(bed.accounts, &a) == ERR_BAD_REQUEST, fields[i].name);
		*field = STR("no \xff utf-8");
		UNIT_ROW(accounts_add(bed.accounts, &a) == ERR_BAD_REQUEST, fields[i].name);
	}
	struct account longest = {.id = {longer, ACCOUNT_ID_MAX},
				  .email = {longer, ACCOUNT_EMAIL_MAX},
				  .name = {longer, ACCOUNT_NAME_MAX},
				  .roles = {longer, ACCOUNT_ROLES_MAX},
				  .password = {longer, ACCOUNT_HASH_MAX}};
	UNIT_ROW(accounts_add(bed.accounts, &longest) == ERR_NONE, "every text at its longest");
	struct account got;
	UNIT_ROW(accounts_find(bed.accounts, bed.arena, longest.id, &got) == ERR_NONE, "is found");
	struct arena *small;
	CU_ASSERT(arena_open(64, &small));
	UNIT_ROW(accounts_find(bed.accounts, small, longest.id, &got) == ERR_STORE, "no room, no answer");
	arena_close(&small);
	bed_close(&bed);
}

static void changes(void)
{
	struct bed bed;
	bed_open(&bed);
	struct account a = account("ada", ""), got = {0};
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &a), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(accounts_remove(bed.accounts, STR("ada")), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(accounts_note_login(bed.accounts, &a, 5), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &a), ERR_NONE);
	CU_ASSERT_EQUAL(accounts_note_login(bed.accounts, &a, 1800000009), ERR_NONE);
	CU_ASSERT_EQUAL(accounts_note_login(bed.accounts, &a, 1800000001), ERR_NONE);
	a.name = STR("Ada");
	a.disabled = true;
	a.last_login = 1800000009;
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &a), ERR_NONE);
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NONE);
	UNIT_STR_EQ(got.name, STR("Ada"), "name");
	CU_ASSERT(got.disabled && got.last_login == 1800000009);
	CU_ASSERT_EQUAL(accounts_remove(bed.accounts, STR("ada")), ERR_NONE);
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NOT_FOUND);
	bed_close(&bed);
}

struct listed {
	struct bed *bed;
	char ids[64];
	size_t stop_at, n;
};

static bool note_account(void *context, const struct account *a)
{
	struct listed *listed = context;
	size_t length = strlen(listed->ids);
	snprintf(listed->ids + length, sizeof listed->ids - length, "%.*s ", STR_ARGS(a->id));
	/* A change in the middle of the list is allowed. */
	UNIT_ROW(accounts_note_login(listed->bed->accounts, a, 7) == ERR_NONE, "change while listing");
	return ++listed->n < listed->stop_at;
}

static void list(void)
{
	struct bed bed;
	bed_open(&bed);
	struct listed got = {.bed = &bed, .stop_at = 10};
	CU_ASSERT_EQUAL(accounts_list(bed.accounts, note_account, &got), ERR_NONE);
	UNIT_STR_EQ(str_of(got.ids), STR(""), "nobody");
	add(&bed, "c", "");
	add(&bed, "a", "z@example.org");
	add(&bed, "b", "");
	CU_ASSERT_EQUAL(accounts_list(bed.accounts, note_account, &got), ERR_NONE);
	UNIT_STR_EQ(str_of(got.ids), STR("a b c "), "in the order of ids");
	got = (struct listed){.bed = &bed, .stop_at = 2};
	CU_ASSERT_EQUAL(accounts_list(bed.accounts, note_account, &got), ERR_NONE);
	UNIT_STR_EQ(str_of(got.ids), STR("a b "), "stopped");
	bed_close(&bed);
}

static void two_programs(void)
{
	struct bed bed, other;
	bed_open(&bed);
	other.folder = bed.folder;
	bed_start(&other);
	CU_ASSERT_EQUAL(add(&bed, "ada", "ada@example.org"), ERR_NONE);
	struct account got;
	CU_ASSERT_EQUAL(find(&other, "ada", &got), ERR_NONE);
	UNIT_ROW(add(&other, "bob", "ADA@example.org") == ERR_BAD_REQUEST, "the other's e-mail is taken");
	bed_stop(&other);
	bed_close(&bed);
}

static void file_deleted(void)
{
	struct bed bed;
	bed_open(&bed);
	CU_ASSERT_EQUAL(add(&bed, "ada", ""), ERR_NONE);
	unlink(folder_file(&bed.folder, "accounts.db"));
	struct account got, a = account("b", "");
	struct listed listed = {.bed = &bed, .stop_at = 1};
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_STORE);
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &a), ERR_STORE);
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &a), ERR_STORE);
	CU_ASSERT_EQUAL(accounts_remove(bed.accounts, STR("ada")), ERR_STORE);
	struct account ada = account("ada", "");
	CU_ASSERT_EQUAL(accounts_note_login(bed.accounts, &ada, 1), ERR_STORE);
	CU_ASSERT_EQUAL(accounts_list(bed.accounts, note_account, &listed), ERR_STORE);
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	CU_ASSERT(!accounts_check(bed.accounts, &why));
	accounts_close(&bed.accounts);
	UNIT_ROW(!accounts_open(bed.folder.path, &bed.accounts, &why), "and a new start does not begin empty");
	bed_close(&bed);
}

/* Has the page changed since the last call? */
static bool is_told(struct bed *bed)
{
	static uint64_t last;
	uint64_t before = last;
	last = folder_generation(&bed->folder);
	return last != before;
}

/* Web servers that keep verdicts hear of another account, not of each login. */
static void told(void)
{
	struct bed bed;
	struct account a = account("ada", "ada@example.org");
	bed_open(&bed);
	is_told(&bed);
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &a), ERR_NONE);
	UNIT_ROW(is_told(&bed), "added");
	a.name = STR("Ada");
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &a), ERR_NONE);
	UNIT_ROW(is_told(&bed), "changed");
	CU_ASSERT_EQUAL(accounts_note_login(bed.accounts, &a, 1800000001), ERR_NONE);
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &a), ERR_BAD_REQUEST);
	UNIT_ROW(!is_told(&bed), "a login, and what was refused");
	CU_ASSERT_EQUAL(accounts_remove(bed.accounts, a.id), ERR_NONE);
	UNIT_ROW(is_told(&bed), "removed");
	const char *page = folder_file(&bed.folder, "generation.page");
	CU_ASSERT_FATAL(unlink(page) == 0 && mkdir(page, 0700) == 0);
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &a), ERR_STORE);
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &a), ERR_STORE);
	CU_ASSERT_EQUAL(accounts_remove(bed.accounts, a.id), ERR_STORE);
	bed_close(&bed);
}

static void checks(void)
{
	struct bed bed;
	bed_open(&bed);
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	add(&bed, "ada", "ada@example.org");
	CU_ASSERT(accounts_check(bed.accounts, &why));
	CU_ASSERT_EQUAL(folder_mode(&bed.folder, "accounts.db"), 0600);
	bed_close(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"every field", every_field},
		{"logins", logins},
		{"one of each", one_of_each},
		{"renewed hashes", renewed_hashes},
		{"texts that do not fit", texts_that_do_not_fit},
		{"changes", changes},
		{"list", list},
		{"two programs", two_programs},
		{"file deleted", file_deleted},
		{"web servers are told", told},
		{"check", checks},
		{NULL, NULL},
	};
	return unit_main("account", cases);
}
