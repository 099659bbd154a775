/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps the link: waiting for the lock, beginning and ending, and the journal. */
#include "store/farm_link_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"

enum { LOOK_MS = 1000, JOURNAL_MAX = 100000, GIVE_UP_MS = 30000 };

/* The index of that host, or of a free place, or FARM_HOSTS_MAX. */
static size_t place_of(const struct farm_view *view, uint64_t id)
{
	size_t free_at = FARM_HOSTS_MAX;
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++) {
		if (view->known[i].id == id)
			return i;
		if (view->known[i].id == 0 && free_at == FARM_HOSTS_MAX)
			free_at = i;
	}
	return free_at;
}

/* A host of the table: the page may know newer. */
static void recall_host(struct farm_link *link, const struct journal_host *host, int64_t changed_at)
{
	size_t at = place_of(&link->view, host->id);
	if (at == FARM_HOSTS_MAX || host->id == 0 || host->id == link->farm->host)
		return;
	link->kept[at] = host->sequence;
	struct farm_known *known = &link->view.known[at];
	if (known->id == host->id && known->sequence >= host->sequence)
		return;
	*known = (struct farm_known){.id = host->id, .sequence = host->sequence,
				     .state = (enum farm_state)host->state, .changed_at = changed_at};
	farm_without_read(link->farm, host->without, known);
	farm_page_put_host(link->page, at, known);
}

/* What the host knew of others: the page knows it of this boot, the table of any. */
static bool recall(struct farm_link *link, int64_t now)
{
	struct journal_host hosts[JOURNAL_HOSTS_MAX];
	size_t n;
	int64_t wall = clock_unfrozen_ms();
	if (!journal_hosts(link->store, hosts, JOURNAL_HOSTS_MAX, &n))
		return false;
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++) {
		farm_page_get_host(link->page, i, &link->view.known[i]);
		link->first_seen[i] = link->kept_at[i] = now;
		link->kept[i] = 0;
	}
	for (size_t i = 0; i < n; i++) {
		/* It may have been seen a little later than was written down. */
		int64_t ago = wall - hosts[i].seen * 1000 - farm_seen_every(&link->view);
		if (ago > 2 * link->view.host_timeout + 60000)
			journal_host_drop(link->store, hosts[i].id);
		else
			recall_host(link, &hosts[i], ago > 0 ? now - ago : now);
	}
	return true;
}

static bool begin_server(struct farm_link *link, size_t i, bool is_new)
{
	struct farm_server *server = &link->servers[i];
	struct farm_page_server *s = &link->page->servers[i];
	struct str address = link->farm->addresses[i];
	struct journal_row oldest;
	int64_t newest, unconfirmed;
	size_t n;
	*server = (struct farm_server){.link = link, .index = i};
	if (!memcache_open(address, link->farm->timeout_ms, &server->memcache) ||
	    !arena_open(FARM_ARENA, &server->arena) ||
	    !store_embedded.thread_open(link->local, &server->local) ||
	    !(server->items = calloc(JOURNAL_BATCH, sizeof *server->items)) ||
	    !journal_generation(server->local, address, &server->generation, &server->rostered) ||
	    !journal_newest(server->local, &newest) || !journal_read(server->local, 0, &oldest, 1, &n))
		return false;
	server->published = server->whole = server->generation != 0;
	server->file_number = journal_file_number(server->local);
	/* The journal is read from its beginning; the file may be another one than before. On
	 * a new page nobody has noted which of its rows could not be put where. */
	atomic_store(&s->confirmed, 0);
	unconfirmed = atomic_load(&s->unconfirmed);
	while ((is_new || unconfirmed > newest) &&
	       !atomic_compare_exchange_weak(&s->unconfirmed, &unconfirmed, n > 0 ? newest : 0))
		continue;
	atomic_store(&s->listed_since, 0);
	atomic_store(&s->echoed, 0);
	if (atomic_load(&s->generation) != server->generation) {
		atomic_store(&s->trusted_until, 0);
		atomic_store(&s->generation, 0);
	}
	atomic_store(&s->health, FARM_UNKNOWN);
	return true;
}

static void end_servers(struct farm_link *link)
{
	link->stopping = true;
	farm_page_wake(link->page);
	for (size_t i = 0; i < link->farm->servers; i++) {
		struct farm_server *server = &link->servers[i];
		if (server->has_thread)
			pthread_join(server->thread, NULL);
		server->has_thread = false;
		memcache_close(&server->memcache);
		arena_close(&server->arena);
		if (server->local)
			store_embedded.thread_close(&server->local);
		free(server->items);
		server->items = NULL;
	}
}

