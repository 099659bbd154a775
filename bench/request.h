/* SPDX-License-Identifier: Apache-2.0 */
/* The one request that the load client sends, again and again. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum { REQUEST_ID = 1, REQUEST_PARAMS_MAX = 65535 };

struct request {
	unsigned char bytes[REQUEST_PARAMS_MAX + 64];
	size_t length;
};

/* A request in the role of an authorizer, its parameters from a file of lines
 * NAME=VALUE. As lighttpd sends it: everything at once, with an empty STDIN.
 * false: why says what is wrong with the file. */
bool request_read(const char *path, bool keep, struct request *out, const char **why);

#endif
