/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of counters, the same in shared memory and on memcached servers. */
#include "store/count.h"

enum { COUNT_BITS = 20 };

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

_Static_assert(LIMITER_MOST_MAX < (1 << COUNT_BITS) - 1, "a count has too few bits");

int64_t count_uses(uint64_t count)
{
	return (int64_t)(count & COUNT_MASK);
}

static uint64_t make(int64_t end_ms, int64_t uses)
{
	return (uint64_t)end_ms << COUNT_BITS | (uint64_t)uses;
}

int64_t count_end(uint64_t count)
{
	return (int64_t)(count >> COUNT_BITS);
}

uint64_t count_valid(uint64_t count, const struct limiter_rate *rate, int64_t now_ms)
{
	int64_t left = count_end(count) - now_ms;
	return left > 0 && left <= rate->window_ms + COUNT_SKEW_MS ? count : 0;
}

int64_t count_left(uint64_t count, const struct limiter_rate *rate, int64_t now_ms)
{
	uint64_t valid = count_valid(count, rate, now_ms);
	return rate->most && count_uses(valid) >= rate->most ? count_end(valid) - now_ms : 0;
}

uint64_t count_next(uint64_t count, const struct limiter_rate *rate, int64_t now_ms)
{
	uint64_t valid = count_valid(count, rate, now_ms);
	if (count_left(valid, rate, now_ms) > 0)
		return valid;
	int64_t fresh = now_ms + rate->window_ms, uses = count_uses(valid) + 1;
	int64_t end = valid ? count_end(valid) : fresh;
	if (rate->locks && uses == rate->most && end < fresh)
		end = fresh;
	return make(end, uses);
}

uint64_t count_cleared(uint64_t count, const struct limiter_rate *rate, int64_t now_ms)
{
	int64_t end = now_ms + rate->window_ms, before = count_end(count_valid(count, rate, now_ms));
	return make((end > before ? end : before) + 1, 0);
}
