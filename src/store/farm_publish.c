/* SPDX-License-Identifier: Apache-2.0 */
/* From revocations.db to one server. */
#include "base/clock.h"
#include "store/farm_link_internal.h"
#include "store/farm_put.h"

static enum farm_step put_all(struct farm_server *server, int kind)
{
	struct farm_link *link = server->link;
	struct journal_walk walk = {.kind = kind, .since = clock_now() - STORE_KEPT};
	size_t n = 0;
	do {
		if (!journal_walk_next(server->local, &walk, server->items, JOURNAL_BATCH, &n))
			return FARM_FAILED;
		for (size_t i = 0; i < n; i++) {
			enum memcache_result result = farm_put(server->memcache, &link->farm->space,
							       &server->items[i], false, server->arena);
			if (result != MEMCACHE_OK)
				return farm_interrupt(server, result);
			if (link->stopping)
				return FARM_FAILED;
		}
	} while (n > 0);
	return FARM_DONE;
}

static void confirm(struct farm_server *server)
{
	atomic_store(&server->link->page->servers[server->index].confirmed, server->position);
}

enum farm_step farm_publish(struct farm_server *server)
{
	static const int kinds[] = {STORE_TOKEN, STORE_USER, JOURNAL_RECORD};
	int64_t newest;
	/* What is committed from here on has a greater number. */
	if (!journal_newest(server->local, &newest))
		return FARM_FAILED;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		enum farm_step step = put_all(server, kinds[i]);
		if (step != FARM_DONE)
			return step;
	}
	/* Durable before a mark says so: only then rows may be dropped that are there. */
	if (!journal_generation_put(server->local, server->link->farm->addresses[server->index],
				    server->generation))
		return FARM_FAILED;
	server->position = newest;
	server->published = true;
	confirm(server);
	return FARM_DONE;
}

static enum farm_step tell(struct farm_server *server, const struct journal_row *row)
{
	struct journal_item *item = &server->items[0];
	bool found;
	if (!journal_find(server->local, &row->key, row->kind, item, &found))
		return FARM_FAILED;
	if (!found) /* removed again */
		return FARM_DONE;
	enum memcache_result result = farm_put(server->memcache, &server->link->farm->space, item, true,
					       server->arena);
	return result == MEMCACHE_OK ? FARM_DONE : farm_interrupt(server, result);
}

enum farm_step farm_catch_up(struct farm_server *server)
{
	struct journal_row rows[JOURNAL_BATCH];
	int64_t newest;
	size_t n;
	if (!journal_newest(server->local, &newest))
		return FARM_FAILED;
	do {
		if (!journal_read(server->local, server->position, rows, JOURNAL_BATCH, &n))
			return FARM_FAILED;
		for (size_t i = 0; i < n; i++) {
			enum farm_step step = tell(server, &rows[i]);
			if (step != FARM_DONE)
				return step;
			server->position = rows[i].seq;
		}
		if (n == JOURNAL_BATCH && server->link->stopping)
			return FARM_FAILED;
	} while (n == JOURNAL_BATCH);
	/* Rows that are missing were dropped when every server had them, or because this
	 * one was away for too long: that was said before. */
	if (server->too_old)
		return FARM_AGAIN;
	if (server->position < newest)
		server->position = newest;
	confirm(server);
	return FARM_DONE;
}
