/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of trust, one function each. */
#include "store/farm_trust.h"

void farm_known_see(struct farm_known *known, const struct farm_mark *mark, uint32_t bits, bool other_list,
		    int64_t now)
{
	if (mark->sequence <= known->sequence)
		return;
	known->sequence = mark->sequence;
	known->state = mark->state;
	known->without = bits;
	known->other_list = other_list;
	known->changed_at = now;
}

bool farm_is_member(const struct farm_view *view, const struct farm_known *known, int64_t now)
{
	return known->id != 0 && known->sequence != 0 && now - known->changed_at < view->host_timeout;
}

/* A host that is silent or at rest promises nothing before it has read of this one. */
static bool is_awake(const struct farm_view *view, const struct farm_known *known, int64_t now)
{
	return farm_is_member(view, known, now) && known->state != FARM_RESTING &&
	       now - known->changed_at < FARM_TRUST_MS;
}

void farm_settle(struct farm_view *view, const uint64_t heard[FARM_HOSTS_MAX], int64_t now)
{
	bool all = true;
	for (size_t i = 0; i < view->servers; i++)
		all = all && view->read[i];
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++)
		all = all && (!is_awake(view, &view->known[i], now) || heard[i] >= view->first_sequence);
	view->settled = view->settled || all || now >= view->settles_at;
}

uint64_t farm_echoed(const struct farm_view *view, const struct farm_sighting on[FARM_HOSTS_MAX], uint64_t own,
		     int64_t now)
{
	uint64_t least = own;
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++) {
		const struct farm_known *known = &view->known[i];
		uint64_t echo = on[i].id == known->id && on[i].present ? on[i].echo : 0;
		if (farm_is_member(view, known, now) && echo < least)
			least = echo;
	}
	return least;
}

/* Is everything there that this host has promised to the others? */
static bool is_complete(const struct farm_known *known, const struct farm_sighting *on, size_t server)
{
	return on->id == known->id && on->present && on->state != FARM_PUBLISHING && !known->other_list &&
	       !(known->without >> server & 1);
}

struct farm_judgement farm_trust(const struct farm_view *view, size_t server, int64_t read_at,
				 const struct farm_sighting on[FARM_HOSTS_MAX], int64_t now)
{
	int64_t until = view->settled ? read_at + FARM_TRUST_MS : 0;
	if (until <= now)
		return (struct farm_judgement){0, 0};
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++)
		if (farm_is_member(view, &view->known[i], now) && !is_complete(&view->known[i], &on[i], server))
			return (struct farm_judgement){0, view->known[i].id};
	return (struct farm_judgement){until, 0};
}
