/* SPDX-License-Identifier: Apache-2.0 */
/* What the link between hosts finds in revocations.db, and files of version 1. */
#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "folder.h"
#include "store/journal.h"

enum { NOW = 1800000000, HOUR = 3600 };

extern const struct store_driver store_embedded;

struct bed {
	struct folder folder;
	struct store *store;
	struct store_thread *thread;
};

static void start(struct bed *bed, bool servers)
{
	static const struct conf_text address = {{"127.0.0.1:11211", 15}, "x.conf", 1};
	static const struct conf_list list = {&address, 1}, none = {NULL, 0};
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct store_settings settings = {.state_dir = bed->folder.path, .servers = servers ? &list : &none};
	if (!store_embedded.open(&settings, &bed->store, &why) ||
	    !store_embedded.thread_open(bed->store, &bed->thread)) {
		fprintf(stderr, "the store does not open: %s\n", buf_z(&why));
		exit(99);
	}
}

static void stop(struct bed *bed)
{
	store_embedded.thread_close(&bed->thread);
	store_embedded.close(&bed->store);
}

static struct store_key key_of(unsigned n)
{
	struct store_key key = {{(unsigned char)(n >> 8), (unsigned char)n, 0, '\'', 0xff}};
	return key;
}

static void add(struct bed *bed, unsigned n, enum store_entry_kind kind, int64_t expires)
{
	struct store_entry entry = {.key = key_of(n), .kind = kind, .not_before = kind == STORE_USER ? NOW + n : 0,
				    .expires = expires, .created = NOW};
	UNIT_ROW(store_embedded.add(bed->thread, &entry) == ERR_NONE, "add");
}

static void put(struct bed *bed, unsigned n, struct str text)
{
	struct store_key key = key_of(n);
	UNIT_ROW(store_embedded.record_put(bed->thread, &key, text, NOW + HOUR) == ERR_NONE, "record_put");
}

static size_t rows_after(struct bed *bed, int64_t seq, struct journal_row *out)
{
	size_t n = 99;
	UNIT_ROW(journal_read(bed->thread, seq, out, JOURNAL_BATCH, &n), "journal_read");
	return n;
}

static void rows_follow_changes(void)
{
	struct bed bed;
	struct journal_row rows[JOURNAL_BATCH];
	struct journal_item item;
	int64_t newest = -1;
	bool found;
	folder_open(&bed.folder);
	start(&bed, true);
	CU_ASSERT(journal_newest(bed.thread, &newest));
	CU_ASSERT_EQUAL(newest, 0);
	UNIT_ROW(rows_after(&bed, 0, rows) == 0, "an empty journal");
	add(&bed, 1, STORE_TOKEN, NOW + HOUR);
	add(&bed, 2, STORE_USER, NOW + HOUR);
	add(&bed, 1, STORE_TOKEN, NOW + HOUR);
	put(&bed, 3, STR("a record"));
	CU_ASSERT_EQUAL(rows_after(&bed, 0, rows), 4);
	static const int kinds[] = {STORE_TOKEN, STORE_USER, STORE_TOKEN, JOURNAL_RECORD};
	for (size_t i = 0; i < 4; i++)
		UNIT_ROW(rows[i].seq == (int64_t)i + 1 && rows[i].kind == kinds[i], "in their order");
	UNIT_ROW(rows_after(&bed, 3, rows) == 1 && rows[0].seq == 4, "after a row");
	CU_ASSERT(journal_drop(bed.thread, 2));
	UNIT_ROW(rows_after(&bed, 0, rows) == 2 && rows[0].seq == 3, "dropped ones are gone");
	CU_ASSERT(journal_drop(bed.thread, 4));
	CU_ASSERT(journal_newest(bed.thread, &newest));
	UNIT_ROW(newest == 4, "their numbers are never used again");
	stop(&bed);
	start(&bed, true);
	add(&bed, 4, STORE_SESSION, NOW + HOUR);
	UNIT_ROW(rows_after(&bed, 0, rows) == 1 && rows[0].seq == 5, "also after a restart");
	CU_ASSERT(journal_find(bed.thread, &rows[0].key, rows[0].kind, &item, &found));
	UNIT_ROW(found && item.kind == STORE_SESSION && item.entry.expires == NOW + HOUR, "an entry is found");
	struct store_key key = key_of(2);
	CU_ASSERT(journal_find(bed.thread, &key, STORE_USER, &item, &found));
	UNIT_ROW(found && item.entry.not_before == NOW + 2, "a mark is found");
	key = key_of(3);
	CU_ASSERT(journal_find(bed.thread, &key, JOURNAL_RECORD, &item, &found));
	UNIT_ROW(found && item.entry.expires == NOW + HOUR, "a record is found");
	UNIT_STR_EQ(item.record, STR("a record"), "with its text");
	key = key_of(9);
	UNIT_ROW(journal_find(bed.thread, &key, STORE_TOKEN, &item, &found) && !found, "what is not there");
	stop(&bed);
	folder_close(&bed.folder);
}

