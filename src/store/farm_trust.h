/* SPDX-License-Identifier: Apache-2.0 */
/* Until when do a server's answers count? Judged from what was read and when, and
 * from nothing else: no clock is read and nobody is asked here. Times are
 * milliseconds since the boot. The rules are those of doc/many-hosts.md. */
#ifndef STORE_FARM_TRUST_H
#define STORE_FARM_TRUST_H

#include "store/farm_mark.h"

enum {
	FARM_TRUST_MS = 900,   /* what a look at a server is good for */
	FARM_SETTLE_MS = 5000, /* who is new waits so long for servers and hosts that he does not hear of */
	FARM_CYCLE_MS = 100
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

/* What the mark of a host on one server says. */
struct farm_sighting {
	uint64_t id;
	bool present;
	enum farm_state state;
	uint64_t echo; /* the newest mark of ours that it has read there; 0: none */
};

/* What this host sees of the others. */
struct farm_view {
	size_t servers;
	int64_t host_timeout;
	uint64_t first_sequence; /* marks of ours that are older come from another life */
	/* Once settled, every host that may promise something knows of this one and waits
	 * until it has heard; before, nothing is trusted. */
	bool settled;
	int64_t settles_at; /* at the latest */
	bool read[FARM_SERVERS_MAX]; /* since the beginning */
	struct farm_known known[FARM_HOSTS_MAX];
};

/* A host's mark was read. bits: its list by our index. */
void farm_known_see(struct farm_known *known, const struct farm_mark *mark, uint32_t bits, bool other_list,
		    int64_t now);
/* Is the host waited for? */
bool farm_is_member(const struct farm_view *view, const struct farm_known *known, int64_t now);
/* Settle when it is time. heard: by the index of view->known, the newest mark of ours that
 * the host has echoed on any server. */
void farm_settle(struct farm_view *view, const uint64_t heard[FARM_HOSTS_MAX], int64_t now);
/* The newest mark of ours on a server that every member has echoed there; own: the newest
 * that was confirmed. on: by the index of view->known. */
uint64_t farm_echoed(const struct farm_view *view, const struct farm_sighting on[FARM_HOSTS_MAX], uint64_t own,
		     int64_t now);

/* Until when the server's answers count, 0 for not at all, and the host that is the
 * reason, or 0. read_at: when the last complete look at it was begun, at which it had
 * all that we wrote. */
struct farm_judgement {
	int64_t until;
	uint64_t waits_for;
};
struct farm_judgement farm_trust(const struct farm_view *view, size_t server, int64_t read_at,
				 const struct farm_sighting on[FARM_HOSTS_MAX], int64_t now);

#endif
