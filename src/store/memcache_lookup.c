/* SPDX-License-Identifier: Apache-2.0 */
/* A look-up belongs to the caller and to its thread: who leaves last frees it. */
#include "store/memcache_lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct memcache_lookup {
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	bool has_ended, is_left; /* by the caller */
	struct memcache_hosts hosts;
	char host[];
};

static void release(struct memcache_lookup *lookup)
{
	pthread_cond_destroy(&lookup->ended);
	pthread_mutex_destroy(&lookup->mutex);
	free(lookup);
}

static void find(const char *host, struct memcache_hosts *out)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list;
	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return;
	for (struct addrinfo *a = list; a && out->n < MEMCACHE_HOSTS_MAX; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, out->text[out->n], MEMCACHE_HOST_TEXT, NULL, 0,
				NI_NUMERICHOST) == 0)
			out->n++;
	freeaddrinfo(list);
}

static void *look_up(void *context)
{
	struct memcache_lookup *lookup = context;
	struct memcache_hosts hosts = {0};
	find(lookup->host, &hosts);
	pthread_mutex_lock(&lookup->mutex);
	lookup->hosts = hosts;
	lookup->has_ended = true;
	bool is_left = lookup->is_left;
	pthread_cond_signal(&lookup->ended);
	pthread_mutex_unlock(&lookup->mutex);
	if (is_left)
		release(lookup);
	return NULL;
}

/* Signals go to the threads that expect them. */
static bool start_thread(struct memcache_lookup *lookup)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&thread, NULL, look_up, lookup) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		pthread_detach(thread);
	return started;
}

static struct memcache_lookup *start(const char *host)
{
	size_t size = strlen(host) + 1;
	struct memcache_lookup *lookup = calloc(1, sizeof *lookup + size);
	pthread_condattr_t monotonic;
	if (!lookup)
		return NULL;
	memcpy(lookup->host, host, size);
	pthread_mutex_init(&lookup->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&lookup->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (start_thread(lookup))
		return lookup;
	release(lookup);
	return NULL;
}

bool memcache_lookup(struct memcache_lookup **lookup, const char *host, int64_t deadline, struct memcache_hosts *out)
{
	struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
	if (!*lookup && !(*lookup = start(host)))
		return false;
	struct memcache_lookup *l = *lookup;
	int error = 0;
	pthread_mutex_lock(&l->mutex);
	while (!l->has_ended && error == 0)
		error = pthread_cond_timedwait(&l->ended, &l->mutex, &until);
	bool ended = l->has_ended;
	pthread_mutex_unlock(&l->mutex);
	if (!ended)
		return false;
	bool found = l->hosts.n > 0;
	if (found)
		*out = l->hosts;
	release(l);
	*lookup = NULL;
	return found;
}

void memcache_lookup_close(struct memcache_lookup **lookup)
{
	struct memcache_lookup *l = *lookup;
	if (!l)
		return;
	pthread_mutex_lock(&l->mutex);
	l->is_left = true;
	bool ended = l->has_ended;
	pthread_mutex_unlock(&l->mutex);
	if (ended)
		release(l);
	*lookup = NULL;
}
