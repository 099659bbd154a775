/* SPDX-License-Identifier: Apache-2.0 */
/* One memcached server, asked by one thread through libmemcached, whose own types
 * stay in memcache.c. No call waits longer than the timeout for a server that says
 * nothing (a write that has to connect first: twice that, at worst); one that failed a
 * few times in a row is left alone for a second (circuit breaker). A server that does
 * not answer is never taken for one that has nothing. */
#ifndef STORE_MEMCACHE_H
#define STORE_MEMCACHE_H

#include "base/arena.h"

/* Text that memcached takes as a key: we make it, never a client. */
enum { MEMCACHE_KEY_MAX = 64, MEMCACHE_ASKED_MAX = 64, MEMCACHE_VALUE_MAX = 512 << 10 };

enum memcache_result {
	MEMCACHE_OK,
	MEMCACHE_REFUSED, /* the server: add of a key that is there, replace of one that is not, cas that lost */
	MEMCACHE_FULL,	  /* no memory for the value: the server's, or its limit; or the arena's */
	MEMCACHE_FAILED	  /* no answer, or the breaker is open */
};

/* See memcached's protocol.txt, "storage commands". */
enum memcache_how { MEMCACHE_SET, MEMCACHE_ADD, MEMCACHE_REPLACE };

struct memcache_item {
	struct str key;
	struct str value; /* in the arena; STR_NONE: the server has none */
	uint64_t cas;	  /* 0: none was asked for, or the server keeps none */
};

struct memcache;

/* Is it "host:port", "[v6]:port" or "unix:/path"? For configuration. false: why. */
bool memcache_address_valid(struct str address, struct buf *why);
/* Connects at the first call. false: no memory, or the address is not valid. */
bool memcache_open(struct str address, int64_t timeout_ms, struct memcache **out);
void memcache_close(struct memcache **memcache);
/* False while the breaker is open: a call would fail at once. */
bool memcache_is_ready(const struct memcache *memcache);
/* The next call ends at that moment (monotonic ms) at the latest: for a caller who has
 * asked others before. */
void memcache_hurry(struct memcache *memcache, int64_t until);
/* One multi-get for all keys of items (1 to MEMCACHE_ASKED_MAX): MEMCACHE_OK only when
 * the server's whole answer came; otherwise no value is set. Values that it gives
 * for a key that was not asked for end the connection. with_cas: ask for cas too. */
enum memcache_result memcache_get(struct memcache *memcache, struct arena *arena, struct memcache_item *items,
				  size_t n, bool with_cas);
/* The same in two halves, so that two servers are asked at once: begin sends, end
 * receives. Between them nothing else may be asked of this server. */
enum memcache_result memcache_get_begin(struct memcache *memcache, const struct memcache_item *items, size_t n,
					bool with_cas);
enum memcache_result memcache_get_end(struct memcache *memcache, struct arena *arena, struct memcache_item *items,
				      size_t n);
/* Write. expires: seconds since 1970, 0 for never; it holds until then at least, and 2 s
 * longer at most; one beyond 2^31 - 1 is kept for ever; one that is over is MEMCACHE_OK and
 * writes nothing. The server may have forgotten an older value when the answer to a
 * MEMCACHE_SET is MEMCACHE_FULL. */
enum memcache_result memcache_put(struct memcache *memcache, enum memcache_how how, struct str key, struct str value,
				  int64_t expires);
/* The same in place of the value that was read with cas: MEMCACHE_REFUSED when there is
 * another by now, or none. */
enum memcache_result memcache_swap(struct memcache *memcache, struct str key, struct str value, int64_t expires,
				   uint64_t cas);
/* Add one to the decimal number that is there; *out: the sum, with MEMCACHE_OK.
 * MEMCACHE_REFUSED: there was none. */
enum memcache_result memcache_increment(struct memcache *memcache, struct str key, uint64_t *out);
/* MEMCACHE_REFUSED: there was none. */
enum memcache_result memcache_delete(struct memcache *memcache, struct str key);
/* The same for the value that was read with cas, and for no later one. */
enum memcache_result memcache_release(struct memcache *memcache, struct str key, uint64_t cas);
/* The text of a statistic, in the arena: group "settings" or "" (general).
 * MEMCACHE_REFUSED: there is none of that name. */
enum memcache_result memcache_statistic(struct memcache *memcache, struct arena *arena, struct str group,
					struct str name, struct str *out);
/* Forget everything on the server. MEMCACHE_REFUSED: it was started with -F. */
enum memcache_result memcache_clear(struct memcache *memcache);
/* What the last MEMCACHE_FAILED was, for people. */
void memcache_explain(const struct memcache *memcache, struct buf *out);
/* Which of n servers (their addresses) has the key, by consistent hashing: all hosts
 * with the same list agree, and a list with one more moves few keys. For the cache. */
struct memcache_ring;
bool memcache_ring_open(const struct str *addresses, size_t n, struct memcache_ring **out);
void memcache_ring_close(struct memcache_ring **ring);
size_t memcache_ring_find(const struct memcache_ring *ring, struct str key);
/* Version of libmemcached. */
const char *memcache_library(void);

#endif
