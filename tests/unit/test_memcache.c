/* SPDX-License-Identifier: Apache-2.0 */
/* What a real memcached is told, keeps and answers. Threats F3, F4, L14. */
#include "store/memcache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "real_memcached.h"
#include "unit.h"

enum { TIMEOUT_MS = 2000, DAY = 24 * 3600, NEVER = -1 };

struct bed {
	struct folder folder;
	struct real_memcached server;
	struct memcache *memcache;
	struct arena *arena;
};

static void open_bed(struct bed *bed, const char *const *options)
{
	folder_open(&bed->folder);
	real_memcached_start(&bed->server, bed->folder.path, "m", options);
	if (!memcache_open(str_of(bed->server.address), TIMEOUT_MS, &bed->memcache) ||
	    !arena_open(4 << 20, &bed->arena))
		exit(99);
}

static void close_bed(struct bed *bed)
{
	memcache_close(&bed->memcache);
	arena_close(&bed->arena);
	real_memcached_kill(&bed->server);
	folder_close(&bed->folder);
}

/* What the server has for the key; with cas: what to swap it by. */
static struct str look(struct bed *bed, struct str key, uint64_t *cas)
{
	struct memcache_item item = {key, STR("not asked"), 7};
	enum memcache_result result = memcache_get(bed->memcache, bed->arena, &item, 1, cas != NULL);
	UNIT_ROW(result == MEMCACHE_OK, "get");
	if (cas)
		*cas = item.cas;
	return item.value;
}

static void writes_and_reads(void)
{
	struct bed bed;
	struct str k = STR("k");
	int64_t later = clock_now() + 1000;
	uint64_t cas = 0, old;
	open_bed(&bed, NULL);
	CU_ASSERT(!look(&bed, k, NULL).p);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_REPLACE, k, STR("0"), later) == MEMCACHE_REFUSED);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_ADD, k, STR("one"), later) == MEMCACHE_OK);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_ADD, k, STR("two"), later) == MEMCACHE_REFUSED);
	UNIT_STR_EQ(look(&bed, k, NULL), STR("one"), "added");
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, k, STR("two"), later) == MEMCACHE_OK);
	UNIT_STR_EQ(look(&bed, k, &cas), STR("two"), "set");
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_REPLACE, k, STR("three"), later) == MEMCACHE_OK);
	old = cas;
	UNIT_STR_EQ(look(&bed, k, &cas), STR("three"), "replaced");
	CU_ASSERT(cas != 0 && cas != old);
	CU_ASSERT(memcache_swap(bed.memcache, k, STR("x"), later, old) == MEMCACHE_REFUSED);
	CU_ASSERT(memcache_swap(bed.memcache, k, STR("x"), later, 0) == MEMCACHE_FAILED);
	CU_ASSERT(memcache_swap(bed.memcache, k, STR("four"), later, cas) == MEMCACHE_OK);
	UNIT_STR_EQ(look(&bed, k, NULL), STR("four"), "swapped");
	CU_ASSERT(memcache_delete(bed.memcache, k) == MEMCACHE_OK);
	CU_ASSERT(memcache_delete(bed.memcache, k) == MEMCACHE_REFUSED);
	CU_ASSERT(memcache_swap(bed.memcache, k, STR("five"), later, cas) == MEMCACHE_REFUSED);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, k, STR_NONE, later) == MEMCACHE_OK);
	struct str empty = look(&bed, k, &cas);
	CU_ASSERT(empty.p && empty.n == 0);
	CU_ASSERT(memcache_release(bed.memcache, k, cas + 1) == MEMCACHE_REFUSED);
	CU_ASSERT(look(&bed, k, NULL).p != NULL);
	CU_ASSERT(memcache_release(bed.memcache, k, 0) == MEMCACHE_FAILED);
	CU_ASSERT(memcache_release(bed.memcache, k, cas) == MEMCACHE_OK);
	CU_ASSERT(!look(&bed, k, NULL).p);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_ADD, k, STR("six"), later) == MEMCACHE_OK);
	CU_ASSERT(memcache_clear(bed.memcache) == MEMCACHE_OK);
	CU_ASSERT(!look(&bed, k, NULL).p);
	CU_ASSERT(real_memcached_count(&bed.server, "total_connections") <= 5);
	close_bed(&bed);
}

