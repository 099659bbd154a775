/* SPDX-License-Identifier: Apache-2.0 */
/* Cached values and locks on two real servers. Threats L8, L14. */
#include "store/memcache_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "real_memcached.h"
#include "unit.h"

enum { SERVERS = 2, THREADS = 8, ROUNDS = 30 };

struct bed {
	struct folder folder;
	struct real_memcached servers[SERVERS];
	struct str addresses[SERVERS];
	struct memcache_space space;
	struct memcache_ring *ring;
	struct arena *arena;
};

/* A thread's view. */
struct view {
	struct memcache *servers[SERVERS];
	struct memcache_cache cache;
};

static void open_bed(struct bed *bed, const char *const *options)
{
	folder_open(&bed->folder);
	for (size_t i = 0; i < SERVERS; i++) {
		real_memcached_start(&bed->servers[i], bed->folder.path, i == 0 ? "a" : "b", options);
		bed->addresses[i] = str_of(bed->servers[i].address);
	}
	memcache_space_of(STR("test"), &bed->space);
	if (!memcache_ring_open(bed->addresses, SERVERS, &bed->ring) || !arena_open(4 << 20, &bed->arena))
		exit(99);
}

static void close_bed(struct bed *bed)
{
	memcache_ring_close(&bed->ring);
	arena_close(&bed->arena);
	for (size_t i = 0; i < SERVERS; i++)
		real_memcached_kill(&bed->servers[i]);
	folder_close(&bed->folder);
}

static void open_view(struct bed *bed, struct view *view, const char *owner)
{
	for (size_t i = 0; i < SERVERS; i++)
		if (!memcache_open(bed->addresses[i], 2000, &view->servers[i]))
			exit(99);
	view->cache = (struct memcache_cache){.servers = view->servers,
					      .addresses = bed->addresses,
					      .n = SERVERS,
					      .ring = bed->ring,
					      .space = &bed->space,
					      .owner = str_of(owner)};
}

static void close_view(struct view *view)
{
	for (size_t i = 0; i < SERVERS; i++)
		memcache_close(&view->servers[i]);
}

static struct store_key key_of(unsigned n)
{
	struct store_key key = {{0}};
	memcpy(key.bytes, &n, sizeof n);
	key.bytes[15] = 1;
	return key;
}

static void keeps_values(void)
{
	struct bed bed;
	struct view view;
	size_t on[SERVERS] = {0};
	open_bed(&bed, NULL);
	open_view(&bed, &view, "me");
	for (unsigned i = 0; i < 200; i++) {
		struct store_key key = key_of(i);
		char text[20];
		int n = snprintf(text, sizeof text, "value %u", i);
		struct memcache_key name;
		size_t at = memcache_cache_find(&view.cache, &key, &name);
		CU_ASSERT(at < SERVERS);
		on[at]++;
		CU_ASSERT(!memcache_cache_get(&view.cache, &key, bed.arena).p);
		CU_ASSERT(memcache_cache_put(&view.cache, &key, (struct str){text, (size_t)n}, 100));
		UNIT_STR_EQ(memcache_cache_get(&view.cache, &key, bed.arena), str_of(text), text);
		/* What a caller does that asks for more than this at once. */
		struct memcache_item item = {memcache_key_text(&name), STR_NONE, 0};
		struct str found = STR_NONE;
		CU_ASSERT(memcache_get(view.servers[at], bed.arena, &item, 1, false) == MEMCACHE_OK);
		CU_ASSERT(memcache_value_is_text(item.value, &name, &found));
		UNIT_STR_EQ(found, str_of(text), text);
	}
	for (size_t i = 0; i < SERVERS; i++) {
		UNIT_ROW(on[i] > 40, "evenly");
		UNIT_ROW(real_memcached_count(&bed.servers[i], "curr_items") == on[i], "where the ring says");
	}
	struct store_key key = key_of(3);
	CU_ASSERT(memcache_cache_put(&view.cache, &key, STR(""), 1));
	struct str empty = memcache_cache_get(&view.cache, &key, bed.arena);
	CU_ASSERT(empty.p && empty.n == 0);
	CU_ASSERT(memcache_cache_remove(&view.cache, &key));
	CU_ASSERT(memcache_cache_remove(&view.cache, &key));
	CU_ASSERT(!memcache_cache_get(&view.cache, &key, bed.arena).p);
	CU_ASSERT(!memcache_cache_put(&view.cache, &key, STR("x"), 0));
	CU_ASSERT(!memcache_cache_put(&view.cache, &key, STR("x"), -5));
	CU_ASSERT(memcache_cache_put(&view.cache, &key, STR("x"), INT64_MAX));
	UNIT_STR_EQ(memcache_cache_get(&view.cache, &key, bed.arena), STR("x"), "for long");
	close_view(&view);
	close_bed(&bed);
}

