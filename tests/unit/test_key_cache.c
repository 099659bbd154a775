/* SPDX-License-Identifier: Apache-2.0 */
/* What processes share about fetched keys, and what is left of it when the file is damaged or lost. */
#include "store/key_cache.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "unit.h"

enum { NOW = 1000000, COOLDOWN = 30000, PROCESSES = 4, WINDOWS = 25 };

static const struct store_key here = {"source-number-1"}, there = {"source-number-2"};

struct bed {
	struct folder folder;
	struct arena *arena;
	struct key_cache *cache;
};

static struct key_cache *open_cache(const char *path)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct key_cache *cache;
	if (key_cache_open(path, &cache, &why))
		return cache;
	fprintf(stderr, "%.*s\n", STR_ARGS(buf_str(&why)));
	exit(99);
}

static void open_bed(struct bed *bed)
{
	folder_open(&bed->folder);
	if (!arena_open(1 << 20, &bed->arena))
		exit(99);
	bed->cache = open_cache(bed->folder.path);
}

static void close_bed(struct bed *bed)
{
	key_cache_close(&bed->cache);
	arena_close(&bed->arena);
	folder_close(&bed->folder);
}

static struct key_cache_row look(struct bed *bed, const struct store_key *source, int64_t newer_than)
{
	struct key_cache_row row = {-1, -1, -1, STR("not read")};
	UNIT_ROW(key_cache_read(bed->cache, source, newer_than, bed->arena, &row), "read");
	return row;
}

static void keeps_texts(void)
{
	struct bed bed;
	open_bed(&bed);
	struct key_cache_row row = look(&bed, &here, 0);
	UNIT_ROW(row.fetched == 0 && row.claimed == 0 && row.finished == 0 && !row.text.p, "nothing yet");
	CU_ASSERT(key_cache_store(bed.cache, &here, NOW, STR("{\"keys\":[]}")));
	CU_ASSERT(key_cache_store(bed.cache, &there, NOW + 5, STR("{}")));
	row = look(&bed, &here, 0);
	UNIT_ROW(row.fetched == NOW && row.finished == NOW, "a text");
	UNIT_STR_EQ(row.text, STR("{\"keys\":[]}"), "text");
	row = look(&bed, &here, NOW);
	UNIT_ROW(row.fetched == NOW && !row.text.p, "not newer");
	/* A fetch that brought nothing leaves the text. */
	CU_ASSERT(key_cache_store(bed.cache, &here, NOW + 9, STR_NONE));
	row = look(&bed, &here, NOW - 1);
	UNIT_ROW(row.fetched == NOW && row.finished == NOW + 9, "finished");
	UNIT_STR_EQ(row.text, STR("{\"keys\":[]}"), "text");
	/* Another thread, or the next process. */
	key_cache_close(&bed.cache);
	bed.cache = open_cache(bed.folder.path);
	UNIT_STR_EQ(look(&bed, &there, 0).text, STR("{}"), "text");
	/* What nobody has asked for in a year. */
	CU_ASSERT(key_cache_store(bed.cache, &there, NOW + INT64_C(367) * 86400000, STR("{}")));
	UNIT_ROW(look(&bed, &here, 0).fetched == 0, "forgotten");
	close_bed(&bed);
}

static void grants_one_claim(void)
{
	static const struct {
		const char *name;
		int64_t now;
		enum key_claim want;
	} rows[] = {
		{"first", NOW, KEY_CLAIM_GRANTED},
		{"at once", NOW, KEY_CLAIM_TAKEN},
		{"just before the end", NOW + COOLDOWN - 1, KEY_CLAIM_TAKEN},
		{"at the end", NOW + COOLDOWN, KEY_CLAIM_GRANTED},
		{"a clock a little behind", NOW + COOLDOWN - 5, KEY_CLAIM_TAKEN},
		{"a clock that was set back", NOW - COOLDOWN, KEY_CLAIM_GRANTED},
		{"and goes on from there", NOW - 1, KEY_CLAIM_TAKEN},
	};
	struct bed bed;
	open_bed(&bed);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(key_cache_claim(bed.cache, &here, rows[i].now, COOLDOWN) == rows[i].want, rows[i].name);
	UNIT_ROW(key_cache_claim(bed.cache, &there, NOW, COOLDOWN) == KEY_CLAIM_GRANTED, "another source");
	struct key_cache_row row = look(&bed, &there, 0);
	UNIT_ROW(row.claimed == NOW && row.finished == 0, "under way");
	/* Finished is never before claimed, whoever's clock is behind. */
	CU_ASSERT(key_cache_store(bed.cache, &there, NOW - 3, STR_NONE));
	row = look(&bed, &there, 0);
	UNIT_ROW(row.finished == NOW, "finished");
	close_bed(&bed);
}

/* A child's life: claim once, and say by its exit status whether it was granted. */
static int claim_once(const char *path, int64_t now)
{
	struct key_cache *cache = open_cache(path);
	enum key_claim claim = key_cache_claim(cache, &here, now, COOLDOWN);
	key_cache_close(&cache);
	return (int)claim;
}

