/* SPDX-License-Identifier: Apache-2.0 */
/* FastCGI 1.0 as it comes in: bytes to complete requests, without sockets.
 *
 * The parser puts the content of the open request together in the stream's own
 * memory, so that a request which came in one record is not copied at all.
 * It allocates nothing, and however the bytes are split the events are the same. */
#ifndef WEB_RECORD_H
#define WEB_RECORD_H

#include "web/params.h"
#include "web/stream.h"

enum {
	RECORD_HEADER = 8,
	RECORD_SKIP_MAX = 1 << 20,  /* bytes of PARAMS that are read away to answer 400 */
	RECORD_VALUES_MAX = 1024,   /* content of GET_VALUES */
	RECORD_PENDING_MAX = 2048   /* bytes beside the content that the memory must have room for */
};

enum record_role { RECORD_RESPONDER = 1, RECORD_AUTHORIZER = 2 };

enum record_event {
	RECORD_MORE,	/* all that is there has been read */
	RECORD_REQUEST, /* complete: answer it, then record_finish */
	RECORD_REFUSE,	/* sound, but against a limit or rule (why): answer 400, record_finish, close */
	RECORD_VALUES,	/* answer FCGI_GET_VALUES and go on */
	RECORD_UNKNOWN, /* answer FCGI_UNKNOWN_TYPE with unknown_type and go on */
	RECORD_BROKEN	/* close without a word; why is for the log */
};

struct record_stream {
	struct stream in;
	size_t params_at, params_n; /* content of the open request, at these offsets */
	size_t body_at, body_n;
	size_t skipped; /* bytes of PARAMS beyond the limit */
	size_t content_left;
	unsigned padding_left;
	uint8_t taking; /* what content_left is: record.c */
	uint8_t stage;	/* of the open request: record.c */
	uint8_t role, unknown_type;
	uint16_t id;	      /* of the open request or the one just finished; 0: none yet */
	uint16_t finished_id; /* of the one just finished */
	bool asks_values;     /* the last of them was GET_VALUES */
	bool managed;	      /* management records came since the last request */
	bool stdin_open;      /* STDIN of the request has not ended */
};

/* Read on. For RECORD_REQUEST and RECORD_REFUSE *params holds the parameters (for
 * the latter those that were good); they point into the stream's memory. */
enum record_event record_parse(struct record_stream *stream, const struct stream_limits *limits,
			       struct params *params);
/* The body of the request that RECORD_REQUEST told of; STR_NONE when none is read. */
struct str record_body(const struct record_stream *stream);
/* The open request is answered: forget it. */
void record_finish(struct record_stream *stream);
/* Management records are part of the head, a record of an answered request is skipped. */
enum phase record_phase(const struct record_stream *stream);
/* How many bytes must be kept for what is open or not read yet. */
size_t record_held(const struct record_stream *stream);
/* Move what is held to the beginning of that memory, which may be its own.
 * capacity is at least record_held(). */
void record_move(struct record_stream *stream, char *memory, size_t capacity);

#endif
