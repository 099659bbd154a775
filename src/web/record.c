/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine over FastCGI records. A length in a record is only ever
 * counted down or compared, never a size of memory. */
#include "web/record.h"

#include <string.h>

enum { VERSION = 1 };

enum type {
	BEGIN_REQUEST = 1,
	ABORT_REQUEST = 2,
	PARAMS = 4,
	STDIN = 5,
	DATA = 8,
	GET_VALUES = 9
};

enum { KEEP_CONN = 1, BEGIN_CONTENT = 8 };

enum stage { STAGE_NONE, STAGE_PARAMS, STAGE_STDIN };
enum taking { TAKE_NOTHING, TAKE_PARAMS, TAKE_BODY, TAKE_AWAY };

struct header {
	uint8_t version, type;
	uint16_t id;
	size_t content;
	unsigned padding;
};

static unsigned read_u16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static struct header read_header(const struct record_stream *s)
{
	const unsigned char *p = (const unsigned char *)s->in.bytes + s->in.at;
	return (struct header){p[0], p[1], (uint16_t)read_u16(p + 2), read_u16(p + 4), p[6]};
}

/* Go past the header; the content will be taken as it arrives. */
static void enter(struct record_stream *s, const struct header *header, enum taking taking)
{
	s->in.at += RECORD_HEADER;
	s->content_left = header->content;
	s->padding_left = header->padding;
	s->taking = (uint8_t)taking;
}

static enum record_event broken(struct record_stream *s, const char *why)
{
	s->in.why = why;
	return RECORD_BROKEN;
}

static enum record_event refuse(struct record_stream *s, const char *why)
{
	s->in.why = why;
	return RECORD_REFUSE;
}

/* Append n bytes of content at s->in.at to the stream that starts at *start. */
static void keep_content(struct record_stream *s, size_t *start, size_t *length, size_t n)
{
	if (*length == 0)
		*start = s->in.at;
	else if (*start + *length != s->in.at)
		memmove(s->in.bytes + *start + *length, s->in.bytes + s->in.at, n);
	*length += n;
}

/* Take what is there of the record's content and padding. false: more must come. */
static bool take_content(struct record_stream *s)
{
	size_t there = s->in.n - s->in.at;
	size_t n = s->content_left < there ? s->content_left : there;
	if (n > 0 && s->taking == TAKE_PARAMS)
		keep_content(s, &s->params_at, &s->params_n, n);
	else if (n > 0 && s->taking == TAKE_BODY)
		keep_content(s, &s->body_at, &s->body_n, n);
	s->in.at += n;
	s->content_left -= n;
	if (s->content_left > 0)
		return false;
	there -= n;
	unsigned padding = s->padding_left < there ? s->padding_left : (unsigned)there;
	s->in.at += padding;
	s->padding_left -= padding;
	return s->padding_left == 0;
}

static enum record_event begin_request(struct record_stream *s, const struct header *header)
{
	if (s->stage != STAGE_NONE)
		return broken(s, "a request within a request");
	if (header->content != BEGIN_CONTENT)
		return broken(s, "BEGIN_REQUEST of a wrong length");
	if (s->in.n - s->in.at < RECORD_HEADER + BEGIN_CONTENT)
		return RECORD_MORE;

	const unsigned char *content = (const unsigned char *)s->in.bytes + s->in.at + RECORD_HEADER;
	unsigned role = read_u16(content);
	if (role != RECORD_RESPONDER && role != RECORD_AUTHORIZER)
		return broken(s, "a role that is not served");
	enter(s, header, TAKE_AWAY);
	s->stage = STAGE_PARAMS;
	s->id = header->id;
	s->role = (uint8_t)role;
	s->in.keep = content[2] & KEEP_CONN;
	s->in.asked = role == RECORD_AUTHORIZER ? ASKED_AUTHORIZER : ASKED_UNKNOWN;
	s->stdin_open = role == RECORD_RESPONDER;
	s->params_n = s->body_n = s->skipped = 0;
	return RECORD_MORE;
}

/* The empty PARAMS record: is the request complete? */
static enum record_event end_params(struct record_stream *s, const struct stream_limits *limits,
				    struct params *params)
{
	params->n = 0;
	if (s->skipped > 0)
		return refuse(s, "length of the parameters");
	switch (params_decode(params, s->in.bytes + s->params_at, s->params_n, &s->in.why)) {
	case PARAMS_GOOD:
		break;
	case PARAMS_REFUSED:
		return RECORD_REFUSE;
	case PARAMS_BROKEN:
		return RECORD_BROKEN;
	}
	if (!limits->reads_body)
		return RECORD_REQUEST;
	/* A program that answers pages must never be what opens a door. */
	if (s->role == RECORD_AUTHORIZER)
		return refuse(s, "asked as an authorizer");
	uint64_t length;
	if (!params_content_length(params, &length))
		return refuse(s, "CONTENT_LENGTH");
	if (length > limits->body)
		return refuse(s, "length of the body");
	s->stage = STAGE_STDIN;
	return RECORD_MORE;
}

static enum record_event read_params(struct record_stream *s, const struct header *header,
				     const struct stream_limits *limits, struct params *params)
{
	if (s->stage != STAGE_PARAMS || header->id != s->id)
		return broken(s, "PARAMS out of order");
	if (header->content == 0) {
		enter(s, header, TAKE_AWAY);
		return end_params(s, limits, params);
	}
	bool fits = s->skipped == 0 && header->content <= limits->head - s->params_n;
	if (!fits)
		s->skipped += header->content;
	if (s->params_n + s->skipped > RECORD_SKIP_MAX)
		return broken(s, "parameters without end");
	enter(s, header, fits ? TAKE_PARAMS : TAKE_AWAY);
	return RECORD_MORE;
}

