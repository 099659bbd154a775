/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed table of connections: who owns one, and until when it may wait.
 *
 * A connection belongs to the worker that got its event until that worker hands
 * it back to wait; nobody else touches its fields, and only its owner closes it.
 * While it waits, the main thread may shut it down (deadline, drain) and any
 * worker may (to make room); the event that follows gives it to an owner. One
 * atomic word, `wait`, arbitrates, so that a descriptor number cannot be in use
 * again when somebody shuts it down. */
#ifndef WEB_CONNECTIONS_H
#define WEB_CONNECTIONS_H

#include <stdatomic.h>

#include "web/http_stream.h"
#include "web/record.h"

struct connection {
	_Alignas(64) _Atomic int64_t wait; /* connections.c */
	_Atomic uint32_t next_free;
	int fd;
	bool watched;	/* in the epoll set */
	bool served;	/* has been given an answer */
	bool closing;	/* to be closed once its answer is sent */
	bool writing;	/* waits for room, not for bytes */
	bool filled;	/* the last read took all the room there was: more may be there */
	union { /* of the transport's protocol; each begins with `in` */
		struct stream in;
		struct record_stream record;
		struct http_stream http;
	};
	char *memory; /* of its own for `in`, held only while a request is half there */
	size_t memory_size;
	char *rest; /* of an answer that could not be sent at once */
	size_t rest_n, rest_at;
	enum phase phase;
	int64_t since_us; /* when that phase began, or when it was accepted */
	int64_t begun_us; /* when the open request's first byte came */
	int64_t read_us;  /* when bytes came last */
	int64_t linger_us; /* answered, and until then what comes is thrown away; 0: not so */
};

struct connections;

bool connections_open(unsigned n, struct connections **out);
void connections_close(struct connections **connections);
/* A free one, owned by the caller, or NULL. Its fields are zero. */
struct connection *connections_take(struct connections *connections);
/* Make it free; its descriptor is closed already. */
void connections_give(struct connections *connections, struct connection *connection);

/* The owner lets go of it until an event or that moment (microseconds); idle: no
 * request is begun. The last thing that it does with it. */
void connection_wait(struct connection *connection, int64_t deadline_us, bool idle);

enum connection_state {
	CONNECTION_READY,
	CONNECTION_RELEASED, /* idle for too long, or drained: answer what had arrived, then close */
	CONNECTION_EXPIRED   /* shut down: only to be closed */
};
/* The caller got its event and becomes its owner, once the one before has let go. */
enum connection_state connection_own(struct connection *connection);

/* End what is past its deadline. */
void connections_expire(struct connections *connections, int64_t now_us);
/* No idle connection can receive any more. */
void connections_release_idle(struct connections *connections);
/* End the one that has been idle for longest; false: none is idle. */
bool connections_evict_idle(struct connections *connections);
/* How many are in use; idle ones count only if asked. */
unsigned connections_busy(struct connections *connections, bool with_idle);
/* Is one free? */
bool connections_left(struct connections *connections);
/* Call for each one in use, when no worker runs any more. */
void connections_each(struct connections *connections, void (*call)(void *context, struct connection *connection),
		      void *context);

#endif