static void grants_one_claim_to_all_processes(void)
{
	struct bed bed;
	open_bed(&bed);
	key_cache_close(&bed.cache);
	for (int64_t now = NOW; now < NOW + WINDOWS * COOLDOWN; now += COOLDOWN) {
		pid_t children[PROCESSES];
		unsigned claims[3] = {0};
		for (size_t i = 0; i < PROCESSES; i++) {
			children[i] = fork();
			if (children[i] == 0)
				_exit(claim_once(bed.folder.path, now));
		}
		for (size_t i = 0; i < PROCESSES; i++) {
			int status = -1;
			CU_ASSERT_FATAL(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status));
			CU_ASSERT_FATAL(WEXITSTATUS(status) <= KEY_CLAIM_FAILED);
			claims[WEXITSTATUS(status)]++;
		}
		UNIT_ROW(claims[KEY_CLAIM_GRANTED] == 1 && claims[KEY_CLAIM_FAILED] == 0, "one for each window");
	}
	close_bed(&bed);
}

static void damage(struct bed *bed, const char *with)
{
	folder_write(&bed->folder, "keys.db", str_of(with));
	chmod(folder_file(&bed->folder, "keys.db"), 0600);
}

static void garbage(struct bed *bed)
{
	damage(bed, "no database, and long enough not to be taken for an empty one");
}

static void empty(struct bed *bed)
{
	damage(bed, "");
}

static void cut(struct bed *bed)
{
	CU_ASSERT_EQUAL(truncate(folder_file(&bed->folder, "keys.db"), 4096), 0);
}

static void change(struct bed *bed, const char *query)
{
	sqlite3 *db;
	CU_ASSERT_EQUAL(sqlite3_open(folder_file(&bed->folder, "keys.db"), &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, query, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void of_another_version(struct bed *bed)
{
	change(bed, "PRAGMA user_version=7");
}

static void without_table(struct bed *bed)
{
	change(bed, "DROP TABLE source");
}

static void deleted(struct bed *bed)
{
	unlink(folder_file(&bed->folder, "keys.db"));
}

static void deleted_with_its_log_left(struct bed *bed)
{
	deleted(bed);
	folder_write(&bed->folder, "keys.db-wal", STR("x"));
}

static void is_made_anew(void)
{
	static const struct {
		const char *name;
		void (*change)(struct bed *bed);
		bool aside; /* is the old one kept? */
	} rows[] = {
		{"garbage", garbage, true},
		{"empty", empty, true},
		{"cut", cut, true},
		{"of another version", of_another_version, true},
		{"without its table", without_table, true},
		{"deleted", deleted, false},
		{"deleted, its log left", deleted_with_its_log_left, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bed bed;
		open_bed(&bed);
		CU_ASSERT(key_cache_store(bed.cache, &here, NOW, STR("{}")));
		key_cache_close(&bed.cache);
		rows[i].change(&bed);
		bed.cache = open_cache(bed.folder.path);
		UNIT_ROW(look(&bed, &here, 0).fetched == 0, rows[i].name);
		UNIT_ROW(key_cache_claim(bed.cache, &here, NOW, COOLDOWN) == KEY_CLAIM_GRANTED, rows[i].name);
		UNIT_ROW(folder_has(&bed.folder, "keys.db.damaged") == rows[i].aside, rows[i].name);
		close_bed(&bed);
	}
}

/* While it is open: noticed within a second of looking, without a restart. */
static void comes_back(void)
{
	struct bed bed;
	open_bed(&bed);
	CU_ASSERT(key_cache_store(bed.cache, &here, NOW, STR("{}")));
	change(&bed, "DROP TABLE source");
	struct key_cache_row row;
	UNIT_ROW(!key_cache_read(bed.cache, &here, 0, bed.arena, &row), "no table: a failure");
	UNIT_ROW(look(&bed, &here, 0).fetched == 0, "then a new file");
	CU_ASSERT(key_cache_store(bed.cache, &here, NOW, STR("{}")));
	UNIT_ROW(look(&bed, &here, 0).fetched == NOW, "that works");
	close_bed(&bed);
}

/* Another process has it open: it is not set aside under its feet. */
static void is_left_to_others(void)
{
	struct bed bed;
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct key_cache *second = NULL;
	open_bed(&bed);
	change(&bed, "DROP TABLE source");
	CU_ASSERT(!key_cache_open(bed.folder.path, &second, &why));
	CU_ASSERT(!folder_has(&bed.folder, "keys.db.damaged"));
	close_bed(&bed);
}

static void needs_a_folder(void)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct key_cache *cache = NULL;
	CU_ASSERT(!key_cache_open("/nonexistent", &cache, &why) && !cache);
	CU_ASSERT(why.n > 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"keeps texts", keeps_texts},
		{"grants one claim", grants_one_claim},
		{"grants one claim to all processes", grants_one_claim_to_all_processes},
		{"is made anew", is_made_anew},
		{"comes back", comes_back},
		{"is left to others", is_left_to_others},
		{"needs a folder", needs_a_folder},
		{NULL, NULL},
	};
	return unit_main("key cache", cases);
}
