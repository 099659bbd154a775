/* SPDX-License-Identifier: Apache-2.0 */
/* The main thread of a FastCGI program: signals, deadlines, drain. */
#ifndef WEB_SERVE_H
#define WEB_SERVE_H

#include "web/transport.h"

struct serve {
	const struct transport_driver *driver;
	struct transport_settings settings;
	const struct handler *handler;
	int listening;
	int64_t drain_timeout_ms;
	void *context;		       /* of the callbacks, all on the main thread */
	void (*reload)(void *context); /* HUP, USR2 */
	void (*reopen)(void *context); /* USR1: logs */
	void (*tick)(void *context);   /* every two seconds: have files changed? */
};

/* Keep the signals for serve_run: call it before any thread is started. SIGPIPE
 * is ignored from then on. */
void serve_block_signals(void);
/* Serve until TERM or INT and drain: no new connections, what is begun is
 * finished within drain_timeout_ms. Gives the exit status: 0, or 1 when the
 * transport could not start. The callbacks may be NULL. */
int serve_run(const struct serve *serve);
#endif
