/* SPDX-License-Identifier: Apache-2.0 */
/* How many workers are at the epoll set. Whoever sleeps there is woken by the
 * next event, although one that is just finishing would have taken it a moment
 * later without any switch; so as many stand there as there are processors, and
 * the others are parked. A watch lets more of them go
 *   - when requests wait for something else: as many more as it takes to keep
 *     the processors busy, which samples of waiting and working time tell;
 *   - when a worker has been in one request for a few milliseconds: one more,
 *     so that nothing ready queues behind it. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "web/engine.h"

enum {
	LOOK_NS = 2000000,
	LOOKS_AWAKE = 25,  /* looks without an event after which the watch sleeps */
	SAMPLE_EVERY = 16, /* events */
	DOUBLINGS_MAX = 8,
	DECAY = 8 /* samples older than this many looks hardly count */
};

/* --- a worker's side --------------------------------------------------------- */

static void park(struct engine_worker *w)
{
	struct crew *crew = &w->transport->crew;
	pthread_mutex_lock(&crew->lock);
	if (atomic_load(&crew->front) > atomic_load(&crew->wanted)) {
		atomic_fetch_sub(&crew->front, 1);
		atomic_store(&w->parked, true);
		while (crew->calls == 0 && !atomic_load(&w->transport->stopping))
			pthread_cond_wait(&crew->called, &crew->lock);
		if (crew->calls > 0)
			crew->calls--;
		atomic_store(&w->parked, false);
	}
	pthread_mutex_unlock(&crew->lock);
}

void crew_turn(struct engine_worker *w)
{
	struct crew *crew = &w->transport->crew;
	if (atomic_load_explicit(&crew->front, memory_order_relaxed) >
	    atomic_load_explicit(&crew->wanted, memory_order_relaxed))
		park(w);
}