static void values_have_a_size(void)
{
	static char large[STORE_CACHED_MAX + 1];
	struct store_key key = key_of(1);
	struct bed bed;
	struct view view;
	open_bed(&bed, NULL);
	open_view(&bed, &view, "me");
	memset(large, 'x', sizeof large);
	CU_ASSERT(memcache_cache_put(&view.cache, &key, (struct str){large, STORE_CACHED_MAX}, 100));
	CU_ASSERT(memcache_cache_get(&view.cache, &key, bed.arena).n == STORE_CACHED_MAX);
	CU_ASSERT(!memcache_cache_put(&view.cache, &key, (struct str){large, sizeof large}, 100));
	close_view(&view);
	close_bed(&bed);
}

/* What stands under the right key and names another is not the answer. */
static void wrong_values_are_absent(void)
{
	struct bed bed;
	struct view view;
	struct store_key mine = key_of(1), theirs = key_of(2);
	struct memcache_key name, other;
	char memory[100];
	struct buf value = buf_over(memory, sizeof memory);
	open_bed(&bed, NULL);
	open_view(&bed, &view, "me");
	size_t at = memcache_cache_find(&view.cache, &mine, &name);
	memcache_cache_find(&view.cache, &theirs, &other);
	memcache_value_text(&value, &other, STR("theirs"));
	const struct str wrong[] = {buf_str(&value), STR(""), STR("mine")};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		CU_ASSERT(memcache_put(view.servers[at], MEMCACHE_SET, memcache_key_text(&name), wrong[i], 0) ==
			  MEMCACHE_OK);
		CU_ASSERT(!memcache_cache_get(&view.cache, &mine, bed.arena).p);
	}
	close_view(&view);
	close_bed(&bed);
}

/* How many items each slab class of the servers has. */
static void count_items(struct bed *bed, struct buf *out)
{
	for (size_t i = 0; i < SERVERS; i++) {
		char memory[8192];
		struct buf answer = buf_over(memory, sizeof memory);
		real_memcached_say(&bed->servers[i], "stats items\r\n", &answer);
		struct str rest = buf_str(&answer), line;
		while (str_split(&rest, '\n', &line))
			if (memmem(line.p, line.n, ":number ", 8))
				buf_add(out, line);
		buf_char(out, '\n');
	}
}

/* Sites that share servers, and keys made of bytes that would be commands: what
 * they write is one item each, and nothing else changes. */
static void nobody_is_touched(void)
{
	static const char *const hostile[] = {"\r\nset p 0 0 1\r\n", "               ",
					      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
					      "\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\xf0\x9f\x92"};
	struct bed bed;
	struct view view, site;
	struct memcache_space space;
	char before[2000], during[2000], after[2000];
	struct buf had = buf_over(before, sizeof before), has = buf_over(after, sizeof after);
	open_bed(&bed, NULL);
	open_view(&bed, &view, "me");
	open_view(&bed, &site, "me");
	memcache_space_of(STR("other site\r\n"), &space);
	site.cache.space = &space;
	for (unsigned i = 0; i < 4; i++) {
		struct store_key key = key_of(i);
		CU_ASSERT(memcache_cache_put(&view.cache, &key, STR("kept"), 100));
	}
	count_items(&bed, &had);
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		struct store_key bytes;
		struct buf now = buf_over(during, sizeof during);
		memcpy(bytes.bytes, hostile[i], sizeof bytes.bytes);
		CU_ASSERT(memcache_cache_put(&site.cache, &bytes, STR("mine"), 100));
		CU_ASSERT(memcache_cache_lock(&site.cache, &bytes, 100000) == STORE_LOCK_GRANTED);
		UNIT_STR_EQ(memcache_cache_get(&site.cache, &bytes, bed.arena), STR("mine"), "own");
		CU_ASSERT(!memcache_cache_get(&view.cache, &bytes, bed.arena).p);
		CU_ASSERT(real_memcached_count(&bed.servers[0], "curr_items") +
				  real_memcached_count(&bed.servers[1], "curr_items") ==
			  4 + 2);
		count_items(&bed, &now);
		CU_ASSERT(!str_eq(buf_str(&now), buf_str(&had)));
		CU_ASSERT(memcache_cache_remove(&site.cache, &bytes));
		memcache_cache_unlock(&site.cache, &bytes);
		memcache_cache_unlock(&site.cache, &bytes); /* looks: then what has expired is counted no more */
	}
	count_items(&bed, &has);
	UNIT_STR_EQ(buf_str(&has), buf_str(&had), "stats items");
	for (unsigned i = 0; i < 4; i++) {
		struct store_key key = key_of(i);
		UNIT_STR_EQ(memcache_cache_get(&view.cache, &key, bed.arena), STR("kept"), "still there");
	}
	close_view(&site);
	close_view(&view);
	close_bed(&bed);
}

