/* SPDX-License-Identifier: Apache-2.0 */
/* 64 users at once, timeouts shorter than the server needs at times, the server stopped
 * and killed at random: nobody gets another's value. Threat L8. By hand, for more:
 * STORM_READS=1000000 STORM_SEED=… test_memcache_storm. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "folder.h"
#include "real_memcached.h"
#include "store/memcache.h"
#include "unit.h"

enum { THREADS = 64, SERVERS = 2, KEYS = 500, ASKED = 3, VALUE_MAX = 20000, READS = 30000, PATIENCE_MS = 600000 };

struct storm {
	struct real_memcached servers[SERVERS];
	unsigned long reads_wanted;
	atomic_ulong reads, hits, failures, wrong;
	atomic_bool over;
};

struct user {
	struct storm *storm;
	unsigned seed;
	struct memcache *memcache[SERVERS];
	struct arena *arena;
	char value[VALUE_MAX + 100];
};

static unsigned pick(unsigned *seed, unsigned below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* What the key has: nothing of it fits another key. */
static struct str value_of(unsigned key, size_t server, char *memory)
{
	int n = snprintf(memory, 100, "user %u of server %zu: ", key, server);
	size_t size = (size_t)n + key * 7919 % VALUE_MAX;
	memset(memory + n, 'a' + (int)(key % 26), size - (size_t)n);
	return (struct str){memory, size};
}

static struct memcache *open_again(struct user *user, size_t server, struct memcache *old)
{
	memcache_close(&old);
	struct memcache *memcache;
	if (!memcache_open(str_of(user->storm->servers[server].address), 2 + pick(&user->seed, 30), &memcache))
		exit(99);
	return memcache;
}

static void judge(struct user *user, const struct memcache_item *item, unsigned key, size_t server)
{
	if (!item->value.p)
		return;
	atomic_fetch_add(&user->storm->hits, 1);
	if (str_eq(item->value, value_of(key, server, user->value)))
		return;
	atomic_fetch_add(&user->storm->wrong, 1);
	fprintf(stderr, "wrong: asked for user %u of server %zu, got %.60s\n", key, server, item->value.p);
}

static void read_some(struct user *user, size_t server, bool in_halves)
{
	struct memcache_item items[ASKED];
	char names[ASKED][16];
	unsigned keys[ASKED];
	struct memcache *memcache = user->memcache[server];
	for (size_t i = 0; i < ASKED; i++) {
		keys[i] = pick(&user->seed, KEYS);
		int n = snprintf(names[i], sizeof names[i], "u%u", keys[i]);
		items[i] = (struct memcache_item){{names[i], (size_t)n}, STR_NONE, 0};
	}
	enum memcache_result result;
	if (in_halves && pick(&user->seed, 8) == 0) {
		/* The answer of a first question is left lying. */
		memcache_get_begin(memcache, items, 1, false);
	}
	result = memcache_get(memcache, user->arena, items, ASKED, in_halves);
	atomic_fetch_add(&user->storm->reads, ASKED);
	if (result != MEMCACHE_OK)
		atomic_fetch_add(&user->storm->failures, ASKED);
	for (size_t i = 0; i < ASKED; i++) {
		judge(user, &items[i], keys[i], server);
		if (result == MEMCACHE_OK && !items[i].value.p)
			memcache_put(memcache, MEMCACHE_SET, items[i].key, value_of(keys[i], server, user->value), 0);
	}
	arena_reset(user->arena);
	if (!memcache_is_ready(memcache))
		user->memcache[server] = open_again(user, server, memcache);
}

static void *use(void *context)
{
	struct user *user = context;
	if (!arena_open(ASKED * (VALUE_MAX + 256) + 4096, &user->arena))
		exit(99);
	for (size_t i = 0; i < SERVERS; i++)
		user->memcache[i] = open_again(user, i, NULL);
	while (!atomic_load(&user->storm->over))
		read_some(user, pick(&user->seed, SERVERS), pick(&user->seed, 2) == 0);
	for (size_t i = 0; i < SERVERS; i++)
		memcache_close(&user->memcache[i]);
	arena_close(&user->arena);
	return NULL;
}

static void rest(unsigned ms)
{
	poll(NULL, 0, (int)ms);
}

static void trouble(struct storm *storm, unsigned *seed)
{
	struct real_memcached *server = &storm->servers[pick(seed, SERVERS)];
	rest(pick(seed, 60));
	if (pick(seed, 10) == 0) {
		real_memcached_restart(server);
		return;
	}
	real_memcached_stop(server);
	rest(pick(seed, 50));
	real_memcached_go_on(server);
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void nobody_gets_anothers_value(void)
{
	static struct user users[THREADS];
	static const char *const options[] = {"-m", "16", NULL};
	struct folder folder;
	struct storm storm = {.reads_wanted = setting("STORM_READS", READS)};
	pthread_t threads[THREADS];
	unsigned seed;
	random_bytes(&seed, sizeof seed);
	seed = (unsigned)setting("STORM_SEED", seed);
	printf("STORM_SEED=%u\n", seed);
	folder_open(&folder);
	real_memcached_start(&storm.servers[0], folder.path, "a", options);
	real_memcached_start(&storm.servers[1], folder.path, "b", options);
	for (size_t i = 0; i < THREADS; i++) {
		users[i] = (struct user){.storm = &storm, .seed = seed + (unsigned)i};
		if (pthread_create(&threads[i], NULL, use, &users[i]) != 0)
			exit(99);
	}
	int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;
	while (atomic_load(&storm.reads) < storm.reads_wanted && clock_monotonic_ms() < deadline)
		trouble(&storm, &seed);
	atomic_store(&storm.over, true);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%lu reads, %lu hits, %lu failed, %lu wrong\n", atomic_load(&storm.reads), atomic_load(&storm.hits),
	       atomic_load(&storm.failures), atomic_load(&storm.wrong));
	CU_ASSERT(atomic_load(&storm.reads) >= storm.reads_wanted);
	CU_ASSERT(atomic_load(&storm.hits) > 0 && atomic_load(&storm.failures) > 0);
	CU_ASSERT(atomic_load(&storm.wrong) == 0);
	for (size_t i = 0; i < SERVERS; i++)
		real_memcached_kill(&storm.servers[i]);
	folder_close(&folder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"nobody gets another's value", nobody_gets_anothers_value},
		{NULL, NULL},
	};
	return unit_main("memcache_storm", cases);
}
