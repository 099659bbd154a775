/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle on one server, step by step as doc/many-hosts.md has it. */
#include "base/clock.h"
#include "base/secret.h"
#include "store/farm_link_internal.h"

enum { AGAIN_MAX = 20 };

/* When our mark may go from a server: others have long stopped to wait for us. */
static int64_t mark_end(const struct farm *farm)
{
	return clock_now() + (2 * farm->host_timeout_ms) / 1000 + 60;
}

/* Write a mark by what was read: a late command of an earlier connection, or another
 * writer, cannot come between. */
static enum farm_step put_mark(struct farm_server *server, const struct farm_mark *mark,
			       const struct memcache_item *old)
{
	char memory[FARM_MARK_SIZE];
	struct buf text = buf_over(memory, sizeof memory);
	farm_mark_print(&text, mark);
	int64_t end = mark_end(server->link->farm);
	enum memcache_result result =
		old->value.p ? memcache_swap(server->memcache, old->key, buf_str(&text), end, old->cas)
			     : memcache_put(server->memcache, MEMCACHE_ADD, old->key, buf_str(&text), end);
	if (result == MEMCACHE_REFUSED)
		return FARM_AGAIN;
	return result == MEMCACHE_OK ? FARM_DONE : farm_interrupt(server, result);
}

static enum farm_step write_mark(struct farm_server *server, enum farm_state state, const struct memcache_item *old)
{
	struct farm_mark mark;
	pthread_mutex_lock(&server->link->lock);
	farm_compose(server, state, &mark);
	pthread_mutex_unlock(&server->link->lock);
	enum farm_step step = put_mark(server, &mark, old);
	if (step == FARM_DONE) {
		pthread_mutex_lock(&server->link->lock);
		server->own_sequence = mark.sequence;
		pthread_mutex_unlock(&server->link->lock);
	}
	return step;
}

/* With eviction a revocation could vanish at any time, without cas a mark could. */
static enum farm_step look_at_settings(struct farm_server *server)
{
	struct str evictions = STR_NONE, cas = STR_NONE;
	if (server->is_fit)
		return FARM_DONE;
	enum memcache_result result = memcache_statistic(server->memcache, server->arena, STR("settings"),
							 STR("evictions"), &evictions);
	if (result == MEMCACHE_OK)
		result = memcache_statistic(server->memcache, server->arena, STR("settings"), STR("cas_enabled"), &cas);
	if (result == MEMCACHE_FAILED || result == MEMCACHE_FULL)
		return farm_interrupt(server, MEMCACHE_FAILED);
	bool keeps = str_eq(evictions, STR("off")), counts = str_eq(cas, STR("yes"));
	if (keeps && counts) {
		server->is_fit = true;
		return FARM_DONE;
	}
	pthread_mutex_lock(&server->link->lock);
	farm_set_health(server, keeps ? FARM_WITHOUT_CAS : FARM_EVICTING);
	pthread_mutex_unlock(&server->link->lock);
	server->retry_at = clock_boot_ms() + FARM_RETRY_MS;
	return FARM_FAILED;
}

/* The server has nothing of ours, or not what we believed: begin a generation. */
static enum farm_step begin_generation(struct farm_server *server, const struct farm_reading *reading)
{
	struct farm_link *link = server->link;
	struct str address = link->farm->addresses[server->index];
	char memory[FARM_ID_DIGITS];
	struct buf text = buf_over(memory, sizeof memory);
	uint64_t before;
	bool known;
	pthread_mutex_lock(&link->lock);
	farm_set_health(server, FARM_LOST);
	server->whole = false;
	pthread_mutex_unlock(&link->lock);
	server->published = server->is_fit = false;
	if (!journal_generation(server->local, address, &before, &known) ||
	    (before && !journal_generation_put(server->local, address, 0)))
		return FARM_FAILED;
	enum farm_step step = look_at_settings(server);
	if (step != FARM_DONE)
		return step;
	server->generation = 0;
	while (server->generation == 0)
		random_bytes(&server->generation, sizeof server->generation);
	/* The mark first: while it is there, the server has not lost what came after it. */
	step = write_mark(server, FARM_PUBLISHING, &reading->mark);
	if (step != FARM_DONE)
		return step;
	farm_id_print(&text, server->generation);
	enum memcache_result result =
		memcache_put(server->memcache, MEMCACHE_SET, reading->sentinel.key, buf_str(&text), 0);
	return result == MEMCACHE_OK ? FARM_AGAIN : farm_interrupt(server, result);
}

