/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an adapter and of its workers; what a kind of program answers is in adapter_*.c. */
#include <stdlib.h>

#include "base/log.h"
#include "web/adapter_internal.h"

static bool open_worker(void *context, unsigned number)
{
	struct adapter *adapter = context;
	if (number >= runtime_threads(adapter->runtime))
		return false;
	return worker_open(adapter->runtime, number, &adapter->workers[number]);
}

static void close_worker(void *context, unsigned number)
{
	struct adapter *adapter = context;
	worker_close(&adapter->workers[number]);
}

bool adapter_new(struct runtime *runtime, struct adapter **out)
{
	struct adapter *adapter = calloc(1, sizeof *adapter);
	struct worker *workers = calloc(runtime_threads(runtime), sizeof *workers);
	if (!adapter || !workers) {
		free(adapter);
		free(workers);
		return false;
	}
	adapter->runtime = runtime;
	adapter->workers = workers;
	adapter->handler =
		(struct handler){.context = adapter, .max_reply = REPLY_MAX, .worker_open = open_worker,
				 .worker_close = close_worker};
	*out = adapter;
	return true;
}

struct worker *adapter_begin(struct adapter *adapter, unsigned number, struct reply *reply)
{
	struct worker *worker = &adapter->workers[number];
	reply->out.n = 0;
	reply->out.full = false;
	reply->status = 0;
	reply->in_body = false;
	worker_begin(worker);
	return worker;
}

static void complete(struct reply *reply)
{
	if (reply->in_body && !reply->out.full)
		return;
	log_text(LOG_ERR, "incomplete_reply", "a reply with status %d was not whole or had more than %zu bytes",
		 reply->status, reply->out.cap);
	reply_begin(reply, 500);
	reply_header(reply, "Cache-Control", STR("no-store"));
	reply_body(reply, "application/json",
		   STR("{\"error\":\"internal_error\",\"detail\":\"Internal error\",\"reason\":\"internal_error\"}\n"));
}

void adapter_end(struct worker *worker, struct reply *reply)
{
	complete(reply);
	worker_end(worker);
}

const struct handler *adapter_handler(const struct adapter *adapter)
{
	return &adapter->handler;
}

void adapter_close(struct adapter **adapter)
{
	if (!*adapter)
		return;
	free((*adapter)->workers);
	free(*adapter);
	*adapter = NULL;
}
