/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks a service and who waits, within the process: one thread for each user, a
 * few for each source, and hardly any while it fails. One lock, never held during
 * a call. Between processes the store's locks do the same, see profile.c. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "policy/profile_internal.h"

enum {
	/* Beyond max-concurrent requests wait, too, while nobody has been asking for longer than this:
	 * a page and its pictures come at once, and one call answers them all. A source that hangs
	 * stops the other workers for so long, once. */
	GRACE_MS = 100,
	COMPLAIN_MS = 10000,
};

/* What is known of the sources of one name, whatever reloads make of it. Kept for
 * the life of the process. */
struct profile_state {
	struct profile_state *next;
	unsigned inside;      /* threads that ask or wait */
	bool failing;	      /* it was away or refused the key, and has not answered since */
	int64_t next_try;     /* while it fails: when the next one may ask */
	int64_t answered;     /* when it last did */
	int64_t paused_until; /* it wants to be left alone */
	int64_t complain_at;
	size_t n;
	char name[];
};

/* A user who is being asked for. Whoever is the last to know it frees it. */
struct profile_flight {
	struct profile_flight *next;
	const struct profile_state *state;
	struct store_key key;
	int64_t begun;
	bool landed;
	unsigned waiting;
	char *text; /* NULL: there is none */
	size_t n;
};

struct profiles {
	pthread_mutex_t lock;
	pthread_cond_t news; /* somebody has left */
	unsigned inside, inside_most;
	struct profile_state *states;
	struct profile_flight *flights;
	struct profile_renewals *renewals; /* NULL: nobody renews */
};

static struct timespec moment(int64_t monotonic_ms)
{
	return (struct timespec){.tv_sec = monotonic_ms / 1000, .tv_nsec = monotonic_ms % 1000 * 1000000};
}

bool profiles_open(unsigned workers, bool lasting, struct profiles **out)
{
	struct profiles *p = calloc(1, sizeof *p);
	pthread_condattr_t monotonic;
	if (!p || (lasting && !profile_renewals_open(workers, &p->renewals))) {
		free(p);
		return false;
	}
	p->inside_most = workers > 1 ? workers * 3 / 4 : 1;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*out = p;
	return true;
}

void profiles_close(struct profiles **profiles)
{
	struct profiles *p = *profiles;
	if (!p)
		return;
	profile_renewals_close(&p->renewals);
	while (p->states) {
		struct profile_state *state = p->states;
		p->states = state->next;
		free(state);
	}
	pthread_cond_destroy(&p->news);
	pthread_mutex_destroy(&p->lock);
	free(p);
	*profiles = NULL;
}

struct profile_renewals *profiles_renewals(const struct profiles *profiles)
{
	return profiles ? profiles->renewals : NULL;
}

/* Under the lock from here on --------------------------------------------- */

static struct profile_state *state_of(struct profiles *p, struct str name)
{
	for (struct profile_state *state = p->states; state; state = state->next)
		if (str_eq((struct str){state->name, state->n}, name))
			return state;
	struct profile_state *state = calloc(1, sizeof *state + name.n);
	if (!state)
		return NULL;
	memcpy(state->name, name.p, name.n);
	state->n = name.n;
	state->next = p->states;
	p->states = state;
	return state;
}

static struct profile_flight *find_flight(const struct profiles *p, const struct store_key *key)
{
	for (struct profile_flight *flight = p->flights; flight; flight = flight->next)
		if (memcmp(&flight->key, key, sizeof *key) == 0)
			return flight;
	return NULL;
}

static void free_flight(struct profile_flight *flight)
{
	free(flight->text);
	free(flight);
}

static enum profile_turn decline(struct profile_visit *v, const char *why)
{
	v->why = why;
	return PROFILE_DECLINED;
}

/* Why nobody may ask now, or NULL. */
static const char *left_alone(const struct profile_state *state)
{
	int64_t now = clock_monotonic_ms();
	if (now < state->paused_until)
		return "the service is asked too often, and is left alone for a while";
	if (state->failing && now < state->next_try)
		return "the service has just failed, and is left alone for a moment";
	return NULL;
}

static void count(struct profile_visit *v, bool in)
{
	v->state->inside += in ? 1U : -1U;
	v->profiles->inside += in ? 1U : -1U;
}

/* Until when a request without a place of its own may wait. */
static int64_t grace_end(const struct profile_visit *v)
{
	int64_t oldest = clock_monotonic_ms();
	for (const struct profile_flight *flight = v->profiles->flights; flight; flight = flight->next)
		if (flight->state == v->state && flight->begun < oldest)
			oldest = flight->begun;
	return oldest + GRACE_MS < v->deadline ? oldest + GRACE_MS : v->deadline;
}