static size_t walk_all(struct bed *bed, int kind, size_t cap, unsigned *sum)
{
	static struct journal_item items[JOURNAL_BATCH];
	struct journal_walk walk = {.kind = kind, .since = NOW};
	size_t n = 0, all = 0;
	*sum = 0;
	do {
		UNIT_ROW(journal_walk_next(bed->thread, &walk, items, cap, &n), "walk");
		for (size_t i = 0; i < n; i++)
			*sum += (unsigned)items[i].entry.key.bytes[0] << 8 | items[i].entry.key.bytes[1];
		all += n;
	} while (n);
	return all;
}

static void walks_meet_all(void)
{
	struct bed bed;
	unsigned sum;
	folder_open(&bed.folder);
	start(&bed, true);
	UNIT_ROW(walk_all(&bed, STORE_TOKEN, 3, &sum) == 0, "nothing yet");
	for (unsigned i = 0; i < 300; i++)
		add(&bed, i, i % 2 ? STORE_TOKEN : STORE_SESSION, i == 200 ? NOW - 1 : NOW + HOUR);
	for (unsigned i = 0; i < 10; i++)
		add(&bed, 1000 + i, STORE_USER, NOW + HOUR);
	put(&bed, 2000, STR("record"));
	static const size_t caps[] = {1, 7, JOURNAL_BATCH};
	for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
		UNIT_ROW(walk_all(&bed, STORE_TOKEN, caps[i], &sum) == 299 && sum == 300 * 299 / 2 - 200, "entries");
		UNIT_ROW(walk_all(&bed, STORE_USER, caps[i], &sum) == 10, "marks");
		UNIT_ROW(walk_all(&bed, JOURNAL_RECORD, caps[i], &sum) == 1 && sum == 2000, "records");
	}
	stop(&bed);
	folder_close(&bed.folder);
}

static void what_the_link_keeps(void)
{
	struct bed bed;
	struct journal_host hosts[JOURNAL_HOSTS_MAX];
	struct journal_host host = {0xfedcba9876543210, NOW, 7, 'W', "0123abcd"};
	uint64_t generation = 5;
	int64_t count = 0;
	size_t n = 0;
	bool known = true;
	folder_open(&bed.folder);
	start(&bed, true);
	CU_ASSERT(journal_host_put(bed.thread, &host));
	host.sequence = 8;
	CU_ASSERT(journal_host_put(bed.thread, &host));
	host.id = 1;
	host.seen = NOW + 1;
	CU_ASSERT(journal_host_put(bed.thread, &host));
	CU_ASSERT(journal_hosts(bed.thread, hosts, JOURNAL_HOSTS_MAX, &n));
	UNIT_ROW(n == 2 && hosts[0].id == 1 && hosts[1].id == 0xfedcba9876543210 && hosts[1].sequence == 8, "hosts");
	UNIT_STR_EQ(str_of(hosts[1].without), STR("0123abcd"), "what it does not vouch for");
	CU_ASSERT(journal_host_drop(bed.thread, 1));
	CU_ASSERT(journal_hosts(bed.thread, hosts, JOURNAL_HOSTS_MAX, &n));
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT(journal_generation(bed.thread, STR("a:1"), &generation, &known));
	UNIT_ROW(generation == 0 && !known, "a server that was never whole");
	CU_ASSERT(journal_generation_put(bed.thread, STR("a:1"), 0xabcdef0123456789));
	CU_ASSERT(journal_generation(bed.thread, STR("a:1"), &generation, &known));
	UNIT_ROW(generation == 0xabcdef0123456789 && known, "one that is");
	CU_ASSERT(journal_count(bed.thread, STR("epoch"), 0, &count));
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT(journal_count(bed.thread, STR("epoch"), 0, &count));
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT(journal_count(bed.thread, STR("epoch"), 9, &count));
	CU_ASSERT_EQUAL(count, 9);
	stop(&bed);
	/* A program without servers changes something: the generations end, and with them
	 * the belief that the servers have everything. */
	start(&bed, false);
	CU_ASSERT(journal_generation(bed.thread, STR("a:1"), &generation, &known));
	UNIT_ROW(generation == 0xabcdef0123456789, "nothing changed yet");
	add(&bed, 1, STORE_TOKEN, NOW + HOUR);
	CU_ASSERT(journal_generation(bed.thread, STR("a:1"), &generation, &known));
	UNIT_ROW(generation == 0 && known, "a change that nobody was told of");
	struct journal_row rows[JOURNAL_BATCH];
	UNIT_ROW(rows_after(&bed, 0, rows) == 0, "without servers there is no journal");
	stop(&bed);
	folder_close(&bed.folder);
}

