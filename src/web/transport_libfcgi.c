/* SPDX-License-Identifier: Apache-2.0 */
/* The transport `libfcgi`: the same contract over the FastCGI library. A
 * connection has a thread for as long as it lasts, so there must be more threads
 * than kept connections. What the library lacks is added here: accepting without
 * a lock, deadlines, limits, an end. AF_UNIX only, because its record parsing
 * trusts whoever can connect. */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "web/complaint.h"
#include "web/connections.h"
#include "web/frame.h"
#include "web/transport.h"

enum {
	SECOND_US = 1000000,
	HEAD_US = 2 * SECOND_US,
	BODY_US = 30 * SECOND_US,
	WRITE_US = 5 * SECOND_US,
	IDLE_US = 60 * SECOND_US,
	DESCRIPTOR_PAUSE_MS = 20
};

struct libfcgi_worker {
	pthread_t thread;
	struct transport *transport;
	unsigned number;
	FCGX_Request request;
	struct params params;
	char *body;	 /* max_body + 1 bytes, or NULL */
	char *reply;	 /* max_reply bytes */
};

struct transport {
	struct transport_settings settings;
	const struct handler *handler;
	int listening, wake; /* wake is readable once no more connections are wanted */
	struct complaints complaints;
	struct connections *connections; /* one for each worker, for its deadlines */
	_Atomic bool draining;
	pthread_mutex_t start_lock;
	pthread_cond_t started;
	unsigned n_started, n_failed;
	unsigned n_workers;
	struct libfcgi_worker *workers;
};

/* --- one request ------------------------------------------------------------ */

/* Everything that may block happens between these two; false: time was over. */
static void begin_wait(struct connection *c, int64_t time_us, bool idle)
{
	connection_wait(c, clock_monotonic_us() + time_us, idle);
}

static bool end_wait(struct connection *c)
{
	return connection_own(c) != CONNECTION_EXPIRED;
}

/* The whole body, one byte more when there is more. */
static bool read_body(struct libfcgi_worker *w, struct connection *c, struct str *body)
{
	int max = (int)w->transport->handler->max_body;
	begin_wait(c, BODY_US, false);
	int n = FCGX_GetStr(w->body, max + 1, w->request.in);
	if (!end_wait(c) || n < 0 || FCGX_GetError(w->request.in) != 0)
		return false;
	*body = (struct str){w->body, (size_t)n};
	return true;
}

/* NULL, or what the request is refused for. */
static const char *check(struct libfcgi_worker *w, struct str body)
{
	const struct handler *handler = w->transport->handler;
	const char *why;

	w->params.n = 0;
	/* The first one is the library's own FCGI_ROLE. */
	if (!params_add_environment(&w->params, w->request.envp + 1, (size_t)w->transport->settings.max_request_headers,
				    &why))
		return why;
	if (w->params.n == 0)
		return "no parameters";
	if (!handler->reads_body)
		return NULL;
	if (w->request.role == RECORD_AUTHORIZER)
		return "asked as an authorizer";
	if (body.n > (size_t)handler->max_body)
		return "length of the body";
	return params_allow_body(&w->params, body.n) ? NULL : "body and CONTENT_LENGTH differ";
}

static bool write_reply(struct libfcgi_worker *w, struct connection *c, const struct reply *reply)
{
	if (!frame_takes(reply)) {
		complaint_add(&w->transport->complaints, COMPLAINT_REPLY, NULL);
		return false;
	}
	begin_wait(c, WRITE_US, false);
	bool written = FCGX_PutStr(reply->out.p, (int)reply->out.n, w->request.out) == (int)reply->out.n &&
		       FCGX_FFlush(w->request.out) == 0;
	return end_wait(c) && written;
}

static bool answer(struct libfcgi_worker *w, struct connection *c, bool *keep)
{
	const struct handler *handler = w->transport->handler;
	int64_t arrived_us = clock_monotonic_us();
	struct str body = STR_NONE;
	if (handler->reads_body && w->request.role == RECORD_RESPONDER && !read_body(w, c, &body))
		return false;

	const char *refused = check(w, body);
	struct reply reply = {.out = buf_over(w->reply, handler->max_reply)};
	struct incoming in = {w->params.items, w->params.n, refused ? STR_NONE : body, arrived_us,
			      refused ? ERR_BAD_REQUEST : ERR_NONE, refused,
			      w->request.role == RECORD_AUTHORIZER ? ASKED_AUTHORIZER : ASKED_UNKNOWN};
	handler->handle(handler->context, w->number, &in, &reply);
	bool written = write_reply(w, c, &reply);
	secret_wipe(w->reply, reply.out.n);
	if (body.n > 0)
		secret_wipe(w->body, body.n);
	*keep = w->request.keepConnection && !refused;
	return written;
}

