/* SPDX-License-Identifier: Apache-2.0 */
/* What the threads of the link find and say: the health of servers, what marks list,
 * and until when answers count. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/farm_link_internal.h"

enum { SEEN_EVERY_MS = 60000, SILENT_MS = 1000 };

static struct farm_page_server *shared(const struct farm_server *server)
{
	return &server->link->page->servers[server->index];
}

void farm_set_health(struct farm_server *server, enum farm_health health)
{
	const struct farm *farm = server->link->farm;
	/* What was found before a server stopped to answer holds for as long as was said. */
	if (health != FARM_GOOD && health != FARM_UNREACHABLE)
		atomic_store(&shared(server)->trusted_until, 0);
	if (health == FARM_LOST)
		atomic_store(&shared(server)->generation, 0);
	if (health != FARM_UNREACHABLE)
		server->failing_since = 0;
	if (health == server->health)
		return;
	server->health = health;
	atomic_store(&shared(server)->health, (uint32_t)health);
	log_text(health == FARM_GOOD ? LOG_NOTICE : LOG_WARNING, "store", "memcached %.*s %s",
		 STR_ARGS(farm->addresses[server->index]), farm_health_text(health));
}

/* A call that fails now and then on a busy machine is not worth a word. */
static bool fails_for_long(struct farm_server *server)
{
	int64_t now = clock_boot_ms();
	if (server->failing_since == 0)
		server->failing_since = now;
	return now - server->failing_since >= SILENT_MS;
}

enum farm_step farm_interrupt(struct farm_server *server, enum memcache_result result)
{
	pthread_mutex_lock(&server->link->lock);
	if (result == MEMCACHE_FULL)
		farm_set_health(server, FARM_FULL);
	else if (fails_for_long(server))
		farm_set_health(server, FARM_UNREACHABLE);
	pthread_mutex_unlock(&server->link->lock);
	if (result == MEMCACHE_FULL)
		server->retry_at = clock_boot_ms() + FARM_RETRY_MS;
	return FARM_FAILED;
}

/* Must a mark on `server` say that we do not vouch for `other`? */
static bool is_listed(const struct farm_server *server, const struct farm_server *other, enum farm_state state)
{
	const struct farm_page_server *s = shared(other);
	if (atomic_load(&s->unconfirmed) > atomic_load(&s->confirmed))
		return true;
	return server == other ? state == FARM_PUBLISHING : !other->whole || other->too_old;
}

int64_t farm_seen_every(const struct farm_view *view)
{
	return view->host_timeout / 4 < SEEN_EVERY_MS ? view->host_timeout / 4 : SEEN_EVERY_MS;
}

void farm_compose(struct farm_server *server, enum farm_state state, struct farm_mark *out)
{
	struct farm_link *link = server->link;
	struct farm_page *page = link->page;
	out->host = link->farm->host;
	out->generation = server->generation;
	out->state = state;
	out->list = link->farm->list;
	out->n_without = out->n_echoes = 0;
	/* A worker that has said what it could not put somewhere finds it listed in every
	 * mark whose sequence is greater than the one it reads then. */
	atomic_fetch_add(&page->composing, 1);
	out->sequence = atomic_fetch_add(&page->sequence, 1) + 1;
	uint32_t list = 0;
	for (size_t i = 0; i < link->farm->servers; i++) {
		bool listed = is_listed(server, &link->servers[i], state);
		_Atomic uint64_t *since = &page->servers[i].listed_since;
		list |= (uint32_t)listed << i;
		if (listed)
			out->without[out->n_without++] = link->farm->hashes[i];
		if (!listed)
			atomic_store(since, 0);
		else if (atomic_load(since) == 0)
			atomic_store(since, out->sequence);
	}
	atomic_fetch_add(&page->composing, 1);
	if (link->list_since == 0 || list != link->list) {
		link->list = list;
		link->list_since = out->sequence;
	}
	out->since = link->list_since;
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++)
		if (link->view.known[i].id && server->on[i].id == link->view.known[i].id &&
		    server->read_sequence[i])
			out->echoes[out->n_echoes++] =
				(struct farm_echo){link->view.known[i].id, server->read_sequence[i]};
}

/* Who has heard of this host, on whatever server. */
static void settle(struct farm_link *link, int64_t now)
{
	uint64_t heard[FARM_HOSTS_MAX] = {0};
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++)
		for (size_t j = 0; j < link->farm->servers; j++) {
			const struct farm_sighting *on = &link->servers[j].on[i];
			if (on->id == link->view.known[i].id && on->echo > heard[i])
				heard[i] = on->echo;
		}
	farm_settle(&link->view, heard, now);
}

/* Others wait for what this host has heard for as long as they have not given it up. */
bool farm_was_away(const struct farm_view *view, int64_t marked_at, int64_t now)
{
	return marked_at == 0 || now - marked_at >= view->host_timeout / 2;
}

/* A mark was just written: the first for long? */
static void note_mark(struct farm_server *server, int64_t now)
{
	struct farm_view *view = &server->link->view;
	_Atomic int64_t *marked_at = &server->link->page->marked_at;
	if (view->settled && farm_was_away(view, atomic_load(marked_at), now)) {
		view->settled = false;
		view->settles_at = now + FARM_SETTLE_MS;
		view->first_sequence = server->own_sequence;
		memset(view->read, 0, sizeof view->read);
		view->read[server->index] = true;
	}
	atomic_store(marked_at, now);
}

void farm_judge(struct farm_server *server, int64_t read_at, uint64_t reports)
{
	struct farm_link *link = server->link;
	struct farm_page_server *s = shared(server);
	int64_t now = clock_boot_ms();
	bool rostered = true;
	note_mark(server, now);
	if (!link->view.settled)
		settle(link, now);
	struct farm_judgement judgement = farm_trust(&link->view, server->index, read_at, server->on, now);
	/* Who does not stand in every roster may be unknown to somebody. */
	for (size_t i = 0; i < link->farm->servers; i++)
		rostered = rostered && link->servers[i].rostered;
	atomic_store(&s->echoed, rostered ? farm_echoed(&link->view, server->on, server->own_sequence, now) : 0);
	atomic_store(&s->waits_for, judgement.waits_for);
	if (reports == atomic_load(&s->reports))
		atomic_store(&s->trusted_until, judgement.until);
}

void farm_without_print(const struct farm *farm, const struct farm_known *known, char out[JOURNAL_TEXT_SIZE])
{
	struct buf text = buf_over(out, JOURNAL_TEXT_SIZE - 1);
	if (known->other_list)
		buf_char(&text, '?');
	for (size_t i = 0; i < farm->servers; i++)
		if (known->without >> i & 1)
			buf_printf(&text, "%s%08x", text.n ? "," : "", (unsigned)farm->hashes[i]);
	out[text.n] = '\0';
}

void farm_without_read(const struct farm *farm, const char *text, struct farm_known *known)
{
	struct str rest = *text ? str_of(text) : STR_NONE, word;
	char hash[16];
	known->without = 0;
	known->other_list = false;
	while (str_split(&rest, ',', &word)) {
		bool found = false;
		for (size_t i = 0; i < farm->servers; i++) {
			snprintf(hash, sizeof hash, "%08x", (unsigned)farm->hashes[i]);
			if (str_eq(word, str_of(hash))) {
				known->without |= UINT32_C(1) << i;
				found = true;
			}
		}
		known->other_list = known->other_list || !found;
	}
}
