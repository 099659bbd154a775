/* SPDX-License-Identifier: Apache-2.0 */
/* Taking connections from the listening descriptor, which other processes may
 * share, and leaving it alone for a while when there is no room for them. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/engine.h"

enum {
	BURST = 8, /* connections served before others get their turn */
	DESCRIPTOR_PAUSE_US = 20000
};

static bool watch(struct transport *t)
{
	/* Exclusive: of several processes that wait for the descriptor, one wakes. */
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = ENGINE_LISTENING(t)};
	return epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->listening, &event) == 0;
}

bool acceptor_open(struct transport *t)
{
	return watch(t);
}

static void pause_for(struct transport *t, int64_t us)
{
	pthread_mutex_lock(&t->accept_lock);
	if (!atomic_load(&t->paused)) {
		epoll_ctl(t->epoll, EPOLL_CTL_DEL, t->listening, NULL);
		atomic_store(&t->paused, true);
	}
	atomic_store(&t->resume_us, us > 0 ? clock_monotonic_us() + us : 0);
	pthread_mutex_unlock(&t->accept_lock);
}

/* Somebody waits for a place, all are taken: the longest idle one gives its up. */
static void evict(struct transport *t)
{
	struct pollfd listening = {.fd = t->listening, .events = POLLIN};
	if (atomic_load(&t->evicting) || poll(&listening, 1, 0) != 1)
		return;
	complaint_add(&t->complaints, COMPLAINT_CONNECTIONS, NULL);
	/* One at a time: the place is free only when its owner has closed it. */
	if (!atomic_exchange(&t->evicting, true) && !connections_evict_idle(t->connections))
		atomic_store(&t->evicting, false);
}

void acceptor_resume(struct transport *t)
{
	if (!atomic_load(&t->paused) || atomic_load(&t->draining) ||
	    clock_monotonic_us() < atomic_load(&t->resume_us))
		return;
	if (!connections_left(t->connections)) {
		evict(t);
		return;
	}
	pthread_mutex_lock(&t->accept_lock);
	if (atomic_load(&t->paused) && !atomic_load(&t->draining) && watch(t))
		atomic_store(&t->paused, false);
	pthread_mutex_unlock(&t->accept_lock);
}

void acceptor_freed(struct transport *t)
{
	atomic_store(&t->evicting, false);
	if (!atomic_load(&t->paused))
		return;
	atomic_store(&t->resume_us, 0);
	acceptor_resume(t);
}

void acceptor_stop(struct transport *t)
{
	pthread_mutex_lock(&t->accept_lock);
	atomic_store(&t->draining, true);
	if (!atomic_load(&t->paused))
		epoll_ctl(t->epoll, EPOLL_CTL_DEL, t->listening, NULL);
	atomic_store(&t->paused, true);
	pthread_mutex_unlock(&t->accept_lock);
}

static void accept_failed(struct transport *t, int error)
{
	if (error == EMFILE || error == ENFILE) {
		complaint_add(&t->complaints, COMPLAINT_DESCRIPTORS, NULL);
		pause_for(t, DESCRIPTOR_PAUSE_US);
	} else if (error == ENOBUFS || error == ENOMEM) {
		complaint_add(&t->complaints, COMPLAINT_MEMORY, "accept");
		pause_for(t, DESCRIPTOR_PAUSE_US);
	}
	/* Others: taken by somebody else, or gone while it waited. */
}

/* The peer's address; of an IPv4 one that came to an IPv6 socket its own form. */
static void note_peer(struct connection *connection)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	char *text = connection->in.peer;
	const struct sockaddr_in *v4 = (const void *)&name;
	const struct sockaddr_in6 *v6 = (const void *)&name;
	if (getpeername(connection->fd, (struct sockaddr *)&name, &size) != 0)
		name.ss_family = AF_UNSPEC;
	if (name.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof connection->in.peer);
	else if (name.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof connection->in.peer);
	else if (name.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof connection->in.peer);
	else
		memcpy(text, "?", 2); /* gone already; nobody's address, so never one that is believed */
}

void acceptor_accept(struct engine_worker *worker)
{
	struct transport *t = worker->transport;
	for (unsigned i = 0; i < BURST && !atomic_load(&t->paused); i++) {
		struct connection *connection = connections_take(t->connections);
		if (!connection) {
			pause_for(t, 0);
			/* One may have been closed between the look and the pause. */
			acceptor_resume(t);
			return;
		}
		connection->fd = accept4(t->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (connection->fd < 0) {
			int error = errno;
			connections_give(t->connections, connection);
			accept_failed(t, error);
			return;
		}
		if (t->tcp && t->protocol->wants_peer)
			note_peer(connection);
		converse(worker, connection);
	}
}
