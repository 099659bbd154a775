/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of store.h on memcached servers, where all hosts count the same key on the
 * same server. What this host has seen of one is in its own limiter too: a counter is the
 * greater of both (count.h), so that a server that has forgotten everything takes up
 * where this host is, and without an answer this host counts alone. */
#ifndef STORE_MEMCACHE_COUNT_H
#define STORE_MEMCACHE_COUNT_H

#include "store/limiter.h"
#include "store/memcache_cache.h"

/* As count_use and count_left of struct store_driver; arena: for what is read. */
int64_t memcache_count_use(const struct memcache_cache *cache, struct limiter *own, struct arena *arena,
			   const struct store_count *count, int64_t now_ms);
int64_t memcache_count_left(const struct memcache_cache *cache, struct limiter *own, struct arena *arena,
			    const struct store_count *count, int64_t now_ms);
/* ERR_STORE_PARTIAL: on this host alone. */
enum err memcache_count_clear(const struct memcache_cache *cache, struct limiter *own, struct arena *arena,
			      const struct store_count *count, int64_t now_ms);

#endif
