/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tables of bench/core. */
#ifndef BENCH_CORE_FRAME_H
#define BENCH_CORE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum { ROUNDS = 21, NOW = 1767225600 };

/* Nanoseconds of CPU time for one, over so many; *good becomes false when one fails. */
double core_measure(bool (*run)(void *), void *context, unsigned repeats, bool *good);
double core_median(double values[ROUNDS]);

/* Signed and encrypted tokens against OpenSSL and against HS256; core_tokens.c. */
bool core_tokens(void);

#endif
