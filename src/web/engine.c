/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of the engine, and its workers' loop. What is ready never queues
 * behind a connection that is idle or slow, because those hold no thread. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/engine.h"

enum {
	PAUSED_WAIT_MS = 20,
	DESCRIPTORS_BESIDE = 64 /* log, stores, upstreams, epoll */
};

/* --- a worker -------------------------------------------------------------- */

/* The next event; false: none within the time that this worker waits. */
static bool next_event(struct engine_worker *w, struct epoll_event *event)
{
	struct transport *t = w->transport;
	if (atomic_load_explicit(&t->shedding, memory_order_relaxed)) {
		if (epoll_wait(t->epoll, event, 1, 0) > 0)
			return true;
		atomic_store(&t->shedding, false);
	}
	int timeout = atomic_load(&t->paused) && !atomic_load(&t->draining) ? PAUSED_WAIT_MS : -1;
	atomic_store_explicit(&w->waiting, true, memory_order_relaxed);
	int n = epoll_wait(t->epoll, event, 1, timeout);
	atomic_store_explicit(&w->waiting, false, memory_order_relaxed);
	return n > 0;
}

static void work(struct engine_worker *w)
{
	struct transport *t = w->transport;
	while (!atomic_load(&t->stopping)) {
		struct epoll_event event;
		crew_turn(w);
		bool got = next_event(w, &event);
		if (atomic_load(&t->paused))
			acceptor_resume(t);
		if (!got)
			continue;
		crew_begin(w);
		if (event.data.ptr == ENGINE_LISTENING(t))
			acceptor_accept(w);
		else if (event.data.ptr == ENGINE_PROBE(t))
			overload_measure(t);
		else if (event.data.ptr != ENGINE_WAKE(t))
			converse_again(w, event.data.ptr);
		crew_end(w);
	}
}

static void *worker_main(void *argument)
{
	struct engine_worker *w = argument;
	struct transport *t = w->transport;

	w->opened = !t->handler->worker_open || t->handler->worker_open(t->handler->context, w->number);
	pthread_mutex_lock(&t->start_lock);
	t->n_started += w->opened;
	t->n_failed += !w->opened;
	pthread_cond_signal(&t->started);
	pthread_mutex_unlock(&t->start_lock);
	if (w->opened)
		work(w);
	if (w->opened && t->handler->worker_close)
		t->handler->worker_close(t->handler->context, w->number);
	return NULL;
}

/* --- start ----------------------------------------------------------------- */

static bool fail(struct buf *why, const char *what)
{
	buf_printf(why, "%s: %s", what, strerror(errno));
	return false;
}

static bool open_listening(struct transport *t, struct buf *why)
{
	int domain = AF_UNSPEC, flags = fcntl(t->listening, F_GETFL);
	socklen_t size = sizeof domain;
	if (flags < 0 || fcntl(t->listening, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    getsockopt(t->listening, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0)
		return fail(why, "listening socket");
	t->tcp = domain != AF_UNIX;
	/* Connections inherit it. */
	if (t->tcp)
		setsockopt(t->listening, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return true;
}

static bool open_set(struct transport *t, struct buf *why)
{
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = ENGINE_WAKE(t)};
	if (t->epoll < 0 || t->wake < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->wake, &event) != 0 ||
	    !overload_open(t) || !acceptor_open(t))
		return fail(why, "epoll");
	return true;
}

/* Enough descriptors for max-connections; the soft limit is raised if it may be. */
static void check_descriptors(struct transport *t)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)t->settings.max_connections + DESCRIPTORS_BESIDE;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < wanted)
		log_text(LOG_WARNING, "transport", "descriptor limit %llu is too low for max-connections %u",
			 (unsigned long long)limit.rlim_cur, t->settings.max_connections);
}

