/* SPDX-License-Identifier: Apache-2.0 */
/* A table of sets of four, as processors have them. Each shard of the sets has a
 * lock and bytes of its own, so that threads rarely meet; values, which are
 * secrets, are wiped before their memory is given back. */
#include "token/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

enum { WAYS = 4, SHARDS = 64, SHARD_ENTRIES = CACHE_ENTRIES_MAX / SHARDS, SHARD_BYTES = CACHE_BYTES_MAX / SHARDS };

struct entry {
	unsigned char key[DIGEST_SIZE];
	int64_t expiry; /* 0: free */
	uint64_t used;	/* the shard's count of uses at the last one */
	char *value;	/* NULL when it is empty */
	size_t n;
};

/* On a cache line of its own. */
struct shard {
	_Alignas(64) pthread_mutex_t lock;
	uint64_t uses;
	size_t bytes;
};

struct token_cache {
	struct shard shards[SHARDS];
	unsigned open; /* locks that were made */
	struct entry *entries;
};

bool cache_open(struct token_cache **out)
{
	struct token_cache *cache = aligned_alloc(_Alignof(struct token_cache), sizeof *cache);
	if (!cache)
		return false;
	memset(cache, 0, sizeof *cache);
	/* So large that the system gives it page by page, each when it is written. */
	cache->entries = calloc(CACHE_ENTRIES_MAX, sizeof *cache->entries);
	while (cache->entries && cache->open < SHARDS &&
	       pthread_mutex_init(&cache->shards[cache->open].lock, NULL) == 0)
		cache->open++;
	*out = cache;
	if (cache->open < SHARDS)
		cache_close(out);
	return *out;
}

/* Under the shard's lock. */
static void drop(struct shard *shard, struct entry *entry)
{
	if (entry->value) {
		secret_wipe(entry->value, entry->n);
		free(entry->value);
	}
	shard->bytes -= entry->n;
	*entry = (struct entry){0};
}

void cache_close(struct token_cache **cache)
{
	struct token_cache *c = *cache;
	if (!c)
		return;
	for (unsigned i = 0; i < c->open; i++) {
		struct entry *entries = c->entries + i * SHARD_ENTRIES;
		/* A shard without a use has never been written to. */
		for (size_t j = 0; c->shards[i].uses > 0 && j < SHARD_ENTRIES; j++)
			drop(&c->shards[i], &entries[j]);
		pthread_mutex_destroy(&c->shards[i].lock);
	}
	free(c->entries);
	free(c);
	*cache = NULL;
}

/* The set that a key belongs to, and its shard: any bits of a hash will do. */
static struct entry *find_set(struct token_cache *cache, const unsigned char *key, struct shard **shard)
{
	size_t set = (key[0] | (size_t)key[1] << 8) % (CACHE_ENTRIES_MAX / WAYS);
	*shard = &cache->shards[set / (SHARD_ENTRIES / WAYS)];
	return cache->entries + set * WAYS;
}

static struct entry *find_entry(struct entry *set, const unsigned char *key)
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].expiry != 0 && memcmp(set[i].key, key, DIGEST_SIZE) == 0)
			return &set[i];
	return NULL;
}

bool cache_find(struct token_cache *cache, const unsigned char key[DIGEST_SIZE], int64_t now, struct arena *arena,
		struct str *value)
{
	struct shard *shard;
	struct entry *set = find_set(cache, key, &shard);
	pthread_mutex_lock(&shard->lock);
	struct entry *entry = find_entry(set, key);
	if (entry && entry->expiry <= now) {
		drop(shard, entry);
		entry = NULL;
	}
	if (entry) {
		entry->used = ++shard->uses;
		*value = arena_copy(arena, (struct str){entry->value, entry->n});
	}
	pthread_mutex_unlock(&shard->lock);
	return entry && value->p;
}

/* The one that was used before all others: a free one, if there is any. */
static struct entry *find_oldest(struct entry *entries, size_t n)
{
	struct entry *oldest = entries;
	for (size_t i = 1; i < n; i++)
		if (entries[i].used < oldest->used)
			oldest = &entries[i];
	return oldest;
}

/* Of those that have bytes to give. */
static struct entry *find_oldest_value(struct entry *entries)
{
	struct entry *oldest = NULL;
	for (size_t i = 0; i < SHARD_ENTRIES; i++)
		if (entries[i].n > 0 && (!oldest || entries[i].used < oldest->used))
			oldest = &entries[i];
	return oldest;
}

void cache_put(struct token_cache *cache, const unsigned char key[DIGEST_SIZE], int64_t expiry, struct str value)
{
	struct shard *shard;
	struct entry *set = find_set(cache, key, &shard);
	struct entry fresh = {.expiry = expiry, .n = value.n};
	if (value.n > CACHE_VALUE_MAX || expiry <= 0 || (value.n > 0 && !(fresh.value = malloc(value.n))))
		return;
	memcpy(fresh.key, key, DIGEST_SIZE);
	if (value.n > 0)
		memcpy(fresh.value, value.p, value.n);
	pthread_mutex_lock(&shard->lock);
	/* Another thread may have been faster. */
	struct entry *entry = find_entry(set, key);
	if (!entry)
		entry = find_oldest(set, WAYS);
	drop(shard, entry);
	while (shard->bytes + fresh.n > SHARD_BYTES)
		drop(shard, find_oldest_value(cache->entries + (shard - cache->shards) * SHARD_ENTRIES));
	fresh.used = ++shard->uses;
	shard->bytes += fresh.n;
	*entry = fresh;
	pthread_mutex_unlock(&shard->lock);
}
