/* SPDX-License-Identifier: Apache-2.0 */
/* What all adapters share: the workers' own things, one set for each thread of the transport. */
#ifndef WEB_ADAPTER_INTERNAL_H
#define WEB_ADAPTER_INTERNAL_H

#include "web/adapter.h"

struct adapter {
	struct handler handler; /* its context is the adapter */
	struct runtime *runtime;
	struct worker *workers; /* runtime_threads() of them; number N belongs to the transport's worker N */
	/* Of responders alone: */
	const char *too_large;
	void (*respond)(struct worker *worker, const struct request *request, struct reply *reply);
};

/* An adapter whose handler opens and closes the workers; handle, refuse and the
 * body's limits are for the caller to fill in. false: no memory. */
bool adapter_new(struct runtime *runtime, struct adapter **out);
/* Around each request: the worker, its snapshot and arena ready, the reply empty. */
struct worker *adapter_begin(struct adapter *adapter, unsigned number, struct reply *reply);
/* The one exit of every handler: a reply that is not whole (nothing printed, or
 * more than fits) becomes a whole 500, since web servers take an empty answer for an allow. */
void adapter_end(struct worker *worker, struct reply *reply);

#endif
