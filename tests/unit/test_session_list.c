/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "store/session_list.h"
#include "store/store.h"

enum { NOW = 1800000000, HOUR = 3600 };

struct bed {
	struct folder folder;
	struct accounts *accounts;
	struct arena *arena;
	struct sessions found;
};

static void bed_open(struct bed *bed)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	folder_open(&bed->folder);
	if (!accounts_open(bed->folder.path, &bed->accounts, &why) || !arena_open(1 << 20, &bed->arena)) {
		fprintf(stderr, "the accounts do not open: %s\n", buf_z(&why));
		exit(99);
	}
}

static void bed_close(struct bed *bed)
{
	accounts_close(&bed->accounts);
	arena_close(&bed->arena);
	folder_close(&bed->folder);
}

static struct session session(const char *sid, const char *user, int64_t created)
{
	return (struct session){.sid = str_of(sid), .user = str_of(user), .created = created, .seen = created,
				.expires = created + HOUR};
}

static enum err add(struct bed *bed, const struct session *session)
{
	return sessions_add(bed->accounts, bed->arena, session, &bed->found);
}

static enum err add_plain(struct bed *bed, const char *sid, const char *user, int64_t created)
{
	struct session one = session(sid, user, created);
	return add(bed, &one);
}

/* The sids of a user that expire after then, joined by blanks. */
static const char *listed(struct bed *bed, const char *user, int64_t after)
{
	struct buf b = arena_buf(bed->arena, 8192);
	if (sessions_list(bed->accounts, bed->arena, str_of(user), after, &bed->found))
		return "error";
	for (size_t i = 0; i < bed->found.n; i++) {
		buf_add(&b, i ? STR(" ") : STR(""));
		buf_add(&b, bed->found.items[i].sid);
	}
	return buf_z(&b);
}

static void every_field(void)
{
	struct bed bed;
	bed_open(&bed);
	struct session want = {.sid = STR("s1"), .user = STR("ada"), .iss = STR("https://sso.example"),
			       .address = STR("2001:db8::1"), .agent = STR("Mozilla/5.0 (\xc3\xa9)"),
			       .created = NOW, .seen = NOW + 1, .expires = NOW + HOUR};
	CU_ASSERT_EQUAL(add(&bed, &want), ERR_NONE);
	CU_ASSERT_EQUAL(bed.found.n, 0);
	CU_ASSERT_EQUAL(sessions_list(bed.accounts, bed.arena, STR("ada"), NOW, &bed.found), ERR_NONE);
	CU_ASSERT_EQUAL_FATAL(bed.found.n, 1);
	const struct session *got = &bed.found.items[0];
	UNIT_STR_EQ(got->sid, want.sid, "sid");
	UNIT_STR_EQ(got->user, want.user, "user");
	UNIT_STR_EQ(got->iss, want.iss, "iss");
	UNIT_STR_EQ(got->address, want.address, "address");
	UNIT_STR_EQ(got->agent, want.agent, "agent");
	CU_ASSERT(got->created == NOW && got->seen == NOW + 1 && got->expires == NOW + HOUR);
	bed_close(&bed);
}

static void of_one_user_alone(void)
{
	struct bed bed;
	bed_open(&bed);
	CU_ASSERT_EQUAL(add_plain(&bed, "a1", "ada", NOW), ERR_NONE);
	CU_ASSERT_EQUAL(add_plain(&bed, "b1", "bob", NOW), ERR_NONE);
	CU_ASSERT_EQUAL(add_plain(&bed, "a2", "ada", NOW + 5), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW), "a2 a1");
	CU_ASSERT_STRING_EQUAL(listed(&bed, "bob", NOW), "b1");
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ADA", NOW), "");
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW + HOUR), "a2");
	CU_ASSERT_EQUAL(sessions_remove(bed.accounts, STR("a2")), ERR_NONE);
	CU_ASSERT_EQUAL(sessions_remove(bed.accounts, STR("nobody's")), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW), "a1");
	bed_close(&bed);
}

static void seen_again(void)
{
	struct bed bed;
	bed_open(&bed);
	add_plain(&bed, "a1", "ada", NOW);
	add_plain(&bed, "a2", "ada", NOW + 5);
	CU_ASSERT_EQUAL(sessions_see(bed.accounts, STR("a1"), NOW + 100, NOW + 2 * HOUR), ERR_NONE);
	CU_ASSERT_EQUAL(sessions_see(bed.accounts, STR("a1"), NOW + 50, NOW), ERR_NONE);
	CU_ASSERT_EQUAL(sessions_see(bed.accounts, STR("other"), NOW + 50, NOW), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW), "a1 a2");
	CU_ASSERT(bed.found.items[0].seen == NOW + 100 && bed.found.items[0].expires == NOW + 2 * HOUR);
	bed_close(&bed);
}

static void too_many(void)
{
	struct bed bed;
	char sid[16];
	bed_open(&bed);
	add_plain(&bed, "bob", "bob", NOW);
	/* All in one second: the new one must stay all the same. */
	for (int i = 0; i < SESSIONS_MAX; i++) {
		snprintf(sid, sizeof sid, "s%02d", i);
		CU_ASSERT_EQUAL(add_plain(&bed, sid, "ada", NOW), ERR_NONE);
		CU_ASSERT_EQUAL(bed.found.n, 0);
	}
	CU_ASSERT_EQUAL(sessions_see(bed.accounts, STR("s00"), NOW + 9, NOW), ERR_NONE);
	CU_ASSERT_EQUAL(add_plain(&bed, "zz", "ada", NOW), ERR_NONE);
	CU_ASSERT_EQUAL_FATAL(bed.found.n, 1);
	snprintf(sid, sizeof sid, "s%02d", SESSIONS_MAX - 1);
	UNIT_STR_EQ(bed.found.items[0].sid, str_of(sid), "the one that was seen the longest ago");
	/* It stays until it is removed, and is named again. */
	CU_ASSERT_EQUAL(add_plain(&bed, "zzz", "ada", NOW), ERR_NONE);
	CU_ASSERT_EQUAL(bed.found.n, 2);
	bed_close(&bed);
}

