/* SPDX-License-Identifier: Apache-2.0 */
/* The page that all processes of a host share (state-dir/farm.page, mapped): by it
 * the link tells workers which servers' answers count, and workers tell the link what
 * they have met. It holds times of this boot and is worth nothing after it; what must
 * last is in revocations.db. Only the link writes, but where it is said otherwise. */
#ifndef STORE_FARM_PAGE_H
#define STORE_FARM_PAGE_H

#include <stdatomic.h>

#include "store/farm_trust.h"
#include "store/state_dir.h"

/* Of a server, as the link finds it. */
enum farm_health {
	FARM_UNKNOWN,	  /* not asked yet */
	FARM_UNREACHABLE,
	FARM_EVICTING,	  /* not started with -M: what is revoked could vanish at any time */
	FARM_WITHOUT_CAS, /* started with -C */
	FARM_FULL,
	FARM_CROWDED,	  /* more hosts than FARM_HOSTS_MAX */
	FARM_LOST,	  /* it has lost what we wrote, which is being written again */
	FARM_GOOD,
	FARM_HEALTHS
};

struct farm_page_server {
	_Atomic uint64_t generation;   /* ours there; 0: its answers count for nothing */
	_Atomic int64_t trusted_until; /* read after generation; workers may set it to 0 */
	_Atomic uint32_t health;       /* enum farm_health */
	_Atomic uint64_t waits_for;    /* the host by which it is not trusted, or 0 */
	_Atomic uint64_t reports;      /* workers count what speaks against its answers */
	_Atomic int64_t unconfirmed;   /* workers: they could not put the change with that seq there */
	_Atomic int64_t confirmed;     /* every change up to that seq is there */
	_Atomic uint64_t listed_since; /* all marks from that one on say that we do not vouch for it; 0: not so */
	_Atomic uint64_t echoed;       /* every other host has read our marks there up to that one */
};

struct farm_page_host {
	_Atomic uint64_t id;
	_Atomic uint64_t sequence;
	_Atomic uint64_t facts; /* state, other_list and without */
	_Atomic int64_t changed_at;
};

struct farm_page {
	uint64_t format;   /* of this struct */
	uint64_t boot;	   /* which it is for */
	uint64_t identity; /* host, servers, namespace */
	_Atomic uint64_t sequence;   /* of the mark composed last */
	_Atomic uint64_t composing;  /* odd while one is */
	_Atomic int64_t beat;	     /* when the link was last alive */
	_Atomic int64_t marked_at;   /* when a mark of ours was last written to any server */
	_Atomic uint32_t wake;	     /* changed by who wants the link to hurry */
	struct farm_page_server servers[FARM_SERVERS_MAX];
	struct farm_page_host hosts[FARM_HOSTS_MAX];
};

/* A process's hold on it. */
struct farm_mapping {
	struct farm_page *page;
	uint64_t device, inode;
};

/* Map the page for that identity; what is there of another boot or another identity is
 * replaced by an empty one. false: why says what is wrong. */
bool farm_page_open(const char *state_dir, const struct state_owner *owner, uint64_t identity,
		    struct farm_mapping *out, struct buf *why);
void farm_page_close(struct farm_mapping *mapping);
/* Is what is mapped still what others find? Also when they find one of another
 * identity: a program with another configuration has put it there, and goes its own way. */
bool farm_page_is_current(const char *state_dir, const struct farm_mapping *mapping);

/* Sleep until ms have passed or page->wake is not `seen`. */
void farm_page_sleep(struct farm_page *page, uint32_t seen, int64_t ms);
void farm_page_wake(struct farm_page *page);

void farm_page_put_host(struct farm_page *page, size_t at, const struct farm_known *known);
void farm_page_get_host(const struct farm_page *page, size_t at, struct farm_known *out);

#endif
