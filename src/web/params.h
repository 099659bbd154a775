/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a request: name-value pairs as FastCGI carries them, and the
 * rules that every transport holds them against. */
#ifndef WEB_PARAMS_H
#define WEB_PARAMS_H

#include "http/request.h"

enum { PARAMS_MAX = 256, PARAMS_NAME_MAX = 255, PARAMS_TEXT_MAX = 16384 };

struct params {
	size_t n;
	struct param items[PARAMS_MAX];
	size_t text_n; /* names that a protocol does not carry as they are */
	char text[PARAMS_TEXT_MAX];
};

enum params_result {
	PARAMS_GOOD,
	PARAMS_REFUSED, /* well-formed, but against a rule: 400 */
	PARAMS_BROKEN	/* the lengths do not fit: nothing can be trusted */
};

/* Decode a whole PARAMS stream (FastCGI 1.0 section 3.4). The slices of *out
 * point into bytes. Unless the result is PARAMS_GOOD, *why is set and *out holds
 * the pairs that were good. */
enum params_result params_decode(struct params *out, const char *bytes, size_t n, const char **why);
/* Add one pair under the rules: a name of 1 to 255 visible ASCII characters
 * without '=', a value without NUL, PARAMS_MAX pairs. false: *why says which. */
bool params_add(struct params *out, struct str name, struct str value, const char **why);
/* Add all of an environment ("NAME=value", NULL at the end) of at most max bytes. */
bool params_add_environment(struct params *out, char *const *environment, size_t max, const char **why);
/* Does a body of n bytes agree with every CONTENT_LENGTH given? An absent or
 * empty one agrees with all. */
bool params_allow_body(const struct params *params, size_t n);
/* The largest CONTENT_LENGTH given, 0 when there is none; false: one is no number. */
bool params_content_length(const struct params *params, uint64_t *length);

#endif
