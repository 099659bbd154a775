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
/* auth-login-proxy and auth-logout: handle is login_handle or logout_handle. */
bool adapter_responder_open(struct runtime *runtime,
			    void (*handle)(struct worker *worker, const struct request *request, struct reply *reply),
			    struct adapter **out);
const struct handler *adapter_handler(const struct adapter *adapter);
void adapter_close(struct adapter **adapter);

#endif