/* --- one connection --------------------------------------------------------- */

/* Read a request; false: the connection has ended or is to be dropped. */
static bool read_request(struct libfcgi_worker *w, struct connection *c)
{
	/* Or the library would wait for the peer to close, when it closes. */
	w->request.detached = 1;
	begin_wait(c, HEAD_US, false);
	int error = FCGX_Accept_r(&w->request);
	bool in_time = end_wait(c);
	if (error == 0 && in_time && FCGX_GetError(w->request.in) == 0 &&
	    (w->request.role == RECORD_RESPONDER || w->request.role == RECORD_AUTHORIZER))
		return true;
	if (!in_time)
		complaint_add(&w->transport->complaints, COMPLAINT_DEADLINE, NULL);
	return false;
}

static bool finish(struct libfcgi_worker *w, struct connection *c)
{
	w->request.detached = 1;
	begin_wait(c, WRITE_US, false);
	FCGX_Finish_r(&w->request);
	return end_wait(c) && w->request.ipcFd >= 0;
}

static bool wait_for_next(struct libfcgi_worker *w, struct connection *c)
{
	struct pollfd peer = {.fd = w->request.ipcFd, .events = POLLIN};
	begin_wait(c, IDLE_US, true);
	poll(&peer, 1, -1);
	connection_own(c);
	char byte;
	return recv(peer.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Without END_REQUEST: behind no output, some servers would take it for an allow. */
static void drop(struct libfcgi_worker *w)
{
	if (w->request.ipcFd < 0)
		return;
	shutdown(w->request.ipcFd, SHUT_RDWR);
	w->request.detached = 1;
	FCGX_Free(&w->request, 1);
}

static void serve(struct libfcgi_worker *w, struct connection *c)
{
	bool keep = true;
	const struct timeval read_time = {.tv_sec = HEAD_US / SECOND_US}, write_time = {.tv_sec = WRITE_US / SECOND_US};
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &read_time, sizeof read_time);
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &write_time, sizeof write_time);
	/* The library closes its descriptor when it likes; the deadlines need one that stays. */
	w->request.ipcFd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
	/* As if the connection had been kept: then the library reads from it at once.
	 * Whether it is kept later on, the record says. */
	w->request.keepConnection = 1;
	if (w->request.ipcFd < 0)
		return;
	while (keep) {
		if (!read_request(w, c) || !answer(w, c, &keep))
			break;
		w->request.keepConnection = keep;
		if (!finish(w, c) || !keep || !wait_for_next(w, c))
			break;
	}
	drop(w);
}

/* --- threads ---------------------------------------------------------------- */

static void accept_one(struct libfcgi_worker *w)
{
	struct transport *t = w->transport;
	struct connection *c = connections_take(t->connections);
	if (!c)
		return;
	c->fd = accept4(t->listening, NULL, NULL, SOCK_CLOEXEC);
	if (c->fd >= 0) {
		serve(w, c);
		close(c->fd);
	} else if (errno == EMFILE || errno == ENFILE) {
		complaint_add(&t->complaints, COMPLAINT_DESCRIPTORS, NULL);
		poll(NULL, 0, DESCRIPTOR_PAUSE_MS);
	}
	connections_give(t->connections, c);
}

static void work(struct libfcgi_worker *w)
{
	struct transport *t = w->transport;
	while (!atomic_load(&t->draining)) {
		struct pollfd events[] = {{.fd = t->listening, .events = POLLIN}, {.fd = t->wake, .events = POLLIN}};
		if (poll(events, 2, -1) > 0 && events[0].revents && !atomic_load(&t->draining))
			accept_one(w);
	}
}

