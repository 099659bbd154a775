/* SPDX-License-Identifier: Apache-2.0 */
/* The table behind the tokens that were seen before. free() is wrapped by the
 * linker, to see that what held a value was wiped. */
#include "token/cache.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

enum { ARENA = 1 << 20, NOW = 1000, WAYS = 4, THREADS = 4 };

static struct arena *arena;
static unsigned wiped, left;

void __real_free(void *p);
void __wrap_free(void *p);

static const char secret_text[] = "a secret value";

/* Counts the blocks of a value's size that are given back, by what is in them. */
void __wrap_free(void *p)
{
	static const char zeros[sizeof secret_text];
	if (p && malloc_usable_size(p) >= sizeof secret_text) {
		if (memcmp(p, secret_text, sizeof secret_text) == 0)
			__atomic_add_fetch(&left, 1, __ATOMIC_RELAXED);
		else if (memcmp(p, zeros, sizeof secret_text) == 0)
			__atomic_add_fetch(&wiped, 1, __ATOMIC_RELAXED);
	}
	__real_free(p);
}

static const struct str value = {secret_text, sizeof secret_text};

/* A key in the set of that number, told from others of the set by n. */
struct key {
	unsigned char bytes[DIGEST_SIZE];
};

static struct key key_of(unsigned set, unsigned n)
{
	struct key key = {{(unsigned char)set, (unsigned char)(set >> 8)}};
	memcpy(key.bytes + DIGEST_SIZE - sizeof n, &n, sizeof n);
	return key;
}

static bool finds(struct token_cache *cache, struct key key, struct str want)
{
	struct str got = STR_NONE;
	bool found = cache_find(cache, key.bytes, NOW, arena, &got) && str_eq(got, want);
	arena_reset(arena);
	return found;
}

static struct token_cache *open_cache(void)
{
	struct token_cache *cache = NULL;
	wiped = left = 0;
	CU_ASSERT_FATAL(cache_open(&cache));
	return cache;
}

static void close_cache(struct token_cache *cache)
{
	cache_close(&cache);
	CU_ASSERT_PTR_NULL(cache);
	CU_ASSERT_EQUAL(left, 0);
}

static void values(void)
{
	struct token_cache *cache = open_cache();
	CU_ASSERT_FALSE(finds(cache, key_of(0, 0), STR("")));
	cache_put(cache, key_of(0, 0).bytes, NOW + 1, STR(""));
	cache_put(cache, key_of(0, 1).bytes, NOW + 1, value);
	CU_ASSERT_TRUE(finds(cache, key_of(0, 0), STR("")));
	CU_ASSERT_TRUE(finds(cache, key_of(0, 1), value));
	/* The same again is one entry, with what came last. */
	cache_put(cache, key_of(0, 1).bytes, NOW + 1, STR("another value, longer"));
	CU_ASSERT_TRUE(finds(cache, key_of(0, 1), STR("another value, longer")));
	CU_ASSERT_EQUAL(wiped, 1);
	cache_put(cache, key_of(0, 1).bytes, NOW + 1, value);
	CU_ASSERT_EQUAL(wiped, 2);
	close_cache(cache);
	CU_ASSERT(wiped > 2);
	cache = NULL;
	cache_close(&cache);
}

/* Every byte of the key counts. */
static void no_false_hit(void)
{
	struct token_cache *cache = open_cache();
	struct key key = key_of(7, 7);
	cache_put(cache, key.bytes, NOW + 1, value);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			key.bytes[i] ^= (unsigned char)(1U << bit);
			CU_ASSERT_FALSE(finds(cache, key, value));
			key.bytes[i] ^= (unsigned char)(1U << bit);
		}
	}
	CU_ASSERT_TRUE(finds(cache, key, value));
	close_cache(cache);
}

static void expiry(void)
{
	struct token_cache *cache = open_cache();
	struct str got;
	struct key key = key_of(1, 1);
	cache_put(cache, key.bytes, NOW, value);
	CU_ASSERT_TRUE(cache_find(cache, key.bytes, NOW - 1, arena, &got));
	CU_ASSERT_FALSE(cache_find(cache, key.bytes, NOW, arena, &got));
	CU_ASSERT_EQUAL(wiped, 1);
	/* It is gone, not only hidden: the clock may go back. */
	CU_ASSERT_FALSE(cache_find(cache, key.bytes, NOW - 1, arena, &got));
	cache_put(cache, key.bytes, 0, value);
	cache_put(cache, key.bytes, -1, value);
	CU_ASSERT_FALSE(cache_find(cache, key.bytes, INT64_MIN, arena, &got));
	cache_put(cache, key.bytes, INT64_MAX, value);
	CU_ASSERT_TRUE(cache_find(cache, key.bytes, INT64_MAX - 1, arena, &got));
	close_cache(cache);
}

