/* SPDX-License-Identifier: Apache-2.0 */
/* Counting for the processes of one host, in files that they all map. */
#include "base/clock.h"
#include "store/counters.h"
#include "store/embedded.h"

int64_t embedded_count_use(struct store_thread *thread, const struct store_count *count)
{
	struct limiter *limiter = counters_find(thread->store->counters, count->of);
	return limiter ? limiter_use(limiter, &count->key, &count->rate, clock_unfrozen_ms()) : STORE_COUNT_FAILED;
}

int64_t embedded_count_left(struct store_thread *thread, const struct store_count *count)
{
	struct limiter *limiter = counters_find(thread->store->counters, count->of);
	return limiter ? count_left(limiter_read(limiter, &count->key), &count->rate, clock_unfrozen_ms())
		       : STORE_COUNT_FAILED;
}

enum err embedded_count_clear(struct store_thread *thread, const struct store_count *count)
{
	struct limiter *limiter = counters_find(thread->store->counters, count->of);
	int64_t now = clock_unfrozen_ms();
	if (!limiter)
		return ERR_STORE;
	uint64_t cleared = count_cleared(limiter_read(limiter, &count->key), &count->rate, now);
	limiter_raise(limiter, &count->key, &count->rate, cleared, now);
	return ERR_NONE;
}
