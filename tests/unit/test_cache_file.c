/* SPDX-License-Identifier: Apache-2.0 */
/* What processes of a host keep for each other and may lose: who finds what, until
 * when, how much, who gets a lock; and what is left when the file is damaged or lost. */
#include "store/cache_file.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "unit.h"

enum { HOUR = 3600, PROCESSES = 4, THREADS = 8, ROUNDS = 25 };

static const struct store_key here = {"key-number-one-"}, there = {"key-number-two-"};

struct bed {
	struct folder folder;
	struct arena *arena;
	struct cache_file *cache;
};

static struct cache_file *open_cache(const char *path)
{
	struct cache_file *cache;
	if (!cache_file_open(path, &cache))
		exit(99);
	return cache;
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
	cache_file_close(&bed->cache);
	arena_close(&bed->arena);
	folder_close(&bed->folder);
}

static struct str get(struct bed *bed, const struct store_key *key)
{
	return cache_file_get(bed->cache, key, bed->arena);
}

static struct store_cache_size count(struct bed *bed)
{
	struct store_cache_size size = {-1, -1};
	CU_ASSERT(cache_file_count(bed->cache, &size));
	return size;
}

/* Another thread, or the next process. */
static void open_again(struct bed *bed)
{
	cache_file_close(&bed->cache);
	bed->cache = open_cache(bed->folder.path);
}

static void opens_late(void)
{
	struct bed bed;
	open_bed(&bed);
	CU_ASSERT_EQUAL(folder_count(&bed.folder), 0);
	CU_ASSERT(!get(&bed, &here).p);
	CU_ASSERT(folder_has(&bed.folder, "cache.db"));
	CU_ASSERT_EQUAL(folder_mode(&bed.folder, "cache.db"), 0600);
	close_bed(&bed);
}

static void keeps_values(void)
{
	static const char bytes[] = "a\0'\xff%;\n\"\x80";
	const struct str value = {bytes, sizeof bytes - 1};
	struct bed bed;
	open_bed(&bed);
	CU_ASSERT(cache_file_put(bed.cache, &here, value, HOUR));
	UNIT_STR_EQ(get(&bed, &here), value, "bytes, not text");
	CU_ASSERT(!get(&bed, &there).p);
	CU_ASSERT(cache_file_put(bed.cache, &here, STR("another"), HOUR));
	CU_ASSERT(cache_file_put(bed.cache, &there, STR(""), HOUR));
	open_again(&bed);
	UNIT_STR_EQ(get(&bed, &here), STR("another"), "replaced");
	UNIT_ROW(get(&bed, &there).p && get(&bed, &there).n == 0, "an empty one is one");
	CU_ASSERT_EQUAL(count(&bed).entries, 2);
	CU_ASSERT(cache_file_remove(bed.cache, &here));
	CU_ASSERT(cache_file_remove(bed.cache, &here));
	UNIT_ROW(!get(&bed, &here).p && get(&bed, &there).p, "one removed");
	char text[256];
	struct buf why = buf_over(text, sizeof text);
	CU_ASSERT(cache_file_clear(bed.cache, &why));
	UNIT_ROW(!get(&bed, &there).p && count(&bed).entries == 0, "cleared");
	close_bed(&bed);
}

