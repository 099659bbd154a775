/* SPDX-License-Identifier: Apache-2.0 */
/* Where a memcached server is: "HOST:PORT", "[IPV6]:PORT" or "unix:/path". */
#ifndef STORE_MEMCACHE_ADDRESS_H
#define STORE_MEMCACHE_ADDRESS_H

#include "base/str.h"

enum { MEMCACHE_HOST_MAX = 253 };

struct memcache_address {
	bool is_socket;			   /* of the file system */
	bool is_name;			   /* to be looked up */
	uint16_t port;			   /* 0 for those */
	char host[MEMCACHE_HOST_MAX + 1]; /* a name, an address without brackets, or the path */
};

/* false: why says what it should look like. */
bool memcache_address_parse(struct str text, struct memcache_address *out, struct buf *why);

#endif