/* What was read of ourselves: is the server whole? */
static enum farm_step check_own(struct farm_server *server, const struct farm_reading *reading)
{
	struct farm_link *link = server->link;
	struct farm_mark mark;
	uint64_t sentinel = 0;
	bool has_mark = reading->mark.value.p && farm_mark_read(reading->mark.value, link->farm->host, &mark);
	if (has_mark) {
		/* A file from a backup may have counted less far. */
		pthread_mutex_lock(&link->lock);
		if (atomic_load(&link->page->sequence) < mark.sequence)
			atomic_store(&link->page->sequence, mark.sequence);
		pthread_mutex_unlock(&link->lock);
	}
	if (reading->sentinel.value.p)
		farm_id_read(reading->sentinel.value, &sentinel);
	if (journal_file_number(server->local) != server->file_number || server->too_old) {
		server->file_number = journal_file_number(server->local);
		server->too_old = false;
		server->generation = 0;
	}
	if (server->generation == 0 || sentinel != server->generation ||
	    (has_mark && mark.generation != server->generation))
		return begin_generation(server, reading);
	/* Our mark has expired: this host was away for long. The sentinel tells that the
	 * server has lost nothing, once the new mark stands and it is read again. */
	if (!has_mark) {
		enum farm_step step = write_mark(server, FARM_PUBLISHING, &reading->mark);
		return step == FARM_DONE ? FARM_AGAIN : step;
	}
	return FARM_DONE;
}

static enum farm_step cycle(struct farm_server *server)
{
	struct farm_link *link = server->link;
	struct farm_page_server *shared = &link->page->servers[server->index];
	uint64_t reports = atomic_load(&shared->reports);
	struct farm_reading reading;
	enum farm_step step = farm_read(server, &reading);
	if (step == FARM_DONE)
		step = look_at_settings(server);
	if (step == FARM_DONE)
		step = check_own(server, &reading);
	if (step != FARM_DONE)
		return step;
	if (!server->published) {
		step = farm_publish(server);
		return step == FARM_DONE ? FARM_AGAIN : step;
	}
	step = farm_catch_up(server);
	if (step == FARM_DONE)
		step = write_mark(server, link->stopping ? FARM_RESTING : FARM_WHOLE, &reading.mark);
	if (step != FARM_DONE)
		return step;
	pthread_mutex_lock(&link->lock);
	server->whole = true;
	farm_set_health(server, FARM_GOOD);
	atomic_store(&shared->generation, server->generation);
	farm_judge(server, reading.begun, reports);
	pthread_mutex_unlock(&link->lock);
	return FARM_DONE;
}

static enum farm_step cycle_until_done(struct farm_server *server)
{
	enum farm_step step = FARM_AGAIN;
	for (int i = 0; i < AGAIN_MAX && step == FARM_AGAIN && clock_boot_ms() >= server->retry_at; i++)
		step = cycle(server);
	return step;
}

void *farm_serve(void *argument)
{
	struct farm_server *server = argument;
	struct farm_link *link = server->link;
	while (!link->stopping) {
		uint32_t seen = atomic_load(&link->page->wake);
		int64_t next = clock_boot_ms() + FARM_CYCLE_MS;
		cycle_until_done(server);
		int64_t left = next - clock_boot_ms();
		if (left > 0 && !link->stopping)
			farm_page_sleep(link->page, seen, left);
	}
	/* The last cycle leaves everything there, and says that this host is at rest. */
	if (server->health == FARM_GOOD)
		cycle_until_done(server);
	return NULL;
}
