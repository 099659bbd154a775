/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing it, and finding the page again. */
#include "store/farm.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/farm_host.h"
#include "store/memcache.h"

const char *farm_health_text(enum farm_health health)
{
	static const char *const texts[FARM_HEALTHS] = {
		[FARM_UNKNOWN] = "not asked yet",
		[FARM_UNREACHABLE] = "does not answer: is it running, and may this host reach it?",
		[FARM_EVICTING] = "may forget revocations at any time: start it with -M",
		[FARM_WITHOUT_CAS] = "was started with -C: leave that out",
		[FARM_FULL] = "has no memory left: start it with a larger -m",
		[FARM_CROWDED] = "has more hosts in its list than a farm can have",
		[FARM_LOST] = "lacks revocations of this host (it is new, or lost its memory): they are being written",
		[FARM_GOOD] = "has every revocation of this host",
	};
	return health < FARM_HEALTHS ? texts[health] : "unknown";
}

static bool copy_texts(struct farm *farm, const struct store_settings *settings)
{
	farm->state_dir = strdup(settings->state_dir);
	for (size_t i = 0; i < settings->servers->n; i++) {
		struct str address = settings->servers->items[i].value;
		char *copy = strndup(address.p, address.n);
		if (!copy)
			return false;
		farm->addresses[i] = (struct str){copy, address.n};
		farm->hashes[i] = farm_server_hash(address);
		farm->servers++;
	}
	farm->list = farm_list_hash(farm->addresses, farm->servers);
	return farm->state_dir != NULL;
}

/* Processes with other servers, another namespace or another id share no page. */
static uint64_t identity_of(const struct farm *farm)
{
	uint64_t h = 0xcbf29ce484222325 ^ farm->host;
	for (size_t i = 0; i < farm->servers; i++)
		for (size_t j = 0; j <= farm->addresses[i].n; j++)
			h = (h ^ (unsigned char)farm->addresses[i].p[j]) * 0x100000001b3;
	for (size_t i = 0; i < sizeof farm->space.mask; i++)
		h = (h ^ farm->space.mask[i]) * 0x100000001b3;
	return h;
}

static bool map_page(struct farm *farm, struct buf *why)
{
	struct farm_mapping mapping;
	if (farm->n_mappings == FARM_MAPPINGS_MAX) {
		buf_add(why, STR("farm.page was replaced too often: restart this program"));
		return false;
	}
	if (!farm_page_open(farm->state_dir, &farm->owner, farm->identity, &mapping, why))
		return false;
	farm->mappings[farm->n_mappings++] = mapping;
	atomic_store_explicit(&farm->page, mapping.page, memory_order_release);
	return true;
}

bool farm_open(const struct store_settings *settings, struct farm **out, struct buf *why)
{
	struct farm *farm = calloc(1, sizeof *farm);
	if (!farm) {
		buf_add(why, STR("no memory for the store"));
		return false;
	}
	farm->timeout_ms = settings->timeout_ms;
	farm->host_timeout_ms = settings->host_timeout_ms;
	memcache_space_of(settings->namespace, &farm->space);
	bool good = settings->servers->n <= FARM_SERVERS_MAX;
	if (!good)
		buf_printf(why, "memcached: at most %d servers", FARM_SERVERS_MAX);
	if (good && !(good = copy_texts(farm, settings)))
		buf_add(why, STR("no memory for the store"));
	good = good && state_dir_check(farm->state_dir, false, &farm->owner, why) &&
	       farm_host_id(farm->state_dir, &farm->owner, &farm->host, why);
	if (good) {
		farm->identity = identity_of(farm);
		good = map_page(farm, why);
	}
	if (!good) {
		farm_close(&farm);
		return false;
	}
	*out = farm;
	return true;
}

void farm_close(struct farm **farm)
{
	if (!*farm)
		return;
	for (size_t i = 0; i < (*farm)->n_mappings; i++)
		farm_page_close(&(*farm)->mappings[i]);
	for (size_t i = 0; i < (*farm)->servers; i++) {
		/* Allocated in copy_texts(). */
		union {
			const char *read;
			char *written;
		} text = {(*farm)->addresses[i].p};
		free(text.written);
	}
	free((*farm)->state_dir);
	free(*farm);
	*farm = NULL;
}

bool farm_look_at_page(struct farm *farm, bool *renewed)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	*renewed = false;
	if (farm_page_is_current(farm->state_dir, &farm->mappings[farm->n_mappings - 1]))
		return true;
	if (!map_page(farm, &why)) {
		log_text(LOG_ERR, "store", "%.*s", STR_ARGS(buf_str(&why)));
		return false;
	}
	log_text(LOG_WARNING, "store", "farm.page was deleted or replaced under this process; there is a new one");
	*renewed = true;
	return true;
}
