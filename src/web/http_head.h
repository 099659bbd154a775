/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP/1.x request: bytes to parameters as FastCGI has them. */
#ifndef WEB_HTTP_HEAD_H
#define WEB_HTTP_HEAD_H

#include "web/params.h"

struct http_head {
	bool keep;	/* the connection, by version and Connection */
	bool is_1_0;
	bool is_head;	/* HEAD: answered without a body */
	bool chunked;	/* the body is */
	bool expects;	/* 100-continue */
	uint64_t length; /* Content-Length; 0 when absent */
};

/* Once, before any thread reads. */
void http_head_start(void);
/* Read a whole head, up to and with the empty line that ends it, in which every
 * LF follows a CR. NULL, or what is wrong, and then *params holds what was good.
 *
 * Taken is what RFC 9112 lets a sender write, without its leftovers: one blank
 * between the parts of the request line, a target in origin-form, HTTP/1.0 or 1.1,
 * no folded lines, no blank before a colon, one Host, one plain Content-Length or
 * one "Transfer-Encoding: chunked" but not both. A header's name becomes HTTP_NAME;
 * one with other characters than letters, digits and '-' is left out, since it
 * could be taken for another one. Parameters point into bytes and into *params. */
const char *http_head_read(const char *bytes, size_t n, struct http_head *out, struct params *params);

#endif
