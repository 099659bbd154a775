/* SPDX-License-Identifier: Apache-2.0 */
/* FastCGI records. The first byte says how the rest is cut and whether bodies
 * are read; the events must not depend on the cut, and what is held never grows
 * beyond the limits. */
#include <string.h>

#include "fuzz.h"
#include "web/record.h"

enum { LIMIT = 2048, BODY_MAX = 512, CAPACITY = LIMIT + BODY_MAX + RECORD_PENDING_MAX };

/* FNV-1a over everything that a transport learns. */
static uint64_t hash(uint64_t seen, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < n; i++)
		seen = (seen ^ p[i]) * 0x100000001b3;
	return seen;
}

static uint64_t hash_request(uint64_t seen, const struct record_stream *stream, const struct params *params)
{
	FUZZ_CHECK(params->n > 0 && params->n <= PARAMS_MAX);
	for (size_t i = 0; i < params->n; i++) {
		struct param p = params->items[i];
		FUZZ_CHECK(p.name.n > 0 && p.name.n <= PARAMS_NAME_MAX && !memchr(p.name.p, '=', p.name.n));
		FUZZ_CHECK(!memchr(p.value.p, '\0', p.value.n));
		FUZZ_CHECK(p.name.p >= stream->in.bytes && p.value.p + p.value.n <= stream->in.bytes + stream->in.at);
		seen = hash(seen, p.name.p, p.name.n);
		seen = hash(seen, p.value.p, p.value.n);
	}
	struct str body = record_body(stream);
	FUZZ_CHECK(body.n <= BODY_MAX && (!body.p || params_allow_body(params, body.n)));
	return hash(seen, body.p, body.n);
}

/* false: the connection would be closed. */
static bool see(uint64_t *seen, struct record_stream *stream, enum record_event event, const struct params *params)
{
	*seen = hash(*seen, &event, sizeof event);
	FUZZ_CHECK(stream->in.at <= stream->in.n && stream->in.n <= stream->in.cap);
	FUZZ_CHECK(stream->params_n <= LIMIT && stream->body_n <= BODY_MAX);
	switch (event) {
	case RECORD_REQUEST:
		*seen = hash(*seen, &stream->id, sizeof stream->id);
		*seen = hash_request(*seen, stream, params);
		record_finish(stream);
		return stream->in.keep;
	case RECORD_REFUSE:
	case RECORD_BROKEN:
		FUZZ_CHECK(stream->in.why);
		*seen = hash(*seen, stream->in.why, strlen(stream->in.why));
		return false;
	case RECORD_UNKNOWN:
		*seen = hash(*seen, &stream->unknown_type, 1);
		return true;
	case RECORD_VALUES:
	case RECORD_MORE:
		return true;
	}
	return false;
}

/* Feed it in pieces; each time what is held moves to memory of exactly the needed size. */
static uint64_t feed(const uint8_t *data, size_t size, size_t piece, bool reads_body)
{
	static struct params params;
	const struct stream_limits limits = {.head = LIMIT, .body = BODY_MAX, .reads_body = reads_body};
	struct record_stream stream = {.in = {.bytes = malloc(1), .cap = 1}};
	uint64_t seen = 0xcbf29ce484222325;
	bool open = true;
	while (open && size > 0) {
		size_t n = piece < size ? piece : size;
		size_t capacity = record_held(&stream) + n;
		char *old = stream.in.bytes, *memory = malloc(capacity);
		FUZZ_CHECK(memory && record_held(&stream) <= CAPACITY);
		record_move(&stream, memory, capacity);
		free(old);
		memcpy(stream.in.bytes + stream.in.n, data, n);
		stream.in.n += n;
		data += n;
		size -= n;
		enum record_event event;
		do {
			event = record_parse(&stream, &limits, &params);
			/* Nothing to see in a pause: where it falls depends on the cut. */
			open = event == RECORD_MORE || see(&seen, &stream, event, &params);
		} while (open && event != RECORD_MORE);
	}
	enum phase phase = record_phase(&stream);
	seen = hash(seen, &open, sizeof open);
	if (open)
		seen = hash(seen, &phase, sizeof phase);
	free(stream.in.bytes);
	return seen;
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
	return 0;
}
