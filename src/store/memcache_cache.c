/* SPDX-License-Identifier: Apache-2.0 */
/* Cached values and locks, one call to one server each. */
#include "store/memcache_cache.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/secret.h"

/* Where a key of that class is. */
static struct memcache *locate(const struct memcache_cache *cache, enum memcache_class class,
			       const struct store_key *key, struct memcache_key *out)
{
	*out = memcache_key_of(cache->space, class, key);
	return cache->servers[memcache_ring_find(cache->ring, memcache_key_text(out))];
}

size_t memcache_cache_find(const struct memcache_cache *cache, const struct store_key *key, struct memcache_key *out)
{
	*out = memcache_key_of(cache->space, MEMCACHE_CACHED, key);
	return memcache_ring_find(cache->ring, memcache_key_text(out));
}

struct str memcache_cache_get(const struct memcache_cache *cache, const struct store_key *key, struct arena *arena)
{
	struct memcache_key name;
	struct memcache *server = locate(cache, MEMCACHE_CACHED, key, &name);
	struct memcache_item item = {memcache_key_text(&name), STR_NONE, 0};
	struct str text = STR_NONE;
	if (memcache_get(server, arena, &item, 1, false) == MEMCACHE_OK && item.value.p)
		memcache_value_is_text(item.value, &name, &text);
	return text;
}

bool memcache_cache_put(const struct memcache_cache *cache, const struct store_key *key, struct str value,
			int64_t seconds)
{
	struct memcache_key name;
	struct memcache *server = locate(cache, MEMCACHE_CACHED, key, &name);
	if (value.n > STORE_CACHED_MAX || seconds <= 0)
		return false;
	size_t size = MEMCACHE_TEXT_EXTRA + value.n;
	char *memory = malloc(size);
	if (!memory)
		return false;
	struct buf text = buf_over(memory, size);
	memcache_value_text(&text, &name, value);
	int64_t expires;
	/* memcache_put() lets a value last a little longer than it is told. */
	if (__builtin_add_overflow(clock_now(), seconds > 1 ? seconds - 1 : 1, &expires))
		expires = INT64_MAX;
	bool stored = memcache_put(server, MEMCACHE_SET, memcache_key_text(&name), buf_str(&text), expires) ==
		      MEMCACHE_OK;
	secret_wipe(memory, size);
	free(memory);
	return stored;
}

bool memcache_cache_remove(const struct memcache_cache *cache, const struct store_key *key)
{
	struct memcache_key name;
	struct memcache *server = locate(cache, MEMCACHE_CACHED, key, &name);
	enum memcache_result result = memcache_delete(server, memcache_key_text(&name));
	return result == MEMCACHE_OK || result == MEMCACHE_REFUSED;
}

enum store_lock memcache_cache_lock(const struct memcache_cache *cache, const struct store_key *key, int64_t ms)
{
	struct memcache_key name;
	struct memcache *server = locate(cache, MEMCACHE_LOCK, key, &name);
	char memory[256];
	struct buf text = buf_over(memory, sizeof memory);
	memcache_value_text(&text, &name, cache->owner);
	int64_t expires = (clock_now_ms() + ms + 999) / 1000;
	switch (memcache_put(server, MEMCACHE_ADD, memcache_key_text(&name), buf_str(&text), expires)) {
	case MEMCACHE_OK:
		return STORE_LOCK_GRANTED;
	case MEMCACHE_REFUSED:
		return STORE_LOCK_TAKEN;
	default:
		return STORE_LOCK_FAILED;
	}
}

void memcache_cache_unlock(const struct memcache_cache *cache, const struct store_key *key)
{
	struct memcache_key name;
	struct memcache *server = locate(cache, MEMCACHE_LOCK, key, &name);
	struct memcache_item item = {memcache_key_text(&name), STR_NONE, 0};
	struct str owner;
	struct arena *arena;
	if (!arena_open(512, &arena))
		return;
	if (memcache_get(server, arena, &item, 1, true) == MEMCACHE_OK && item.value.p &&
	    memcache_value_is_text(item.value, &name, &owner) && str_eq(owner, cache->owner))
		memcache_release(server, item.key, item.cas);
	arena_close(&arena);
}

/* Every server that holds revocations has the list of the hosts. */
static bool may_clear(const struct memcache_cache *cache, size_t i, struct arena *arena, struct buf *why)
{
	struct memcache_key roster = memcache_key_roster(cache->space);
	struct memcache_item item = {memcache_key_text(&roster), STR_NONE, 0};
	enum memcache_result result = memcache_get(cache->servers[i], arena, &item, 1, false);
	if (result == MEMCACHE_FAILED) {
		buf_printf(why, "%.*s does not answer: ", STR_ARGS(cache->addresses[i]));
		memcache_explain(cache->servers[i], why);
		return false;
	}
	if (result != MEMCACHE_OK || item.value.p) {
		buf_printf(why, "%.*s holds revocations too, which would be forgotten: name a user instead,"
			   " or give the cache servers of its own (memcached-cache)",
			   STR_ARGS(cache->addresses[i]));
		return false;
	}
	return true;
}

bool memcache_cache_clear(const struct memcache_cache *cache, struct buf *why)
{
	struct arena *arena;
	if (!arena_open(64 << 10, &arena)) {
		buf_add(why, STR("no memory"));
		return false;
	}
	bool good = true;
	for (size_t i = 0; good && i < cache->n; i++)
		good = may_clear(cache, i, arena, why);
	for (size_t i = 0; good && i < cache->n; i++) {
		enum memcache_result result = memcache_clear(cache->servers[i]);
		good = result == MEMCACHE_OK;
		if (result == MEMCACHE_REFUSED)
			buf_printf(why, "%.*s was started with -F and forgets nothing: name a user instead",
				   STR_ARGS(cache->addresses[i]));
		else if (!good)
			buf_printf(why, "%.*s does not answer", STR_ARGS(cache->addresses[i]));
	}
	arena_close(&arena);
	return good;
}
