/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of two hosts on real servers: exact together, whatever comes at once, and
 * never less than a host has seen itself. Threat L13. */
#include "store/memcache_count.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "folder.h"
#include "real_memcached.h"
#include "unit.h"

#define NOW INT64_C(1800000000000)

enum { HOSTS = 2, THREADS = 4, ROUNDS = 40 };

struct bed {
	struct folder folder, states[HOSTS];
	struct real_memcached server;
	struct str address;
	struct memcache_space space;
	struct memcache_ring *ring;
};

/* A thread of a host. */
struct host {
	struct memcache *server;
	struct memcache_cache cache;
	struct limiter *own;
	struct arena *arena;
};

static const struct limiter_rate rate = {10, 60000, false}, lock = {5, 900000, true};

static void open_bed(struct bed *bed, const char *const *options)
{
	folder_open(&bed->folder);
	for (size_t i = 0; i < HOSTS; i++)
		folder_open(&bed->states[i]);
	real_memcached_start(&bed->server, bed->folder.path, "a", options);
	bed->address = str_of(bed->server.address);
	memcache_space_of(STR("test"), &bed->space);
	if (!memcache_ring_open(&bed->address, 1, &bed->ring))
		exit(99);
}

static void close_bed(struct bed *bed)
{
	memcache_ring_close(&bed->ring);
	real_memcached_kill(&bed->server);
	for (size_t i = 0; i < HOSTS; i++)
		folder_close(&bed->states[i]);
	folder_close(&bed->folder);
}

static void open_host(struct bed *bed, size_t number, struct host *host)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct limiter_settings settings = {bed->states[number].path, "test", 1000};
	if (!memcache_open(bed->address, 500, &host->server) || !arena_open(16 << 10, &host->arena) ||
	    !limiter_open(&settings, &host->own, &why))
		exit(99);
	host->cache = (struct memcache_cache){.servers = &host->server,
					      .addresses = &bed->address,
					      .n = 1,
					      .ring = bed->ring,
					      .space = &bed->space};
}

static void close_host(struct host *host)
{
	limiter_close(&host->own);
	arena_close(&host->arena);
	memcache_close(&host->server);
}

static struct store_count count_of(unsigned number, const struct limiter_rate *by)
{
	struct store_count count = {.rate = *by};
	/* A hash, as all keys are. */
	uint64_t words[2] = {(number + 1) * 0x9e3779b97f4a7c15u, (number + 7) * 0xbf58476d1ce4e5b9u};
	memcpy(count.key.bytes, words, sizeof words);
	return count;
}

static unsigned use(struct host *host, const struct store_count *count, unsigned times, int64_t now)
{
	unsigned allowed = 0;
	for (unsigned i = 0; i < times; i++)
		allowed += memcache_count_use(&host->cache, host->own, host->arena, count, now) == 0;
	return allowed;
}

static int64_t left(struct host *host, const struct store_count *count, int64_t now)
{
	return memcache_count_left(&host->cache, host->own, host->arena, count, now);
}

static enum err clear(struct host *host, const struct store_count *count, int64_t now)
{
	return memcache_count_clear(&host->cache, host->own, host->arena, count, now);
}

static void hosts_together(void)
{
	struct bed bed;
	struct host a, b;
	struct store_count many = count_of(1, &rate), failures = count_of(2, &lock);
	open_bed(&bed, NULL);
	open_host(&bed, 0, &a);
	open_host(&bed, 1, &b);
	CU_ASSERT_EQUAL(use(&a, &many, 6, NOW), 6);
	UNIT_ROW(use(&b, &many, 9, NOW + 1000) == 4, "what one host has counted the other knows");
	CU_ASSERT_EQUAL(left(&a, &many, NOW + 1000), 59000);
	UNIT_ROW(use(&b, &many, 20, NOW + 60000) == 10, "the next window");
	CU_ASSERT_EQUAL(use(&a, &many, 20, NOW + 60000), 0);
	CU_ASSERT_EQUAL(use(&a, &failures, 4, NOW), 4);
	CU_ASSERT_EQUAL(use(&b, &failures, 3, NOW + 5000), 1);
	UNIT_ROW(left(&a, &failures, NOW + 5000) == 900000, "a lock by one host locks the other for all of its time");
	CU_ASSERT_EQUAL(clear(&b, &failures, NOW + 6000), ERR_NONE);
	UNIT_ROW(left(&a, &failures, NOW + 6000) == 0, "and what one clears is cleared");
	UNIT_ROW(use(&a, &failures, 3, NOW + 6000) == 3 && use(&b, &failures, 9, NOW + 6000) == 2, "to count anew");
	close_host(&a);
	close_host(&b);
	close_bed(&bed);
}

static void server_forgets(void)
{
	struct bed bed;
	struct host a, b;
	struct store_count failures = count_of(1, &lock), locked = count_of(2, &lock);
	open_bed(&bed, NULL);
	open_host(&bed, 0, &a);
	open_host(&bed, 1, &b);
	CU_ASSERT_EQUAL(use(&a, &failures, 3, NOW), 3);
	CU_ASSERT_EQUAL(use(&a, &locked, 5, NOW), 5);
	CU_ASSERT(left(&b, &locked, NOW) > 0);
	real_memcached_kill(&bed.server);
	real_memcached_restart(&bed.server);
	UNIT_ROW(left(&a, &locked, NOW) > 0 && left(&b, &locked, NOW) > 0, "whoever has seen a lock keeps it");
	UNIT_ROW(use(&a, &failures, 9, NOW) == 2, "a host goes on counting where it was");
	UNIT_ROW(left(&b, &failures, NOW) > 0, "and tells the others");
	close_host(&a);
	close_host(&b);
	close_bed(&bed);
}

