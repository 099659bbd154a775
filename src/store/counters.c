/* SPDX-License-Identifier: Apache-2.0 */
/* One file for each kind of counter, so that a flood of one kind drives none of another out. */
#include "store/counters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* 24 bytes each. */
enum { KEYS = 60000, RETRY_MS = 1000 };

static const char *const names[STORE_COUNTERS] = {
	[STORE_COUNT_CLIENT] = "login-clients",
	[STORE_COUNT_ACCOUNT] = "login-accounts",
};

struct counters {
	pthread_mutex_t lock;
	char *state_dir;
	_Atomic(struct limiter *) limiters[STORE_COUNTERS];
	int64_t retry_ms;
};

bool counters_open(const char *state_dir, struct counters **out)
{
	struct counters *counters = calloc(1, sizeof *counters);
	char *copy = strdup(state_dir);
	if (!counters || !copy) {
		free(counters);
		free(copy);
		return false;
	}
	counters->state_dir = copy;
	pthread_mutex_init(&counters->lock, NULL);
	*out = counters;
	return true;
}

void counters_close(struct counters **counters)
{
	struct counters *c = *counters;
	if (!c)
		return;
	for (size_t i = 0; i < STORE_COUNTERS; i++) {
		struct limiter *limiter = atomic_load(&c->limiters[i]);
		limiter_close(&limiter);
	}
	pthread_mutex_destroy(&c->lock);
	free(c->state_dir);
	free(c);
	*counters = NULL;
}

static struct limiter *open_file(struct counters *counters, enum store_counter of)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct limiter_settings settings = {counters->state_dir, names[of], KEYS};
	pthread_mutex_lock(&counters->lock);
	struct limiter *limiter = atomic_load(&counters->limiters[of]);
	int64_t now = clock_monotonic_ms();
	if (!limiter && now >= counters->retry_ms) {
		if (limiter_open(&settings, &limiter, &why)) {
			atomic_store(&counters->limiters[of], limiter);
		} else {
			counters->retry_ms = now + RETRY_MS;
			log_text(LOG_ERR, "limits", "%.*s", STR_ARGS(buf_str(&why)));
		}
	}
	pthread_mutex_unlock(&counters->lock);
	return limiter;
}

struct limiter *counters_find(struct counters *counters, enum store_counter of)
{
	struct limiter *limiter = atomic_load(&counters->limiters[of]);
	return limiter ? limiter : open_file(counters, of);
}