static void asks_for_many(void)
{
	struct bed bed;
	struct memcache_item items[MEMCACHE_ASKED_MAX + 1];
	char keys[MEMCACHE_ASKED_MAX + 1][24];
	open_bed(&bed, NULL);
	for (size_t i = 0; i <= MEMCACHE_ASKED_MAX; i++) {
		int n = snprintf(keys[i], sizeof keys[i], "key%zu", i / 2); /* each asked for twice */
		items[i] = (struct memcache_item){{keys[i], (size_t)n}, STR("old"), 1};
		if (i % 4 == 0)
			CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, items[i].key, items[i].key, 0) ==
				  MEMCACHE_OK);
	}
	CU_ASSERT(memcache_get(bed.memcache, bed.arena, items, MEMCACHE_ASKED_MAX, false) == MEMCACHE_OK);
	for (size_t i = 0; i < MEMCACHE_ASKED_MAX; i++)
		UNIT_STR_EQ(items[i].value, i / 2 % 2 == 0 ? items[i].key : STR_NONE, keys[i]);
	CU_ASSERT(memcache_get(bed.memcache, bed.arena, items, MEMCACHE_ASKED_MAX + 1, false) == MEMCACHE_FAILED);
	CU_ASSERT(!items[0].value.p);
	CU_ASSERT(memcache_get(bed.memcache, bed.arena, items, 0, false) == MEMCACHE_FAILED);
	close_bed(&bed);
}

/* A value that the arena has no room for is not passed off as absent. */
static void arena_is_full(void)
{
	struct bed bed;
	struct arena *small;
	static char value[1000];
	struct memcache_item items[] = {{STR("big"), STR_NONE, 0}, {STR("small"), STR_NONE, 0}};
	open_bed(&bed, NULL);
	if (!arena_open(256, &small))
		exit(99);
	memset(value, 'x', sizeof value);
	memcache_put(bed.memcache, MEMCACHE_SET, items[0].key, (struct str){value, sizeof value}, 0);
	memcache_put(bed.memcache, MEMCACHE_SET, items[1].key, STR("y"), 0);
	CU_ASSERT(memcache_get(bed.memcache, small, items, 2, false) == MEMCACHE_FULL);
	CU_ASSERT(!items[0].value.p && !items[1].value.p);
	CU_ASSERT(memcache_get(bed.memcache, small, items + 1, 1, false) == MEMCACHE_OK);
	UNIT_STR_EQ(items[1].value, STR("y"), "the connection goes on");
	CU_ASSERT(real_memcached_count(&bed.server, "total_connections") <= 4);
	arena_close(&small);
	close_bed(&bed);
}

static void bad_keys_reach_no_server(void)
{
	static char longest[MEMCACHE_KEY_MAX], longer[251];
	memset(longest, 'x', sizeof longest);
	memset(longer, 'x', sizeof longer);
	const struct str keys[] = {{"", 0}, {"a b", 3}, {"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"\x7f", 1},
				   {"\xc3\xa4", 2}, {"x\r\nset pwned 0 0 3\r\nyes\r\nget x", 31},
				   {longer, MEMCACHE_KEY_MAX + 1}, {longer, sizeof longer}};
	struct bed bed;
	open_bed(&bed, NULL);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, (struct str){longest, sizeof longest}, STR("v"), 0) ==
		  MEMCACHE_OK);
	uint64_t sets = real_memcached_count(&bed.server, "cmd_set");
	uint64_t gets = real_memcached_count(&bed.server, "cmd_get");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct memcache_item items[] = {{STR("fine"), STR_NONE, 0}, {keys[i], STR_NONE, 0}};
		UNIT_ROW(memcache_put(bed.memcache, MEMCACHE_SET, keys[i], STR("v"), 0) == MEMCACHE_FAILED, keys[i].p);
		UNIT_ROW(memcache_swap(bed.memcache, keys[i], STR("v"), 0, 1) == MEMCACHE_FAILED, keys[i].p);
		UNIT_ROW(memcache_release(bed.memcache, keys[i], 1) == MEMCACHE_FAILED, keys[i].p);
		UNIT_ROW(memcache_delete(bed.memcache, keys[i]) == MEMCACHE_FAILED, keys[i].p);
		UNIT_ROW(memcache_get(bed.memcache, bed.arena, items, 2, false) == MEMCACHE_FAILED, keys[i].p);
	}
	CU_ASSERT(real_memcached_count(&bed.server, "cmd_set") == sets);
	CU_ASSERT(real_memcached_count(&bed.server, "cmd_get") == gets);
	CU_ASSERT(real_memcached_count(&bed.server, "curr_items") == 1);
	CU_ASSERT(memcache_is_ready(bed.memcache));
	close_bed(&bed);
}

