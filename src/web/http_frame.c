/* SPDX-License-Identifier: Apache-2.0 */
/* The status line in the place of "Status:", and what says where the answer ends. */
#include "web/http_frame.h"

#include <string.h>

enum { BEFORE_MAX = 128, STATUS = 8 /* "Status: " */ };

struct layout {
	size_t line_n;	/* the first line */
	size_t head_n;	/* with the empty line */
	bool has_length;
};

static bool measure(struct str reply, struct layout *out)
{
	struct str rest = reply;
	*out = (struct layout){0};
	for (;;) {
		const char *lf = memchr(rest.p, '\n', rest.n);
		if (!lf || lf == rest.p || lf[-1] != '\r')
			return false;
		struct str line = {rest.p, (size_t)(lf - rest.p) - 1};
		rest = str_skip(rest, line.n + 2);
		if (out->line_n == 0)
			out->line_n = line.n + 2;
		else if (line.n == 0)
			break;
		else if (line.n > 15 && str_eq_nocase((struct str){line.p, 15}, STR("Content-Length:")))
			out->has_length = true;
	}
	out->head_n = reply.n - rest.n;
	return out->line_n > STATUS + 2;
}

/* 204 and 304 have no body, and the first one no length either (RFC 9110 section 8.6). */
static bool is_bodyless(const char *reply)
{
	struct str status = {reply + STATUS, 3};
	return str_eq(status, STR("204")) || str_eq(status, STR("304"));
}

struct str http_frame_reply(char *reply, size_t n, const struct http_frame *how)
{
	static const struct str version = {"HTTP/1.1 ", 9};
	struct layout layout;
	if (!measure((struct str){reply, n}, &layout))
		return STR_NONE;

	char memory[BEFORE_MAX];
	struct buf more = buf_over(memory, sizeof memory - 1);
	bool bodyless = is_bodyless(reply);
	if (!layout.has_length && !bodyless) {
		buf_add(&more, STR("Content-Length: "));
		buf_uint(&more, n - layout.head_n);
		buf_add(&more, STR("\r\n"));
	}
	if (how->closing)
		buf_add(&more, STR("Connection: close\r\n"));
	else if (how->is_1_0)
		buf_add(&more, STR("Connection: keep-alive\r\n"));

	/* The status line moves to the left, and makes room for these. */
	size_t line_n = layout.line_n - STATUS + version.n;
	char *start = reply + layout.line_n - line_n - more.n;
	memmove(start + version.n, reply + STATUS, layout.line_n - STATUS);
	memcpy(start, version.p, version.n);
	memcpy(start + line_n, more.p, more.n);
	char *end = reply + (how->is_head || bodyless ? layout.head_n : n);
	return (struct str){start, (size_t)(end - start)};
}
