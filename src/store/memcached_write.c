/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the other hosts what was changed here, and knowing that they heard. */
#include <unistd.h>

#include "base/clock.h"
#include "store/farm_put.h"
#include "store/memcached.h"

enum { WAIT_MS = 400, STEP_US = 4000, WAKE_MS = 20 };

/* What must be seen in the page before it is certain that no host goes by a server
 * that could not be written to. */
struct promise {
	uint32_t missing; /* those servers, by index */
	uint64_t sequence; /* a mark at least as new says so */
};

/* Which servers took it? false: this host's file cannot be read. */
static bool put_everywhere(struct store_thread *thread, const struct farm_page *page, const struct store_key *key,
			   int kind, uint32_t *missing)
{
	struct farm *farm = thread->store->farm;
	bool found;
	if (!journal_find(thread->local, key, kind, &thread->item, &found))
		return false;
	*missing = 0;
	for (size_t i = 0; found && i < farm->servers; i++) {
		enum farm_health health = atomic_load(&page->servers[i].health);
		/* The link has found that it is not there: no time is spent on it. */
		if (health == FARM_UNREACHABLE ||
		    farm_put(thread->servers[i], &farm->space, &thread->item, true, thread->arena) != MEMCACHE_OK)
			*missing |= UINT32_C(1) << i;
	}
	return true;
}

static void say_unconfirmed(struct farm_page *page, uint32_t missing, int64_t seq)
{
	for (size_t i = 0; i < FARM_SERVERS_MAX; i++) {
		_Atomic int64_t *unconfirmed = &page->servers[i].unconfirmed;
		int64_t before = atomic_load(unconfirmed);
		while (missing >> i & 1 && before < seq && !atomic_compare_exchange_weak(unconfirmed, &before, seq))
			continue;
	}
}

/* After say_unconfirmed(): marks newer than the newest list those servers, and older
 * ones from listed_since on do so already. false: one is being composed. */
static bool read_promise(struct farm_page *page, struct promise *out)
{
	uint64_t before = atomic_load(&page->composing), sequence = 0;
	if (before & 1)
		return false;
	for (size_t i = 0; i < FARM_SERVERS_MAX; i++) {
		if (!(out->missing >> i & 1))
			continue;
		uint64_t since = atomic_load(&page->servers[i].listed_since);
		if (since == 0)
			since = atomic_load(&page->sequence) + 1;
		if (since > sequence)
			sequence = since;
	}
	out->sequence = sequence;
	return atomic_load(&page->composing) == before;
}

/* Has every host read such a mark, on a server that took what was put? */
static bool is_kept(struct farm_page *page, size_t servers, const struct promise *promise)
{
	for (size_t i = 0; i < servers; i++)
		if (!(promise->missing >> i & 1) &&
		    atomic_load(&page->servers[i].echoed) >= promise->sequence)
			return true;
	return false;
}

static bool wait_for(struct farm_page *page, size_t servers, struct promise *promise)
{
	int64_t now = clock_boot_ms(), deadline = now + WAIT_MS, wake_at = now;
	bool known = false;
	while (now < deadline) {
		known = known || read_promise(page, promise);
		if (known && is_kept(page, servers, promise))
			return true;
		if (now >= wake_at) {
			farm_page_wake(page);
			wake_at = now + WAKE_MS;
		}
		usleep(STEP_US);
		now = clock_boot_ms();
	}
	return false;
}

enum err memcached_tell(struct store_thread *thread, const struct store_key *key, int kind)
{
	struct farm *farm = thread->store->farm;
	/* The same all along: a promise is only good on the page where it was asked for. */
	struct farm_page *page = farm_page(farm);
	struct promise promise = {0};
	int64_t seq;
	/* It is durable already: a failure from here on takes nothing back. */
	if (!put_everywhere(thread, page, key, kind, &promise.missing))
		return ERR_STORE_PARTIAL;
	if (promise.missing == 0)
		return ERR_NONE;
	if (!journal_newest(thread->local, &seq))
		return ERR_STORE_PARTIAL;
	say_unconfirmed(page, promise.missing, seq);
	uint32_t all = (uint32_t)((UINT64_C(1) << farm->servers) - 1);
	if (promise.missing == all) {
		farm_page_wake(page);
		return ERR_STORE_PARTIAL;
	}
	return wait_for(page, farm->servers, &promise) ? ERR_NONE : ERR_STORE_PARTIAL;
}

enum err memcached_untell(struct store_thread *thread, const struct store_key *key, int kind, bool *was_there)
{
	struct farm *farm = thread->store->farm;
	enum err err = ERR_NONE;
	for (size_t i = 0; i < farm->servers; i++) {
		enum memcache_result result = farm_delete(thread->servers[i], &farm->space, key, kind,
							  thread->arena);
		*was_there = *was_there || result == MEMCACHE_OK;
		if (result != MEMCACHE_OK && result != MEMCACHE_REFUSED)
			err = ERR_STORE_PARTIAL;
	}
	return err;
}
