/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles that are renewed while requests go on with the old ones: a short queue,
 * and a few threads, started when there is something to do for them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "policy/profile_internal.h"

/* Who finds no place in the queue comes again with the user's next request. */
enum { QUEUE_MAX = 256 };

struct renewal {
	struct renewal *next;
	bool begun;
	int64_t good_until;
	struct str name, user_id; /* in text */
	char text[];
};

struct renewer {
	struct profile_renewals *renewals;
	struct runtime *runtime;
	unsigned number;
	pthread_t thread;
};

struct profile_renewals {
	pthread_mutex_t lock;
	pthread_cond_t work;
	unsigned workers;
	bool stopping;
	struct renewal *queue; /* in no order that matters; those at work too */
	unsigned n;
	struct renewer renewers[PROFILE_RENEWERS];
	unsigned n_renewers, idle;
};

bool profile_renewals_open(unsigned workers, struct profile_renewals **out)
{
	struct profile_renewals *r = calloc(1, sizeof *r);
	if (!r)
		return false;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	r->workers = workers;
	*out = r;
	return true;
}

void profile_renewals_close(struct profile_renewals **renewals)
{
	struct profile_renewals *r = *renewals;
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->work);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < r->n_renewers; i++)
		pthread_join(r->renewers[i].thread, NULL);
	while (r->queue) {
		struct renewal *renewal = r->queue;
		r->queue = renewal->next;
		free(renewal);
	}
	pthread_cond_destroy(&r->work);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*renewals = NULL;
}

/* The threads ------------------------------------------------------------- */

static struct renewal *find_waiting(const struct profile_renewals *r)
{
	for (struct renewal *renewal = r->queue; renewal; renewal = renewal->next)
		if (!renewal->begun)
			return renewal;
	return NULL;
}

static void drop(struct profile_renewals *r, struct renewal *renewal)
{
	struct renewal **at = &r->queue;
	while (*at != renewal)
		at = &(*at)->next;
	*at = renewal->next;
	r->n--;
	free(renewal);
}

/* By the name: a reload may have taken away the section that it was for. */
static void renew(struct worker *worker, const struct renewal *renewal)
{
	worker_begin(worker);
	const struct profile_source *source = profiles_find(worker->snapshot, renewal->name);
	if (source)
		profile_renew(worker, source, renewal->user_id, renewal->good_until);
	worker_end(worker);
}

static void *renew_all(void *context)
{
	const struct renewer *renewer = context;
	struct profile_renewals *r = renewer->renewals;
	struct worker worker;
	if (!worker_open(renewer->runtime, r->workers + renewer->number, &worker)) {
		log_text(LOG_ERR, "profile", "no memory for a thread that renews profiles");
		return NULL;
	}
	pthread_mutex_lock(&r->lock);
	while (!r->stopping) {
		struct renewal *renewal = find_waiting(r);
		if (!renewal) {
			r->idle++;
			pthread_cond_wait(&r->work, &r->lock);
			r->idle--;
			continue;
		}
		renewal->begun = true;
		pthread_mutex_unlock(&r->lock);
		renew(&worker, renewal);
		pthread_mutex_lock(&r->lock);
		drop(r, renewal);
	}
	pthread_mutex_unlock(&r->lock);
	worker_close(&worker);
	return NULL;
}

/* Under the lock. */
static void start_thread(struct profile_renewals *r, struct runtime *runtime)
{
	struct renewer *renewer = &r->renewers[r->n_renewers];
	*renewer = (struct renewer){r, runtime, r->n_renewers, 0};
	if (pthread_create(&renewer->thread, NULL, renew_all, renewer) == 0)
		r->n_renewers++;
}

/* The queue ---------------------------------------------------------------- */

static bool is_queued(const struct profile_renewals *r, struct str name, struct str user_id)
{
	for (const struct renewal *renewal = r->queue; renewal; renewal = renewal->next)
		if (str_eq(renewal->user_id, user_id) && str_eq(renewal->name, name))
			return true;
	return false;
}

static struct renewal *make_renewal(struct str name, struct str user_id, int64_t good_until)
{
	struct renewal *renewal = calloc(1, sizeof *renewal + name.n + user_id.n);
	if (!renewal)
		return NULL;
	memcpy(renewal->text, name.p, name.n);
	memcpy(renewal->text + name.n, user_id.p, user_id.n);
	renewal->name = (struct str){renewal->text, name.n};
	renewal->user_id = (struct str){renewal->text + name.n, user_id.n};
	renewal->good_until = good_until;
	return renewal;
}

void profile_renewals_add(struct worker *worker, const struct profile_source *source, struct str user_id,
			  int64_t good_until)
{
	struct profile_renewals *r = profiles_renewals(worker->profiles);
	if (profiles_leave_alone(worker->profiles, source->name))
		return;
	pthread_mutex_lock(&r->lock);
	struct renewal *renewal = NULL;
	if (r->n < QUEUE_MAX && !is_queued(r, source->name, user_id))
		renewal = make_renewal(source->name, user_id, good_until);
	if (renewal) {
		renewal->next = r->queue;
		r->queue = renewal;
		r->n++;
		if (r->idle == 0 && r->n_renewers < PROFILE_RENEWERS)
			start_thread(r, worker->runtime);
		pthread_cond_signal(&r->work);
	}
	pthread_mutex_unlock(&r->lock);
}