/* The empty STDIN record: decode again, because the memory may have moved since. */
static enum record_event end_body(struct record_stream *s, struct params *params)
{
	s->stdin_open = false;
	if (params_decode(params, s->in.bytes + s->params_at, s->params_n, &s->in.why) != PARAMS_GOOD)
		return RECORD_BROKEN;
	if (!params_allow_body(params, s->body_n))
		return refuse(s, "body and CONTENT_LENGTH differ");
	return RECORD_REQUEST;
}

static enum record_event read_stdin(struct record_stream *s, const struct header *header,
				    const struct stream_limits *limits, struct params *params)
{
	if (s->stage != STAGE_STDIN || header->id != s->id)
		return broken(s, "STDIN out of order");
	if (header->content == 0) {
		enter(s, header, TAKE_AWAY);
		return end_body(s, params);
	}
	if (header->content > limits->body - s->body_n) {
		enter(s, header, TAKE_AWAY);
		if (params_decode(params, s->in.bytes + s->params_at, s->params_n, &s->in.why) == PARAMS_BROKEN)
			return RECORD_BROKEN;
		return refuse(s, "length of the body");
	}
	enter(s, header, TAKE_BODY);
	return RECORD_MORE;
}

/* What a server still sends for a request that was answered early. */
static bool is_late(const struct record_stream *s, const struct header *header)
{
	bool open = s->stage != STAGE_NONE && header->id == s->id;
	return !open && header->id == s->finished_id &&
	       (header->type == STDIN || header->type == DATA || header->type == ABORT_REQUEST);
}

static enum record_event skip_late(struct record_stream *s, const struct header *header)
{
	if (s->stage == STAGE_NONE && header->type == STDIN && header->content == 0)
		s->stdin_open = false;
	enter(s, header, TAKE_AWAY);
	return RECORD_MORE;
}

static enum record_event manage(struct record_stream *s, const struct header *header, struct params *params)
{
	s->managed = true;
	s->asks_values = header->type == GET_VALUES;
	if (header->type != GET_VALUES) {
		s->unknown_type = header->type;
		enter(s, header, TAKE_AWAY);
		return RECORD_UNKNOWN;
	}
	if (header->content > RECORD_VALUES_MAX)
		return broken(s, "length of GET_VALUES");
	if (s->in.n - s->in.at < RECORD_HEADER + header->content)
		return RECORD_MORE;
	const char *content = s->in.bytes + s->in.at + RECORD_HEADER;
	if (header->content > 0 && params_decode(params, content, header->content, &s->in.why) != PARAMS_GOOD)
		return RECORD_BROKEN;
	enter(s, header, TAKE_AWAY);
	return RECORD_VALUES;
}

static enum record_event read_record(struct record_stream *s, const struct header *header,
				     const struct stream_limits *limits, struct params *params)
{
	if (header->version != VERSION)
		return broken(s, "version of a record");
	if (header->id == 0) {
		if (header->type > 0 && header->type < GET_VALUES)
			return broken(s, "request id 0");
		return manage(s, header, params);
	}
	if (is_late(s, header))
		return skip_late(s, header);
	switch (header->type) {
	case BEGIN_REQUEST:
		return begin_request(s, header);
	case PARAMS:
		return read_params(s, header, limits, params);
	case STDIN:
		return read_stdin(s, header, limits, params);
	case ABORT_REQUEST:
		return broken(s, "aborted");
	}
	return broken(s, "type of a record");
}

enum record_event record_parse(struct record_stream *s, const struct stream_limits *limits, struct params *params)
{
	while (take_content(s) && s->in.n - s->in.at >= RECORD_HEADER) {
		struct header header = read_header(s);
		size_t before = s->in.at;
		enum record_event event = read_record(s, &header, limits, params);
		if (event != RECORD_MORE || s->in.at == before)
			return event;
	}
	return RECORD_MORE;
}

struct str record_body(const struct record_stream *s)
{
	if (s->stage != STAGE_STDIN)
		return STR_NONE;
	return (struct str){s->in.bytes + (s->body_n > 0 ? s->body_at : 0), s->body_n};
}

void record_finish(struct record_stream *s)
{
	s->stage = STAGE_NONE;
	s->finished_id = s->id;
	s->managed = false;
	s->params_n = s->body_n = s->skipped = 0;
}

enum phase record_phase(const struct record_stream *s)
{
	if (s->stage == STAGE_STDIN)
		return PHASE_BODY;
	if (s->stage == STAGE_PARAMS || s->managed || s->in.n > s->in.at)
		return PHASE_HEAD;
	return s->content_left + s->padding_left > 0 ? PHASE_SKIP : PHASE_BETWEEN;
}

size_t record_held(const struct record_stream *s)
{
	return s->params_n + s->body_n + (s->in.n - s->in.at);
}

void record_move(struct record_stream *s, char *memory, size_t capacity)
{
	size_t rest = s->in.n - s->in.at;
	/* In this order, each to the left of where it stood: they cannot overwrite each other. */
	if (s->params_n > 0)
		memmove(memory, s->in.bytes + s->params_at, s->params_n);
	if (s->body_n > 0)
		memmove(memory + s->params_n, s->in.bytes + s->body_at, s->body_n);
	if (rest > 0)
		memmove(memory + s->params_n + s->body_n, s->in.bytes + s->in.at, rest);
	s->params_at = 0;
	s->body_at = s->params_n;
	s->in.at = s->params_n + s->body_n;
	s->in.n = s->in.at + rest;
	s->in.bytes = memory;
	s->in.cap = capacity;
}
