/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes that come in on one connection, as the engine and a protocol share
 * them. They stand in memory of the engine, which appends what arrives at
 * bytes + n and raises n; the protocol reads up to `at`. Each protocol's own
 * state (web/record.h, web/http_stream.h) begins with one of these. */
#ifndef WEB_STREAM_H
#define WEB_STREAM_H

#include <netinet/in.h>

#include "http/request.h"

struct stream {
	char *bytes;
	size_t cap, n;
	size_t at;	 /* read up to here */
	const char *why; /* what is wrong, for the log */
	bool keep;	 /* the peer wants the connection for further requests */
	enum asked asked; /* the open request */
	char peer[INET6_ADDRSTRLEN]; /* its address, for protocols that ask for it; "" on a unix socket */
};

struct stream_limits {
	size_t head;	 /* bytes of parameters or header lines */
	size_t body;	 /* bytes of the body */
	bool reads_body; /* false: answered without the body, which is skipped */
};

/* What is the peer in the middle of? Each has its own deadline. */
enum phase {
	PHASE_BETWEEN, /* nothing begun */
	PHASE_HEAD,    /* parameters or header lines */
	PHASE_BODY,    /* the body of the open request */
	PHASE_SKIP     /* a body of a request that is answered already */
};

#endif