static void *worker_main(void *argument)
{
	struct libfcgi_worker *w = argument;
	struct transport *t = w->transport;
	bool opened = FCGX_InitRequest(&w->request, -1, 0) == 0 &&
		      (!t->handler->worker_open || t->handler->worker_open(t->handler->context, w->number));

	pthread_mutex_lock(&t->start_lock);
	t->n_started += opened;
	t->n_failed += !opened;
	pthread_cond_signal(&t->started);
	pthread_mutex_unlock(&t->start_lock);
	if (opened)
		work(w);
	if (opened && t->handler->worker_close)
		t->handler->worker_close(t->handler->context, w->number);
	return NULL;
}

static bool start_workers(struct transport *t, struct buf *why)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = 0;
	for (unsigned i = 0; i < t->settings.threads && error == 0; i++) {
		t->workers[i].transport = t;
		t->workers[i].number = i;
		error = pthread_create(&t->workers[i].thread, NULL, worker_main, &t->workers[i]);
		t->n_workers += error == 0;
	}
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

static void drain(struct transport *t)
{
	atomic_store(&t->draining, true);
	eventfd_write(t->wake, 1);
	connections_release_idle(t->connections);
}

static bool open_memory(const struct handler *handler, struct libfcgi_worker *w)
{
	if (handler->reads_body)
		w->body = malloc((size_t)handler->max_body + 1);
	w->reply = malloc(handler->max_reply);
	return w->reply && (w->body || !handler->reads_body);
}

static void close_memory(struct libfcgi_worker *w)
{
	free(w->body);
	free(w->reply);
}

static void stop(struct transport **transport)
{
	struct transport *t = *transport;
	if (!t)
		return;
	drain(t);
	/* Whatever a worker waits for ends now. */
	for (unsigned i = 0; i < t->n_workers; i++)
		while (pthread_tryjoin_np(t->workers[i].thread, NULL) == EBUSY) {
			connections_expire(t->connections, INT64_MAX / 2);
			poll(NULL, 0, 1);
		}
	for (unsigned i = 0; i < t->settings.threads; i++)
		close_memory(&t->workers[i]);
	connections_close(&t->connections);
	close(t->wake);
	pthread_mutex_destroy(&t->start_lock);
	pthread_cond_destroy(&t->started);
	free(t->workers);
	free(t);
	*transport = NULL;
}

static bool is_unix(int listening)
{
	int domain = AF_UNSPEC;
	socklen_t size = sizeof domain;
	return getsockopt(listening, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

static struct transport *make(const struct transport_settings *settings, const struct handler *handler, int listening)
{
	struct transport *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->settings = *settings;
	t->handler = handler;
	t->listening = listening;
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->workers = calloc(settings->threads, sizeof *t->workers);
	pthread_mutex_init(&t->start_lock, NULL);
	pthread_cond_init(&t->started, NULL);
	bool good = t->wake >= 0 && t->workers && connections_open(settings->threads, &t->connections);
	for (unsigned i = 0; good && i < settings->threads; i++)
		good = open_memory(handler, &t->workers[i]);
	if (!good) {
		for (unsigned i = 0; t->workers && i < settings->threads; i++)
			close_memory(&t->workers[i]);
		free(t->workers);
		connections_close(&t->connections);
		free(t);
		return NULL;
	}
	return t;
}

static bool start(const struct transport_settings *settings, const struct handler *handler, int listening,
		  struct transport **out, struct buf *why)
{
	if (!is_unix(listening)) {
		buf_printf(why, "transport = libfcgi needs a unix socket; use transport = fastcgi for TCP");
		return false;
	}
	int flags = fcntl(listening, F_GETFL);
	if (flags < 0 || fcntl(listening, F_SETFL, flags | O_NONBLOCK) != 0 || FCGX_Init() != 0) {
		buf_printf(why, "listening socket: %s", strerror(errno));
		return false;
	}
	struct transport *t = make(settings, handler, listening);
	if (!t) {
		buf_printf(why, "no memory for %u threads", settings->threads);
		return false;
	}
	if (!start_workers(t, why)) {
		stop(&t);
		return false;
	}
	*out = t;
	return true;
}

static void tick(struct transport *t)
{
	connections_expire(t->connections, clock_monotonic_us());
	if (atomic_load(&t->draining))
		connections_release_idle(t->connections);
}

static unsigned busy(struct transport *t)
{
	return connections_busy(t->connections, atomic_load(&t->draining));
}

const struct transport_driver transport_libfcgi = {
	.name = "libfcgi",
	.start = start,
	.tick = tick,
	.drain = drain,
	.busy = busy,
	.stop = stop,
};
