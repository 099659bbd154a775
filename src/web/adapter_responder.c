/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter of the programs that answer requests themselves: auth-login-proxy and auth-logout. */
#include "policy/call.h"
#include "policy/event.h"
#include "web/adapter_internal.h"

/* A login form or a JSON object; nothing of ours is larger. */
enum { BODY_MAX = 64 << 10 };

static void refuse_request(struct worker *worker, const struct request *request, enum err err, const char *why,
			   struct reply *reply)
{
	struct call call;
	event_act("refused", request, err, STR_NONE, why);
	if (!call_open(worker, request, reply, &call))
		return;
	bool large = err == ERR_BAD_REQUEST && request->content_length > BODY_MAX;
	call_refuse_as(&call, err, large ? 413 : err_row(err)->status, NULL);
}

static void handle(void *context, unsigned number, const struct incoming *in, struct reply *reply)
{
	struct adapter *adapter = context;
	struct worker *worker = adapter_begin(adapter, number, reply);
	struct request request;
	const char *why;
	enum err err = request_read(worker->arena, in, worker_request_number(worker), &request, &why);
	if (err)
		refuse_request(worker, &request, err, why, reply);
	else
		adapter->respond(worker, &request, reply);
	adapter_end(worker, reply);
}

bool adapter_responder_open(struct runtime *runtime, adapter_respond *respond, struct adapter **out)
{
	struct adapter *adapter;
	if (!adapter_new(runtime, &adapter))
		return false;
	adapter->respond = respond;
	adapter->handler.reads_body = true;
	adapter->handler.max_body = BODY_MAX;
	adapter->handler.handle = handle;
	*out = adapter;
	return true;
}
