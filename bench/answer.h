/* SPDX-License-Identifier: Apache-2.0 */
/* Is what came back a complete answer, and the expected one? */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stddef.h>

enum { ANSWER_MAX = 16384 };

struct expectation {
	const char *status;   /* "200" */
	const char *contains; /* a text that the head must hold, or NULL */
};

enum answer_state { ANSWER_INCOMPLETE, ANSWER_RIGHT, ANSWER_WRONG };

/* bytes: all that came since the request was sent. ANSWER_WRONG: why says it. */
enum answer_state answer_check(const struct expectation *expected, const unsigned char *bytes, size_t length,
			       const char **why);

#endif
