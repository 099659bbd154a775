/* SPDX-License-Identifier: Apache-2.0 */
/* A counter as one number, so that it changes in one step wherever it lies: the end of
 * its window in milliseconds since 1970, and in the last 20 bits how many uses came. Of
 * two numbers for one counter the greater one is the later one, or knows of more uses. */
#ifndef STORE_COUNT_H
#define STORE_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* At most `most` uses in window_ms milliseconds; 0: no limit. */
struct limiter_rate {
	int64_t most;
	int64_t window_ms;
	bool locks; /* the last use that is allowed begins the window anew: what follows is refused for all of it */
};

enum {
	LIMITER_MOST_MAX = 1000000,
	COUNT_SKEW_MS = 2000 /* so much may the clocks of hosts differ */
};

/* The counter, or 0 when its window is over, and when it ends so late that a clock has been
 * set back or that the window was longer once. */
uint64_t count_valid(uint64_t count, const struct limiter_rate *rate, int64_t now_ms);
/* Milliseconds until the next use is allowed; 0: it is now. */
int64_t count_left(uint64_t count, const struct limiter_rate *rate, int64_t now_ms);
/* After one use more; the same number when that is refused. */
uint64_t count_next(uint64_t count, const struct limiter_rate *rate, int64_t now_ms);
/* Nothing was used, and greater than what was counted before. */
uint64_t count_cleared(uint64_t count, const struct limiter_rate *rate, int64_t now_ms);
/* When its window ends, in milliseconds, and how many uses came. */
int64_t count_end(uint64_t count);
int64_t count_uses(uint64_t count);

#endif
