/* SPDX-License-Identifier: Apache-2.0 */
/* The clock, and its freezing for tests: one of the two things in the library
 * that are global (the other is the log's sink). */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t frozen = -1;

static int64_t read_clock(clockid_t id, int64_t per_second)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * per_second + t.tv_nsec / (1000000000 / per_second);
}

int64_t clock_now_ms(void)
{
	int64_t at = atomic_load_explicit(&frozen, memory_order_relaxed);
	return at >= 0 ? at * 1000 : read_clock(CLOCK_REALTIME, 1000);
}

int64_t clock_unfrozen_ms(void)
{
	return read_clock(CLOCK_REALTIME, 1000);
}

int64_t clock_now(void)
{
	return clock_now_ms() / 1000;
}

void clock_set(int64_t now)
{
	atomic_store(&frozen, now);
}

int64_t clock_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000);
}

int64_t clock_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000000);
}

int64_t clock_boot_ms(void)
{
	return read_clock(CLOCK_BOOTTIME, 1000);
}
