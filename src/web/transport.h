/* SPDX-License-Identifier: Apache-2.0 */
/* How requests come in and replies go out: the driver contract of transports. */
#ifndef WEB_TRANSPORT_H
#define WEB_TRANSPORT_H

#include "http/reply.h"
#include "http/request.h"

/* What a transport serves. handle is called on a worker thread, with that
 * worker's number (0 … threads-1), for one complete request; it always leaves a
 * complete reply that begins with "Status:". Nothing of the request outlives the call. */
struct handler {
	void *context;
	bool reads_body;      /* false: answered at the end of PARAMS, STDIN is skipped */
	int64_t max_body;     /* bytes */
	size_t max_reply;     /* bytes, with its head */
	bool (*worker_open)(void *context, unsigned worker); /* on the worker's own thread */
	void (*worker_close)(void *context, unsigned worker);
	void (*handle)(void *context, unsigned worker, const struct incoming *in, struct reply *reply);
};

struct transport_settings {
	unsigned threads;
	unsigned max_connections;
	int64_t max_request_headers; /* bytes of PARAMS */
};

struct transport;

struct transport_driver {
	const char *name; /* value of `transport` */
	/* Start the workers on a listening descriptor (made non-blocking here).
	 * false: why says what is wrong. */
	bool (*start)(const struct transport_settings *settings, const struct handler *handler, int listening,
		      struct transport **out, struct buf *why);
	/* Called by the main thread every 100 ms, more often while draining: ends
	 * what is past its deadline. */
	void (*tick)(struct transport *transport);
	/* Stop accepting and close idle connections; returns at once. */
	void (*drain)(struct transport *transport);
	/* Connections with a request begun, or about to: just accepted ones count.
	 * While draining every open one, because a request may be in its socket. */
	unsigned (*busy)(struct transport *transport);
	/* Close what is left and join the workers. */
	void (*stop)(struct transport **transport);
};

extern const struct transport_driver *const transport_drivers[];

#endif