static int64_t cpu_us(const struct rusage *usage)
{
	return (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 + usage->ru_utime.tv_usec +
	       usage->ru_stime.tv_usec;
}

static void wake_watch(struct crew *crew)
{
	if (!atomic_exchange(&crew->asleep, false))
		return;
	pthread_mutex_lock(&crew->lock);
	pthread_cond_signal(&crew->wakened);
	pthread_mutex_unlock(&crew->lock);
}

void crew_begin(struct engine_worker *w)
{
	struct crew *crew = &w->transport->crew;
	unsigned events = atomic_load_explicit(&w->events, memory_order_relaxed) + 1;
	atomic_store_explicit(&w->events, events, memory_order_relaxed);
	if (atomic_load_explicit(&crew->asleep, memory_order_relaxed))
		wake_watch(crew);
	w->sampling = events % SAMPLE_EVERY == 0;
	if (!w->sampling)
		return;
	getrusage(RUSAGE_THREAD, &w->usage);
	w->sample_us = clock_monotonic_us();
}

/* How often the time must be halved to be the processor's part of it; only if it
 * has waited of its own accord: being pushed off a busy processor does not count. */
static unsigned doublings(const struct rusage *before, const struct rusage *after, int64_t time_us)
{
	int64_t part_us = cpu_us(after) - cpu_us(before);
	unsigned n = 0;
	if (after->ru_nvcsw == before->ru_nvcsw)
		return 0;
	for (part_us = part_us > 0 ? part_us : 1; part_us * 2 <= time_us && n < DOUBLINGS_MAX; n++)
		part_us *= 2;
	return n;
}

void crew_end(struct engine_worker *w)
{
	if (!w->sampling)
		return;
	struct rusage usage;
	int64_t time_us = clock_monotonic_us() - w->sample_us;
	getrusage(RUSAGE_THREAD, &usage);
	atomic_fetch_add_explicit(&w->doublings, doublings(&w->usage, &usage, time_us), memory_order_relaxed);
	atomic_fetch_add_explicit(&w->samples, 1, memory_order_relaxed);
}

/* --- the watch --------------------------------------------------------------- */

/* What happened since the last look. */
struct look {
	unsigned stuck; /* workers in the same event as at the last look */
	bool quiet;	/* no event since then, none now */
};

static struct look look_at_workers(struct transport *t)
{
	struct crew *crew = &t->crew;
	struct look look = {.quiet = true};
	for (unsigned i = 0; i < t->n_workers; i++) {
		struct engine_worker *w = &t->workers[i];
		unsigned events = atomic_load_explicit(&w->events, memory_order_relaxed);
		bool busy = !atomic_load(&w->waiting) && !atomic_load(&w->parked);
		look.stuck += busy && events == w->seen;
		look.quiet = look.quiet && !busy && events == w->seen;
		w->seen = events;
		crew->doublings += atomic_exchange_explicit(&w->doublings, 0, memory_order_relaxed) * DECAY;
		crew->samples += atomic_exchange_explicit(&w->samples, 0, memory_order_relaxed) * DECAY;
	}
	return look;
}

/* Processors, times the power of two that the samples ask for. */
static unsigned base(struct crew *crew)
{
	unsigned power = crew->samples > 0 ? (crew->doublings + crew->samples / 2) / crew->samples : 0;
	crew->doublings -= crew->doublings / DECAY;
	crew->samples -= crew->samples / DECAY;
	return crew->processors << power;
}

static bool look(struct transport *t)
{
	struct crew *crew = &t->crew;
	struct look seen = look_at_workers(t);
	unsigned wanted = base(crew) + seen.stuck;
	if (wanted > t->n_workers)
		wanted = t->n_workers;

	pthread_mutex_lock(&crew->lock);
	atomic_store(&crew->wanted, wanted);
	for (unsigned front = atomic_load(&crew->front); front < wanted; front++) {
		atomic_fetch_add(&crew->front, 1);
		crew->calls++;
		pthread_cond_signal(&crew->called);
	}
	pthread_mutex_unlock(&crew->lock);
	return seen.quiet;
}

static void *watch_main(void *argument)
{
	struct transport *t = argument;
	struct crew *crew = &t->crew;
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	unsigned quiet = 0;
	while (!atomic_load(&t->stopping)) {
		nanosleep(&pause, NULL);
		quiet = look(t) ? quiet + 1 : 0;
		if (quiet < LOOKS_AWAKE)
			continue;
		quiet = 0;
		pthread_mutex_lock(&crew->lock);
		atomic_store(&crew->asleep, true);
		while (atomic_load(&crew->asleep) && !atomic_load(&t->stopping))
			pthread_cond_wait(&crew->wakened, &crew->lock);
		pthread_mutex_unlock(&crew->lock);
	}
	return NULL;
}

void crew_check(struct transport *t)
{
	for (unsigned i = 0; i < t->n_workers; i++)
		if (!atomic_load(&t->workers[i].waiting) && !atomic_load(&t->workers[i].parked))
			wake_watch(&t->crew);
}

static unsigned processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n > 1 ? (unsigned)n : 1;
}

void crew_init(struct transport *t)
{
	struct crew *crew = &t->crew;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->called, NULL);
	pthread_cond_init(&crew->wakened, NULL);
	crew->processors = processors();
}

int crew_start(struct transport *t)
{
	struct crew *crew = &t->crew;
	/* With a processor for each worker there is nobody to park. */
	if (t->settings.threads <= crew->processors)
		return 0;
	int error = pthread_create(&crew->watch, NULL, watch_main, t);
	crew->watched = error == 0;
	return error;
}

void crew_dismiss(struct transport *t)
{
	struct crew *crew = &t->crew;
	pthread_mutex_lock(&crew->lock);
	atomic_store(&crew->asleep, false);
	pthread_cond_broadcast(&crew->called);
	pthread_cond_broadcast(&crew->wakened);
	pthread_mutex_unlock(&crew->lock);
	if (crew->watched)
		pthread_join(crew->watch, NULL);
	crew->watched = false;
}

void crew_close(struct transport *t)
{
	pthread_cond_destroy(&t->crew.called);
	pthread_cond_destroy(&t->crew.wakened);
	pthread_mutex_destroy(&t->crew.lock);
}
