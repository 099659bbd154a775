/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of a host's name, without waiting for name servers beyond a deadline:
 * getaddrinfo() has none of its own, so a thread asks. */
#ifndef STORE_MEMCACHE_LOOKUP_H
#define STORE_MEMCACHE_LOOKUP_H

#include "base/str.h"

enum { MEMCACHE_HOSTS_MAX = 4, MEMCACHE_HOST_TEXT = 64 };

struct memcache_hosts {
	size_t n;
	char text[MEMCACHE_HOSTS_MAX][MEMCACHE_HOST_TEXT]; /* numeric addresses */
};

struct memcache_lookup; /* one that is going on */

/* Look host up, waiting until the deadline (monotonic ms) at most. *lookup is NULL at
 * first and belongs to these functions. false: not known; one that has not ended goes
 * on, and the next call waits for it. */
bool memcache_lookup(struct memcache_lookup **lookup, const char *host, int64_t deadline,
		     struct memcache_hosts *out);
void memcache_lookup_close(struct memcache_lookup **lookup);

#endif
