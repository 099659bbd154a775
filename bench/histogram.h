/* SPDX-License-Identifier: Apache-2.0 */
/* Times counted in classes that are at most 1.6 % wide. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_POWERS = 48 };

struct histogram {
	uint64_t counts[HISTOGRAM_POWERS * HISTOGRAM_STEPS];
	uint64_t total;
	uint64_t max;
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);
/* The time within which that many per cent lie; 0 when nothing was added. */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned percent);

#endif