static void change(struct bed *bed, const char *query)
{
	sqlite3 *db;
	CU_ASSERT_EQUAL(sqlite3_open(folder_file(&bed->folder, "cache.db"), &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, query, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The file's times are moved in place of waiting. */
static void forgets(void)
{
	struct bed bed;
	open_bed(&bed);
	CU_ASSERT(!cache_file_put(bed.cache, &here, STR("x"), 0));
	CU_ASSERT(!cache_file_put(bed.cache, &here, STR("x"), -1));
	CU_ASSERT(cache_file_put(bed.cache, &here, STR("x"), INT64_MAX));
	CU_ASSERT(cache_file_put(bed.cache, &there, STR("x"), 10));
	change(&bed, "UPDATE entry SET expires = expires - 9000 WHERE expires < 9223372036854775807");
	UNIT_ROW(get(&bed, &there).p, "just before its end");
	change(&bed, "UPDATE entry SET expires = expires - 1000 WHERE expires < 9223372036854775807");
	UNIT_ROW(!get(&bed, &there).p, "at its end");
	UNIT_ROW(get(&bed, &here).p, "one without end");
	UNIT_ROW(count(&bed).entries == 1, "is not counted");
	/* A write takes it away. */
	CU_ASSERT(cache_file_put(bed.cache, &here, STR("x"), HOUR));
	change(&bed, "UPDATE entry SET expires = expires + 100000");
	UNIT_ROW(count(&bed).entries == 1, "is gone");
	close_bed(&bed);
}

static struct store_key key_of(uint64_t n)
{
	struct store_key key = {{0}};
	memcpy(key.bytes, &n, sizeof n);
	return key;
}

static void stays_small(void)
{
	enum { VALUES = CACHE_FILE_MAX / STORE_CACHED_MAX + 60 };
	struct bed bed;
	struct stat st;
	char *bytes = calloc(1, STORE_CACHED_MAX + 1);
	open_bed(&bed);
	CU_ASSERT_FATAL(bytes != NULL);
	CU_ASSERT(!cache_file_put(bed.cache, &here, (struct str){bytes, STORE_CACHED_MAX + 1}, HOUR));
	for (uint64_t i = 0; i < VALUES; i++) {
		struct store_key key = key_of(i);
		UNIT_ROW(cache_file_put(bed.cache, &key, (struct str){bytes, STORE_CACHED_MAX}, HOUR), "put");
	}
	struct store_cache_size size = count(&bed);
	UNIT_ROW(size.bytes > CACHE_FILE_MAX / 2, "it is used");
	UNIT_ROW(size.bytes <= CACHE_FILE_MAX + 2 * STORE_CACHED_MAX, "as far as that");
	CU_ASSERT_EQUAL(stat(folder_file(&bed.folder, "cache.db"), &st), 0);
	UNIT_ROW(st.st_size <= CACHE_FILE_MAX + 4 * STORE_CACHED_MAX, "the file too");
	struct store_key first = key_of(0), last = key_of(VALUES - 1);
	UNIT_ROW(!get(&bed, &first).p, "the oldest went");
	UNIT_ROW(get(&bed, &last).n == STORE_CACHED_MAX, "the newest is there");
	free(bytes);
	close_bed(&bed);
}

static void locks(void)
{
	struct bed bed;
	open_bed(&bed);
	struct cache_file *second = open_cache(bed.folder.path);
	CU_ASSERT_EQUAL(cache_file_lock(bed.cache, &here, 60000), STORE_LOCK_GRANTED);
	CU_ASSERT_EQUAL(cache_file_lock(bed.cache, &here, 60000), STORE_LOCK_TAKEN);
	CU_ASSERT_EQUAL(cache_file_lock(second, &here, 60000), STORE_LOCK_TAKEN);
	CU_ASSERT_EQUAL(cache_file_lock(second, &there, 60000), STORE_LOCK_GRANTED);
	cache_file_unlock(second, &here);
	UNIT_ROW(cache_file_lock(second, &here, 60000) == STORE_LOCK_TAKEN, "nobody unlocks for others");
	cache_file_unlock(bed.cache, &here);
	UNIT_ROW(cache_file_lock(second, &here, 60000) == STORE_LOCK_GRANTED, "unlocked");
	change(&bed, "UPDATE lock SET begins = begins - 60000, ends = ends - 60000");
	UNIT_ROW(cache_file_lock(bed.cache, &here, 60000) == STORE_LOCK_GRANTED, "it has ended");
	cache_file_unlock(second, &here);
	UNIT_ROW(cache_file_lock(second, &here, 60000) == STORE_LOCK_TAKEN, "a late unlock is not of the next one's");
	change(&bed, "UPDATE lock SET begins = begins + 90000, ends = ends + 90000");
	UNIT_ROW(cache_file_lock(second, &here, 60000) == STORE_LOCK_GRANTED, "from before the clock was set back");
	cache_file_close(&second);
	close_bed(&bed);
}

static int lock_once(const char *path, unsigned round)
{
	struct store_key key = key_of(round);
	struct cache_file *cache = open_cache(path);
	enum store_lock lock = cache_file_lock(cache, &key, 60000);
	cache_file_close(&cache);
	return (int)lock;
}

static void lets_one_process_in(void)
{
	struct bed bed;
	open_bed(&bed);
	for (unsigned round = 0; round < ROUNDS; round++) {
		pid_t children[PROCESSES];
		unsigned got[3] = {0};
		for (size_t i = 0; i < PROCESSES; i++) {
			children[i] = fork();
			if (children[i] == 0)
				_exit(lock_once(bed.folder.path, round));
		}
		for (size_t i = 0; i < PROCESSES; i++) {
			int status = -1;
			CU_ASSERT_FATAL(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status));
			CU_ASSERT_FATAL(WEXITSTATUS(status) <= STORE_LOCK_FAILED);
			got[WEXITSTATUS(status)]++;
		}
		UNIT_ROW(got[STORE_LOCK_GRANTED] == 1 && got[STORE_LOCK_FAILED] == 0, "one of all processes");
	}
	close_bed(&bed);
}

struct starter {
	const char *path;
	uint64_t number;
	pthread_barrier_t *barrier;
	bool good;
};

static void *start(void *context)
{
	struct starter *s = context;
	struct store_key key = key_of(s->number);
	struct cache_file *cache = open_cache(s->path);
	pthread_barrier_wait(s->barrier);
	/* On a slow disk one waits in vain for the others, and may try again. */
	for (int i = 0; i < 50 && !s->good; i++)
		s->good = cache_file_put(cache, &key, STR("x"), HOUR);
	cache_file_close(&cache);
	return NULL;
}

/* All workers of a new site meet where there is no file yet: none takes away what
 * another has just made, and what each has written is there. */
static void is_made_once(void)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct bed bed;
		struct starter starters[THREADS];
		pthread_t threads[THREADS];
		pthread_barrier_t barrier;
		open_bed(&bed);
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (uint64_t i = 0; i < THREADS; i++) {
			starters[i] = (struct starter){bed.folder.path, i, &barrier, false};
			CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, start, &starters[i]) == 0);
		}
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			UNIT_ROW(starters[i].good, "each can write");
		}
		UNIT_ROW(count(&bed).entries == THREADS, "and loses nothing");
		pthread_barrier_destroy(&barrier);
		close_bed(&bed);
	}
}