static void server_is_full(void)
{
	static const char *const options[] = {"-M", "-m", "1", "-I", "512k", NULL};
	static char value[10000];
	struct bed bed;
	enum memcache_result result = MEMCACHE_OK;
	int stored = 0;
	open_bed(&bed, options);
	for (; result == MEMCACHE_OK && stored < 1000; stored++) {
		char key[16];
		int n = snprintf(key, sizeof key, "k%d", stored);
		result = memcache_put(bed.memcache, MEMCACHE_ADD, (struct str){key, (size_t)n},
				      (struct str){value, sizeof value}, 0);
	}
	CU_ASSERT(result == MEMCACHE_FULL && stored > 1);
	CU_ASSERT(memcache_is_ready(bed.memcache));
	CU_ASSERT(look(&bed, STR("k0"), NULL).n == sizeof value);
	CU_ASSERT(real_memcached_count(&bed.server, "evictions") == 0);
	close_bed(&bed);
}

static void value_is_too_large(void)
{
	static const char *const options[] = {"-I", "512k", NULL};
	static char value[MEMCACHE_VALUE_MAX + 1];
	struct str k = STR("k");
	struct bed bed;
	open_bed(&bed, options);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, k, (struct str){value, MEMCACHE_VALUE_MAX}, 0) ==
		  MEMCACHE_FULL);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, k, STR("v"), 0) == MEMCACHE_OK);
	UNIT_STR_EQ(look(&bed, k, NULL), STR("v"), "goes on");
	uint64_t sets = real_memcached_count(&bed.server, "cmd_set");
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, k, (struct str){value, sizeof value}, 0) == MEMCACHE_FULL);
	CU_ASSERT(real_memcached_count(&bed.server, "cmd_set") == sets);
	UNIT_STR_EQ(look(&bed, k, NULL), STR("v"), "was not asked");
	close_bed(&bed);
}

static void large_values_come_whole(void)
{
	static char value[MEMCACHE_VALUE_MAX];
	struct bed bed;
	open_bed(&bed, NULL);
	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (char)(i * 31 + i / 256);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("k"), (struct str){value, sizeof value}, 0) ==
		  MEMCACHE_OK);
	CU_ASSERT(str_eq(look(&bed, STR("k"), NULL), (struct str){value, sizeof value}));
	close_bed(&bed);
}

/* Seconds that the server will keep the key, 0 when it has none; NEVER: it keeps it. */
static int64_t left_of(struct bed *bed, const char *key)
{
	char memory[1024], line[64];
	struct buf answer = buf_over(memory, sizeof memory);
	snprintf(line, sizeof line, "mg %s t\r\n", key);
	real_memcached_say(&bed->server, line, &answer);
	if (str_eq(buf_str(&answer), STR("HD t-1\r\n")))
		return NEVER;
	uint64_t left = 0;
	if (str_starts(buf_str(&answer), STR("HD t")))
		str_to_uint((struct str){answer.p + 4, answer.n - 6}, INT64_MAX, &left);
	return (int64_t)left;
}

static void expiry_is_kept(void)
{
	static const struct {
		const char *key;
		int64_t after; /* seconds from now */
		int64_t at;    /* or since 1970 */
	} rows[] = {
		{"seconds", 100, 0},
		{"days29", 29 * DAY, 0},
		{"days30less", 30 * DAY - 2, 0},
		{"days30", 30 * DAY, 0},
		{"days30more", 30 * DAY + 2, 0},
		{"days31", 31 * DAY, 0},
		{"days400", 400 * DAY, 0},
		{"last", 0, INT32_MAX - 10},
		{"after2038", 0, INT64_C(1) << 31},
		{"after2106", 0, (INT64_C(1) << 32) + 9},
		{"endless", 0, INT64_C(9000000000000000000)},
		{"greatest", 0, INT64_MAX},
	};
	struct bed bed;
	open_bed(&bed, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct str key = str_of(rows[i].key);
		int64_t begin = clock_now(), expires = rows[i].at ? rows[i].at : begin + rows[i].after;
		UNIT_ROW(memcache_put(bed.memcache, MEMCACHE_SET, key, STR("v"), expires) == MEMCACHE_OK, key.p);
		UNIT_STR_EQ(look(&bed, key, NULL), STR("v"), rows[i].key);
		int64_t left = left_of(&bed, rows[i].key);
		/* Its clock ticks each second, and this test may have been held up. */
		UNIT_ROW(expires > INT32_MAX ? left == NEVER
					     : left >= expires - clock_now() - 1 && left <= expires - begin + 3,
			 rows[i].key);
	}
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("never"), STR("v"), 0) == MEMCACHE_OK);
	CU_ASSERT(left_of(&bed, "never") == NEVER);
	close_bed(&bed);
}

