/* SPDX-License-Identifier: Apache-2.0 */
/* The store of many hosts. What must last is in this host's embedded store, which is
 * asked first; memcached servers carry it to the other hosts and are believed for as
 * long as doc/many-hosts.md says. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "store/memcached.h"

enum { FIRST_TRUST_MS = 1500, STEP_US = 5000, ARENA_SIZE = 16 << 10 };

static void close_store(struct store **store)
{
	struct store *s = *store;
	if (!s)
		return;
	farm_link_close(&s->link);
	memcache_ring_close(&s->ring);
	for (size_t i = 0; i < s->cache_servers; i++)
		if (s->cache_index[i] == FARM_SERVERS_MAX) {
			/* Allocated in open_cache(). */
			union {
				const char *read;
				char *written;
			} text = {s->cache_addresses[i].p};
			free(text.written);
		}
	farm_close(&s->farm);
	counters_close(&s->counters);
	store_embedded.close(&s->local);
	free(s);
	*store = NULL;
}

static size_t find_server(const struct farm *farm, struct str address)
{
	for (size_t i = 0; i < farm->servers; i++)
		if (str_eq(farm->addresses[i], address))
			return i;
	return FARM_SERVERS_MAX;
}

static bool open_cache(struct store *store, const struct conf_list *list, struct buf *why)
{
	const struct farm *farm = store->farm;
	size_t n = list && list->n ? list->n : farm->servers;
	if (n > FARM_SERVERS_MAX) {
		buf_printf(why, "memcached-cache: at most %d servers", FARM_SERVERS_MAX);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		struct str address = n == farm->servers && !(list && list->n) ? farm->addresses[i]
									       : list->items[i].value;
		size_t at = find_server(farm, address);
		if (at == FARM_SERVERS_MAX) {
			char *copy = strndup(address.p, address.n);
			if (!copy) {
				buf_add(why, STR("no memory for the store"));
				return false;
			}
			address.p = copy;
		} else {
			address = farm->addresses[at];
		}
		store->cache_addresses[i] = address;
		store->cache_index[i] = at;
		store->cache_servers++;
	}
	if (memcache_ring_open(store->cache_addresses, n, &store->ring))
		return true;
	buf_add(why, STR("memcached: one of the addresses is not valid"));
	return false;
}

static bool has_trust(struct farm *farm)
{
	for (size_t i = 0; i < farm->servers; i++)
		if (atomic_load(&farm_page(farm)->servers[i].trusted_until) > clock_boot_ms())
			return true;
	return false;
}

/* The first requests should not be answered 503 only because the link is new. */
static void wait_for_trust(struct farm *farm)
{
	int64_t deadline = clock_monotonic_ms() + FIRST_TRUST_MS;
	char memory[64];
	struct buf id = buf_over(memory, sizeof memory);
	while (!has_trust(farm) && clock_monotonic_ms() < deadline)
		usleep(STEP_US);
	farm_id_print(&id, farm->host);
	log_text(has_trust(farm) ? LOG_INFO : LOG_WARNING, "store", "this is host %.*s, with memcached servers: %zu%s",
		 STR_ARGS(buf_str(&id)), farm->servers,
		 has_trust(farm) ? "" : "; no server's answers count yet: authctl check says why");
}

static bool open_store(const struct store_settings *settings, struct store **out, struct buf *why)
{
	struct store *store = calloc(1, sizeof *store);
	if (!store) {
		buf_add(why, STR("no memory for the store"));
		return false;
	}
	store->local_on_failure = settings->local_on_failure;
	store->timeout_ms = settings->timeout_ms;
	if (!counters_open(settings->state_dir, &store->counters)) {
		buf_add(why, STR("no memory for the store"));
		close_store(&store);
		return false;
	}
	if (!store_embedded.open(settings, &store->local, why) || !farm_open(settings, &store->farm, why) ||
	    !open_cache(store, settings->cache_servers, why) ||
	    (settings->lasting && !farm_link_open(store->farm, store->local, &store->link, why))) {
		close_store(&store);
		return false;
	}
	if (settings->lasting)
		wait_for_trust(store->farm);
	*out = store;
	return true;
}

static void close_thread(struct store_thread **thread)
{
	struct store_thread *t = *thread;
	if (!t)
		return;
	for (size_t i = 0; i < t->store->cache_servers; i++)
		if (t->store->cache_index[i] == FARM_SERVERS_MAX && t->cache_handles[i])
			memcache_close(&t->cache_handles[i]);
	for (size_t i = 0; i < t->store->farm->servers; i++)
		if (t->servers[i])
			memcache_close(&t->servers[i]);
	if (t->local)
		store_embedded.thread_close(&t->local);
	arena_close(&t->arena);
	free(t);
	*thread = NULL;
}

