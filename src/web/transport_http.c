/* SPDX-License-Identifier: Apache-2.0 */
/* The transport `http`: the engine with HTTP/1.x, for proxies that ask over it. */
#include <string.h>

#include "web/engine.h"
#include "web/http_frame.h"
#include "web/http_head.h"
#include "web/http_stream.h"

static struct http_stream *http_of(struct stream *stream)
{
	return (struct http_stream *)(void *)stream;
}

static const struct http_stream *http_in(const struct stream *stream)
{
	return (const struct http_stream *)(const void *)stream;
}

static enum protocol_event parse(struct stream *stream, const struct stream_limits *limits, struct params *params)
{
	return http_stream_parse(http_of(stream), limits, params);
}

static struct str body(const struct stream *stream)
{
	return http_stream_body(http_in(stream));
}

static size_t interim(const struct stream *stream, unsigned max_connections, char *memory)
{
	static const struct str text = {"HTTP/1.1 100 Continue\r\n\r\n", 25};
	(void)stream;
	(void)max_connections;
	memcpy(memory, text.p, text.n);
	return text.n;
}

static struct str frame(const struct stream *stream, char *reply, size_t n, bool closing)
{
	const struct http_stream *http = http_in(stream);
	return http_frame_reply(reply, n, &(struct http_frame){http->is_1_0, http->is_head, closing});
}

static void finish(struct stream *stream)
{
	http_stream_finish(http_of(stream));
}

static bool lingers(struct stream *stream, const struct stream_limits *limits, struct params *params)
{
	(void)limits;
	(void)params;
	return http_stream_lingers(http_in(stream));
}

static enum phase phase(const struct stream *stream)
{
	return http_stream_phase(http_in(stream));
}

static size_t held(const struct stream *stream)
{
	return http_stream_held(http_in(stream));
}

static void move(struct stream *stream, char *memory, size_t capacity)
{
	http_stream_move(http_of(stream), memory, capacity);
}

static const struct protocol protocol = {
	.pending_max = HTTP_STREAM_PENDING_MAX,
	.wants_peer = true,
	.announces_close = true,
	.doing = {[PHASE_BETWEEN] = "no request",
		  [PHASE_HEAD] = "within the headers",
		  [PHASE_BODY] = "within the body",
		  [PHASE_SKIP] = "within a body that is skipped"},
	.parse = parse,
	.body = body,
	.interim = interim,
	.frame = frame,
	.finish = finish,
	.lingers = lingers,
	.phase = phase,
	.held = held,
	.move = move,
};

static bool start(const struct transport_settings *settings, const struct handler *handler, int listening,
		  struct transport **out, struct buf *why)
{
	http_head_start();
	return engine_start(&(struct engine_start){&protocol, settings, handler, listening}, out, why);
}

const struct transport_driver transport_http = {
	.name = "http",
	.start = start,
	.tick = engine_tick,
	.drain = engine_drain,
	.busy = engine_busy,
	.stop = engine_stop,
};
