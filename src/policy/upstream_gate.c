/* SPDX-License-Identifier: Apache-2.0 */
/* How many threads of a process ask the auth server at a time: when it hangs, the
 * others go on serving what does not need it. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "policy/upstream_internal.h"

/* After so long without anybody leaving it does not answer. */
enum { STUCK_MS = 1000 };

struct upstream_gate {
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned workers, inside, waiting;
	int64_t moved;	     /* when somebody left, or came in alone: monotonic milliseconds */
	int64_t rests_until; /* the same clock */
};

bool upstream_gate_open(unsigned workers, struct upstream_gate **out)
{
	struct upstream_gate *g = calloc(1, sizeof *g);
	pthread_condattr_t monotonic;
	if (!g)
		return false;
	g->workers = workers;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->left, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*out = g;
	return true;
}

void upstream_gate_close(struct upstream_gate **gate)
{
	if (!*gate)
		return;
	pthread_cond_destroy(&(*gate)->left);
	pthread_mutex_destroy(&(*gate)->lock);
	free(*gate);
	*gate = NULL;
}

/* Under the lock, which is given up meanwhile. */
static void await(struct upstream_gate *g, unsigned most, int64_t wait_ms)
{
	int64_t end_ms = clock_monotonic_ms() + wait_ms;
	struct timespec end = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
	int failed = 0;
	g->waiting++;
	while (failed == 0 && g->inside >= most)
		failed = pthread_cond_timedwait(&g->left, &g->lock, &end);
	g->waiting--;
}

bool upstream_gate_enter(struct upstream_gate *gate, unsigned most, int64_t wait_ms)
{
	if (!gate)
		return true;
	if (most == 0)
		most = gate->workers > 4 ? gate->workers / 4 : 1;
	pthread_mutex_lock(&gate->lock);
	/* Who waits holds a thread as well: half of them may, while it makes sense. */
	if (gate->inside >= most && gate->waiting < (gate->workers + 1) / 2 && wait_ms > 0 &&
	    clock_monotonic_ms() - gate->moved < STUCK_MS)
		await(gate, most, wait_ms);
	bool room = gate->inside < most;
	if (gate->inside == 0)
		gate->moved = clock_monotonic_ms();
	gate->inside += room;
	pthread_mutex_unlock(&gate->lock);
	return room;
}

void upstream_gate_leave(struct upstream_gate *gate)
{
	if (!gate)
		return;
	pthread_mutex_lock(&gate->lock);
	gate->inside--;
	gate->moved = clock_monotonic_ms();
	pthread_cond_signal(&gate->left);
	pthread_mutex_unlock(&gate->lock);
}

void upstream_gate_rest(struct upstream_gate *gate, int64_t ms)
{
	if (!gate)
		return;
	pthread_mutex_lock(&gate->lock);
	gate->rests_until = clock_monotonic_ms() + ms;
	pthread_mutex_unlock(&gate->lock);
}

bool upstream_gate_rests(struct upstream_gate *gate)
{
	if (!gate)
		return false;
	pthread_mutex_lock(&gate->lock);
	bool rests = clock_monotonic_ms() < gate->rests_until;
	pthread_mutex_unlock(&gate->lock);
	return rests;
}
