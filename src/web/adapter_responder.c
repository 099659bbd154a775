/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter of the programs that answer requests themselves: auth-login-proxy and auth-logout. */
#include "http/forwarded.h"
#include "policy/call.h"
#include "policy/event.h"
#include "web/adapter_internal.h"

/* Refused by the transport, a request has not been read as far as its length. */
static bool has_large_body(const struct incoming *in, uint64_t most)
{
	uint64_t length;
	for (size_t i = 0; i < in->n_params; i++)
		if (str_eq(in->params[i].name, STR("CONTENT_LENGTH")))
			return str_to_uint(in->params[i].value, UINT64_MAX, &length) && length > most;
	return false;
}

static void refuse(struct worker *worker, const struct request *request, enum err err, const char *too_large,
		   struct reply *reply)
{
	struct call call;
	if (call_open(worker, request, reply, &call))
		call_refuse_as(&call, err, too_large ? 413 : err_row(err)->status, too_large);
}

static void handle(void *context, unsigned number, const struct incoming *in, struct reply *reply)
{
	struct adapter *adapter = context;
	struct worker *worker = adapter_begin(adapter, number, reply);
	struct incoming passed;
	struct request request;
	const char *why;
	forwarded_read(worker->arena, &worker->snapshot->trusted, FORWARDED_PASSES, in, &passed);
	enum err err = request_read(worker->arena, &passed, worker_request_number(worker), &request, &why);
	if (err == ERR_NONE) {
		adapter->respond(worker, &request, reply);
	} else {
		bool large = err == ERR_BAD_REQUEST && has_large_body(in, (uint64_t)adapter->handler.max_body);
		event_act("refused", &request, err, STR_NONE, why);
		refuse(worker, &request, err, large ? adapter->too_large : NULL, reply);
	}
	adapter_end(worker, reply);
}

bool adapter_responder_open(struct runtime *runtime, const struct responder *responder, struct adapter **out)
{
	struct adapter *adapter;
	if (!adapter_new(runtime, &adapter))
		return false;
	adapter->respond = responder->handle;
	adapter->too_large = responder->too_large;
	adapter->handler.reads_body = true;
	adapter->handler.max_body = responder->max_body;
	adapter->handler.max_reply = responder->max_reply;
	adapter->handler.handle = handle;
	*out = adapter;
	return true;
}
