/* SPDX-License-Identifier: Apache-2.0 */
/* Counters as numbers: windows, locks, and which of two is the later one. */
#include "store/count.h"

#include "unit.h"

#define NOW INT64_C(1800000000000)

static const struct limiter_rate rate = {3, 60000, false}, lock = {3, 60000, true}, none = {0, 0, false};

static uint64_t use(uint64_t count, const struct limiter_rate *by, unsigned times, int64_t now)
{
	for (unsigned i = 0; i < times; i++)
		count = count_next(count, by, now);
	return count;
}

static void windows(void)
{
	uint64_t count = use(0, &rate, 2, NOW);
	CU_ASSERT_EQUAL(count_uses(count), 2);
	CU_ASSERT_EQUAL(count_end(count), NOW + 60000);
	CU_ASSERT_EQUAL(count_left(count, &rate, NOW), 0);
	count = use(count, &rate, 1, NOW + 1000);
	CU_ASSERT_EQUAL(count_left(count, &rate, NOW + 1000), 59000);
	UNIT_ROW(use(count, &rate, 9, NOW + 1000) == count, "what is refused is not counted");
	CU_ASSERT_EQUAL(count_left(count, &rate, NOW + 59999), 1);
	CU_ASSERT_EQUAL(count_left(count, &rate, NOW + 60000), 0);
	CU_ASSERT_EQUAL(count_uses(use(count, &rate, 1, NOW + 60000)), 1);
	UNIT_ROW(count_left(use(count, &none, 9, NOW), &none, NOW) == 0, "without a limit nothing is refused");
}

static void locks(void)
{
	uint64_t count = use(0, &lock, 2, NOW);
	UNIT_ROW(count_end(count) == NOW + 60000, "before the last one the window is that of the first");
	count = use(count, &lock, 1, NOW + 50000);
	UNIT_ROW(count_left(count, &lock, NOW + 50000) == 60000, "a lock lasts for all of its time");
	UNIT_ROW(use(count, &lock, 5, NOW + 70000) == count, "and tries do not make it longer");
	CU_ASSERT_EQUAL(count_left(count, &lock, NOW + 110000), 0);
}

static void clocks(void)
{
	uint64_t count = use(0, &rate, 3, NOW);
	UNIT_ROW(count_left(count, &rate, NOW - COUNT_SKEW_MS) > 0, "another host's clock may be a little ahead");
	UNIT_ROW(count_left(count, &rate, NOW - 3600000) == 0, "set back by an hour a clock locks nobody out");
	struct limiter_rate shorter = {3, 1000, false};
	UNIT_ROW(count_left(count, &shorter, NOW) == 0, "a window that was shortened begins anew");
	UNIT_ROW(count_valid(UINT64_MAX, &rate, NOW) == 0, "damage is no counter");
}

static void later_is_greater(void)
{
	uint64_t full = use(0, &lock, 3, NOW), cleared = count_cleared(full, &lock, NOW);
	UNIT_ROW(cleared > full && count_left(cleared, &lock, NOW) == 0, "a counter that was cleared");
	CU_ASSERT_EQUAL(count_uses(cleared), 0);
	UNIT_ROW(use(cleared, &lock, 1, NOW) > cleared, "and used again");
	UNIT_ROW(count_left(use(cleared, &lock, 3, NOW), &lock, NOW) > 0, "and full again");
	UNIT_ROW(use(full, &lock, 1, NOW + 60000) > full, "the next window");
	UNIT_ROW(use(0, &lock, 2, NOW) > use(0, &lock, 1, NOW), "more uses");
	/* What a host with a clock that is ahead has written is cleared all the same. */
	uint64_t ahead = use(0, &lock, 3, NOW + 1500);
	UNIT_ROW(count_cleared(ahead, &lock, NOW) > ahead, "ahead");
	CU_ASSERT_NOT_EQUAL(count_valid(count_cleared(ahead, &lock, NOW), &lock, NOW), 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"windows", windows},
		{"locks", locks},
		{"clocks", clocks},
		{"later is greater", later_is_greater},
		{NULL, NULL},
	};
	return unit_main("count", cases);
}