static void pruned(void)
{
	struct bed bed;
	bed_open(&bed);
	add_plain(&bed, "old", "ada", NOW - HOUR - STORE_KEPT - 1);
	add_plain(&bed, "kept", "ada", NOW - HOUR - STORE_KEPT);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", 0), "kept old");
	add_plain(&bed, "new", "bob", NOW);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", 0), "kept");
	bed_close(&bed);
}

static void odd_texts(void)
{
	struct bed bed;
	bed_open(&bed);
	static char longer[300];
	memset(longer, 'x', sizeof longer);
	struct session one = session("s1", "ada", NOW);
	one.agent = (struct str){longer, sizeof longer};
	/* Two bytes at the place where it is cut. */
	memcpy(longer + SESSION_AGENT_MAX - 1, "\xc3\xa9", 2);
	longer[0] = '\n';
	one.address = (struct str){longer + SESSION_AGENT_MAX + 1, sizeof longer - SESSION_AGENT_MAX - 1};
	CU_ASSERT_EQUAL(add(&bed, &one), ERR_NONE);
	one = session("s2", "ada", NOW - 1);
	one.agent = STR("\xff");
	CU_ASSERT_EQUAL(add(&bed, &one), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW), "s1 s2");
	CU_ASSERT_EQUAL(bed.found.items[0].agent.n, SESSION_AGENT_MAX - 1);
	CU_ASSERT_EQUAL(bed.found.items[0].agent.p[0], ' ');
	CU_ASSERT_EQUAL(bed.found.items[0].address.n, SESSION_ADDRESS_MAX);
	CU_ASSERT_EQUAL(bed.found.items[1].agent.n, 0);
	static const struct {
		const char *name, *sid, *user;
	} bad[] = {
		{"no sid", "", "ada"}, {"no user", "s3", ""}, {"control bytes", "s\n", "ada"}, {"taken", "s1", "ada"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_ROW(add_plain(&bed, bad[i].sid, bad[i].user, NOW) != ERR_NONE, bad[i].name);
	bed_close(&bed);
}

/* Whoever takes the id of a removed account must not be shown its sessions. */
static void gone_with_the_account(void)
{
	struct bed bed;
	bed_open(&bed);
	struct account ada = {.id = STR("ada"), .created = NOW, .changed = NOW};
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &ada), ERR_NONE);
	add_plain(&bed, "a1", "ada", NOW);
	add_plain(&bed, "b1", "bob", NOW);
	CU_ASSERT_EQUAL(accounts_remove(bed.accounts, STR("ada")), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW), "");
	CU_ASSERT_STRING_EQUAL(listed(&bed, "bob", NOW), "b1");
	bed_close(&bed);
}

static void run_sql(const struct bed *bed, const char *sql)
{
	char path[512];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/accounts.db", bed->folder.path);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* A file from before there were sessions is brought up to date, with what is in it. */
static void older_file(void)
{
	struct bed bed;
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	bed_open(&bed);
	struct account ada = {.id = STR("ada"), .created = NOW, .changed = NOW}, got;
	CU_ASSERT_EQUAL(accounts_add(bed.accounts, &ada), ERR_NONE);
	accounts_close(&bed.accounts);
	run_sql(&bed, "DROP TRIGGER session_owner; DROP TABLE session; PRAGMA user_version=2;");
	CU_ASSERT_FATAL(accounts_open(bed.folder.path, &bed.accounts, &why));
	CU_ASSERT_EQUAL(accounts_find(bed.accounts, bed.arena, STR("ada"), &got), ERR_NONE);
	CU_ASSERT_EQUAL(add_plain(&bed, "a1", "ada", NOW), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW), "a1");
	bed_close(&bed);
}

static void no_file(void)
{
	struct bed bed;
	bed_open(&bed);
	add_plain(&bed, "a1", "ada", NOW);
	char path[512];
	snprintf(path, sizeof path, "%s/accounts.db", bed.folder.path);
	CU_ASSERT_EQUAL(remove(path), 0);
	CU_ASSERT_EQUAL(add_plain(&bed, "a2", "ada", NOW), ERR_STORE);
	CU_ASSERT_STRING_EQUAL(listed(&bed, "ada", NOW), "error");
	CU_ASSERT_EQUAL(sessions_see(bed.accounts, STR("a1"), NOW, NOW), ERR_STORE);
	CU_ASSERT_EQUAL(sessions_remove(bed.accounts, STR("a1")), ERR_STORE);
	bed_close(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"every field comes back", every_field},
		{"a user's own sessions alone are listed", of_one_user_alone},
		{"one that is seen again goes to the front", seen_again},
		{"of too many the oldest is named", too_many},
		{"what expired long ago is forgotten", pruned},
		{"texts of clients are cut and cleaned", odd_texts},
		{"sessions go with their account", gone_with_the_account},
		{"a file of an older version is upgraded", older_file},
		{"without its file nothing is told", no_file},
		{NULL, NULL},
	};
	return unit_main("session_list", cases);
}
