/* SPDX-License-Identifier: Apache-2.0 */
/* The transport `fastcgi`: the engine with FastCGI's records. */
#include "web/engine.h"
#include "web/frame.h"
#include "web/record.h"

static struct record_stream *record_of(struct stream *stream)
{
	return (struct record_stream *)(void *)stream;
}

static const struct record_stream *record_in(const struct stream *stream)
{
	return (const struct record_stream *)(const void *)stream;
}

static enum protocol_event parse(struct stream *stream, const struct stream_limits *limits, struct params *params)
{
	static const enum protocol_event events[] = {
		[RECORD_MORE] = PROTOCOL_MORE,	     [RECORD_REQUEST] = PROTOCOL_REQUEST,
		[RECORD_REFUSE] = PROTOCOL_REFUSE,   [RECORD_VALUES] = PROTOCOL_INTERIM,
		[RECORD_UNKNOWN] = PROTOCOL_INTERIM, [RECORD_BROKEN] = PROTOCOL_BROKEN,
	};
	return events[record_parse(record_of(stream), limits, params)];
}

static struct str body(const struct stream *stream)
{
	return record_body(record_in(stream));
}

static size_t interim(const struct stream *stream, unsigned max_connections, char *memory)
{
	if (record_in(stream)->asks_values)
		return frame_values(memory, max_connections);
	return frame_unknown_type(memory, record_in(stream)->unknown_type);
}

static struct str frame(const struct stream *stream, char *reply, size_t n, bool closing)
{
	(void)closing;
	char *memory = reply - FRAME_HEAD;
	return (struct str){memory, frame_reply(memory, n, record_in(stream)->id)};
}

static void finish(struct stream *stream)
{
	record_finish(record_of(stream));
}

/* A responder's peer is about to write STDIN, unless its end is here already. */
static bool lingers(struct stream *stream, const struct stream_limits *limits, struct params *params)
{
	record_parse(record_of(stream), limits, params);
	return record_in(stream)->stdin_open;
}

static enum phase phase(const struct stream *stream)
{
	return record_phase(record_in(stream));
}

static size_t held(const struct stream *stream)
{
	return record_held(record_in(stream));
}

static void move(struct stream *stream, char *memory, size_t capacity)
{
	record_move(record_of(stream), memory, capacity);
}

static const struct protocol protocol = {
	.pending_max = RECORD_PENDING_MAX,
	.doing = {[PHASE_BETWEEN] = "no request",
		  [PHASE_HEAD] = "within the parameters",
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
	return engine_start(&(struct engine_start){&protocol, settings, handler, listening}, out, why);
}

const struct transport_driver transport_fastcgi = {
	.name = "fastcgi",
	.start = start,
	.tick = engine_tick,
	.drain = engine_drain,
	.busy = engine_busy,
	.stop = engine_stop,
};