static void locks_are_owned(void)
{
	struct bed bed;
	struct view mine, theirs;
	struct store_key key = key_of(1);
	open_bed(&bed, NULL);
	open_view(&bed, &mine, "me");
	open_view(&bed, &theirs, "they");
	CU_ASSERT(memcache_cache_lock(&mine.cache, &key, 100000) == STORE_LOCK_GRANTED);
	CU_ASSERT(memcache_cache_lock(&mine.cache, &key, 100000) == STORE_LOCK_TAKEN);
	CU_ASSERT(memcache_cache_lock(&theirs.cache, &key, 100000) == STORE_LOCK_TAKEN);
	memcache_cache_unlock(&theirs.cache, &key);
	CU_ASSERT(memcache_cache_lock(&theirs.cache, &key, 100000) == STORE_LOCK_TAKEN);
	memcache_cache_unlock(&mine.cache, &key);
	CU_ASSERT(memcache_cache_lock(&theirs.cache, &key, 100000) == STORE_LOCK_GRANTED);
	memcache_cache_unlock(&mine.cache, &key);
	CU_ASSERT(memcache_cache_lock(&mine.cache, &key, 100000) == STORE_LOCK_TAKEN);
	memcache_cache_unlock(&theirs.cache, &key);
	memcache_cache_unlock(&theirs.cache, &key);
	/* A lock and a cached value do not meet. */
	CU_ASSERT(memcache_cache_lock(&mine.cache, &key, 100000) == STORE_LOCK_GRANTED);
	CU_ASSERT(!memcache_cache_get(&mine.cache, &key, bed.arena).p);
	for (size_t i = 0; i < SERVERS; i++)
		real_memcached_kill(&bed.servers[i]);
	CU_ASSERT(memcache_cache_lock(&theirs.cache, &key, 100000) == STORE_LOCK_FAILED);
	memcache_cache_unlock(&mine.cache, &key);
	CU_ASSERT(!memcache_cache_remove(&mine.cache, &key));
	CU_ASSERT(!memcache_cache_put(&mine.cache, &key, STR("v"), 10));
	CU_ASSERT(!memcache_cache_get(&mine.cache, &key, bed.arena).p);
	close_view(&theirs);
	close_view(&mine);
	close_bed(&bed);
}

/* They hold for their time at least, and end. */
static void locks_end(void)
{
	struct bed bed;
	struct view mine, theirs;
	struct store_key key = key_of(1);
	enum store_lock lock = STORE_LOCK_TAKEN;
	open_bed(&bed, NULL);
	open_view(&bed, &mine, "me");
	open_view(&bed, &theirs, "they");
	int64_t begin = clock_monotonic_ms();
	CU_ASSERT(memcache_cache_lock(&mine.cache, &key, 300) == STORE_LOCK_GRANTED);
	while (lock == STORE_LOCK_TAKEN && clock_monotonic_ms() - begin < 20000) {
		lock = memcache_cache_lock(&theirs.cache, &key, 100000);
		usleep(10000);
	}
	CU_ASSERT(lock == STORE_LOCK_GRANTED);
	CU_ASSERT(clock_monotonic_ms() - begin >= 300);
	memcache_cache_unlock(&mine.cache, &key);
	CU_ASSERT(memcache_cache_lock(&mine.cache, &key, 100000) == STORE_LOCK_TAKEN);
	close_view(&theirs);
	close_view(&mine);
	close_bed(&bed);
}

struct contest {
	struct bed *bed;
	pthread_barrier_t start;
	atomic_int winners[ROUNDS], losers;
};

static void *compete(void *context)
{
	struct contest *contest = context;
	struct view view;
	char owner[40];
	snprintf(owner, sizeof owner, "%p", (void *)&view);
	open_view(contest->bed, &view, owner);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct store_key key = key_of(round);
		pthread_barrier_wait(&contest->start);
		enum store_lock lock = memcache_cache_lock(&view.cache, &key, 100000);
		if (lock == STORE_LOCK_GRANTED)
			atomic_fetch_add(&contest->winners[round], 1);
		else if (lock == STORE_LOCK_TAKEN)
			atomic_fetch_add(&contest->losers, 1);
	}
	close_view(&view);
	return NULL;
}

