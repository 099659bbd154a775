/* SPDX-License-Identifier: Apache-2.0 */
/* FastCGI 1.0 as it goes out: a reply becomes records. */
#ifndef WEB_FRAME_H
#define WEB_FRAME_H

#include "http/reply.h"

enum {
	FRAME_HEAD = 8, /* room before the reply's first byte */
	FRAME_CONTENT_MAX = 65528, /* of one record */
	FRAME_MANAGEMENT_MAX = 128
};

/* Room behind a reply of up to n bytes. */
#define FRAME_TAIL(n) (24 + 8 * ((n) / FRAME_CONTENT_MAX))

/* Is it whole and begins with "Status:"? Nothing else may be framed. */
bool frame_takes(const struct reply *reply);
/* Make records of the n bytes (1 or more) of reply at memory + FRAME_HEAD:
 * STDOUT, the empty STDOUT and END_REQUEST. The frame begins at memory; gives its length. */
size_t frame_reply(char *memory, size_t n, uint16_t id);
/* The answer to FCGI_GET_VALUES; memory has FRAME_MANAGEMENT_MAX bytes. */
size_t frame_values(char *memory, unsigned max_connections);
/* FCGI_UNKNOWN_TYPE; memory has FRAME_MANAGEMENT_MAX bytes. */
size_t frame_unknown_type(char *memory, uint8_t type);

#endif
