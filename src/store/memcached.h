/* SPDX-License-Identifier: Apache-2.0 */
/* The store of many hosts from within: what the files of the driver share. */
#ifndef STORE_MEMCACHED_H
#define STORE_MEMCACHED_H

#include "store/counters.h"
#include "store/farm_link.h"
#include "store/journal.h"
#include "store/memcache.h"
#include "store/memcache_cache.h"

extern const struct store_driver store_embedded;

struct store {
	struct store *local; /* the embedded one */
	struct farm *farm;
	struct farm_link *link; /* of lasting programs */
	struct counters *counters; /* what this host knows of them */
	bool local_on_failure;
	int64_t timeout_ms;
	/* The cache's servers; index in farm->addresses, or FARM_SERVERS_MAX for one of its own. */
	struct str cache_addresses[FARM_SERVERS_MAX];
	size_t cache_index[FARM_SERVERS_MAX];
	size_t cache_servers;
	struct memcache_ring *ring;
};

struct store_thread {
	struct store *store;
	struct store_thread *local;
	struct arena *arena; /* for what a call reads */
	struct memcache *servers[FARM_SERVERS_MAX];
	struct memcache *cache_handles[FARM_SERVERS_MAX]; /* those of servers[] where they are the same */
	struct memcache_cache cache;
	char owner[24];
	struct journal_item item;
	int64_t until; /* monotonic: when the question under way must be answered */
};

/* memcached_ask.c */
enum err memcached_ask(struct store_thread *thread, const struct store_question *question,
		       struct store_answer *out);
enum err memcached_record_get(struct store_thread *thread, const struct store_key *key, struct arena *arena,
			      struct str *out);

/* memcached_write.c */
/* The key was changed here and is durable: put it on every server. ERR_NONE: no host
 * answers by what was before; ERR_STORE_PARTIAL: that cannot be promised. */
enum err memcached_tell(struct store_thread *thread, const struct store_key *key, int kind);
/* Delete it on every server; the same results. *was_there is set when one had it. */
enum err memcached_untell(struct store_thread *thread, const struct store_key *key, int kind, bool *was_there);

/* memcached_counts.c: the count_* functions. */
int64_t memcached_count_use(struct store_thread *thread, const struct store_count *count);
int64_t memcached_count_left(struct store_thread *thread, const struct store_count *count);
enum err memcached_count_clear(struct store_thread *thread, const struct store_count *count);

/* memcached_describe.c */
void memcached_describe(struct store_thread *thread, bool (*each)(void *context, struct str line), void *context);

#endif