static void what_is_over_is_not_written(void)
{
	const int64_t past[] = {clock_now(), clock_now() - 1, 1, -1, INT64_MIN};
	struct bed bed;
	open_bed(&bed, NULL);
	for (size_t i = 0; i < sizeof past / sizeof past[0]; i++) {
		CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("k"), STR("v"), past[i]) == MEMCACHE_OK);
		CU_ASSERT(!look(&bed, STR("k"), NULL).p);
	}
	CU_ASSERT(real_memcached_count(&bed.server, "cmd_set") == 0);
	close_bed(&bed);
}

/* A value is there until its time at least, and ends. */
static void values_end(void)
{
	struct bed bed;
	open_bed(&bed, NULL);
	int64_t expires = clock_now() + 1, deadline = clock_monotonic_ms() + 20000;
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("k"), STR("v"), expires) == MEMCACHE_OK);
	bool there = true;
	while (there && clock_monotonic_ms() < deadline) {
		there = look(&bed, STR("k"), NULL).p != NULL;
		arena_reset(bed.arena);
		if (clock_now() < expires)
			UNIT_ROW(there, "ended early");
		usleep(10000);
	}
	CU_ASSERT(!there);
	close_bed(&bed);
}

/* What is judged by a clock that was set is written so that it lasts as long. */
static void frozen_clock(void)
{
	struct bed bed;
	open_bed(&bed, NULL);
	clock_set(1000000);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("short"), STR("v"), 1000100) == MEMCACHE_OK);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("long"), STR("v"), 1000000 + 60 * DAY) == MEMCACHE_OK);
	clock_set(-1);
	int64_t left = left_of(&bed, "short");
	CU_ASSERT(left > 50 && left <= 103);
	left = left_of(&bed, "long");
	CU_ASSERT(left > 60 * DAY - 50 && left <= 60 * DAY + 3);
	close_bed(&bed);
}

static void tells_of_the_server(void)
{
	static const char *const options[] = {"-M", "-F", "-C", NULL};
	struct bed bed;
	struct str text = STR_NONE;
	uint64_t cas = 1;
	open_bed(&bed, options);
	CU_ASSERT(memcache_statistic(bed.memcache, bed.arena, STR("settings"), STR("evictions"), &text) == MEMCACHE_OK);
	UNIT_STR_EQ(text, STR("off"), "evictions");
	CU_ASSERT(memcache_statistic(bed.memcache, bed.arena, STR("settings"), STR("cas_enabled"), &text) ==
		  MEMCACHE_OK);
	UNIT_STR_EQ(text, STR("no"), "cas_enabled");
	CU_ASSERT(memcache_statistic(bed.memcache, bed.arena, STR(""), STR("curr_items"), &text) == MEMCACHE_OK);
	UNIT_STR_EQ(text, STR("0"), "curr_items");
	CU_ASSERT(memcache_statistic(bed.memcache, bed.arena, STR(""), STR("curr"), &text) == MEMCACHE_REFUSED);
	UNIT_STR_EQ(text, STR("0"), "written on success only");
	CU_ASSERT(memcache_clear(bed.memcache) == MEMCACHE_REFUSED);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("k"), STR("v"), 0) == MEMCACHE_OK);
	UNIT_STR_EQ(look(&bed, STR("k"), &cas), STR("v"), "without cas");
	CU_ASSERT(cas == 0);
	CU_ASSERT(strcmp(memcache_library(), "1.1.4") >= 0);
	close_bed(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"writes and reads", writes_and_reads},
		{"asks for many", asks_for_many},
		{"arena is full", arena_is_full},
		{"bad keys reach no server", bad_keys_reach_no_server},
		{"server is full", server_is_full},
		{"value is too large", value_is_too_large},
		{"large values come whole", large_values_come_whole},
		{"expiry is kept", expiry_is_kept},
		{"what is over is not written", what_is_over_is_not_written},
		{"values end", values_end},
		{"frozen clock", frozen_clock},
		{"tells of the server", tells_of_the_server},
		{NULL, NULL},
	};
	return unit_main("memcache", cases);
}
