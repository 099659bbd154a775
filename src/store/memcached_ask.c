/* SPDX-License-Identifier: Apache-2.0 */
/* Asking: this host's file first, then one server whose answers count. */
#include "base/clock.h"
#include "store/memcached.h"

/* A server, and what its answers are worth at this moment. */
struct witness {
	struct farm_page_server *shared;
	uint64_t generation;
	int64_t until;
};

/* What is asked of one server. Without has_cached the last item is not sent. */
struct query {
	struct memcache_key keys[5];
	struct memcache_item items[5];
	size_t n;
	size_t sentinel, token, session, user, cached; /* indexes; NONE */
};

enum { NONE = 5 };

static bool is_trusted(struct farm *farm, size_t server, struct witness *out)
{
	struct farm_page_server *shared = &farm_page(farm)->servers[server];
	out->shared = shared;
	/* In this order: the link sets them in the other. */
	out->generation = atomic_load(&shared->generation);
	out->until = atomic_load(&shared->trusted_until);
	return out->generation != 0 && out->until > clock_boot_ms();
}

/* The server may have lost its memory: nobody asks it until the link has looked. */
static void report(struct farm *farm, const struct witness *witness)
{
	atomic_fetch_add(&witness->shared->reports, 1);
	atomic_store(&witness->shared->trusted_until, 0);
	farm_page_wake(farm_page(farm));
}

/* Does the answer with that value of the sentinel count? */
static bool counts(struct farm *farm, const struct witness *witness, struct str sentinel)
{
	uint64_t generation;
	if (!sentinel.p || !farm_id_read(sentinel, &generation) || generation != witness->generation) {
		report(farm, witness);
		return false;
	}
	return clock_boot_ms() <= witness->until;
}

static size_t push(struct query *query, struct memcache_key key)
{
	query->keys[query->n] = key;
	query->items[query->n] = (struct memcache_item){memcache_key_text(&query->keys[query->n]), STR_NONE, 0};
	return query->n++;
}

static void prepare(const struct farm *farm, const struct store_question *question, struct query *out)
{
	const struct memcache_space *space = &farm->space;
	out->n = 0;
	out->session = out->cached = NONE;
	out->sentinel = push(out, memcache_key_sentinel(space, farm->host));
	out->token = push(out, memcache_key_of(space, MEMCACHE_REVOCATION, &question->token));
	out->user = push(out, memcache_key_of(space, MEMCACHE_NOT_BEFORE, &question->user));
	if (question->has_session)
		out->session = push(out, memcache_key_of(space, MEMCACHE_REVOCATION, &question->session));
}

/* Add one key's value to the answer; false: it was not written for that key. */
static bool add_revocation(const struct query *query, size_t at, struct store_answer *answer)
{
	enum store_entry_kind kind;
	if (at == NONE || !query->items[at].value.p)
		return true;
	answer->revoked = true;
	return memcache_value_is_revocation(query->items[at].value, &query->keys[at], &kind);
}

static bool add_not_before(const struct query *query, struct store_answer *answer)
{
	int64_t not_before;
	if (!query->items[query->user].value.p)
		return true;
	if (!memcache_value_is_not_before(query->items[query->user].value, &query->keys[query->user], &not_before))
		return false;
	if (not_before > answer->not_before)
		answer->not_before = not_before;
	return true;
}

static struct str cached_text(const struct memcache_item *item, const struct memcache_key *key)
{
	struct str text;
	return item->value.p && memcache_value_is_text(item->value, key, &text) ? text : STR_NONE;
}

/* Ask that server; *answer has what the file knows and gets what the server adds.
 * false: its answer does not count. */
static bool ask_server(struct store_thread *thread, size_t server, struct query *query, struct arena *arena,
		       struct store_answer *answer)
{
	struct farm *farm = thread->store->farm;
	struct witness witness;
	struct store_answer both = *answer;
	if (clock_monotonic_ms() >= thread->until || !is_trusted(farm, server, &witness))
		return false;
	memcache_hurry(thread->servers[server], thread->until);
	if (memcache_get(thread->servers[server], arena, query->items, query->n, false) != MEMCACHE_OK ||
	    !counts(farm, &witness, query->items[query->sentinel].value) ||
	    !add_revocation(query, query->token, &both) || !add_revocation(query, query->session, &both) ||
	    !add_not_before(query, &both))
		return false;
	if (query->cached != NONE)
		both.cached = cached_text(&query->items[query->cached], &query->keys[query->cached]);
	*answer = both;
	return true;
}

