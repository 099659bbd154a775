/* SPDX-License-Identifier: Apache-2.0 */
/* Adding one, on the server: it is the server that tells which of many uses at once was
 * the last one that is allowed. */
#include "store/memcache_count.h"

#include "base/clock.h"

enum { TRIES = 5, TEXT_MAX = 20 };

/* One counter, as it is looked at. */
struct view {
	const struct store_count *count;
	struct limiter *own;
	int64_t now_ms;
	struct memcache *server;
	struct memcache_key key;
	struct memcache_item item; /* as it was read */
	uint64_t there;		   /* valid, or 0 */
	uint64_t known;		   /* the greater of that and our own */
};

static bool look(struct view *view, const struct memcache_cache *cache, struct arena *arena)
{
	const struct store_count *count = view->count;
	view->key = memcache_key_of(cache->space, MEMCACHE_COUNT, &count->key);
	view->item = (struct memcache_item){memcache_key_text(&view->key), STR_NONE, 0};
	view->server = cache->servers[memcache_ring_find(cache->ring, view->item.key)];
	arena_reset(arena);
	bool answered = memcache_get(view->server, arena, &view->item, 1, true) == MEMCACHE_OK;
	uint64_t there = 0;
	/* Nobody but us writes there, or a limit is the least of the worries. */
	if (answered && view->item.value.p && str_to_uint(view->item.value, UINT64_MAX, &there))
		there = count_valid(there, &count->rate, view->now_ms);
	view->there = there;
	view->known = limiter_raise(view->own, &count->key, &count->rate, there, view->now_ms);
	return answered;
}

static void keep(const struct view *view, uint64_t count)
{
	limiter_raise(view->own, &view->count->key, &view->count->rate, count, view->now_ms);
}

/* In place of what was read, and of nothing that came later; a server that was started
 * with -C cannot tell. */
static enum memcache_result replace(const struct view *view, uint64_t count)
{
	char memory[TEXT_MAX];
	struct buf text = buf_over(memory, sizeof memory);
	buf_uint(&text, count);
	/* A second for each clock that may differ, so that it is there for all of its window. */
	int64_t expires = clock_now() + (count_end(count) - view->now_ms + 2 * COUNT_SKEW_MS) / 1000;
	if (!view->item.value.p)
		return memcache_put(view->server, MEMCACHE_ADD, view->item.key, buf_str(&text), expires);
	if (view->item.cas != 0)
		return memcache_swap(view->server, view->item.key, buf_str(&text), expires, view->item.cas);
	return memcache_put(view->server, MEMCACHE_SET, view->item.key, buf_str(&text), expires);
}

/* The last use that is allowed locks: all hosts are to know until when. */
static void lock(struct view *view, uint64_t sum)
{
	const struct limiter_rate *rate = &view->count->rate;
	uint64_t locked = count_next(sum - 1, rate, view->now_ms);
	/* As the server has it now; whoever comes later only adds, and is refused. */
	view->item.cas = 0;
	view->item.value = STR("0");
	if (locked != sum)
		replace(view, locked);
	keep(view, locked);
}

/* Add one to a counter that the server has. */
static enum memcache_result add_one(struct view *view, int64_t *left)
{
	const struct limiter_rate *rate = &view->count->rate;
	uint64_t sum;
	enum memcache_result result = memcache_increment(view->server, view->item.key, &sum);
	if (result != MEMCACHE_OK)
		return result;
	*left = 0;
	if (count_uses(sum) > rate->most) {
		*left = count_left(sum, rate, view->now_ms);
		keep(view, sum);
	} else if (rate->locks && count_uses(sum) == rate->most) {
		lock(view, sum);
	} else {
		keep(view, sum);
	}
	return MEMCACHE_OK;
}

/* A window that the server does not have: a new one, or one that it has lost. */
static enum memcache_result begin(struct view *view, int64_t *left)
{
	uint64_t next = count_next(view->known, &view->count->rate, view->now_ms);
	enum memcache_result result = replace(view, next);
	if (result == MEMCACHE_OK) {
		*left = 0;
		keep(view, next);
	}
	return result;
}

int64_t memcache_count_use(const struct memcache_cache *cache, struct limiter *own, struct arena *arena,
			   const struct store_count *count, int64_t now_ms)
{
	struct view view = {.count = count, .own = own, .now_ms = now_ms};
	enum memcache_result result = MEMCACHE_REFUSED;
	/* Refused: somebody else was faster, so it is another counter by now. */
	for (int i = 0; i < TRIES && result == MEMCACHE_REFUSED; i++) {
		if (!look(&view, cache, arena))
			break;
		int64_t left = count_left(view.known, &count->rate, now_ms);
		if (left > 0)
			return left;
		bool same = view.there && count_end(view.there) == count_end(view.known);
		result = same ? add_one(&view, &left) : begin(&view, &left);
		if (result == MEMCACHE_OK)
			return left;
	}
	return limiter_use(own, &count->key, &count->rate, now_ms);
}

int64_t memcache_count_left(const struct memcache_cache *cache, struct limiter *own, struct arena *arena,
			    const struct store_count *count, int64_t now_ms)
{
	struct view view = {.count = count, .own = own, .now_ms = now_ms};
	look(&view, cache, arena);
	return count_left(view.known, &count->rate, now_ms);
}

enum err memcache_count_clear(const struct memcache_cache *cache, struct limiter *own, struct arena *arena,
			      const struct store_count *count, int64_t now_ms)
{
	struct view view = {.count = count, .own = own, .now_ms = now_ms};
	enum memcache_result result = MEMCACHE_REFUSED;
	for (int i = 0; i < TRIES && result == MEMCACHE_REFUSED; i++) {
		bool answered = look(&view, cache, arena);
		uint64_t cleared = count_cleared(view.known, &count->rate, now_ms);
		result = answered ? replace(&view, cleared) : MEMCACHE_FAILED;
		if (result != MEMCACHE_REFUSED)
			keep(&view, cleared);
	}
	return result == MEMCACHE_OK ? ERR_NONE : ERR_STORE_PARTIAL;
}
