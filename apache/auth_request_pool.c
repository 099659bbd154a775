/* SPDX-License-Identifier: Apache-2.0 */
/* The connections of a child to one authorizer: kept ones are used again, at
 * most `size` are in use at a time, a dead one is seen before it is used. They
 * are plain descriptors: an APR socket would need a pool of its own that two
 * threads may not share. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "auth_request.h"

/* An idle connection is closed before auth-verify closes it (60 s); who could
 * not be had is left alone for a moment while there are others. */
enum { IDLE_S = 30, DOWN_S = 2, RETRY_US = 2000 };

struct idle {
	int fd;
	apr_time_t since;
};

struct pool {
	apr_thread_mutex_t *lock;
	apr_thread_cond_t *freed;
	int size, in_use, n_idle;
	struct idle *idle; /* the last one was used last */
	apr_time_t down_until;
};

apr_time_t clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (apr_time_t)now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

bool clock_wait(int fd, short events, apr_time_t deadline)
{
	struct pollfd look = {.fd = fd, .events = events};
	for (;;) {
		apr_time_t left = deadline - clock_now();
		if (left <= 0)
			return false;
		int n = poll(&look, 1, (int)((left + 999) / 1000));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static void close_idle(struct pool *pool, apr_time_t older_than)
{
	int gone = 0;
	while (gone < pool->n_idle && pool->idle[gone].since < older_than)
		close(pool->idle[gone++].fd);
	pool->n_idle -= gone;
	memmove(pool->idle, pool->idle + gone, (size_t)pool->n_idle * sizeof(*pool->idle));
}

static apr_status_t pool_close(void *context)
{
	struct pool *pool = context;
	close_idle(pool, INT64_MAX);
	return APR_SUCCESS;
}

struct pool *pool_open(apr_pool_t *child, int size)
{
	struct pool *pool = apr_pcalloc(child, sizeof(*pool));
	pool->size = size;
	pool->idle = apr_pcalloc(child, (apr_size_t)size * sizeof(*pool->idle));
	if (apr_thread_mutex_create(&pool->lock, APR_THREAD_MUTEX_DEFAULT, child) != APR_SUCCESS
	    || apr_thread_cond_create(&pool->freed, child) != APR_SUCCESS)
		return NULL;
	apr_pool_cleanup_register(child, pool, pool_close, apr_pool_cleanup_null);
	return pool;
}

void pool_sweep(struct pool *pool)
{
	apr_thread_mutex_lock(pool->lock);
	close_idle(pool, clock_now() - apr_time_from_sec(IDLE_S));
	apr_thread_mutex_unlock(pool->lock);
}

bool pool_is_down(const struct member *member)
{
	apr_thread_mutex_lock(member->pool->lock);
	bool down = clock_now() < member->pool->down_until;
	apr_thread_mutex_unlock(member->pool->lock);
	return down;
}

void pool_set_down(const struct member *member, bool down)
{
	apr_thread_mutex_lock(member->pool->lock);
	member->pool->down_until = down ? clock_now() + apr_time_from_sec(DOWN_S) : 0;
	apr_thread_mutex_unlock(member->pool->lock);
}

/* An authorizer that was not asked is silent: what can be read is its end. */
static bool is_alive(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLIN};
	return poll(&look, 1, 0) == 0;
}

/* One of those in use from here on. False: the time is over before one is free. */
static bool reserve(struct pool *pool, bool fresh, apr_time_t deadline, int *fd)
{
	*fd = -1;
	apr_thread_mutex_lock(pool->lock);
	while (pool->in_use >= pool->size) {
		apr_time_t left = deadline - clock_now();
		if (left <= 0 || apr_thread_cond_timedwait(pool->freed, pool->lock, left) != APR_SUCCESS) {
			apr_thread_mutex_unlock(pool->lock);
			return false;
		}
	}
	pool->in_use++;
	while (!fresh && *fd < 0 && pool->n_idle > 0) {
		*fd = pool->idle[--pool->n_idle].fd;
		if (!is_alive(*fd)) {
			close(*fd);
			*fd = -1;
		}
	}
	apr_thread_mutex_unlock(pool->lock);
	return true;
}

static void release(struct pool *pool, int fd)
{
	apr_thread_mutex_lock(pool->lock);
	pool->in_use--;
	if (fd >= 0)
		pool->idle[pool->n_idle++] = (struct idle){fd, clock_now()};
	apr_thread_cond_signal(pool->freed);
	apr_thread_mutex_unlock(pool->lock);
}

/* 0, or why not. */
static int connect_one(int fd, const apr_sockaddr_t *to, apr_time_t deadline)
{
	int error = 0;
	socklen_t n = sizeof(error);
	/* A unix socket whose queue is full says so at once, and cannot be waited for. */
	while (connect(fd, (const struct sockaddr *)&to->sa, to->salen) != 0) {
		if (errno == EAGAIN && clock_now() < deadline) {
			apr_sleep(RETRY_US);
			continue;
		}
		if (errno != EINPROGRESS)
			return errno;
		if (!clock_wait(fd, POLLOUT, deadline))
			return ETIMEDOUT;
		return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
	}
	return 0;
}

/* A descriptor, or -1 with errno. */
static int connect_any(const struct member *member, apr_time_t deadline)
{
	int error = EADDRNOTAVAIL, yes = 1;
	for (const apr_sockaddr_t *to = member->address; to; to = to->next) {
		int fd = socket(to->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		error = fd < 0 ? errno : connect_one(fd, to, deadline);
		if (error == 0) {
			if (to->family != AF_UNIX)
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
			return fd;
		}
		if (fd >= 0)
			close(fd);
	}
	errno = error;
	return -1;
}

enum outcome pool_take(const struct member *member, bool fresh, struct connection *out)
{
	apr_time_t deadline = clock_now() + member->connect;
	int fd;
	if (!reserve(member->pool, fresh, deadline, &fd)) {
		errno = EBUSY;
		return UNREACHABLE;
	}
	bool kept = fd >= 0;
	if (!kept)
		fd = connect_any(member, deadline);
	if (fd < 0) {
		int error = errno;
		release(member->pool, -1);
		errno = error;
		return UNREACHABLE;
	}
	*out = (struct connection){fd, kept};
	return ANSWERED;
}

void pool_give(const struct member *member, struct connection *connection, bool keep)
{
	if (!keep)
		close(connection->fd);
	release(member->pool, keep ? connection->fd : -1);
}
