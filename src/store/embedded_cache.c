/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of one host: the cache_* functions of the embedded driver. */
#include "store/cache_file.h"
#include "store/embedded.h"

struct str embedded_cache_get(struct store_thread *thread, const struct store_key *key, struct arena *arena)
{
	return cache_file_get(thread->cache, key, arena);
}

bool embedded_cache_put(struct store_thread *thread, const struct store_key *key, struct str value, int64_t seconds)
{
	return cache_file_put(thread->cache, key, value, seconds);
}

bool embedded_cache_remove(struct store_thread *thread, const struct store_key *key)
{
	return cache_file_remove(thread->cache, key);
}

enum store_lock embedded_cache_lock(struct store_thread *thread, const struct store_key *key, int64_t ms)
{
	return cache_file_lock(thread->cache, key, ms);
}

void embedded_cache_unlock(struct store_thread *thread, const struct store_key *key)
{
	cache_file_unlock(thread->cache, key);
}

bool embedded_cache_clear(struct store_thread *thread, struct buf *why)
{
	return cache_file_clear(thread->cache, why);
}

bool embedded_cache_count(struct store_thread *thread, struct store_cache_size *out)
{
	return cache_file_count(thread->cache, out);
}
