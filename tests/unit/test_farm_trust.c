/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of trust, from tables: what was read and when, and what follows. */
#include "unit.h"

#include <string.h>

#include "store/farm_trust.h"

enum { NOW = 1000000, TIMEOUT = 600000, A = 0x0a, B = 0x0b };

/* Two servers, all read, and one other host, whose mark stands on both. */
static struct farm_view view_of_one(void)
{
	struct farm_view view = {.servers = 2, .host_timeout = TIMEOUT, .settled = true, .first_sequence = 100};
	view.known[0] = (struct farm_known){.id = A, .sequence = 7, .state = FARM_WHOLE, .changed_at = NOW - 50};
	return view;
}

static void see_whole(struct farm_sighting on[FARM_HOSTS_MAX])
{
	memset(on, 0, FARM_HOSTS_MAX * sizeof *on);
	on[0] = (struct farm_sighting){.id = A, .present = true, .state = FARM_WHOLE, .echo = 120};
}

static void trust(void)
{
	static const struct {
		const char *name;
		struct farm_known known;
		struct farm_sighting on;
		int64_t read_at;
		bool unsettled;
		int64_t until;
		uint64_t waits_for;
	} rows[] = {
		{"a whole host", {A, 7, FARM_WHOLE, 0, false, NOW - 50}, {A, true, FARM_WHOLE, 0}, NOW, false,
		 NOW + 900, 0},
		{"counted from when the look was begun", {A, 7, FARM_WHOLE, 0, false, NOW}, {A, true, FARM_WHOLE, 0},
		 NOW - 300, false, NOW + 600, 0},
		{"a look that took too long", {A, 7, FARM_WHOLE, 0, false, NOW}, {A, true, FARM_WHOLE, 0}, NOW - 900,
		 false, 0, 0},
		{"at rest", {A, 7, FARM_RESTING, 0, false, NOW - 50}, {A, true, FARM_RESTING, 0}, NOW, false,
		 NOW + 900, 0},
		{"silent, but all is there", {A, 7, FARM_WHOLE, 0, false, NOW - TIMEOUT + 1}, {A, true, FARM_WHOLE,
		 0}, NOW,
		 false, NOW + 900, 0},
		{"publishing here", {A, 7, FARM_WHOLE, 0, false, NOW}, {A, true, FARM_PUBLISHING, 0}, NOW, false, 0, A},
		{"publishing elsewhere", {A, 7, FARM_PUBLISHING, 2, false, NOW}, {A, true, FARM_WHOLE, 0}, NOW, false,
		 NOW + 900, 0},
		{"its mark is not here", {A, 7, FARM_WHOLE, 0, false, NOW}, {A, false, 0, 0}, NOW, false, 0, A},
		{"the mark of another in its place", {A, 7, FARM_WHOLE, 0, false, NOW}, {B, true, FARM_WHOLE, 0}, NOW,
		 false, 0, A},
		{"it does not vouch for this one", {A, 7, FARM_WHOLE, 1, false, NOW}, {A, true, FARM_WHOLE, 0}, NOW,
		 false,
		 0, A},
		{"nor did it when it went to rest", {A, 7, FARM_RESTING, 3, false, NOW - 100000}, {A, true,
		 FARM_WHOLE, 0},
		 NOW, false, 0, A},
		{"it does not vouch for the other one", {A, 7, FARM_WHOLE, 2, false, NOW}, {A, true, FARM_WHOLE, 0},
		 NOW,
		 false, NOW + 900, 0},
		{"it has other servers", {A, 7, FARM_WHOLE, 0, true, NOW}, {A, true, FARM_WHOLE, 0}, NOW, false, 0, A},
		{"silent for too long: no member", {A, 7, FARM_WHOLE, 3, false, NOW - TIMEOUT}, {A, false, 0, 0}, NOW,
		 false,
		 NOW + 900, 0},
		{"a name without a mark", {A, 0, 0, 0, false, 0}, {A, false, 0, 0}, NOW, false, NOW + 900, 0},
		{"not settled", {A, 7, FARM_WHOLE, 0, false, NOW}, {A, true, FARM_WHOLE, 0}, NOW, true, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct farm_view view = view_of_one();
		struct farm_sighting on[FARM_HOSTS_MAX];
		see_whole(on);
		view.known[0] = rows[i].known;
		view.settled = !rows[i].unsettled;
		on[0] = rows[i].on;
		struct farm_judgement got = farm_trust(&view, 0, rows[i].read_at, on, NOW);
		UNIT_ROW(got.until == rows[i].until, rows[i].name);
		UNIT_ROW(got.waits_for == rows[i].waits_for, rows[i].name);
	}
}

static void alone(void)
{
	struct farm_view view = {.servers = 1, .host_timeout = TIMEOUT, .settled = true};
	struct farm_sighting on[FARM_HOSTS_MAX] = {{0}};
	UNIT_ROW(farm_trust(&view, 0, NOW, on, NOW).until == NOW + FARM_TRUST_MS, "one host");
	UNIT_ROW(farm_trust(&view, 0, 0, on, NOW).until == 0, "never read");
	UNIT_ROW(farm_echoed(&view, on, 55, NOW) == 55, "nobody has to hear");
}

static void all_members_count(void)
{
	struct farm_view view = view_of_one();
	struct farm_sighting on[FARM_HOSTS_MAX];
	see_whole(on);
	/* In the last place, with a hole between. */
	view.known[FARM_HOSTS_MAX - 1] = (struct farm_known){.id = B, .sequence = 1, .state = FARM_WHOLE,
							     .changed_at = NOW};
	struct farm_judgement got = farm_trust(&view, 1, NOW, on, NOW);
	UNIT_ROW(got.until == 0 && got.waits_for == B, "the last one is missing");
	on[FARM_HOSTS_MAX - 1] = (struct farm_sighting){.id = B, .present = true, .state = FARM_WHOLE, .echo = 110};
	UNIT_ROW(farm_trust(&view, 1, NOW, on, NOW).until == NOW + 900, "it is there");
}

static void echoes(void)
{
	struct farm_view view = view_of_one();
	struct farm_sighting on[FARM_HOSTS_MAX];
	see_whole(on);
	UNIT_ROW(farm_echoed(&view, on, 125, NOW) == 120, "what it has read");
	UNIT_ROW(farm_echoed(&view, on, 110, NOW) == 110, "no more than was confirmed");
	view.known[0].state = FARM_RESTING;
	view.known[0].changed_at = NOW - TIMEOUT + 1;
	UNIT_ROW(farm_echoed(&view, on, 125, NOW) == 120, "one at rest is waited for, too");
	view.known[0].changed_at = NOW - TIMEOUT;
	UNIT_ROW(farm_echoed(&view, on, 125, NOW) == 125, "until host-timeout");
	view = view_of_one();
	on[0].present = false;
	UNIT_ROW(farm_echoed(&view, on, 125, NOW) == 0, "its mark is gone");
	on[0].present = true;
	on[0].id = B;
	UNIT_ROW(farm_echoed(&view, on, 125, NOW) == 0, "what another has read is nothing");
}

static void newest_mark(void)
{
	struct farm_known known = {.id = A};
	struct farm_mark mark = {.host = A, .state = FARM_WHOLE, .sequence = 5};
	farm_known_see(&known, &mark, 1, false, NOW);
	UNIT_ROW(known.sequence == 5 && known.without == 1 && known.changed_at == NOW, "the first");
	farm_known_see(&known, &mark, 2, true, NOW + 1);
	UNIT_ROW(known.without == 1 && !known.other_list && known.changed_at == NOW, "the same again");
	mark.sequence = 7;
	mark.state = FARM_RESTING;
	farm_known_see(&known, &mark, 2, true, NOW + 2);
	UNIT_ROW(known.without == 2 && known.other_list && known.state == FARM_RESTING && known.changed_at == NOW + 2,
		 "a newer one");
	mark.sequence = 6;
	mark.state = FARM_WHOLE;
	farm_known_see(&known, &mark, 0, false, NOW + 3);
	UNIT_ROW(known.without == 2 && known.state == FARM_RESTING && known.changed_at == NOW + 2,
		 "an older one on another server says nothing");
}

static void settling(void)
{
	struct farm_view view = view_of_one();
	uint64_t heard[FARM_HOSTS_MAX] = {0};
	view.settled = false;
	view.settles_at = NOW + 5000;
	view.read[0] = true;
	heard[0] = 100;
	farm_settle(&view, heard, NOW);
	UNIT_ROW(!view.settled, "a server was not read yet");
	view.read[1] = true;
	heard[0] = 99;
	farm_settle(&view, heard, NOW);
	UNIT_ROW(!view.settled, "the host has heard of an earlier life only");
	heard[0] = 100;
	farm_settle(&view, heard, NOW);
	UNIT_ROW(view.settled, "all read, all have heard");
	view.settled = false;
	heard[0] = 0;
	view.known[0].state = FARM_RESTING;
	farm_settle(&view, heard, NOW);
	UNIT_ROW(view.settled, "one at rest need not have heard");
	view.settled = false;
	view.known[0].state = FARM_WHOLE;
	view.known[0].changed_at = NOW - FARM_TRUST_MS;
	farm_settle(&view, heard, NOW);
	UNIT_ROW(view.settled, "nor a silent one");
	view.settled = false;
	view.known[0].changed_at = NOW + 4900;
	farm_settle(&view, heard, NOW + 4999);
	UNIT_ROW(!view.settled, "before the time is over");
	view.read[0] = false;
	farm_settle(&view, heard, NOW + 5000);
	UNIT_ROW(view.settled, "after it");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"trust", trust},
		{"alone", alone},
		{"all members count", all_members_count},
		{"echoes", echoes},
		{"the newest mark", newest_mark},
		{"settling", settling},
		{NULL, NULL},
	};
	return unit_main("farm_trust", cases);
}
