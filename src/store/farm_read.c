/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what stands on one server about all hosts: the roster and the marks. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/farm_link_internal.h"

enum { PRUNE_MS = 60000, NO_SLOT = FARM_HOSTS_MAX };

/* The host's index in view.known; a new one gets the place of none, or of one that
 * has not been heard of for long. NO_SLOT: there is no place. */
static size_t place(struct farm_link *link, uint64_t id, int64_t now, bool *added)
{
	struct farm_view *view = &link->view;
	size_t at = NO_SLOT;
	*added = false;
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++) {
		if (view->known[i].id == id)
			return i;
		bool gone = view->known[i].id == 0 ||
			    (!farm_is_member(view, &view->known[i], now) &&
			     now - link->first_seen[i] >= view->host_timeout);
		if (at == NO_SLOT && gone)
			at = i;
	}
	if (at == NO_SLOT)
		return at;
	view->known[at] = (struct farm_known){.id = id};
	link->first_seen[at] = now;
	link->kept[at] = 0;
	farm_page_put_host(link->page, at, &view->known[at]);
	*added = true;
	return at;
}

/* Is that host's name in the roster for nothing? */
static bool is_gone(const struct farm_server *server, uint64_t id, int64_t now)
{
	const struct farm_link *link = server->link;
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++)
		if (link->view.known[i].id == id)
			return server->read_sequence[i] == 0 &&
			       !farm_is_member(&link->view, &link->view.known[i], now) &&
			       now - link->first_seen[i] >= link->view.host_timeout;
	return false;
}

static enum farm_step put_roster(struct farm_server *server, const struct memcache_item *old,
				 const struct farm_roster *roster)
{
	char memory[FARM_ROSTER_SIZE];
	struct buf text = buf_over(memory, sizeof memory);
	farm_roster_print(&text, roster);
	enum memcache_result result =
		old->value.p ? memcache_swap(server->memcache, old->key, buf_str(&text), 0, old->cas)
			     : memcache_put(server->memcache, MEMCACHE_ADD, old->key, buf_str(&text), 0);
	if (result == MEMCACHE_OK || result == MEMCACHE_REFUSED)
		return FARM_AGAIN;
	return farm_interrupt(server, result);
}

/* With the lock. Make known who is new, and what the roster should be. */
static enum farm_step learn(struct farm_server *server, const struct farm_reading *reading,
			    struct farm_roster *roster, bool *differs)
{
	struct farm_link *link = server->link;
	struct farm_roster got = {.n = 0};
	bool all = true, news = false, added, prune = reading->begun >= server->prune_at;
	if (reading->roster.value.p && !farm_roster_read(reading->roster.value, &got)) {
		/* Whoever is missing adds himself. */
		log_text(LOG_WARNING, "store", "memcached %.*s: the list of hosts was no such list; it is made anew",
			 STR_ARGS(link->farm->addresses[server->index]));
		got.n = 0;
		*differs = true;
	}
	roster->n = 0;
	for (size_t i = 0; i < got.n; i++) {
		if (got.hosts[i] != link->farm->host) {
			all = place(link, got.hosts[i], reading->begun, &added) != NO_SLOT && all;
			news = news || added;
		}
		if (prune && is_gone(server, got.hosts[i], reading->begun))
			*differs = true;
		else
			roster->hosts[roster->n++] = got.hosts[i];
	}
	if (prune)
		server->prune_at = reading->begun + PRUNE_MS;
	if (!farm_roster_has(roster, link->farm->host)) {
		all = all && roster->n <= FARM_HOSTS_MAX;
		if (all)
			roster->hosts[roster->n++] = link->farm->host;
		*differs = true;
	}
	if (!all)
		return FARM_FAILED;
	return news ? FARM_AGAIN : FARM_DONE;
}

static enum farm_step keep_roster(struct farm_server *server, const struct farm_reading *reading)
{
	struct farm_link *link = server->link;
	struct farm_roster roster;
	bool differs = false;
	pthread_mutex_lock(&link->lock);
	enum farm_step step = learn(server, reading, &roster, &differs);
	if (step == FARM_FAILED)
		farm_set_health(server, FARM_CROWDED);
	else if (!differs)
		server->rostered = true;
	pthread_mutex_unlock(&link->lock);
	if (step == FARM_FAILED || !differs)
		return step;
	return put_roster(server, &reading->roster, &roster);
}

/* By our index. */
static uint32_t bits_of(const struct farm *farm, const struct farm_mark *mark)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < mark->n_without; i++)
		for (size_t j = 0; j < farm->servers; j++)
			if (mark->without[i] == farm->hashes[j])
				bits |= UINT32_C(1) << j;
	return bits;
}

static uint64_t echo_of(const struct farm_mark *mark, uint64_t host)
{
	for (size_t i = 0; i < mark->n_echoes; i++)
		if (mark->echoes[i].host == host)
			return mark->echoes[i].sequence;
	return 0;
}

