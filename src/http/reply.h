/* SPDX-License-Identifier: Apache-2.0 */
/* A reply in CGI form (RFC 3875 section 6): "Status:" first, headers, body. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/str.h"

/* A cookie of a browser has up to 4096 bytes, its attributes aside. */
enum { REPLY_MAX = 65536, REPLY_LINE_MAX = 4000, REPLY_COOKIE_MAX = 4400, REPLY_HEAD_MAX = 32768 };

struct reply {
	struct buf out; /* over REPLY_MAX bytes of the worker */
	int status;
	bool in_body;
};

/* Empty the buffer and write the status line with the standard phrase. */
void reply_begin(struct reply *reply, int status);
/* Add a header line. false and nothing added: the value has a control byte, or
 * the line would reach REPLY_LINE_MAX, or the head REPLY_HEAD_MAX. */
bool reply_header(struct reply *reply, const char *name, struct str value);
/* A Set-Cookie line, up to REPLY_COOKIE_MAX: others' cookies are as long as they are. */
bool reply_cookie(struct reply *reply, struct str value);
bool reply_header_int(struct reply *reply, const char *name, int64_t value);
/* End the head and add a body; its Content-Type is set with it. */
void reply_body(struct reply *reply, const char *content_type, struct str body);
/* End the head where there is no body. Every reply ends with one of the two. */
void reply_end(struct reply *reply);

#endif
