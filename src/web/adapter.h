/* SPDX-License-Identifier: Apache-2.0 */
/* Between transports and decisions: an adapter gives a program's part of the
 * pipeline the form of a handler. */
#ifndef WEB_ADAPTER_H
#define WEB_ADAPTER_H

#include "policy/runtime.h"
#include "web/transport.h"

struct adapter;

/* auth-verify: request → verdict → reply of an external authorizer. */
bool adapter_authorizer_open(struct runtime *runtime, struct adapter **out);
/* auth-login-proxy and auth-logout. */
struct responder {
	void (*handle)(struct worker *worker, const struct request *request, struct reply *reply);
	int64_t max_body; /* bytes; a larger one is refused unread */
	const char *too_large; /* what its sender is told */
	size_t max_reply; /* bytes */
};
bool adapter_responder_open(struct runtime *runtime, const struct responder *responder, struct adapter **out);
const struct handler *adapter_handler(const struct adapter *adapter);
void adapter_close(struct adapter **adapter);

#endif