static void one_wins(void)
{
	struct bed bed;
	struct contest contest = {.bed = &bed};
	pthread_t threads[THREADS];
	open_bed(&bed, NULL);
	pthread_barrier_init(&contest.start, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, compete, &contest) != 0)
			exit(99);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < ROUNDS; i++)
		CU_ASSERT(atomic_load(&contest.winners[i]) == 1);
	CU_ASSERT(atomic_load(&contest.losers) == (THREADS - 1) * ROUNDS);
	pthread_barrier_destroy(&contest.start);
	close_bed(&bed);
}

static bool clear(struct view *view, const char *says)
{
	char memory[500];
	struct buf why = buf_over(memory, sizeof memory);
	bool good = memcache_cache_clear(&view->cache, &why);
	UNIT_ROW(good ? why.n == 0 : strstr(buf_z(&why), says) != NULL, says);
	return good;
}

static void clears_what_is_a_cache_alone(void)
{
	static const char *const unflushable[] = {"-F", NULL};
	struct bed bed;
	struct view view;
	struct store_key key = key_of(1);
	open_bed(&bed, NULL);
	open_view(&bed, &view, "me");
	CU_ASSERT(memcache_cache_put(&view.cache, &key, STR("v"), 100));
	/* The second server holds revocations: nothing is cleared on the first either. */
	struct memcache_key roster = memcache_key_roster(&bed.space);
	memcache_put(view.servers[1], MEMCACHE_SET, memcache_key_text(&roster), STR("0123456789abcdef"), 0);
	CU_ASSERT(!clear(&view, "name a user instead"));
	UNIT_STR_EQ(memcache_cache_get(&view.cache, &key, bed.arena), STR("v"), "not cleared");
	memcache_delete(view.servers[1], memcache_key_text(&roster));
	CU_ASSERT(clear(&view, ""));
	CU_ASSERT(!memcache_cache_get(&view.cache, &key, bed.arena).p);
	CU_ASSERT(memcache_cache_put(&view.cache, &key, STR("v"), 100));
	real_memcached_kill(&bed.servers[1]);
	CU_ASSERT(!clear(&view, "/b does not answer: "));
	close_view(&view);
	close_bed(&bed);
	open_bed(&bed, unflushable);
	open_view(&bed, &view, "me");
	CU_ASSERT(!clear(&view, "/a was started with -F"));
	close_view(&view);
	close_bed(&bed);
}

/* A server more moves about its share of the keys, and only to itself. */
static void ring_is_stable(void)
{
	const struct str lists[] = {STR("10.0.0.1:11211"), STR("10.0.0.2:11211"), STR("unix:/run/c"),
				    STR("cache:11212")};
	struct memcache_ring *three, *four, *same;
	unsigned moved = 0, shares[4] = {0};
	CU_ASSERT(!memcache_ring_open(lists, 0, &three));
	if (!memcache_ring_open(lists, 3, &three) || !memcache_ring_open(lists, 4, &four) ||
	    !memcache_ring_open(lists, 4, &same))
		exit(99);
	for (unsigned i = 0; i < 10000; i++) {
		char key[20];
		struct str text = {key, (size_t)snprintf(key, sizeof key, "p%u", i)};
		size_t before = memcache_ring_find(three, text), after = memcache_ring_find(four, text);
		CU_ASSERT_FATAL(before < 3 && after < 4);
		CU_ASSERT(memcache_ring_find(same, text) == after);
		CU_ASSERT(after == before || after == 3);
		moved += after != before;
		shares[after]++;
	}
	CU_ASSERT(moved > 1500 && moved < 3500);
	for (size_t i = 0; i < 4; i++)
		UNIT_ROW(shares[i] > 1500 && shares[i] < 3500, lists[i].p);
	memcache_ring_close(&three);
	memcache_ring_close(&four);
	memcache_ring_close(&same);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"keeps values", keeps_values},
		{"values have a size", values_have_a_size},
		{"wrong values are absent", wrong_values_are_absent},
		{"nobody is touched", nobody_is_touched},
		{"locks are owned", locks_are_owned},
		{"locks end", locks_end},
		{"one wins", one_wins},
		{"clears what is a cache alone", clears_what_is_a_cache_alone},
		{"ring is stable", ring_is_stable},
		{NULL, NULL},
	};
	return unit_main("memcache_cache", cases);
}
