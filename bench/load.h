/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients asking one FastCGI authorizer as fast as it answers. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "address.h"
#include "answer.h"
#include "histogram.h"
#include "request.h"

struct load_settings {
	struct address address;
	unsigned clients;
	bool keep;	   /* connections are kept; else a new one for each request */
	uint64_t requests; /* 0: no limit */
	double seconds;	   /* 0: no limit */
	struct expectation expected;
};

struct load_result {
	uint64_t right;
	uint64_t errors; /* wrong answers, lost connections, no answer */
	unsigned starved; /* clients that got no answer before the time was over */
	double seconds;	 /* to the last answer */
	char first_error[128];
	struct histogram times;
};

/* Ask until the limit is reached, the last question is answered, or too many
 * answers were wrong. false: out of memory or descriptors. */
bool load_run(const struct load_settings *settings, const struct request *request, struct load_result *out);

#endif
