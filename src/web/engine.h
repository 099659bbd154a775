/* SPDX-License-Identifier: Apache-2.0 */
/* The engine of the transports that have a protocol: one epoll set, worker threads
 * that each take one ready connection at a time. What its files share; beside them
 * only those transports include it.
 *   engine             threads, start and stop
 *   acceptor           the listening descriptor
 *   converse           one connection in its owner's hands
 *   crew               how many workers stand ready
 *   overload           are requests waiting too long? */
#ifndef WEB_ENGINE_H
#define WEB_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "web/buffers.h"
#include "web/complaint.h"
#include "web/connections.h"
#include "web/protocol.h"
#include "web/transport.h"

enum { ENGINE_SCRATCH = 16384 };

struct engine_worker {
	_Alignas(64) _Atomic bool waiting; /* has nothing to do */
	_Atomic bool parked;		   /* is not even waiting; crew.c for these */
	_Atomic unsigned events;
	_Atomic unsigned samples, doublings;
	unsigned seen;
	bool sampling;
	int64_t sample_us;
	struct rusage usage;
	pthread_t thread;
	struct transport *transport;
	unsigned number;
	bool opened;
	size_t scratch_used;
	struct params params;
	char scratch[ENGINE_SCRATCH]; /* requests that arrive at once are read here */
	char *frame; /* room before, handler->max_reply bytes, room behind */
};

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t called, wakened;
	_Atomic unsigned front, wanted; /* workers that are not parked, and how many should be */
	_Atomic bool asleep;		/* the watch */
	unsigned calls;			/* parked workers that may go */
	unsigned processors;
	unsigned samples, doublings; /* of late */
	bool watched;
	pthread_t watch;
};

struct transport {
	const struct protocol *protocol;
	struct transport_settings settings;
	const struct handler *handler;
	struct stream_limits limits;
	struct connections *connections;
	struct buffers *buffers;
	struct complaints complaints;
	int epoll, listening;
	int wake; /* readable for ever once stopping is set */
	bool tcp;
	_Atomic bool draining, stopping;

	pthread_mutex_t accept_lock; /* for changing the listening descriptor's place in the set */
	_Atomic bool paused;	     /* it is not in the set */
	_Atomic int64_t resume_us;   /* not before that */
	_Atomic bool evicting;	     /* an idle connection has been told to make room */

	struct crew crew;

	int probe; /* overload.c */
	_Atomic int64_t probed_us;
	_Atomic bool shedding;

	pthread_mutex_t start_lock;
	pthread_cond_t started;
	unsigned n_started, n_failed;

	unsigned n_workers;
	struct engine_worker *workers;
	char *frames; /* of all of them */
};

/* What an epoll event is about: the address in its data. */
#define ENGINE_LISTENING(t) ((void *)&(t)->listening)
#define ENGINE_WAKE(t) ((void *)&(t)->wake)
#define ENGINE_PROBE(t) ((void *)&(t)->probe)

/* --- engine.c: for a driver to put behind struct transport_driver --- */
struct engine_start {
	const struct protocol *protocol;
	const struct transport_settings *settings;
	const struct handler *handler;
	int listening;
};
bool engine_start(const struct engine_start *start, struct transport **out, struct buf *why);
void engine_tick(struct transport *transport);
void engine_drain(struct transport *transport);
unsigned engine_busy(struct transport *transport);
void engine_stop(struct transport **transport);

/* --- acceptor.c --- */
bool acceptor_open(struct transport *transport);
/* Accept and serve some connections. */
void acceptor_accept(struct engine_worker *worker);
/* Accept again if there is room, or make some. Called now and then. */
void acceptor_resume(struct transport *transport);
/* A connection has been closed. */
void acceptor_freed(struct transport *transport);
/* Never again. */
void acceptor_stop(struct transport *transport);

/* --- converse.c --- */
/* Serve a connection of which the caller is the owner, until it must wait or is closed. */
void converse(struct engine_worker *worker, struct connection *connection);
/* The event of a waiting connection has come. */
void converse_again(struct engine_worker *worker, struct connection *connection);
void converse_close(struct transport *transport, struct connection *connection);

/* --- crew.c --- */
void crew_init(struct transport *transport);
/* Start the watch; gives pthread_create's error. */
int crew_start(struct transport *transport);
/* Before a worker waits for an event: stay away from it for as long as others are enough. */
void crew_turn(struct engine_worker *worker);
/* Around the work on an event. */
void crew_begin(struct engine_worker *worker);
void crew_end(struct engine_worker *worker);
/* The main thread's look: is somebody at work while the watch sleeps? */
void crew_check(struct transport *transport);
/* `stopping` is set: everybody returns. */
void crew_dismiss(struct transport *transport);
void crew_close(struct transport *transport);

/* --- overload.c --- */
bool overload_open(struct transport *transport);
/* The main thread's look, every 100 ms. */
void overload_probe(struct transport *transport, int64_t now_us);
/* Is a request to be answered 503? */
bool overload_is(struct transport *transport);
/* A worker got the probe's event. */
void overload_measure(struct transport *transport);

#endif
