/* SPDX-License-Identifier: Apache-2.0 */
/* Until when do a server's answers count? Judged from what was read and when, and
 * from nothing else: no clock is read and nobody is asked here. Times are
 * milliseconds since the boot. The rules are those of doc/internals.md,
 * "Revocation over many hosts". */
#ifndef STORE_FARM_TRUST_H
#define STORE_FARM_TRUST_H

#include "store/farm_mark.h"

enum {
	FARM_TRUST_MS = 900,   /* what a mark or an echo is good for */
	FARM_SILENT_MS = 5000, /* who has not changed for so long is quiet */
	FARM_CYCLE_MS = 100,
	FARM_STALE_MS = 500    /* a server whose last good cycle is older is not vouched for */
};

/* Another host, by its newest mark on any server. id 0: no host. */
struct farm_known {
	uint64_t id;
	uint64_t sequence; /* 0: no mark of it was ever seen */
	enum farm_state state;
	uint32_t without; /* bits, by our index: the servers that it does not vouch for */
	bool other_list;  /* it has other servers than we: what it vouches for cannot be told */
	int64_t changed_at;
};

/* What the mark of a host on the server in question says. */
struct farm_sighting {
	uint64_t id;
	bool present;
	enum farm_state state;
	int64_t fresh_at; /* our newest mark that it echoes in state W was begun then; 0: it echoes none */
};

/* What this host sees of the others, on all servers. */
struct farm_view {
	size_t servers;
	int64_t host_timeout;
	int64_t read_at[FARM_SERVERS_MAX]; /* when the last complete read of marks was begun; 0: never */
	bool reached[FARM_SERVERS_MAX];
	int64_t quiet_from; /* since when nothing could have been missed */
	int64_t settled_at; /* no trust before: hosts may be there that we have never read of */
	struct farm_known known[FARM_HOSTS_MAX];
};

/* Begin to look. The view has known as it was kept, and when this host looked until a
 * moment ago, read_at and quiet_from of that time; else these are 0. */
void farm_view_begin(struct farm_view *view, int64_t now);
/* A complete read that was begun then. */
void farm_view_read(struct farm_view *view, size_t server, int64_t begun);
/* Time has passed: servers that were not read for too long are not reached. */
void farm_view_age(struct farm_view *view, int64_t now);
/* A server has lost its memory. */
void farm_view_lost(struct farm_view *view, int64_t now);
/* The mark was read. bits: its list by our index. Is there something new that must be
 * kept before the mark is echoed? */
bool farm_known_see(struct farm_known *known, const struct farm_mark *mark, uint32_t bits, bool other_list,
		    int64_t now);
/* Is the host waited for? */
bool farm_is_member(const struct farm_view *view, const struct farm_known *known, int64_t now);
/* Until when the server's answers count, 0 for not at all; own_at: when our newest mark
 * there, confirmed in state W, was begun. on: by the index of view->known. *waits_for:
 * the host that is the reason, or 0. */
struct farm_judgement {
	int64_t until;
	uint64_t waits_for;
};
struct farm_judgement farm_trust(const struct farm_view *view, size_t server, int64_t own_at,
				 const struct farm_sighting on[FARM_HOSTS_MAX], int64_t now);

#endif
