/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of people who come by themselves, and files of older versions. */
#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

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

static enum err find(struct bed *bed, const char *login, struct account *out)
{
	return accounts_find(bed->accounts, bed->arena, str_of(login), out);
}

/* Whoever may no longer log in gets no token, however late that is noticed. */
static void late_refusals(void)
{
	static const struct {
		const char *name, *password;
		bool disabled, pending;
		enum err err;
	} rows[] = {
		{"as it was", "hash", false, false, ERR_NONE},
		{"another password", "other", false, false, ERR_NOT_FOUND},
		{"disabled", "hash", true, false, ERR_NOT_FOUND},
		{"to be confirmed", "hash", false, true, ERR_NOT_FOUND},
	};
	struct bed bed;
	bed_open(&bed);
	struct account seen = account("ada", "");
	seen.password = STR("hash");
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &seen), ERR_NONE);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct account now = seen;
		now.password = str_of(rows[i].password);
		now.disabled = rows[i].disabled;
		now.pending = rows[i].pending;
		CU_ASSERT_EQUAL(accounts_change(bed.accounts, &now), ERR_NONE);
		UNIT_ROW(accounts_note_login(bed.accounts, &seen, 5) == rows[i].err, rows[i].name);
	}
	bed_close(&bed);
}

/* Register somebody at that time who has to confirm an e-mail within 100 seconds. */
static enum err enrol(struct bed *bed, const char *id, const char *email, int64_t now, enum account_taken *taken)
{
	struct account a = account(id, email);
	a.created = now;
	a.pending = true;
	return accounts_register(bed->accounts, &a, 100, taken);
}

static void registering(void)
{
	static const struct {
		const char *name, *id, *email;
		int64_t now;
		enum account_taken taken;
		enum err err;
	} rows[] = {
		{"the first", "ada", "ada@example.org", 1000, ACCOUNT_FREE, ERR_NONE},
		{"the same id", "ada", "b@example.org", 1000, ACCOUNT_ID_TAKEN, ERR_BAD_REQUEST},
		{"in capitals", "ADA", "b@example.org", 1000, ACCOUNT_ID_TAKEN, ERR_BAD_REQUEST},
		{"an e-mail as id", "Ada@example.org", "b@example.org", 1000, ACCOUNT_ID_TAKEN, ERR_BAD_REQUEST},
		{"both taken", "ada", "ada@example.org", 1000, ACCOUNT_ID_TAKEN, ERR_BAD_REQUEST},
		{"the same e-mail", "b", "ada@example.org", 1000, ACCOUNT_EMAIL_TAKEN, ERR_BAD_REQUEST},
		{"in capitals", "b", "ADA@example.org", 1000, ACCOUNT_EMAIL_TAKEN, ERR_BAD_REQUEST},
		{"an id as e-mail", "b", "ada", 1000, ACCOUNT_EMAIL_TAKEN, ERR_BAD_REQUEST},
		{"patience at its end", "b", "ada@example.org", 1100, ACCOUNT_EMAIL_TAKEN, ERR_BAD_REQUEST},
		{"patience over", "b", "Ada@example.org", 1101, ACCOUNT_FREE, ERR_NONE},
		{"for the id as well", "B", "", 1202, ACCOUNT_FREE, ERR_NONE},
		{"without an e-mail", "c", "", 1202, ACCOUNT_FREE, ERR_NONE},
		{"no text", "d", "\n", 1202, ACCOUNT_FREE, ERR_BAD_REQUEST},
	};
	struct bed bed;
	bed_open(&bed);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum account_taken taken = ACCOUNT_FREE;
		enum err err = enrol(&bed, rows[i].id, rows[i].email, rows[i].now, &taken);
		UNIT_ROW(err == rows[i].err && taken == rows[i].taken, rows[i].name);
	}
	struct account got;
	UNIT_ROW(find(&bed, "ada", &got) == ERR_NOT_FOUND && find(&bed, "b", &got) == ERR_NOT_FOUND, "made room");
	CU_ASSERT_EQUAL(find(&bed, "B", &got), ERR_NONE);
	CU_ASSERT(got.pending && got.verified == 0);
	bed_close(&bed);
}

static void confirming(void)
{
	struct bed bed;
	enum account_taken taken;
	struct account got;
	bed_open(&bed);
	CU_ASSERT_EQUAL(enrol(&bed, "ada", "ada@example.org", 1000, &taken), ERR_NONE);
	CU_ASSERT_EQUAL(enrol(&bed, "none", "", 1000, &taken), ERR_NONE);
	static const struct {
		const char *name, *id, *email;
		enum err err;
	} rows[] = {
		{"another e-mail", "ada", "eve@example.org", ERR_NOT_FOUND},
		{"another account", "eve", "ada@example.org", ERR_NOT_FOUND},
		{"no e-mail", "none", "", ERR_NOT_FOUND},
		{"confirmed", "ada", "ada@example.org", ERR_NONE},
		{"once", "ada", "ada@example.org", ERR_NOT_FOUND},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(accounts_confirm(bed.accounts, str_of(rows[i].id), str_of(rows[i].email), 1010) == rows[i].err,
			 rows[i].name);
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NONE);
	CU_ASSERT(!got.pending && got.verified == 1010);
	UNIT_ROW(enrol(&bed, "b", "ada@example.org", 9999, &taken) == ERR_BAD_REQUEST, "makes no room any more");
	bed_close(&bed);
}

