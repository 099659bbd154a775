/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine over HTTP messages: where a head ends and where a body does. */
#include "web/http_stream.h"

#include <string.h>

#include "web/http_head.h"

enum { CHUNK_DIGITS_MAX = 8 };

enum stage {
	STAGE_HEAD,
	STAGE_BODY, /* of a known length */
	STAGE_SIZE, /* of a chunk */
	STAGE_SIZE_LF,
	STAGE_CHUNK,
	STAGE_CHUNK_CR,
	STAGE_CHUNK_LF,
	STAGE_LAST_CR, /* behind the last chunk: no trailer */
	STAGE_LAST_LF,
	STAGE_COMPLETE
};

static enum protocol_event refuse(struct http_stream *s, const char *why)
{
	s->in.why = why;
	s->in.keep = false;
	s->refused = true;
	return PROTOCOL_REFUSE;
}

/* --- the head --------------------------------------------------------------------- */

enum ending { ENDING_MORE, ENDING_FOUND, ENDING_WRONG };

/* Look for the empty line, a line at a time: each ends with CR LF. */
static enum ending find_end(struct http_stream *s, size_t max)
{
	const char *start = s->in.bytes + s->in.at;
	size_t there = s->in.n - s->in.at, n = there < max ? there : max;
	s->in.why = "line end without CR, or an empty line before the request";
	while (s->scanned < n) {
		const char *lf = memchr(start + s->scanned, '\n', n - s->scanned);
		if (!lf) {
			s->scanned = n;
			break;
		}
		size_t at = (size_t)(lf - start);
		if (at < 2 || start[at - 1] != '\r')
			return ENDING_WRONG;
		s->scanned = at + 1;
		if (start[at - 2] == '\n') {
			s->head_n = at + 1;
			return ENDING_FOUND;
		}
	}
	s->in.why = "length of the headers";
	return there < max ? ENDING_MORE : ENDING_WRONG;
}

static const char *add_peer(const struct http_stream *s, struct params *params)
{
	const char *why;
	struct str peer = str_of(s->in.peer);
	return peer.n == 0 || params_add(params, STR("REMOTE_ADDR"), peer, &why) ? NULL : why;
}

/* Its parameters: once more when the body has come, because the memory may have moved. */
static const char *read_head(const struct http_stream *s, struct http_head *head, struct params *params)
{
	const char *why = http_head_read(s->in.bytes + s->head_at, s->head_n, head, params);
	const char *full = add_peer(s, params);
	return why ? why : full;
}

/* The head is whole: what is to be done about the body? */
static enum protocol_event begin(struct http_stream *s, const struct stream_limits *limits, struct params *params)
{
	struct http_head head;
	s->head_at = s->in.at;
	s->in.at += s->head_n;
	const char *why = read_head(s, &head, params);
	s->is_1_0 = head.is_1_0;
	s->is_head = head.is_head;
	if (why)
		return refuse(s, why);
	s->in.keep = head.keep;
	s->left = head.length;
	s->digits = 0;
	bool has_body = head.chunked || head.length > 0;
	if (!has_body) {
		s->stage = STAGE_COMPLETE;
		return PROTOCOL_REQUEST;
	}
	s->stage = head.chunked ? STAGE_SIZE : STAGE_BODY;
	s->skips = !limits->reads_body;
	if (s->skips) {
		/* Whether a body still comes is then for the client to decide: nobody can know where it ends. */
		s->in.keep = head.keep && !head.expects;
		return PROTOCOL_REQUEST;
	}
	if (head.length > limits->body)
		return refuse(s, "length of the body");
	s->expects = head.expects && !head.is_1_0;
	return s->expects ? PROTOCOL_INTERIM : PROTOCOL_MORE;
}

static enum protocol_event take_head(struct http_stream *s, const struct stream_limits *limits, struct params *params)
{
	if (s->in.at == s->in.n)
		return PROTOCOL_MORE;
	s->in.asked = s->in.peer[0] ? ASKED_HTTP : ASKED_HTTP_LOCAL;
	char first = s->in.bytes[s->in.at];
	enum ending ending = ENDING_WRONG;
	s->in.why = "no method of HTTP";
	/* What no request begins with is not waited for any longer. */
	if (first >= 'A' && first <= 'Z')
		ending = find_end(s, limits->head);
	if (ending == ENDING_FOUND)
		return begin(s, limits, params);
	if (ending == ENDING_MORE)
		return PROTOCOL_MORE;
	params->n = params->text_n = 0;
	add_peer(s, params);
	return refuse(s, s->in.why);
}

/* --- the body --------------------------------------------------------------------- */