/* Of a full set the one goes that was not used for the longest time. */
static void eviction(void)
{
	struct token_cache *cache = open_cache();
	for (unsigned i = 0; i < WAYS; i++)
		cache_put(cache, key_of(5, i).bytes, NOW + 1, value);
	CU_ASSERT_TRUE(finds(cache, key_of(5, 0), value));
	cache_put(cache, key_of(5, WAYS).bytes, NOW + 1, value);
	CU_ASSERT_EQUAL(wiped, 1);
	for (unsigned i = 0; i <= WAYS; i++)
		CU_ASSERT_EQUAL(finds(cache, key_of(5, i), value), i != 1);
	close_cache(cache);
}

/* Any number of tokens: so many entries, so many bytes. */
static void bounds(void)
{
	static char large[CACHE_VALUE_MAX + 1];
	struct token_cache *cache = open_cache();
	struct mallinfo2 before = mallinfo2();
	for (unsigned i = 0; i < 4 * CACHE_ENTRIES_MAX; i++)
		cache_put(cache, key_of(i, i).bytes, NOW + 1, (struct str){large, i % CACHE_VALUE_MAX});
	struct mallinfo2 after = mallinfo2();
	CU_ASSERT(after.uordblks <= before.uordblks + CACHE_BYTES_MAX + CACHE_ENTRIES_MAX * 32);
	size_t found = 0;
	for (unsigned i = 0; i < 4 * CACHE_ENTRIES_MAX; i++)
		found += finds(cache, key_of(i, i), (struct str){large, i % CACHE_VALUE_MAX});
	CU_ASSERT(found > 0 && found <= CACHE_ENTRIES_MAX);
	/* The longest that is kept, and one that is longer. */
	cache_put(cache, key_of(9, 1).bytes, NOW + 1, (struct str){large, CACHE_VALUE_MAX});
	CU_ASSERT_TRUE(finds(cache, key_of(9, 1), (struct str){large, CACHE_VALUE_MAX}));
	cache_put(cache, key_of(9, 2).bytes, NOW + 1, (struct str){large, CACHE_VALUE_MAX + 1});
	CU_ASSERT_FALSE(finds(cache, key_of(9, 2), (struct str){large, CACHE_VALUE_MAX + 1}));
	close_cache(cache);
}

/* No room for the copy is no hit. */
static void small_arena(void)
{
	struct token_cache *cache = open_cache();
	struct arena *small;
	struct str got = STR_NONE;
	CU_ASSERT_FATAL(arena_open(0, &small));
	cache_put(cache, key_of(0, 0).bytes, NOW + 1, value);
	CU_ASSERT_FALSE(cache_find(cache, key_of(0, 0).bytes, NOW, small, &got));
	arena_close(&small);
	CU_ASSERT_TRUE(finds(cache, key_of(0, 0), value));
	close_cache(cache);
}

struct client {
	struct token_cache *cache;
	pthread_t thread;
	unsigned number, wrong, hits;
};

/* A value tells of which key it is: another one's would show. */
static void *use(void *argument)
{
	struct client *client = argument;
	struct arena *own;
	if (!arena_open(4096, &own))
		return NULL;
	for (unsigned i = 0; i < 20000; i++) {
		unsigned n = i * (i + client->number) % 23;
		struct key key = key_of(n % 5, n);
		struct str got, want = {(const char *)key.bytes, DIGEST_SIZE};
		if (cache_find(client->cache, key.bytes, NOW + n % 2, own, &got)) {
			client->hits++;
			client->wrong += !str_eq(got, want);
		} else {
			cache_put(client->cache, key.bytes, NOW + 1 + n % 2, want);
		}
		arena_reset(own);
	}
	arena_close(&own);
	return NULL;
}

static void threads(void)
{
	struct token_cache *cache = open_cache();
	struct client clients[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		clients[i] = (struct client){.cache = cache, .number = i};
		CU_ASSERT_FATAL(pthread_create(&clients[i].thread, NULL, use, &clients[i]) == 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(clients[i].thread, NULL);
		CU_ASSERT(clients[i].hits > 0 && clients[i].wrong == 0);
	}
	close_cache(cache);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"values", values},	{"no false hit", no_false_hit}, {"expiry", expiry},
		{"eviction", eviction}, {"bounds", bounds},		{"small arena", small_arena},
		{"threads", threads},	{0},
	};
	if (!arena_open(ARENA, &arena))
		return 1;
	int status = unit_main("cache", cases);
	arena_close(&arena);
	return status;
}