static void run_sql(const char *path, const char *text)
{
	sqlite3 *db;
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", text, sqlite3_errmsg(db));
		exit(99);
	}
	sqlite3_close(db);
	chmod(path, 0600);
}

/* The tables as the program of version 1 made them. */
static void version_1(void)
{
	static const char tables[] =
		"PRAGMA application_id=1717789045; PRAGMA user_version=1; PRAGMA journal_mode=WAL;"
		"CREATE TABLE revoked (k BLOB NOT NULL PRIMARY KEY, exp INTEGER NOT NULL, created INTEGER NOT NULL,"
		" kind INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
		"CREATE INDEX revoked_exp ON revoked (exp);"
		"CREATE TABLE mark (k BLOB NOT NULL PRIMARY KEY, not_before INTEGER NOT NULL, exp INTEGER NOT NULL,"
		" created INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
		"CREATE INDEX mark_exp ON mark (exp);"
		"CREATE TABLE detail (k BLOB NOT NULL PRIMARY KEY, user TEXT, note TEXT) STRICT, WITHOUT ROWID;"
		"INSERT INTO revoked VALUES (x'00010027ff0000000000000000000000', 1800003600, 1, 0);";
	struct bed bed;
	struct journal_item item;
	bool found = false;
	struct store_key key = key_of(1);
	folder_open(&bed.folder);
	run_sql(folder_file(&bed.folder, "revocations.db"), tables);
	start(&bed, true);
	CU_ASSERT(journal_find(bed.thread, &key, STORE_TOKEN, &item, &found));
	UNIT_ROW(found && item.entry.expires == NOW + HOUR, "what was revoked stays revoked");
	add(&bed, 2, STORE_TOKEN, NOW + HOUR);
	put(&bed, 3, STR("x"));
	struct journal_row rows[JOURNAL_BATCH];
	UNIT_ROW(rows_after(&bed, 0, rows) == 2, "and the new tables are there");
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	UNIT_ROW(store_embedded.check(bed.thread, &why), buf_z(&why));
	stop(&bed);
	folder_close(&bed.folder);
}

static void newer_version(void)
{
	struct bed bed;
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct store_settings settings = {.state_dir = bed.folder.path};
	folder_open(&bed.folder);
	start(&bed, true);
	stop(&bed);
	run_sql(folder_file(&bed.folder, "revocations.db"), "PRAGMA user_version=3");
	UNIT_ROW(!store_embedded.open(&settings, &bed.store, &why) && strstr(buf_z(&why), "tables of another version"),
		 "a newer file is refused");
	folder_close(&bed.folder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"rows follow changes", rows_follow_changes},
		{"walks meet all", walks_meet_all},
		{"hosts, generations, counters", what_the_link_keeps},
		{"a file of version 1", version_1},
		{"a newer file", newer_version},
		{NULL, NULL},
	};
	return unit_main("journal", cases);
}
