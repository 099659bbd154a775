/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of trust, one function each. */
#include "store/farm_trust.h"

static bool all_reached(const struct farm_view *view)
{
	bool all = true;
	for (size_t i = 0; i < view->servers; i++)
		all = all && view->reached[i];
	return all;
}

void farm_view_begin(struct farm_view *view, int64_t now)
{
	bool warm = false;
	for (size_t i = 0; i < view->servers; i++) {
		view->reached[i] = view->read_at[i] != 0 && now - view->read_at[i] <= FARM_TRUST_MS;
		warm = warm || view->reached[i];
	}
	if (!warm)
		view->quiet_from = now;
	view->settled_at = warm ? now : now + FARM_SILENT_MS;
}

void farm_view_read(struct farm_view *view, size_t server, int64_t begun)
{
	/* What was written in a gap and is overwritten since was never seen. */
	if (!view->reached[server] || begun - view->read_at[server] > FARM_TRUST_MS)
		view->quiet_from = view->quiet_from > begun ? view->quiet_from : begun;
	view->reached[server] = true;
	view->read_at[server] = begun;
	if (view->settled_at > begun && all_reached(view))
		view->settled_at = begun;
}

void farm_view_age(struct farm_view *view, int64_t now)
{
	for (size_t i = 0; i < view->servers; i++)
		if (view->reached[i] && now - view->read_at[i] > FARM_TRUST_MS) {
			view->reached[i] = false;
			view->quiet_from = now;
		}
}

void farm_view_lost(struct farm_view *view, int64_t now)
{
	view->quiet_from = now;
}

bool farm_known_see(struct farm_known *known, const struct farm_mark *mark, uint32_t bits, bool other_list,
		    int64_t now)
{
	if (mark->sequence <= known->sequence)
		return false;
	bool news = known->sequence == 0 || known->state != mark->state || known->without != bits ||
		    known->other_list != other_list;
	known->sequence = mark->sequence;
	known->state = mark->state;
	known->without = bits;
	known->other_list = other_list;
	known->changed_at = now;
	return news;
}

bool farm_is_member(const struct farm_view *view, const struct farm_known *known, int64_t now)
{
	return known->id != 0 && known->sequence != 0 && now - known->changed_at < view->host_timeout;
}

/* How long what is known of quiet hosts holds: until a server that is read might
 * have got something newer. */
static int64_t horizon(const struct farm_view *view)
{
	int64_t at = INT64_MAX;
	for (size_t i = 0; i < view->servers; i++)
		if (view->reached[i] && view->read_at[i] < at)
			at = view->read_at[i];
	return at == INT64_MAX ? 0 : at + FARM_TRUST_MS;
}

static bool is_quiet(const struct farm_view *view, const struct farm_known *known, int64_t now)
{
	int64_t since = known->changed_at > view->quiet_from ? known->changed_at : view->quiet_from;
	if (known->state == FARM_RESTING && all_reached(view))
		return true;
	return now - since >= FARM_SILENT_MS;
}

/* Until when the host's not being heard of is no obstacle on the server. */
static int64_t allow(const struct farm_view *view, size_t server, const struct farm_known *known,
		     const struct farm_sighting *on, int64_t now)
{
	int64_t fresh = 0, quiet = 0;
	if (on->id != known->id || !on->present)
		return 0;
	if (on->state == FARM_WHOLE && on->fresh_at)
		fresh = on->fresh_at + FARM_TRUST_MS;
	if (on->state != FARM_PUBLISHING && !known->other_list && !(known->without >> server & 1) &&
	    is_quiet(view, known, now))
		quiet = horizon(view);
	return fresh > quiet ? fresh : quiet;
}

struct farm_judgement farm_trust(const struct farm_view *view, size_t server, int64_t own_at,
				 const struct farm_sighting on[FARM_HOSTS_MAX], int64_t now)
{
	struct farm_judgement judgement = {own_at ? own_at + FARM_TRUST_MS : 0, 0};
	if (now < view->settled_at)
		judgement.until = 0;
	for (size_t i = 0; i < FARM_HOSTS_MAX && judgement.until > now; i++) {
		const struct farm_known *known = &view->known[i];
		if (!farm_is_member(view, known, now))
			continue;
		int64_t until = allow(view, server, known, &on[i], now);
		if (until < judgement.until)
			judgement.until = until;
		if (until <= now)
			judgement.waits_for = known->id;
	}
	if (judgement.until <= now)
		judgement.until = 0;
	return judgement;
}
