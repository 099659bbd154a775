/* SPDX-License-Identifier: Apache-2.0 */
/* OPTIONS, and the headers by which pages of listed origins may call a responder. */
#include "policy/call.h"

#include <string.h>

#include "policy/cors.h"

struct str call_listed_origin(const struct call *call)
{
	const struct conf_list *origins = call->cors_origins;
	struct str origin = call->request->origin;
	for (size_t i = 0; origin.n && origins && i < origins->n; i++)
		if (str_eq(origins->items[i].value, origin))
			return origin;
	return STR_NONE;
}

void call_options(const struct call *call, struct str methods)
{
	reply_begin(call->reply, 204);
	reply_header(call->reply, "Cache-Control", STR("no-store"));
	reply_header(call->reply, "Allow", methods);
	if (call_listed_origin(call).p && call->request->requested_method.n) {
		reply_header(call->reply, "Access-Control-Allow-Methods", methods);
		reply_header(call->reply, "Access-Control-Allow-Headers",
			     STR("Authorization, Content-Type, X-Requested-With"));
		reply_header_int(call->reply, "Access-Control-Max-Age", CORS_MAX_AGE);
	}
	reply_end(call->reply);
}

void call_share(const struct call *call)
{
	enum { LINES_MAX = 512 };
	char memory[LINES_MAX];
	struct reply *reply = call->reply, lines = {.out = buf_over(memory, sizeof memory)};
	struct str origin = call_listed_origin(call);
	const char *end = memchr(reply->out.p, '\n', reply->out.n);
	if (!origin.p || !end || reply->out.full)
		return;
	cors_headers(&lines, origin);
	if (lines.out.full || reply->out.n + lines.out.n > reply->out.cap)
		return;
	/* Behind the status line. */
	char *at = reply->out.p + (end - reply->out.p) + 1;
	memmove(at + lines.out.n, at, reply->out.n - (size_t)(at - reply->out.p));
	memcpy(at, memory, lines.out.n);
	reply->out.n += lines.out.n;
}
