/* SPDX-License-Identifier: Apache-2.0 */
/* Powers of two, each cut into 64 steps. */
#include "histogram.h"

static unsigned class_of(uint64_t value)
{
	unsigned power = 0, class;

	while (value >> power >= 2 * HISTOGRAM_STEPS)
		power++;
	class = power * HISTOGRAM_STEPS + (unsigned)(value >> power);
	return class < HISTOGRAM_POWERS * HISTOGRAM_STEPS ? class : HISTOGRAM_POWERS * HISTOGRAM_STEPS - 1;
}

/* The middle of a class. */
static uint64_t value_of(unsigned class)
{
	unsigned power = class < 2 * HISTOGRAM_STEPS ? 0 : class / HISTOGRAM_STEPS - 1;
	uint64_t width = (uint64_t)1 << power;

	return (uint64_t)(class - power * HISTOGRAM_STEPS) * width + width / 2;
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds)
{
	histogram->counts[class_of(nanoseconds)]++;
	histogram->total++;
	if (nanoseconds > histogram->max)
		histogram->max = nanoseconds;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned percent)
{
	uint64_t wanted = (histogram->total * percent + 99) / 100, seen = 0;

	for (unsigned class = 0; class < HISTOGRAM_POWERS * HISTOGRAM_STEPS; class++) {
		seen += histogram->counts[class];
		if (seen >= wanted && seen > 0)
			return value_of(class);
	}
	return 0;
}
