/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests. The first byte says how the rest is cut and whether bodies are
 * read; the events must not depend on the cut, what is held never grows beyond the
 * limits, and a head that is taken has no byte that another reader could see
 * differently. */
#include <string.h>

#include "fuzz.h"
#include "web/http_frame.h"
#include "web/http_stream.h"

enum { LIMIT = 2048, BODY_MAX = 512, CAPACITY = LIMIT + BODY_MAX + HTTP_STREAM_PENDING_MAX };

/* FNV-1a over everything that a transport learns. */
static uint64_t hash(uint64_t seen, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < n; i++)
		seen = (seen ^ p[i]) * 0x100000001b3;
	return seen;
}

/* A request line has two blanks, every other line a name without any, and a colon. */
static void check_line(struct str line, bool first)
{
	size_t blanks = 0, colon = str_find(line, ':');
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		FUZZ_CHECK((c >= ' ' && c != 0x7f) || (c == '\t' && !first && i > colon));
		blanks += c == ' ';
		FUZZ_CHECK(first || c != ' ' || i > colon);
	}
	FUZZ_CHECK(first ? blanks == 2 : colon > 0 && colon < line.n);
}

static void check_head(struct str head)
{
	for (bool first = true; !str_eq(head, STR("\r\n")); first = false) {
		size_t end = str_find(head, '\r');
		FUZZ_CHECK(end + 1 < head.n && head.p[end + 1] == '\n');
		check_line((struct str){head.p, end}, first);
		head = str_skip(head, end + 2);
	}
}

static uint64_t hash_request(uint64_t seen, const struct http_stream *stream, const struct params *params)
{
	check_head((struct str){stream->in.bytes + stream->head_at, stream->head_n});
	FUZZ_CHECK(params->n > 0 && params->n <= PARAMS_MAX);
	for (size_t i = 0; i < params->n; i++) {
		struct param p = params->items[i];
		FUZZ_CHECK(p.name.n > 0 && p.name.n <= PARAMS_NAME_MAX && !memchr(p.name.p, '-', p.name.n));
		FUZZ_CHECK(!p.value.n || !memchr(p.value.p, '\0', p.value.n));
		seen = hash(seen, p.name.p, p.name.n);
		seen = hash(seen, p.value.p, p.value.n);
	}
	struct str body = http_stream_body(stream);
	FUZZ_CHECK(body.n <= BODY_MAX && (body.n == 0 || params_allow_body(params, body.n)));
	return hash(seen, body.p, body.n);
}

/* false: the connection would be closed. */
static bool see(uint64_t *seen, struct http_stream *stream, enum protocol_event event, const struct params *params)
{
	*seen = hash(*seen, &event, sizeof event);
	FUZZ_CHECK(stream->in.at <= stream->in.n && stream->in.n <= stream->in.cap);
	FUZZ_CHECK(stream->head_n <= LIMIT && stream->body_n <= BODY_MAX);
	switch (event) {
	case PROTOCOL_REQUEST:
		*seen = hash_request(*seen, stream, params);
		http_stream_finish(stream);
		return stream->in.keep;
	case PROTOCOL_REFUSE:
	case PROTOCOL_BROKEN:
		FUZZ_CHECK(stream->in.why);
		*seen = hash(*seen, stream->in.why, strlen(stream->in.why));
		return false;
	case PROTOCOL_INTERIM:
	case PROTOCOL_MORE:
		return true;
	}
	return false;
}

/* Feed it in pieces; each time what is held moves to memory of exactly the needed size. */
static uint64_t feed(const uint8_t *data, size_t size, size_t piece, bool reads_body)
{
	static struct params params;
	const struct stream_limits limits = {.head = LIMIT, .body = BODY_MAX, .reads_body = reads_body};
	struct http_stream stream = {.in = {.bytes = malloc(1), .cap = 1}};
	uint64_t seen = 0xcbf29ce484222325;
	bool open = true;
	while (open && size > 0) {
		size_t n = piece < size ? piece : size;
		size_t capacity = http_stream_held(&stream) + n;
		char *old = stream.in.bytes, *memory = malloc(capacity);
		FUZZ_CHECK(memory && http_stream_held(&stream) <= CAPACITY);
		http_stream_move(&stream, memory, capacity);
		free(old);
		memcpy(stream.in.bytes + stream.in.n, data, n);
		stream.in.n += n;
		data += n;
		size -= n;
		enum protocol_event event;
		do {
			event = http_stream_parse(&stream, &limits, &params);
			/* Nothing to see in a pause: where it falls depends on the cut. */
			open = event == PROTOCOL_MORE || see(&seen, &stream, event, &params);
		} while (open && event != PROTOCOL_MORE);
	}
	enum phase phase = http_stream_phase(&stream);
	seen = hash(seen, &open, sizeof open);
	if (open)
		seen = hash(seen, &phase, sizeof phase);
	free(stream.in.bytes);
	return seen;
}

/* The same bytes as a handler's reply: never more than the room around it. */
static void frame(const uint8_t *data, size_t size)
{
	static const char status[] = "Status: 200 OK\r\n";
	size_t n = sizeof status - 1 + size;
	char *memory = malloc(128 + n);
	FUZZ_CHECK(memory);
	memcpy(memory + 128, status, sizeof status - 1);
	memcpy(memory + 128 + sizeof status - 1, data, size);
	struct str answer = http_frame_reply(memory + 128, n, &(struct http_frame){.is_1_0 = size & 1});
	FUZZ_CHECK(!answer.p || (answer.p >= memory && answer.p + answer.n <= memory + 128 + n));
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	bool reads_body = data[0] & 1;
	size_t piece = (size_t)(data[0] >> 1) + 1;
	uint64_t whole = feed(data + 1, size - 1, size, reads_body);
	FUZZ_CHECK(feed(data + 1, size - 1, piece, reads_body) == whole);
	FUZZ_CHECK(feed(data + 1, size - 1, 1, reads_body) == whole);
	frame(data + 1, size - 1);
	return 0;
}