/* Durable, for the next boot. */
static bool keep_host(struct farm_server *server, const struct farm_known *known)
{
	const struct farm *farm = server->link->farm;
	struct journal_host host = {
		.id = known->id,
		.seen = clock_unfrozen_ms() / 1000,
		.sequence = known->sequence,
		.state = (int)known->state,
	};
	farm_without_print(farm, known, host.without);
	return journal_host_put(server->local, &host);
}

/* With the lock. What one host's mark says; false: there is none. *keep: its list, or
 * that it was there, must be made durable. */
static bool take(struct farm_server *server, size_t at, struct str text, int64_t begun, bool *keep)
{
	struct farm_link *link = server->link;
	struct farm_known *known = &link->view.known[at];
	struct farm_mark mark;
	server->on[at] = (struct farm_sighting){.id = known->id};
	server->read_sequence[at] = 0;
	if (!text.p || !farm_mark_read(text, known->id, &mark))
		return false;
	farm_known_see(known, &mark, bits_of(link->farm, &mark), mark.list != link->farm->list, begun);
	*keep = mark.since > link->kept[at] ||
		(mark.sequence > link->kept[at] && begun - link->kept_at[at] >= farm_seen_every(&link->view));
	farm_page_put_host(link->page, at, known);
	server->on[at].present = true;
	server->on[at].state = mark.state;
	server->on[at].echo = echo_of(&mark, link->farm->host);
	server->read_sequence[at] = mark.sequence;
	return true;
}

/* A host's list is durable here before a mark with it is echoed: after a boot no older
 * list may be taken for the newest. */
static void see(struct farm_server *server, size_t at, uint64_t id, const struct memcache_item *item, int64_t begun)
{
	struct farm_link *link = server->link;
	bool keep = false;
	pthread_mutex_lock(&link->lock);
	bool present = link->view.known[at].id == id && take(server, at, item->value, begun, &keep);
	struct farm_known known = link->view.known[at];
	pthread_mutex_unlock(&link->lock);
	if (!present || !keep)
		return;
	bool kept = keep_host(server, &known);
	pthread_mutex_lock(&link->lock);
	if (kept && known.sequence > link->kept[at])
		link->kept[at] = known.sequence;
	if (kept)
		link->kept_at[at] = begun;
	else
		server->read_sequence[at] = 0;
	pthread_mutex_unlock(&link->lock);
}

static enum farm_step ask(struct farm_server *server, struct memcache_item *items, size_t n)
{
	arena_reset(server->arena);
	enum memcache_result result = memcache_get(server->memcache, server->arena, items, n, true);
	return result == MEMCACHE_OK ? FARM_DONE : farm_interrupt(server, result);
}

enum farm_step farm_read(struct farm_server *server, struct farm_reading *out)
{
	enum { ROSTER, SENTINEL, MARK, OTHERS, ITEMS = OTHERS + FARM_HOSTS_MAX };
	struct farm_link *link = server->link;
	const struct memcache_space *space = &link->farm->space;
	struct memcache_key keys[ITEMS];
	struct memcache_item items[ITEMS];
	uint64_t ids[FARM_HOSTS_MAX];
	size_t at[FARM_HOSTS_MAX], n = OTHERS;
	keys[ROSTER] = memcache_key_roster(space);
	keys[SENTINEL] = memcache_key_sentinel(space, link->farm->host);
	keys[MARK] = memcache_key_mark(space, link->farm->host);
	pthread_mutex_lock(&link->lock);
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++)
		if (link->view.known[i].id) {
			ids[n - OTHERS] = link->view.known[i].id;
			at[n - OTHERS] = i;
			keys[n] = memcache_key_mark(space, link->view.known[i].id);
			n++;
		}
	pthread_mutex_unlock(&link->lock);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct memcache_item){memcache_key_text(&keys[i]), STR_NONE, 0};
	out->begun = clock_boot_ms();
	enum farm_step step = ask(server, items, n);
	if (step != FARM_DONE)
		return step;
	out->roster = items[ROSTER];
	out->sentinel = items[SENTINEL];
	out->mark = items[MARK];
	memcpy(out->keys, keys, sizeof out->keys);
	out->roster.key = memcache_key_text(&out->keys[ROSTER]);
	out->sentinel.key = memcache_key_text(&out->keys[SENTINEL]);
	out->mark.key = memcache_key_text(&out->keys[MARK]);
	for (size_t i = OTHERS; i < n; i++)
		see(server, at[i - OTHERS], ids[i - OTHERS], &items[i], out->begun);
	step = keep_roster(server, out);
	if (step != FARM_DONE)
		return step;
	pthread_mutex_lock(&link->lock);
	link->view.read[server->index] = true;
	pthread_mutex_unlock(&link->lock);
	return FARM_DONE;
}