static void garbage(struct bed *bed)
{
	folder_write(&bed->folder, "cache.db", STR("no database, and long enough not to be taken for an empty one"));
	chmod(folder_file(&bed->folder, "cache.db"), 0600);
}

static void cut(struct bed *bed)
{
	CU_ASSERT_EQUAL(truncate(folder_file(&bed->folder, "cache.db"), 4096), 0);
}

static void without_table(struct bed *bed)
{
	change(bed, "DROP TABLE entry");
}

static void deleted(struct bed *bed)
{
	unlink(folder_file(&bed->folder, "cache.db"));
}

static void deleted_with_its_log_left(struct bed *bed)
{
	deleted(bed);
	folder_write(&bed->folder, "cache.db-wal", STR("x"));
}

static void is_made_anew(void)
{
	static const struct {
		const char *name;
		void (*change)(struct bed *bed);
	} rows[] = {
		{"garbage", garbage},
		{"cut", cut},
		{"without its table", without_table},
		{"deleted", deleted},
		{"deleted, its log left", deleted_with_its_log_left},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bed bed;
		open_bed(&bed);
		CU_ASSERT(cache_file_put(bed.cache, &here, STR("x"), HOUR));
		cache_file_close(&bed.cache);
		rows[i].change(&bed);
		bed.cache = open_cache(bed.folder.path);
		UNIT_ROW(!get(&bed, &here).p, rows[i].name);
		UNIT_ROW(cache_file_put(bed.cache, &here, STR("y"), HOUR), rows[i].name);
		UNIT_STR_EQ(get(&bed, &here), STR("y"), rows[i].name);
		close_bed(&bed);
	}
}

/* While it is open: it works again a second later, without a restart. */
static void comes_back(void)
{
	struct bed bed;
	open_bed(&bed);
	CU_ASSERT(cache_file_put(bed.cache, &here, STR("x"), HOUR));
	change(&bed, "DROP TABLE entry");
	UNIT_ROW(!get(&bed, &here).p, "no table: nothing is found");
	int64_t end = clock_monotonic_ms() + 10000;
	while (!cache_file_put(bed.cache, &here, STR("y"), HOUR) && clock_monotonic_ms() < end)
		usleep(20000);
	UNIT_STR_EQ(get(&bed, &here), STR("y"), "a new file");
	close_bed(&bed);
}

