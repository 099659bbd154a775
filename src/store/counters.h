/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of a process behind the functions count_… of store.h: files of state-dir,
 * which are opened when the first one is wanted. Any thread may use them. */
#ifndef STORE_COUNTERS_H
#define STORE_COUNTERS_H

#include "store/limiter.h"

struct counters;

bool counters_open(const char *state_dir, struct counters **out);
void counters_close(struct counters **counters);
/* NULL: the file cannot be opened; the log says why, and it is tried again. */
struct limiter *counters_find(struct counters *counters, enum store_counter of);

#endif
