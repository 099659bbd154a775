/* SPDX-License-Identifier: Apache-2.0 */
/* What one look-up in a store costs, and what one entry takes on disk:
 * store [-m HOST:PORT] [ENTRIES …], by default 1000 100000 1000000. The store is made
 * in a new folder below $TMPDIR and removed again. With -m it is that of many hosts:
 * memcached, which has to be empty, is filled from the folder, by its link. */
#include "store/store.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { ROUND_ASKS = 20000, ROUNDS = 5, PATH_SIZE = 512, FILL_SECONDS = 600, LOOK_AGAIN_US = 10000 };

static const char user[] = "0b7e2c1a-5f7d-4c39-9d0e-8a4f5b6c7d8e", note[] = "logout";

/* splitmix64: the same keys in each run, spread like digests. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static struct store_key key_of(uint64_t n)
{
	struct store_key key;
	uint64_t halves[2] = {mix(2 * n), mix(2 * n + 1)};
	memcpy(key.bytes, halves, sizeof key.bytes);
	return key;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench/store: %s: %s\n", what, why);
	exit(1);
}

static const struct store_driver *driver_named(const char *name)
{
	const struct store_driver *found = NULL;
	for (size_t i = 0; store_drivers[i]; i++)
		if (strcmp(store_drivers[i]->name, name) == 0)
			found = store_drivers[i];
	if (!found)
		fail(name, "was not built");
	return found;
}

static void run_sql(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(sql, sqlite3_errmsg(db));
}

/* In one transaction: adding each durably would take minutes. */
static void fill(const char *path, uint64_t entries, bool texts)
{
	sqlite3 *db;
	sqlite3_stmt *insert;
	if (sqlite3_open(path, &db) != SQLITE_OK)
		fail(path, sqlite3_errmsg(db));
	run_sql(db, "PRAGMA synchronous=OFF; PRAGMA cache_size=-2000000; BEGIN");
	const char *row = texts ? "INSERT INTO detail (k, user, note) VALUES (?1, ?2, ?3)"
				: "INSERT INTO revoked (k, exp, created, kind) VALUES (?1, ?2, ?3, 0)";
	if (sqlite3_prepare_v2(db, row, -1, &insert, NULL) != SQLITE_OK)
		fail(row, sqlite3_errmsg(db));
	for (uint64_t i = 0; i < entries; i++) {
		struct store_key key = key_of(i);
		sqlite3_bind_blob(insert, 1, key.bytes, sizeof key.bytes, SQLITE_STATIC);
		if (texts) {
			sqlite3_bind_text(insert, 2, user, -1, SQLITE_STATIC);
			sqlite3_bind_text(insert, 3, note, -1, SQLITE_STATIC);
		} else {
			/* Tokens of eight hours, revoked at some moment of their life. */
			sqlite3_bind_int64(insert, 2, 1900000000 + (int64_t)(mix(i) % 28800));
			sqlite3_bind_int64(insert, 3, 1900000000);
		}
		if (sqlite3_step(insert) != SQLITE_DONE)
			fail("insert", sqlite3_errmsg(db));
		sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	run_sql(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
	sqlite3_close(db);
}

static double size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Median over the rounds of the nanoseconds an ask takes. */
static double measure(const struct store_driver *driver, struct store_thread *thread, uint64_t entries, bool hit)
{
	double rounds[ROUNDS];
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t begin = clock_monotonic_us();
		for (uint64_t i = 0; i < ROUND_ASKS; i++) {
			uint64_t n = mix(i * ROUNDS + round) % entries;
			struct store_question question = {.token = key_of(hit ? n : n + entries), .user = key_of(~n),
							  .session = key_of(~n - entries), .has_session = true};
			struct store_answer answer;
			if (driver->ask(thread, &question, &answer) != ERR_NONE)
				fail("ask", "no answer");
			if (answer.revoked != hit)
				fail("ask", "wrong answer");
		}
		rounds[round] = (double)(clock_monotonic_us() - begin) * 1000 / ROUND_ASKS;
	}
	qsort(rounds, ROUNDS, sizeof *rounds, compare);
	return rounds[ROUNDS / 2];
}

static void remove_files(const char *folder)
{
	char path[PATH_SIZE];
	DIR *open = opendir(folder);
	for (struct dirent *e; open && (e = readdir(open));) {
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		unlink(path);
	}
	if (open)
		closedir(open);
	rmdir(folder);
}

/* Until the servers have all of the file and their answers count. Of what is revoked here
 * they are not asked. */
static void wait_until_filled(const struct store_driver *driver, struct store_thread *thread)
{
	int64_t deadline = clock_monotonic_ms() + FILL_SECONDS * 1000;
	struct store_question question = {.token = key_of(~(uint64_t)0), .user = key_of(~(uint64_t)1)};
	struct store_answer answer;
	while (driver->ask(thread, &question, &answer) != ERR_NONE) {
		if (clock_monotonic_ms() > deadline)
			fail("memcached", "its answers do not count");
		usleep(LOOK_AGAIN_US);
	}
}

static void run(const struct store_driver *driver, const struct conf_list *servers, uint64_t entries)
{
	char folder[PATH_SIZE / 2], path[PATH_SIZE], memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	const char *below = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/fcgi-auth-bench-XXXXXX", below ? below : "/tmp");
	if (!mkdtemp(folder))
		fail("mkdtemp", folder);
	struct store_settings settings = {.state_dir = folder, .servers = servers, .timeout_ms = 500,
					  .namespace = STR("bench"), .host_timeout_ms = 600000, .lasting = servers};
	struct store *store;
	struct store_thread *thread = NULL;
	if (!driver_named("embedded")->open(&(struct store_settings){.state_dir = folder}, &store, &why))
		fail("open", buf_z(&why));
	driver_named("embedded")->close(&store);
	snprintf(path, sizeof path, "%s/revocations.db", folder);
	fill(path, entries, false);
	double bare = size_of(path) / (double)entries;
	if (!driver->open(&settings, &store, &why) || !driver->thread_open(store, &thread))
		fail("open", buf_z(&why));
	wait_until_filled(driver, thread);
	double hit = measure(driver, thread, entries, true), miss = measure(driver, thread, entries, false);
	driver->thread_close(&thread);
	driver->close(&store);
	fill(path, entries, true);
	printf("%10llu %12.0f %12.0f %14.1f %14.1f\n", (unsigned long long)entries, hit, miss, bare,
	       size_of(path) / (double)entries);
	fflush(stdout);
	remove_files(folder);
}

int main(int argc, char **argv)
{
	static const uint64_t defaults[] = {1000, 100000, 1000000};
	struct conf_text server = {0};
	struct conf_list servers = {&server, 1};
	bool many = argc > 2 && strcmp(argv[1], "-m") == 0;
	int first = many ? 3 : 1;
	if (many)
		server.value = str_of(argv[2]);
	const struct store_driver *driver = driver_named(many ? "memcached" : "embedded");
	printf("%10s %12s %12s %14s %14s\n", "entries", "ns/ask hit", "ns/ask miss", "bytes/entry", "with texts");
	for (int i = first; i < argc; i++) {
		uint64_t entries;
		if (!str_to_uint(str_of(argv[i]), 100000000, &entries) || entries == 0)
			fail(argv[i], "is no number of entries");
		run(driver, many ? &servers : NULL, entries);
	}
	for (size_t i = 0; argc == first && i < sizeof defaults / sizeof *defaults; i++)
		run(driver, many ? &servers : NULL, defaults[i]);
	return 0;
}
