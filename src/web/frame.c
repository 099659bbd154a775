/* SPDX-License-Identifier: Apache-2.0 */
/* Records of ours. END_REQUEST is only ever written behind a reply, because
 * some servers take one without output for an allow. */
#include "web/frame.h"

#include <string.h>

enum { HEADER = 8 };
enum type { END_REQUEST = 3, STDOUT = 6, GET_VALUES_RESULT = 10, UNKNOWN_TYPE = 11 };

bool frame_takes(const struct reply *reply)
{
	return !reply->out.full && str_starts(buf_str(&reply->out), STR("Status:"));
}

static char *put_header(char *at, enum type type, uint16_t id, size_t content)
{
	const unsigned char header[HEADER] = {1, (unsigned char)type, (unsigned char)(id >> 8), (unsigned char)id,
					      (unsigned char)(content >> 8), (unsigned char)content};
	memcpy(at, header, HEADER);
	return at + HEADER;
}

size_t frame_reply(char *memory, size_t n, uint16_t id)
{
	size_t last = (n - 1) / FRAME_CONTENT_MAX, rest = n - last * FRAME_CONTENT_MAX;
	char *at = memory + last * (FRAME_CONTENT_MAX + HEADER);
	/* From the last one on: each record's content makes room for the headers before it. */
	for (size_t i = last; i > 0; i--) {
		size_t content = i == last ? rest : FRAME_CONTENT_MAX;
		char *record = memory + i * (FRAME_CONTENT_MAX + HEADER);
		memmove(record + HEADER, memory + HEADER + i * FRAME_CONTENT_MAX, content);
		put_header(record, STDOUT, id, content);
	}
	put_header(memory, STDOUT, id, last ? FRAME_CONTENT_MAX : rest);
	at = put_header(at + HEADER + rest, STDOUT, id, 0);
	at = put_header(at, END_REQUEST, id, HEADER);
	memset(at, 0, HEADER); /* appStatus 0, REQUEST_COMPLETE */
	return (size_t)(at + HEADER - memory);
}

static void put_pair(struct buf *out, const char *name, unsigned value)
{
	char digits[12];
	struct buf text = buf_over(digits, sizeof digits);
	buf_uint(&text, value);
	buf_char(out, (char)strlen(name));
	buf_char(out, (char)text.n);
	buf_add(out, str_of(name));
	buf_add(out, buf_str(&text));
}

size_t frame_values(char *memory, unsigned max_connections)
{
	struct buf content = buf_over(memory + HEADER, FRAME_MANAGEMENT_MAX - HEADER);
	put_pair(&content, "FCGI_MAX_CONNS", max_connections);
	put_pair(&content, "FCGI_MAX_REQS", max_connections);
	put_pair(&content, "FCGI_MPXS_CONNS", 0);
	put_header(memory, GET_VALUES_RESULT, 0, content.n);
	return HEADER + content.n;
}

size_t frame_unknown_type(char *memory, uint8_t type)
{
	char *content = put_header(memory, UNKNOWN_TYPE, 0, HEADER);
	memset(content, 0, HEADER);
	content[0] = (char)type;
	return 2 * HEADER;
}
