/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine must know of a protocol: nothing of it has a socket, a thread
 * or memory of its own. transport_fastcgi.c and transport_http.c have one each. */
#ifndef WEB_PROTOCOL_H
#define WEB_PROTOCOL_H

#include "http/reply.h"
#include "web/params.h"
#include "web/stream.h"

enum {
	PROTOCOL_ROOM_BEFORE = 128, /* bytes that frame may write before the reply */
	PROTOCOL_INTERIM_MAX = 128
};

/* And behind a reply of up to n bytes: a header for each record more, and the end. */
#define PROTOCOL_ROOM_BEHIND(n) (32 + 8 * ((n) / 65528))

enum protocol_event {
	PROTOCOL_MORE,	  /* all that is there has been read */
	PROTOCOL_REQUEST, /* complete: answer it, then finish */
	PROTOCOL_REFUSE,  /* against a limit or rule (why): answer 400, finish, close */
	PROTOCOL_INTERIM, /* send what interim writes and go on */
	PROTOCOL_BROKEN	  /* close without a word; why is for the log */
};

struct protocol {
	size_t pending_max;   /* bytes beside head and body that the memory must have room for */
	bool wants_peer;      /* fill in the stream's peer */
	bool announces_close; /* an answer can say that it is the last one */
	const char *doing[PHASE_SKIP + 1]; /* for the log: closed while it did that */

	/* Read on. For PROTOCOL_REQUEST and PROTOCOL_REFUSE *params holds the parameters
	 * (for the latter those that were good), which point into it and the stream. */
	enum protocol_event (*parse)(struct stream *stream, const struct stream_limits *limits, struct params *params);
	/* The body of the request that PROTOCOL_REQUEST told of; STR_NONE when none is read. */
	struct str (*body)(const struct stream *stream);
	/* After PROTOCOL_INTERIM: gives how many of PROTOCOL_INTERIM_MAX bytes it wrote. */
	size_t (*interim)(const struct stream *stream, unsigned max_connections, char *memory);
	/* Make of the n bytes of a whole reply what is sent, in the room around them. closing:
	 * it is the last one. */
	struct str (*frame)(const struct stream *stream, char *reply, size_t n, bool closing);
	/* The open request is answered: forget it. */
	void (*finish)(struct stream *stream);
	/* The last answer is out: may the peer still be sending? */
	bool (*lingers)(struct stream *stream, const struct stream_limits *limits, struct params *params);
	enum phase (*phase)(const struct stream *stream);
	/* How many bytes must be kept for what is open or not read yet. */
	size_t (*held)(const struct stream *stream);
	/* Move what is held to the beginning of that memory, which may be its own. */
	void (*move)(struct stream *stream, char *memory, size_t capacity);
};

#endif
