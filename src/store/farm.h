/* SPDX-License-Identifier: Apache-2.0 */
/* What a process knows of the farm that its host belongs to: the servers, its own
 * host's id, and the page that it shares with the host's other processes. */
#ifndef STORE_FARM_H
#define STORE_FARM_H

#include "store/farm_page.h"
#include "store/memcache_key.h"

enum { FARM_MAPPINGS_MAX = 16 };

struct farm {
	char *state_dir;
	struct state_owner owner;
	struct str addresses[FARM_SERVERS_MAX]; /* allocated, with a NUL */
	uint32_t hashes[FARM_SERVERS_MAX];
	size_t servers;
	uint32_t list;
	struct memcache_space space;
	uint64_t host;
	uint64_t identity; /* of the page */
	int64_t timeout_ms, host_timeout_ms;
	_Atomic(struct farm_page *) page;
	/* Workers may still look at an older one. */
	struct farm_mapping mappings[FARM_MAPPINGS_MAX];
	size_t n_mappings;
};

/* What is copied. false: why says what is wrong and what to do. */
bool farm_open(const struct store_settings *settings, struct farm **out, struct buf *why);
void farm_close(struct farm **farm);
/* Was the page deleted or replaced? Then map the one that is there now. By one thread.
 * *renewed: another page is in use. false: there is none that can be used. */
bool farm_look_at_page(struct farm *farm, bool *renewed);
static inline struct farm_page *farm_page(struct farm *farm)
{
	return atomic_load_explicit(&farm->page, memory_order_acquire);
}

/* What the health means, and for people what to do. */
const char *farm_health_text(enum farm_health health);

#endif