static bool open_handles(struct store_thread *t)
{
	struct store *store = t->store;
	bool good = true;
	for (size_t i = 0; good && i < store->farm->servers; i++)
		good = memcache_open(store->farm->addresses[i], store->timeout_ms, &t->servers[i]);
	for (size_t i = 0; good && i < store->cache_servers; i++) {
		if (store->cache_index[i] < FARM_SERVERS_MAX)
			t->cache_handles[i] = t->servers[store->cache_index[i]];
		else
			good = memcache_open(store->cache_addresses[i], store->timeout_ms, &t->cache_handles[i]);
	}
	return good;
}

static bool open_thread(struct store *store, struct store_thread **out)
{
	struct store_thread *t = calloc(1, sizeof *t);
	unsigned char random[8];
	if (!t)
		return false;
	t->store = store;
	if (!store_embedded.thread_open(store->local, &t->local) || !arena_open(ARENA_SIZE, &t->arena) ||
	    !open_handles(t)) {
		close_thread(&t);
		return false;
	}
	struct buf owner = buf_over(t->owner, sizeof t->owner);
	random_bytes(random, sizeof random);
	buf_hex(&owner, random, sizeof random);
	t->cache = (struct memcache_cache){t->cache_handles, store->cache_addresses, store->cache_servers, store->ring,
					   &store->farm->space, buf_str(&owner)};
	*out = t;
	return true;
}

static enum err add(struct store_thread *thread, const struct store_entry *entry)
{
	enum err err = store_embedded.add(thread->local, entry);
	return err ? err : memcached_tell(thread, &entry->key, (int)entry->kind);
}

static enum err remove_entry(struct store_thread *thread, const struct store_key *key, bool *was_there)
{
	bool there;
	enum err err = store_embedded.remove(thread->local, key, &there);
	if (err)
		return err;
	enum err tokens = memcached_untell(thread, key, STORE_TOKEN, &there);
	enum err marks = memcached_untell(thread, key, STORE_USER, &there);
	*was_there = there;
	return tokens ? tokens : marks;
}

static enum err list(struct store_thread *thread, int64_t now,
		     bool (*each)(void *context, const struct store_entry *entry), void *context)
{
	return store_embedded.list(thread->local, now, each, context);
}

static enum err sweep(struct store_thread *thread, int64_t now, unsigned *forgotten)
{
	return store_embedded.sweep(thread->local, now, forgotten);
}

static bool check(struct store_thread *thread, struct buf *why)
{
	return store_embedded.check(thread->local, why);
}

static enum err record_put(struct store_thread *thread, const struct store_key *key, struct str record,
			   int64_t expires)
{
	enum err err = store_embedded.record_put(thread->local, key, record, expires);
	return err ? err : memcached_tell(thread, key, JOURNAL_RECORD);
}

static enum err record_list(struct store_thread *thread,
			    bool (*each)(void *context, const struct store_key *key, struct str record,
					 int64_t expires),
			    void *context)
{
	return store_embedded.record_list(thread->local, each, context);
}

static enum err record_remove(struct store_thread *thread, const struct store_key *key, bool *was_there)
{
	bool there;
	enum err err = store_embedded.record_remove(thread->local, key, &there);
	if (err)
		return err;
	err = memcached_untell(thread, key, JOURNAL_RECORD, &there);
	*was_there = there;
	return err;
}

static struct str cache_get(struct store_thread *thread, const struct store_key *key, struct arena *arena)
{
	return memcache_cache_get(&thread->cache, key, arena);
}

static bool cache_put(struct store_thread *thread, const struct store_key *key, struct str value, int64_t seconds)
{
	return memcache_cache_put(&thread->cache, key, value, seconds);
}

static bool cache_remove(struct store_thread *thread, const struct store_key *key)
{
	return memcache_cache_remove(&thread->cache, key);
}

static enum store_lock cache_lock(struct store_thread *thread, const struct store_key *key, int64_t ms)
{
	return memcache_cache_lock(&thread->cache, key, ms);
}

static void cache_unlock(struct store_thread *thread, const struct store_key *key)
{
	memcache_cache_unlock(&thread->cache, key);
}

static bool cache_clear(struct store_thread *thread, struct buf *why)
{
	return memcache_cache_clear(&thread->cache, why);
}

extern const struct store_driver store_memcached;
const struct store_driver store_memcached = {
	.name = "memcached",
	.open = open_store,
	.close = close_store,
	.thread_open = open_thread,
	.thread_close = close_thread,
	.ask = memcached_ask,
	.add = add,
	.remove = remove_entry,
	.list = list,
	.sweep = sweep,
	.check = check,
	.record_put = record_put,
	.record_get = memcached_record_get,
	.record_list = record_list,
	.record_remove = record_remove,
	.cache_get = cache_get,
	.cache_put = cache_put,
	.cache_remove = cache_remove,
	.cache_lock = cache_lock,
	.cache_unlock = cache_unlock,
	.cache_clear = cache_clear,
	.count_use = memcached_count_use,
	.count_left = memcached_count_left,
	.count_clear = memcached_count_clear,
	.describe = memcached_describe,
};