/* Pages of a large file, which no start looks through, while another thread has it open. */
static void throws_a_damaged_file_away(void)
{
	enum { ENTRIES = 2000, PAGE = 4096, SIZE = 2000 };
	static const char bytes[PAGE] = {1, 2, 3};
	struct bed bed;
	struct stat st;
	open_bed(&bed);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		struct store_key key = key_of(i);
		CU_ASSERT_FATAL(cache_file_put(bed.cache, &key, (struct str){bytes, SIZE}, HOUR));
	}
	cache_file_close(&bed.cache);
	CU_ASSERT_FATAL(stat(folder_file(&bed.folder, "cache.db"), &st) == 0 && st.st_size > 1 << 20);
	/* All but what says which tables there are. */
	FILE *file = fopen(folder_file(&bed.folder, "cache.db"), "r+");
	CU_ASSERT_FATAL(file && fseek(file, PAGE, SEEK_SET) == 0);
	for (off_t at = PAGE; at < st.st_size; at += PAGE)
		CU_ASSERT_FATAL(fwrite(bytes, PAGE, 1, file) == 1);
	CU_ASSERT_FATAL(fclose(file) == 0);
	bed.cache = open_cache(bed.folder.path);
	struct cache_file *second = open_cache(bed.folder.path);
	struct store_key key = key_of(1);
	UNIT_ROW(!get(&bed, &key).p && !cache_file_get(second, &key, bed.arena).p, "nothing is found");
	int64_t end = clock_monotonic_ms() + 10000;
	while ((!cache_file_put(bed.cache, &here, STR("y"), HOUR) || !cache_file_get(second, &here, bed.arena).p) &&
	       clock_monotonic_ms() < end)
		usleep(20000);
	UNIT_STR_EQ(cache_file_get(second, &here, bed.arena), STR("y"), "both use a new file");
	cache_file_close(&second);
	close_bed(&bed);
}

static void fails_without_harm(void)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct arena *arena;
	struct store_cache_size size;
	struct cache_file *cache = open_cache("/nonexistent");
	CU_ASSERT_FATAL(arena_open(1 << 16, &arena));
	CU_ASSERT(!cache_file_get(cache, &here, arena).p);
	CU_ASSERT(!cache_file_put(cache, &here, STR("x"), HOUR));
	CU_ASSERT(!cache_file_remove(cache, &here));
	CU_ASSERT_EQUAL(cache_file_lock(cache, &here, 1000), STORE_LOCK_FAILED);
	cache_file_unlock(cache, &here);
	CU_ASSERT(!cache_file_count(cache, &size));
	CU_ASSERT(!cache_file_clear(cache, &why) && why.n > 0);
	cache_file_close(&cache);
	arena_close(&arena);
}

/* Through the store's one question: only what was asked for, and nothing for a token that is revoked. */
static void answers_with_the_store(void)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct bed bed;
	struct store *store;
	struct store_thread *thread = NULL;
	const struct store_driver *driver = store_drivers[0];
	for (size_t i = 0; store_drivers[i]; i++)
		if (str_eq(str_of(store_drivers[i]->name), STR("embedded")))
			driver = store_drivers[i];
	open_bed(&bed);
	struct store_settings settings = {.state_dir = bed.folder.path};
	CU_ASSERT_FATAL(driver->open(&settings, &store, &why) && driver->thread_open(store, &thread));
	struct store_question question = {.token = key_of(7), .user = key_of(8), .cached = here, .arena = bed.arena};
	struct store_answer answer = {.cached = STR("not asked")};
	CU_ASSERT_EQUAL(driver->ask(thread, &question, &answer), ERR_NONE);
	UNIT_ROW(!answer.cached.p && !folder_has(&bed.folder, "cache.db"), "not asked for: not opened");
	CU_ASSERT(driver->cache_put(thread, &here, STR("profile"), HOUR));
	CU_ASSERT_EQUAL(driver->ask(thread, &question, &answer), ERR_NONE);
	UNIT_ROW(!answer.cached.p, "not asked for");
	question.has_cached = true;
	CU_ASSERT_EQUAL(driver->ask(thread, &question, &answer), ERR_NONE);
	UNIT_STR_EQ(answer.cached, STR("profile"), "asked for");
	struct store_entry entry = {.key = question.token, .expires = INT64_MAX};
	CU_ASSERT_EQUAL(driver->add(thread, &entry), ERR_NONE);
	CU_ASSERT_EQUAL(driver->ask(thread, &question, &answer), ERR_NONE);
	UNIT_ROW(answer.revoked && !answer.cached.p, "revoked");
	driver->thread_close(&thread);
	driver->close(&store);
	close_bed(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"opens late", opens_late},
		{"keeps values", keeps_values},
		{"forgets", forgets},
		{"stays small", stays_small},
		{"locks", locks},
		{"lets one process in", lets_one_process_in},
		{"is made once", is_made_once},
		{"is made anew", is_made_anew},
		{"comes back", comes_back},
		{"throws a damaged file away", throws_a_damaged_file_away},
		{"fails without harm", fails_without_harm},
		{"answers with the store", answers_with_the_store},
		{NULL, NULL},
	};
	return unit_main("cache file", cases);
}
