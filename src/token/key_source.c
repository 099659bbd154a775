/* SPDX-License-Identifier: Apache-2.0 */
/* A key set behind one lock, held only to count its users: verifying goes on
 * outside of it. */
#include "token/key_source.h"

#include <pthread.h>
#include <stdlib.h>

/* A set and how many use it; the source itself counts as one. */
struct shared_set {
	struct key_set set;
	unsigned users;
};

struct key_source {
	pthread_mutex_t lock;
	struct shared_set *current;
	unsigned holders;
};

bool key_source_open(struct key_source **out)
{
	struct key_source *source = calloc(1, sizeof *source);
	if (!source)
		return false;
	if (pthread_mutex_init(&source->lock, NULL) != 0) {
		free(source);
		return false;
	}
	source->holders = 1;
	*out = source;
	return true;
}

struct key_source *key_source_hold(struct key_source *source)
{
	pthread_mutex_lock(&source->lock);
	source->holders++;
	pthread_mutex_unlock(&source->lock);
	return source;
}

/* Under the lock. Gives what its caller has to free outside of it. */
static struct shared_set *leave(struct shared_set *shared)
{
	return shared && --shared->users == 0 ? shared : NULL;
}

static void free_set(struct shared_set *shared)
{
	if (!shared)
		return;
	key_set_close(&shared->set);
	free(shared);
}

void key_source_close(struct key_source **source)
{
	struct key_source *s = *source;
	if (!s)
		return;
	*source = NULL;
	pthread_mutex_lock(&s->lock);
	bool last = --s->holders == 0;
	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	free_set(leave(s->current));
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool key_source_put(struct key_source *source, struct key_set *fresh)
{
	struct shared_set *shared = calloc(1, sizeof *shared);
	if (!shared)
		return false;
	*shared = (struct shared_set){*fresh, 1};
	*fresh = (struct key_set){0};
	pthread_mutex_lock(&source->lock);
	struct shared_set *unused = leave(source->current);
	source->current = shared;
	pthread_mutex_unlock(&source->lock);
	free_set(unused);
	return true;
}

void key_source_empty(struct key_source *source)
{
	pthread_mutex_lock(&source->lock);
	struct shared_set *unused = leave(source->current);
	source->current = NULL;
	pthread_mutex_unlock(&source->lock);
	free_set(unused);
}

const struct key_set *key_source_take(struct key_source *source)
{
	pthread_mutex_lock(&source->lock);
	struct shared_set *shared = source->current;
	if (shared)
		shared->users++;
	pthread_mutex_unlock(&source->lock);
	return shared ? &shared->set : NULL;
}

void key_source_give_back(struct key_source *source, const struct key_set *set)
{
	if (!set)
		return;
	/* The set is the first member. */
	struct shared_set *shared = (struct shared_set *)(uintptr_t)set;
	pthread_mutex_lock(&source->lock);
	struct shared_set *unused = leave(shared);
	pthread_mutex_unlock(&source->lock);
	free_set(unused);
}