/* Any of the others; spread, so that each gets its share. */
static bool ask_any(struct store_thread *thread, const struct store_question *question, const struct memcache *busy,
		    struct query *query, struct store_answer *answer)
{
	size_t n = thread->store->farm->servers;
	for (size_t i = 0; i < n; i++) {
		size_t server = (question->token.bytes[0] + i) % n;
		if (thread->servers[server] == busy || !memcache_is_ready(thread->servers[server]))
			continue;
		if (ask_server(thread, server, query, thread->arena, answer))
			return true;
	}
	return false;
}

/* The cache's server also holds revocations and is trusted: one round trip for all. */
static bool ask_together(struct store_thread *thread, size_t server, const struct store_question *question,
			 const struct memcache_key *cached, struct store_answer *answer)
{
	struct query query;
	struct witness witness;
	if (server == FARM_SERVERS_MAX || !is_trusted(thread->store->farm, server, &witness) ||
	    !memcache_is_ready(thread->servers[server]))
		return false;
	prepare(thread->store->farm, question, &query);
	query.cached = push(&query, *cached);
	return ask_server(thread, server, &query, question->arena, answer);
}

enum err memcached_ask(struct store_thread *thread, const struct store_question *question,
		       struct store_answer *out)
{
	struct store *store = thread->store;
	struct store_answer answer;
	struct query query;
	struct memcache *cache = NULL;
	struct memcache_key name;
	struct memcache_item cached = {0};
	bool answered = false;
	/* The cache is on the servers. */
	struct store_question own = *question;
	own.has_cached = false;
	enum err err = store_embedded.ask(thread->local, &own, &answer);
	if (err)
		return err;
	if (answer.revoked) {
		*out = answer;
		return ERR_NONE;
	}
	arena_reset(thread->arena);
	/* When one server hangs there is time for a second one; when all hang, no request
	 * waits for each of them. */
	thread->until = clock_monotonic_ms() + store->timeout_ms * 8 / 5;
	if (question->has_cached) {
		size_t at = memcache_cache_find(&thread->cache, &question->cached, &name);
		answered = ask_together(thread, store->cache_index[at], question, &name, &answer);
		cache = thread->cache_handles[at];
		cached.key = memcache_key_text(&name);
	}
	if (!answered) {
		/* The cache is asked at the same time. */
		if (cache && memcache_get_begin(cache, &cached, 1, false) != MEMCACHE_OK)
			cache = NULL;
		prepare(store->farm, question, &query);
		answered = ask_any(thread, question, cache, &query, &answer);
		if (cache && memcache_get_end(cache, question->arena, &cached, 1) == MEMCACHE_OK)
			answer.cached = cached_text(&cached, &name);
	}
	if (!answered && !store->local_on_failure)
		return ERR_STORE;
	*out = answer;
	return ERR_NONE;
}

enum err memcached_record_get(struct store_thread *thread, const struct store_key *key, struct arena *arena,
			      struct str *out)
{
	struct farm *farm = thread->store->farm;
	struct memcache_key sentinel = memcache_key_sentinel(&farm->space, farm->host);
	struct memcache_key record = memcache_key_of(&farm->space, MEMCACHE_RECORD, key);
	struct memcache_item items[2] = {{memcache_key_text(&sentinel), STR_NONE, 0},
					 {memcache_key_text(&record), STR_NONE, 0}};
	struct witness witness;
	struct str text;
	enum err err = store_embedded.record_get(thread->local, key, arena, out);
	if (err != ERR_NOT_FOUND)
		return err;
	for (size_t i = 0; i < farm->servers; i++) {
		size_t server = (key->bytes[0] + i) % farm->servers;
		if (!is_trusted(farm, server, &witness) ||
		    memcache_get(thread->servers[server], arena, items, 2, false) != MEMCACHE_OK ||
		    !counts(farm, &witness, items[0].value))
			continue;
		if (!items[1].value.p)
			return ERR_NOT_FOUND;
		if (memcache_value_is_text(items[1].value, &record, &text)) {
			*out = text;
			return ERR_NONE;
		}
	}
	return ERR_STORE;
}
