/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts write on memcached servers about themselves, as text: marks and the
 * roster (doc/many-hosts.md). Readers are strict: what
 * was not written by print is no mark. */
#ifndef STORE_FARM_MARK_H
#define STORE_FARM_MARK_H

#include "store/store.h"

/* servers: of one configuration. hosts: others that one host knows. */
enum { FARM_SERVERS_MAX = STORE_SERVERS_MAX, FARM_HOSTS_MAX = 60 };

enum farm_state {
	FARM_PUBLISHING = 'P', /* not everything of the host is on the server */
	FARM_WHOLE = 'W',
	FARM_RESTING = 'R' /* the host has ended in good order; what it knows is there */
};

/* The newest mark of another host that this one has read on this server. */
struct farm_echo {
	uint64_t host;
	uint64_t sequence;
};

struct farm_mark {
	uint64_t host;
	uint64_t generation; /* of the host on this server; never 0 */
	enum farm_state state;
	uint64_t sequence; /* counts the host's marks on all servers; also the nonce that others echo */
	uint64_t since;	   /* all marks from that sequence on have this mark's `without` */
	uint32_t list;	   /* farm_list_hash() of the host's servers */
	uint32_t without[FARM_SERVERS_MAX]; /* farm_server_hash() of those that it does not vouch for */
	size_t n_without;
	struct farm_echo echoes[FARM_HOSTS_MAX];
	size_t n_echoes;
};

struct farm_roster {
	uint64_t hosts[FARM_HOSTS_MAX + 1];
	size_t n;
};

enum { FARM_ID_DIGITS = 16, FARM_ROSTER_SIZE = (FARM_HOSTS_MAX + 1) * (FARM_ID_DIGITS + 1) };
/* The longest mark. */
enum { FARM_MARK_SIZE = 96 + FARM_SERVERS_MAX * 9 + FARM_HOSTS_MAX * 2 * (FARM_ID_DIGITS + 1) };

void farm_mark_print(struct buf *out, const struct farm_mark *mark);
/* host: whose mark it must be. */
bool farm_mark_read(struct str text, uint64_t host, struct farm_mark *out);
void farm_roster_print(struct buf *out, const struct farm_roster *roster);
/* No id twice. */
bool farm_roster_read(struct str text, struct farm_roster *out);
bool farm_roster_has(const struct farm_roster *roster, uint64_t host);
/* 16 hexadecimal digits of it. */
void farm_id_print(struct buf *out, uint64_t id);
/* false: not 16 lower-case hexadecimal digits, or 0. */
bool farm_id_read(struct str text, uint64_t *out);

/* What tells servers apart, and lists of them: not the order. */
uint32_t farm_server_hash(struct str address);
uint32_t farm_list_hash(const struct str *addresses, size_t n);

#endif
