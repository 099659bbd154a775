/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x as it comes in: bytes to complete requests, without sockets.
 *
 * It allocates nothing, and however the bytes are split the events are the same.
 * One byte that could be read in two ways refuses the request and everything
 * behind it on its connection. */
#ifndef WEB_HTTP_STREAM_H
#define WEB_HTTP_STREAM_H

#include "web/params.h"
#include "web/protocol.h"

enum { HTTP_STREAM_PENDING_MAX = 2048 /* bytes beside head and body that the memory must have room for */ };

struct http_stream {
	struct stream in;
	size_t scanned;		/* of a head that has not ended: so far without its end */
	size_t head_at, head_n; /* the open request's; head_n is 0 as long as it has not ended */
	size_t body_at, body_n;
	uint64_t left;	/* of the body or of its chunk: not taken yet */
	uint8_t stage;	/* http_stream.c */
	uint8_t digits; /* of the chunk's length, so far */
	bool is_1_0, is_head;
	bool skips;   /* its body is thrown away */
	bool expects; /* 100 Continue is due */
	bool refused; /* nothing more is read */
};

enum protocol_event http_stream_parse(struct http_stream *stream, const struct stream_limits *limits,
				      struct params *params);
struct str http_stream_body(const struct http_stream *stream);
void http_stream_finish(struct http_stream *stream);
bool http_stream_lingers(const struct http_stream *stream);
enum phase http_stream_phase(const struct http_stream *stream);
size_t http_stream_held(const struct http_stream *stream);
void http_stream_move(struct http_stream *stream, char *memory, size_t capacity);

#endif