static void resetting(void)
{
	struct bed bed;
	enum account_taken taken;
	struct account seen, got;
	bed_open(&bed);
	CU_ASSERT_EQUAL(enrol(&bed, "ada", "ada@example.org", 1000, &taken), ERR_NONE);
	CU_ASSERT_EQUAL(find(&bed, "ada", &seen), ERR_NONE);
	CU_ASSERT_EQUAL(accounts_reset(bed.accounts, &seen, STR("\n"), 1010), ERR_BAD_REQUEST);
	UNIT_ROW(accounts_reset(bed.accounts, &seen, STR("fresh"), 1010) == ERR_NONE, "the first");
	UNIT_ROW(accounts_reset(bed.accounts, &seen, STR("second"), 1011) == ERR_NOT_FOUND, "the second");
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NONE);
	UNIT_STR_EQ(got.password, STR("fresh"), "password");
	CU_ASSERT(!got.pending && got.verified == 1010 && got.changed == 1010);
	seen = got;
	got.email = STR("other@example.org");
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &got), ERR_NONE);
	UNIT_ROW(accounts_reset(bed.accounts, &seen, STR("third"), 1012) == ERR_NOT_FOUND, "another e-mail");
	got.disabled = true;
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &got), ERR_NONE);
	UNIT_ROW(accounts_reset(bed.accounts, &got, STR("third"), 1012) == ERR_NOT_FOUND, "disabled");
	bed_close(&bed);
}

static void setting_passwords(void)
{
	struct bed bed;
	struct account ada = account("ada", "ada@example.org"), got;
	ada.password = STR("old");
	bed_open(&bed);
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &ada), ERR_NONE);
	UNIT_ROW(accounts_set_password(bed.accounts, &ada, STR("\n"), 1010) == ERR_BAD_REQUEST, "no hash");
	UNIT_ROW(accounts_set_password(bed.accounts, &ada, STR("fresh"), 1010) == ERR_NONE, "the first");
	UNIT_ROW(accounts_set_password(bed.accounts, &ada, STR("second"), 1011) == ERR_NOT_FOUND, "the second");
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NONE);
	UNIT_STR_EQ(got.password, STR("fresh"), "password");
	CU_ASSERT(got.changed == 1010 && got.verified == 0);
	got.disabled = true;
	CU_ASSERT_EQUAL(accounts_change(bed.accounts, &got), ERR_NONE);
	UNIT_ROW(accounts_set_password(bed.accounts, &got, STR("third"), 1012) == ERR_NOT_FOUND, "disabled");
	bed_close(&bed);
}

static void change_by_sql(const char *path, const char *text)
{
	sqlite3 *db;
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", text, sqlite3_errmsg(db));
		exit(99);
	}
	sqlite3_close(db);
}

/* A file of the first version, with an account in it. */
static void older_file(void)
{
	static const char version_1[] =
		"DROP TABLE account; DROP TABLE session;"
		"CREATE TABLE account (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL,"
		" roles TEXT NOT NULL, password TEXT NOT NULL, disabled INTEGER NOT NULL, created INTEGER NOT NULL,"
		" changed INTEGER NOT NULL, last_login INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
		"CREATE UNIQUE INDEX account_email ON account (email COLLATE NOCASE) WHERE email <> '';"
		"CREATE INDEX account_id ON account (id COLLATE NOCASE);"
		"INSERT INTO account VALUES ('ada', 'ada@example.org', 'Ada', 'admin', 'hash', 0, 1, 2, 3);"
		"PRAGMA user_version=1;";
	struct bed bed;
	struct account got;
	bed_open(&bed);
	bed_stop(&bed);
	change_by_sql(folder_file(&bed.folder, "accounts.db"), version_1);
	bed_start(&bed);
	CU_ASSERT_EQUAL(find(&bed, "ada", &got), ERR_NONE);
	UNIT_STR_EQ(got.password, STR("hash"), "password");
	CU_ASSERT(!got.pending && got.verified == 0 && got.last_login == 3);
	UNIT_ROW(accounts_note_login(bed.accounts, &got, 9) == ERR_NONE, "who was there before may log in");
	bed_close(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"late refusals", late_refusals},
		{"registering", registering},
		{"confirming", confirming},
		{"resetting", resetting},
		{"setting passwords", setting_passwords},
		{"an older file", older_file},
		{NULL, NULL},
	};
	return unit_main("account_registration", cases);
}