static bool start_workers(struct transport *t, struct buf *why)
{
	sigset_t all, before;
	sigfillset(&all);
	/* Signals are the main thread's. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = 0;
	atomic_store(&t->crew.front, t->settings.threads);
	atomic_store(&t->crew.wanted, t->settings.threads);
	for (unsigned i = 0; i < t->settings.threads && error == 0; i++) {
		struct engine_worker *w = &t->workers[i];
		w->transport = t;
		w->number = i;
		error = pthread_create(&w->thread, NULL, worker_main, w);
		t->n_workers += error == 0;
	}
	if (error == 0)
		error = crew_start(t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);

	pthread_mutex_lock(&t->start_lock);
	while (t->n_started + t->n_failed < t->n_workers)
		pthread_cond_wait(&t->started, &t->start_lock);
	unsigned failed = t->n_failed;
	pthread_mutex_unlock(&t->start_lock);
	if (error != 0)
		buf_printf(why, "threads: %s", strerror(error));
	else if (failed > 0)
		buf_printf(why, "%u of %u workers could not be opened", failed, t->n_workers);
	return error == 0 && failed == 0;
}

static void close_left(void *context, struct connection *connection)
{
	struct transport *t = context;
	if (connection->phase != PHASE_BETWEEN || connection->rest)
		complaint_add(&t->complaints, COMPLAINT_DRAIN, NULL);
	converse_close(t, connection);
}

void engine_stop(struct transport **transport)
{
	struct transport *t = *transport;
	if (!t)
		return;
	atomic_store(&t->stopping, true);
	atomic_store(&t->draining, true);
	if (t->wake >= 0)
		eventfd_write(t->wake, 1);
	crew_dismiss(t);
	for (unsigned i = 0; i < t->n_workers; i++)
		pthread_join(t->workers[i].thread, NULL);
	if (t->connections)
		connections_each(t->connections, close_left, t);
	connections_close(&t->connections);
	buffers_close(&t->buffers);
	if (t->probe >= 0)
		close(t->probe);
	if (t->wake >= 0)
		close(t->wake);
	if (t->epoll >= 0)
		close(t->epoll);
	crew_close(t);
	pthread_mutex_destroy(&t->accept_lock);
	pthread_mutex_destroy(&t->start_lock);
	pthread_cond_destroy(&t->started);
	free(t->workers);
	free(t->frames);
	free(t);
	*transport = NULL;
}

static struct transport *make(const struct engine_start *start)
{
	const struct transport_settings *settings = start->settings;
	const struct handler *handler = start->handler;
	struct transport *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->protocol = start->protocol;
	t->settings = *settings;
	t->handler = handler;
	t->limits = (struct stream_limits){
		.head = (size_t)settings->max_request_headers,
		.body = handler->reads_body ? (size_t)handler->max_body : 0,
		.reads_body = handler->reads_body,
	};
	t->listening = start->listening;
	t->epoll = t->wake = t->probe = -1;
	crew_init(t);
	pthread_mutex_init(&t->accept_lock, NULL);
	pthread_mutex_init(&t->start_lock, NULL);
	pthread_cond_init(&t->started, NULL);
	size_t size = settings->threads * sizeof(struct engine_worker);
	t->workers = aligned_alloc(_Alignof(struct engine_worker), size);
	size_t frame = PROTOCOL_ROOM_BEFORE + handler->max_reply + PROTOCOL_ROOM_BEHIND(handler->max_reply);
	t->frames = malloc(settings->threads * frame);
	if (!t->workers || !t->frames || !connections_open(settings->max_connections, &t->connections) ||
	    !buffers_open(&t->buffers)) {
		engine_stop(&t);
		return NULL;
	}
	/* Only what must be: the large buffers stay untouched until a request needs them. */
	for (unsigned i = 0; i < settings->threads; i++) {
		struct engine_worker *w = &t->workers[i];
		memset(w, 0, offsetof(struct engine_worker, params));
		w->frame = t->frames + i * frame;
	}
	return t;
}

bool engine_start(const struct engine_start *start, struct transport **out, struct buf *why)
{
	struct transport *t = make(start);
	if (!t) {
		buf_printf(why, "no memory for %u threads and %u connections", start->settings->threads,
			   start->settings->max_connections);
		return false;
	}
	check_descriptors(t);
	if (!open_listening(t, why) || !open_set(t, why) || !start_workers(t, why)) {
		engine_stop(&t);
		return false;
	}
	*out = t;
	return true;
}

/* --- what the main thread does meanwhile ------------------------------------ */

void engine_tick(struct transport *t)
{
	int64_t now_us = clock_monotonic_us();
	connections_expire(t->connections, now_us);
	if (atomic_load(&t->draining))
		connections_release_idle(t->connections);
	crew_check(t);
	overload_probe(t, now_us);
	acceptor_resume(t);
}

void engine_drain(struct transport *t)
{
	acceptor_stop(t);
	connections_release_idle(t->connections);
}

unsigned engine_busy(struct transport *t)
{
	/* While draining, idle ones are on their way out and may have a request in their socket. */
	return connections_busy(t->connections, atomic_load(&t->draining));
}