static void take_content(struct http_stream *s)
{
	size_t there = s->in.n - s->in.at;
	size_t n = s->left < there ? (size_t)s->left : there;
	if (!s->skips && n > 0) {
		if (s->body_n == 0)
			s->body_at = s->in.at;
		else if (s->body_at + s->body_n != s->in.at)
			memmove(s->in.bytes + s->body_at + s->body_n, s->in.bytes + s->in.at, n);
		s->body_n += n;
	}
	s->in.at += n;
	s->left -= n;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of a chunk's length. Extensions are nowhere used, and were read in more
 * than one way: there are none. NULL, or what is wrong. */
static const char *take_size(struct http_stream *s, char c, size_t max)
{
	int value = hex_value(c);
	if (value < 0) {
		s->stage = STAGE_SIZE_LF;
		return c == '\r' && s->digits > 0 ? NULL : "length of a chunk";
	}
	if (++s->digits > CHUNK_DIGITS_MAX)
		return "length of a chunk";
	s->left = s->left * 16 + (uint64_t)value;
	return s->skips || s->left <= max - s->body_n ? NULL : "length of the body";
}

/* One byte between chunks that can but be this one. */
static const char *take_byte(struct http_stream *s, char c, char wanted, enum stage next)
{
	s->stage = (uint8_t)next;
	return c == wanted ? NULL : "end of a chunk";
}

static const char *take_framing(struct http_stream *s, char c, size_t max)
{
	switch ((enum stage)s->stage) {
	case STAGE_SIZE:
		return take_size(s, c, max);
	case STAGE_SIZE_LF:
		s->digits = 0;
		return take_byte(s, c, '\n', s->left > 0 ? STAGE_CHUNK : STAGE_LAST_CR);
	case STAGE_CHUNK_CR:
		return take_byte(s, c, '\r', STAGE_CHUNK_LF);
	case STAGE_CHUNK_LF:
		return take_byte(s, c, '\n', STAGE_SIZE);
	case STAGE_LAST_CR:
		return take_byte(s, c, '\r', STAGE_LAST_LF);
	case STAGE_LAST_LF:
		return take_byte(s, c, '\n', STAGE_COMPLETE);
	case STAGE_HEAD:
	case STAGE_BODY:
	case STAGE_CHUNK:
	case STAGE_COMPLETE:
		break;
	}
	return "end of a chunk";
}

/* Take what is there. NULL, or what is wrong; stage says whether it is complete. */
static const char *take_body(struct http_stream *s, size_t max)
{
	const char *why = NULL;
	while (!why && s->stage != STAGE_COMPLETE && s->in.at < s->in.n) {
		if (s->stage != STAGE_BODY && s->stage != STAGE_CHUNK) {
			why = take_framing(s, s->in.bytes[s->in.at], max);
			s->in.at++;
			continue;
		}
		take_content(s);
		if (s->left == 0)
			s->stage = s->stage == STAGE_BODY ? STAGE_COMPLETE : STAGE_CHUNK_CR;
	}
	return why;
}

/* --- the whole ---------------------------------------------------------------------- */

static void forget(struct http_stream *s)
{
	s->stage = STAGE_HEAD;
	s->scanned = s->head_n = s->body_n = 0;
	s->left = 0;
	s->skips = s->expects = false;
}

/* The body of a request that has been answered: what is wrong with it is nobody's answer. */
static enum protocol_event skip_body(struct http_stream *s, const struct stream_limits *limits)
{
	s->in.why = take_body(s, limits->body);
	if (s->in.why)
		return PROTOCOL_BROKEN;
	if (s->stage == STAGE_COMPLETE)
		forget(s);
	return PROTOCOL_MORE;
}

static enum protocol_event read_body(struct http_stream *s, const struct stream_limits *limits, struct params *params)
{
	struct http_head head;
	const char *why = take_body(s, limits->body);
	if (!why && s->stage != STAGE_COMPLETE)
		return PROTOCOL_MORE;
	read_head(s, &head, params);
	return why ? refuse(s, why) : PROTOCOL_REQUEST;
}

enum protocol_event http_stream_parse(struct http_stream *s, const struct stream_limits *limits, struct params *params)
{
	enum protocol_event event = PROTOCOL_MORE;
	if (s->skips)
		event = skip_body(s, limits);
	if (event == PROTOCOL_MORE && s->stage == STAGE_HEAD)
		event = take_head(s, limits, params);
	if (event == PROTOCOL_MORE && s->stage != STAGE_HEAD && !s->skips) {
		s->expects = false;
		event = read_body(s, limits, params);
	}
	return event;
}

struct str http_stream_body(const struct http_stream *s)
{
	return (struct str){s->in.bytes + (s->body_n > 0 ? s->body_at : 0), s->body_n};
}

void http_stream_finish(struct http_stream *s)
{
	if (!s->skips)
		forget(s);
	s->head_n = 0;
}

bool http_stream_lingers(const struct http_stream *s)
{
	return s->refused || s->skips || s->in.n > s->in.at;
}

enum phase http_stream_phase(const struct http_stream *s)
{
	if (s->stage != STAGE_HEAD)
		return s->skips ? PHASE_SKIP : PHASE_BODY;
	return s->in.n > s->in.at ? PHASE_HEAD : PHASE_BETWEEN;
}

size_t http_stream_held(const struct http_stream *s)
{
	return s->head_n + s->body_n + (s->in.n - s->in.at);
}

void http_stream_move(struct http_stream *s, char *memory, size_t capacity)
{
	size_t rest = s->in.n - s->in.at;
	/* In this order, each to the left of where it stood: they cannot overwrite each other. */
	if (s->head_n > 0)
		memmove(memory, s->in.bytes + s->head_at, s->head_n);
	if (s->body_n > 0)
		memmove(memory + s->head_n, s->in.bytes + s->body_at, s->body_n);
	if (rest > 0)
		memmove(memory + s->head_n + s->body_n, s->in.bytes + s->in.at, rest);
	s->head_at = 0;
	s->body_at = s->head_n;
	s->in.at = s->head_n + s->body_n;
	s->in.n = s->in.at + rest;
	s->in.bytes = memory;
	s->in.cap = capacity;
}
