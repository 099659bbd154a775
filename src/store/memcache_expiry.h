/* SPDX-License-Identifier: Apache-2.0 */
/* Until when a value is kept, in memcached's own words (protocol.txt, "Expiration times"). */
#ifndef STORE_MEMCACHE_EXPIRY_H
#define STORE_MEMCACHE_EXPIRY_H

#include <stdint.h>

/* memcached takes a greater time to live for a date. */
enum { MEMCACHE_RELATIVE_MAX = 30 * 24 * 3600 };

/* What to send for a value that holds until `expires`, in seconds since 1970; 0: for ever. */
int64_t memcache_expiry(int64_t expires, int64_t now);

#endif