/* Until the user's answer is there. */
static enum profile_turn await(struct profile_visit *v, struct profile_flight *flight, bool room)
{
	struct timespec end = moment(room ? v->deadline : grace_end(v));
	int failed = 0;
	if (room)
		count(v, true);
	flight->waiting++;
	while (!flight->landed && failed != ETIMEDOUT)
		failed = pthread_cond_timedwait(&v->profiles->news, &v->profiles->lock, &end);
	if (room)
		count(v, false);
	bool last = --flight->waiting == 0;
	if (!flight->landed)
		return decline(v, "another request has asked for the user, and there is no answer yet");
	if (flight->text)
		v->text = arena_copy(v->arena, (struct str){flight->text, flight->n});
	if (last)
		free_flight(flight);
	return PROFILE_ANSWERED;
}

static enum profile_turn begin(struct profile_visit *v)
{
	struct profile_flight *flight = calloc(1, sizeof *flight);
	if (!flight)
		return decline(v, "no memory");
	flight->state = v->state;
	flight->key = v->key;
	flight->begun = clock_monotonic_ms();
	flight->next = v->profiles->flights;
	v->profiles->flights = flight;
	v->flight = flight;
	/* One after the other, and not one behind the other: those who hang keep nobody from finding
	 * out that the source is back. */
	v->state->next_try = flight->begun + PROFILE_REST_MS;
	count(v, true);
	return PROFILE_OURS;
}

static enum profile_turn enter(struct profile_visit *v)
{
	struct profiles *p = v->profiles;
	v->state = state_of(p, v->source->name);
	if (!v->state)
		return decline(v, "no memory");
	for (;;) {
		struct profile_flight *flight = find_flight(p, &v->key);
		bool room = v->state->inside < v->source->conf->max_concurrent && p->inside < p->inside_most;
		bool hopeful = v->waits && !v->state->failing && clock_monotonic_ms() < grace_end(v);
		struct timespec grace = moment(grace_end(v));
		if (flight && ((room && v->waits) || hopeful))
			return await(v, flight, room);
		if (flight)
			return decline(v, "another request asks for the user");
		if (left_alone(v->state))
			return decline(v, left_alone(v->state));
		if (room)
			return begin(v);
		if (!hopeful || pthread_cond_timedwait(&p->news, &p->lock, &grace) == ETIMEDOUT)
			return decline(v, "as many threads as max-concurrent allows ask the service");
	}
}

static void land(struct profile_visit *v, struct str text)
{
	struct profile_flight *flight = v->flight, **at = &v->profiles->flights;
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	flight->landed = true;
	if (flight->waiting == 0) {
		free_flight(flight);
		return;
	}
	flight->text = text.p ? malloc(text.n + 1) : NULL;
	if (flight->text) {
		memcpy(flight->text, text.p, text.n);
		flight->n = text.n;
	}
}

/* true: it is worth a line in the log. */
static bool note(struct profile_visit *v, enum profile_outcome outcome, int64_t pause_ms)
{
	struct profile_state *state = v->state;
	int64_t now = clock_monotonic_ms();
	bool recovered = outcome == PROFILE_CAME && state->failing;
	if (outcome == PROFILE_AWAY || outcome == PROFILE_REFUSED) {
		/* Not by a call that others have overtaken with answers. */
		state->failing = state->failing || state->answered < v->begun;
		state->next_try = now + PROFILE_REST_MS;
	} else if (outcome != PROFILE_NOT_ASKED) {
		state->failing = false;
		state->answered = now;
	}
	if (outcome == PROFILE_BUSY)
		state->paused_until = now + pause_ms;
	if (outcome == PROFILE_NOT_ASKED || outcome == PROFILE_CAME || now < state->complain_at)
		return recovered;
	state->complain_at = now + COMPLAIN_MS;
	return true;
}

/* ------------------------------------------------------------------------- */

enum profile_turn profiles_enter(struct profile_visit *visit)
{
	visit->text = STR_NONE;
	visit->flight = NULL;
	if (!visit->profiles)
		return PROFILE_OURS;
	pthread_mutex_lock(&visit->profiles->lock);
	enum profile_turn turn = enter(visit);
	pthread_mutex_unlock(&visit->profiles->lock);
	return turn;
}

void profiles_leave(struct profile_visit *visit, enum profile_outcome outcome, struct str text, int64_t pause_ms,
		    bool *complain)
{
	*complain = false;
	if (!visit->flight)
		return;
	pthread_mutex_lock(&visit->profiles->lock);
	*complain = note(visit, outcome, pause_ms);
	land(visit, text);
	count(visit, false);
	pthread_cond_broadcast(&visit->profiles->news);
	pthread_mutex_unlock(&visit->profiles->lock);
}

bool profiles_leave_alone(struct profiles *profiles, struct str name)
{
	bool alone = true;
	pthread_mutex_lock(&profiles->lock);
	struct profile_state *state = state_of(profiles, name);
	if (state)
		alone = left_alone(state) != NULL;
	pthread_mutex_unlock(&profiles->lock);
	return alone;
}
