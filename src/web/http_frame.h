/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 as it goes out: a reply in CGI form becomes an answer. */
#ifndef WEB_HTTP_FRAME_H
#define WEB_HTTP_FRAME_H

#include "base/str.h"

struct http_frame {
	bool is_1_0;  /* the client's version: it must be told that the connection stays */
	bool is_head; /* without the body */
	bool closing; /* the connection does not stay */
};

/* Turn the n bytes of a reply that begins with "Status: " into an answer with
 * Content-Length, in place: up to 128 bytes before it are written, none behind.
 * STR_NONE: its head has no end. */
struct str http_frame_reply(char *reply, size_t n, const struct http_frame *how);

#endif
