/* SPDX-License-Identifier: Apache-2.0 */
/* Never by SET: a server without memory answers that by forgetting the old value, which
 * another host may rely on. */
#include "store/farm_put.h"

enum { TRIES = 8, VALUE_MAX = STORE_RECORD_MAX + MEMCACHE_TEXT_EXTRA };

/* On the servers, too, what has expired is kept a little longer, but for records. */
static int64_t end_of(const struct journal_item *item)
{
	int64_t end, kept = item->kind == JOURNAL_RECORD ? 0 : STORE_KEPT;
	if (item->entry.expires == INT64_MAX || __builtin_add_overflow(item->entry.expires, kept, &end))
		return 0;
	return end > 0 ? end : 1;
}

static enum memcache_result put(struct memcache *memcache, struct str key, struct str value, int64_t end, bool renew)
{
	enum memcache_result result = MEMCACHE_REFUSED;
	/* One that expires between the two calls is added at the second try. */
	for (int i = 0; i < 2 && result == MEMCACHE_REFUSED; i++) {
		result = memcache_put(memcache, MEMCACHE_ADD, key, value, end);
		if (result == MEMCACHE_REFUSED)
			result = renew ? memcache_put(memcache, MEMCACHE_REPLACE, key, value, end) : MEMCACHE_OK;
	}
	return result;
}

static enum memcache_result raise(struct memcache *memcache, const struct memcache_key *key,
				  const struct journal_item *item, struct arena *arena)
{
	char memory[MEMCACHE_NOT_BEFORE_MAX];
	struct buf value = buf_over(memory, sizeof memory);
	enum memcache_result result = MEMCACHE_REFUSED;
	int64_t there, end = end_of(item);
	memcache_value_not_before(&value, key, item->entry.not_before > 0 ? item->entry.not_before : 0);
	for (int i = 0; i < TRIES && result == MEMCACHE_REFUSED; i++) {
		struct memcache_item got = {memcache_key_text(key), STR_NONE, 0};
		arena_reset(arena);
		result = memcache_get(memcache, arena, &got, 1, true);
		if (result != MEMCACHE_OK)
			break;
		if (got.value.p && memcache_value_is_not_before(got.value, key, &there) &&
		    there > item->entry.not_before)
			break;
		result = got.value.p ? memcache_swap(memcache, got.key, buf_str(&value), end, got.cas)
				     : memcache_put(memcache, MEMCACHE_ADD, got.key, buf_str(&value), end);
	}
	return result;
}

static struct memcache_key key_of(const struct memcache_space *space, const struct store_key *key, int kind)
{
	return memcache_key_of(space,
			       kind == JOURNAL_RECORD ? MEMCACHE_RECORD
			       : kind == STORE_USER   ? MEMCACHE_NOT_BEFORE
						      : MEMCACHE_REVOCATION, key);
}

enum memcache_result farm_put(struct memcache *memcache, const struct memcache_space *space,
			      const struct journal_item *item, bool renew, struct arena *arena)
{
	char memory[VALUE_MAX];
	struct buf value = buf_over(memory, sizeof memory);
	struct memcache_key key = key_of(space, &item->entry.key, item->kind);
	if (item->kind == STORE_USER)
		return raise(memcache, &key, item, arena);
	if (item->kind == JOURNAL_RECORD)
		memcache_value_text(&value, &key, item->record);
	else
		memcache_value_revocation(&value, &key, item->entry.kind);
	return put(memcache, memcache_key_text(&key), buf_str(&value), end_of(item), renew);
}

enum memcache_result farm_delete(struct memcache *memcache, const struct memcache_space *space,
				 const struct store_key *key, int kind, struct arena *arena)
{
	struct memcache_key name = key_of(space, key, kind);
	struct memcache_item got = {memcache_key_text(&name), STR_NONE, 0};
	enum memcache_result result = MEMCACHE_REFUSED;
	/* What was read and no other: a server that hangs may carry this out late, when
	 * the key has long been put again. */
	for (int i = 0; i < TRIES && result == MEMCACHE_REFUSED; i++) {
		arena_reset(arena);
		result = memcache_get(memcache, arena, &got, 1, true);
		if (result != MEMCACHE_OK)
			break;
		if (!got.value.p)
			return MEMCACHE_REFUSED;
		result = memcache_release(memcache, got.key, got.cas);
	}
	return result == MEMCACHE_REFUSED ? MEMCACHE_FAILED : result;
}