/* This process has the lock. */
static bool begin(struct farm_link *link)
{
	int64_t epoch, now = clock_boot_ms();
	struct farm_view *view = &link->view;
	link->page = farm_page(link->farm);
	link->stopping = false;
	*view = (struct farm_view){.servers = link->farm->servers, .host_timeout = link->farm->host_timeout_ms};
	link->list_since = 0;
	/* Sequences never go back, whatever was forgotten with the page. */
	if (!journal_count(link->store, STR("epoch"), 0, &epoch) || !recall(link, now))
		return false;
	if (atomic_load(&link->page->sequence) < (uint64_t)epoch << 40)
		atomic_store(&link->page->sequence, (uint64_t)epoch << 40);
	/* The link before may have died at it. */
	if (atomic_load(&link->page->composing) & 1)
		atomic_fetch_add(&link->page->composing, 1);
	int64_t marked_at = atomic_load(&link->page->marked_at);
	view->settled = !farm_was_away(view, marked_at, now);
	view->settles_at = now + FARM_SETTLE_MS;
	view->first_sequence = atomic_load(&link->page->sequence) + 1;
	link->begun_at = now;
	bool good = true;
	for (size_t i = 0; i < view->servers; i++)
		good = begin_server(link, i, marked_at == 0) && good;
	for (size_t i = 0; good && i < view->servers; i++)
		good = link->servers[i].has_thread =
			pthread_create(&link->servers[i].thread, NULL, farm_serve, &link->servers[i]) == 0;
	if (!good)
		end_servers(link);
	return good;
}

static bool try_lock(struct farm_link *link)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/farm.lock", link->farm->state_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return false;
	}
	state_file_adopt(fd, &link->farm->owner);
	link->lock_file = fd;
	return true;
}

static void leave(struct farm_link *link)
{
	if (!link->linked)
		return;
	end_servers(link);
	close(link->lock_file);
	link->linked = false;
}

static void enter(struct farm_link *link)
{
	if (!try_lock(link))
		return;
	link->linked = begin(link);
	if (!link->linked)
		close(link->lock_file);
}

/* A server that has been away while too much changed is written to anew when it is
 * back, and the journal need not wait for it. */
static bool give_up(struct farm_link *link, size_t i, int64_t now)
{
	struct farm_server *server = &link->servers[i];
	struct farm_page_server *s = &link->page->servers[i];
	if (now - link->begun_at < GIVE_UP_MS || atomic_load(&s->health) == FARM_GOOD)
		return false;
	server->too_old = true;
	return journal_generation_put(link->store, link->farm->addresses[i], 0);
}

/* Drop the rows of the journal that every server has, or will get in another way. */
static void trim(struct farm_link *link, int64_t now)
{
	struct journal_row oldest;
	int64_t newest, least;
	size_t n;
	if (now < link->trim_at || !journal_newest(link->store, &newest) ||
	    !journal_read(link->store, 0, &oldest, 1, &n))
		return;
	link->trim_at = now + LOOK_MS;
	least = newest;
	for (size_t i = 0; n > 0 && i < link->farm->servers; i++) {
		uint64_t generation;
		bool known;
		int64_t confirmed = atomic_load(&link->page->servers[i].confirmed);
		if (!journal_generation(link->store, link->farm->addresses[i], &generation, &known))
			return;
		if (generation && confirmed < least &&
		    !(newest - oldest.seq > JOURNAL_MAX && give_up(link, i, now)))
			least = confirmed;
	}
	if (n > 0 && least >= oldest.seq)
		journal_drop(link->store, least);
}

/* A page that was deleted: everything begins anew on another. */
static void look_at_page(struct farm_link *link, int64_t now)
{
	bool renewed;
	if (now < link->look_at)
		return;
	link->look_at = now + LOOK_MS;
	if (farm_look_at_page(link->farm, &renewed) && renewed)
		leave(link);
}

static void *supervise(void *argument)
{
	struct farm_link *link = argument;
	pthread_mutex_lock(&link->lock);
	while (!link->closing) {
		pthread_mutex_unlock(&link->lock);
		int64_t now = clock_boot_ms();
		look_at_page(link, now);
		if (!link->linked)
			enter(link);
		if (link->linked) {
			atomic_store(&link->page->beat, now);
			trim(link, now);
		}
		int64_t next = clock_monotonic_ms() + FARM_CYCLE_MS;
		struct timespec until = {next / 1000, next % 1000 * 1000000};
		pthread_mutex_lock(&link->lock);
		if (!link->closing)
			pthread_cond_timedwait(&link->changed, &link->lock, &until);
	}
	pthread_mutex_unlock(&link->lock);
	leave(link);
	return NULL;
}

bool farm_link_open(struct farm *farm, struct store *local, struct farm_link **out, struct buf *why)
{
	struct farm_link *link = calloc(1, sizeof *link);
	pthread_condattr_t monotonic;
	if (!link || !store_embedded.thread_open(local, &link->store)) {
		buf_add(why, STR("no memory for the store"));
		free(link);
		return false;
	}
	link->farm = farm;
	link->local = local;
	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&link->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	/* Signals are the main thread's. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&link->supervisor, NULL, supervise, link);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0) {
		*out = link;
		return true;
	}
	buf_printf(why, "cannot start a thread for the store (error %d)", code);
	pthread_cond_destroy(&link->changed);
	pthread_mutex_destroy(&link->lock);
	store_embedded.thread_close(&link->store);
	free(link);
	return false;
}

void farm_link_close(struct farm_link **link)
{
	struct farm_link *l = *link;
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->supervisor, NULL);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	store_embedded.thread_close(&l->store);
	free(l);
	*link = NULL;
}