static void server_is_away(void)
{
	struct bed bed;
	struct host a;
	struct store_count many = count_of(1, &rate), locked = count_of(2, &lock);
	open_bed(&bed, NULL);
	open_host(&bed, 0, &a);
	CU_ASSERT_EQUAL(use(&a, &many, 4, NOW), 4);
	real_memcached_kill(&bed.server);
	UNIT_ROW(use(&a, &many, 20, NOW) == 6, "alone a host goes on counting");
	CU_ASSERT_EQUAL(use(&a, &locked, 20, NOW), 5);
	CU_ASSERT_EQUAL(left(&a, &locked, NOW), 900000);
	UNIT_ROW(clear(&a, &locked, NOW) == ERR_STORE_PARTIAL, "the others cannot be told");
	CU_ASSERT_EQUAL(left(&a, &locked, NOW), 0);
	close_host(&a);
	close_bed(&bed);
}

/* One that says nothing holds nobody up for long: it is left alone for a while. */
static void server_hangs(void)
{
	struct bed bed;
	struct host a;
	struct store_count many = count_of(1, &rate);
	open_bed(&bed, NULL);
	open_host(&bed, 0, &a);
	CU_ASSERT_EQUAL(use(&a, &many, 4, NOW), 4);
	memcache_close(&a.server);
	CU_ASSERT_FATAL(memcache_open(bed.address, 20, &a.server));
	real_memcached_stop(&bed.server);
	UNIT_ROW(use(&a, &many, 20, NOW) == 6, "a host goes on with what it has seen");
	UNIT_ROW(!memcache_is_ready(a.server), "and asks no more");
	real_memcached_go_on(&bed.server);
	close_host(&a);
	close_bed(&bed);
}

/* Anyone who reaches the server may write there: that must not end a program, nor lock anybody out for ever. */
static void server_has_nonsense(void)
{
	static const char *const values[] = {"", "x", "-1", "18446744073709551615", "99999999999999999999"};
	struct bed bed;
	struct host a;
	char line[128], memory[256];
	open_bed(&bed, NULL);
	open_host(&bed, 0, &a);
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
		struct store_count many = count_of(i, &rate);
		struct memcache_key key = memcache_key_of(&bed.space, MEMCACHE_COUNT, &many.key);
		struct buf answer = buf_over(memory, sizeof memory);
		snprintf(line, sizeof line, "set %.*s 0 0 %zu\r\n%s\r\n", STR_ARGS(memcache_key_text(&key)),
			 strlen(values[i]), values[i]);
		real_memcached_say(&bed.server, line, &answer);
		CU_ASSERT(str_starts(buf_str(&answer), STR("STORED")));
		UNIT_ROW(use(&a, &many, 20, NOW) == 10, values[i]);
	}
	close_host(&a);
	close_bed(&bed);
}

/* Many at once ---------------------------------------------------------------- */

struct crowd {
	struct bed *bed;
	pthread_barrier_t start;
	_Atomic unsigned allowed_failures, allowed_many;
};

struct member {
	struct crowd *crowd;
	size_t host;
};

static void *push(void *context)
{
	struct member *member = context;
	struct crowd *crowd = member->crowd;
	struct host host;
	open_host(crowd->bed, member->host, &host);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct store_count failures = count_of(1000 + round, &lock), many = count_of(2000 + round, &rate);
		pthread_barrier_wait(&crowd->start);
		atomic_fetch_add(&crowd->allowed_failures, use(&host, &failures, 5, NOW));
		atomic_fetch_add(&crowd->allowed_many, use(&host, &many, 10, NOW));
	}
	close_host(&host);
	return NULL;
}

static void crowd_on(const char *const *options)
{
	struct bed bed;
	struct crowd crowd = {.bed = &bed};
	struct member members[HOSTS * THREADS];
	pthread_t threads[HOSTS * THREADS];
	open_bed(&bed, options);
	pthread_barrier_init(&crowd.start, NULL, HOSTS * THREADS);
	for (size_t i = 0; i < HOSTS * THREADS; i++) {
		members[i] = (struct member){&crowd, i % HOSTS};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, push, &members[i]), 0);
	}
	for (size_t i = 0; i < HOSTS * THREADS; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(crowd.allowed_failures, ROUNDS * 5);
	CU_ASSERT_EQUAL(crowd.allowed_many, ROUNDS * 10);
	pthread_barrier_destroy(&crowd.start);
	close_bed(&bed);
}

static void exact_at_once(void)
{
	static const char *const without_cas[] = {"-C", NULL};
	crowd_on(NULL);
	crowd_on(without_cas);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"hosts count together", hosts_together},
		{"a server forgets", server_forgets},
		{"a server is away", server_is_away},
		{"a server hangs", server_hangs},
		{"a server has nonsense", server_has_nonsense},
		{"exact at once", exact_at_once},
		{NULL, NULL},
	};
	return unit_main("memcache_count", cases);
}
