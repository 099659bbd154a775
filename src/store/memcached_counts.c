/* SPDX-License-Identifier: Apache-2.0 */
/* Counting for all hosts, on the servers of the cache. */
#include "base/clock.h"
#include "store/memcache_count.h"
#include "store/memcached.h"

int64_t memcached_count_use(struct store_thread *thread, const struct store_count *count)
{
	struct limiter *own = counters_find(thread->store->counters, count->of);
	return own ? memcache_count_use(&thread->cache, own, thread->arena, count, clock_unfrozen_ms())
		   : STORE_COUNT_FAILED;
}

int64_t memcached_count_left(struct store_thread *thread, const struct store_count *count)
{
	struct limiter *own = counters_find(thread->store->counters, count->of);
	return own ? memcache_count_left(&thread->cache, own, thread->arena, count, clock_unfrozen_ms())
		   : STORE_COUNT_FAILED;
}

enum err memcached_count_clear(struct store_thread *thread, const struct store_count *count)
{
	struct limiter *own = counters_find(thread->store->counters, count->of);
	return own ? memcache_count_clear(&thread->cache, own, thread->arena, count, clock_unfrozen_ms()) : ERR_STORE;
}
