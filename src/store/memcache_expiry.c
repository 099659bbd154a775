/* SPDX-License-Identifier: Apache-2.0 */
/* From a moment to what memcached makes of it. */
#include "store/memcache_expiry.h"

#include "base/clock.h"

/* Time to live as memcached takes it, which counts whole seconds and ends up to one
 * early. Short ones do not need its clock to agree with ours. */
int64_t memcache_expiry(int64_t expires, int64_t now)
{
	int64_t left;
	if (expires == 0)
		return 0;
	if (__builtin_sub_overflow(expires, now - 1, &left))
		left = INT64_MAX;
	if (left <= MEMCACHE_RELATIVE_MAX)
		return left;
	int64_t real = clock_unfrozen_ms() / 1000;
	/* Of a later moment it forgets the value at once. */
	return left > INT32_MAX - real ? 0 : real + left;
}
