/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of store.h on memcached servers: a ring tells which server has a key.
 * What another server or another key has never comes out of it, and whatever fails
 * is only not there. Belongs to one thread. */
#ifndef STORE_MEMCACHE_CACHE_H
#define STORE_MEMCACHE_CACHE_H

#include "store/memcache.h"
#include "store/memcache_key.h"

/* All of it the caller's, for as long as the cache is in use. */
struct memcache_cache {
	struct memcache *const *servers; /* the thread's own, by the ring's index */
	const struct str *addresses;	 /* of them */
	size_t n;
	const struct memcache_ring *ring; /* which threads may share */
	const struct memcache_space *space;
	struct str owner; /* of locks: a random text of 64 bytes at most, another for each thread */
};

/* The key that cached things have for `key`, and the index of its server: for a
 * caller that asks for it together with other keys. Of the value that comes back
 * memcache_value_is_text() finds the text. */
size_t memcache_cache_find(const struct memcache_cache *cache, const struct store_key *key,
			   struct memcache_key *out);

/* The operations cache_… of struct store_driver. */
struct str memcache_cache_get(const struct memcache_cache *cache, const struct store_key *key, struct arena *arena);
/* It lasts `seconds` at most (1 may last 3). */
bool memcache_cache_put(const struct memcache_cache *cache, const struct store_key *key, struct str value,
			int64_t seconds);
bool memcache_cache_remove(const struct memcache_cache *cache, const struct store_key *key);
enum store_lock memcache_cache_lock(const struct memcache_cache *cache, const struct store_key *key, int64_t ms);
/* Does nothing when the lock has ended and somebody else has it. On a server that was
 * started with -C locks end by themselves alone. */
void memcache_cache_unlock(const struct memcache_cache *cache, const struct store_key *key);
/* Refused when one of the servers holds revocations: they would be forgotten too. */
bool memcache_cache_clear(const struct memcache_cache *cache, struct buf *why);

#endif
