/* SPDX-License-Identifier: Apache-2.0 */
/* The loop around a transport. Nothing here is on the way of a request. */
#include "web/serve.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/notify.h"

enum { TICK_MS = 100, DRAIN_TICK_MS = 5, FILES_MS = 2000 };

static sigset_t our_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	return set;
}

void serve_block_signals(void)
{
	sigset_t set = our_signals();
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The next signal within the time, or 0. */
static int wait_signal(int ms)
{
	sigset_t set = our_signals();
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	int signal = sigtimedwait(&set, NULL, &time);
	return signal > 0 ? signal : 0;
}

static void react(const struct serve *serve, int signal)
{
	if ((signal == SIGHUP || signal == SIGUSR2) && serve->reload) {
		notify_reloading();
		serve->reload(serve->context);
		notify_send(STR("READY=1"));
	} else if (signal == SIGUSR1 && serve->reopen) {
		serve->reopen(serve->context);
	}
}

/* Until TERM or INT. */
static void run(const struct serve *serve, struct transport *transport)
{
	int64_t next_files_ms = clock_monotonic_ms() + FILES_MS;
	int64_t next_tick_ms = 0;
	for (;;) {
		int signal = wait_signal(TICK_MS);
		if (signal == SIGTERM || signal == SIGINT)
			return;
		react(serve, signal);
		int64_t now_ms = clock_monotonic_ms();
		if (now_ms >= next_tick_ms) {
			serve->driver->tick(transport);
			next_tick_ms = now_ms + TICK_MS / 2;
		}
		if (serve->tick && now_ms >= next_files_ms) {
			serve->tick(serve->context);
			next_files_ms = now_ms + FILES_MS;
		}
	}
}

static void drain(const struct serve *serve, struct transport *transport)
{
	int64_t end_ms = clock_monotonic_ms() + serve->drain_timeout_ms;
	notify_send(STR("STOPPING=1"));
	serve->driver->drain(transport);
	while (serve->driver->busy(transport) > 0 && clock_monotonic_ms() < end_ms) {
		/* A second TERM changes nothing: the first one has its limit. */
		react(serve, wait_signal(DRAIN_TICK_MS) == SIGUSR1 ? SIGUSR1 : 0);
		serve->driver->tick(transport);
	}
}

int serve_run(const struct serve *serve)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct transport *transport;

	serve_block_signals();
	if (!serve->driver->start(&serve->settings, serve->handler, serve->listening, &transport, &why)) {
		log_text(LOG_ERR, "start", "%.*s", STR_ARGS(buf_str(&why)));
		return 1;
	}
	notify_send(STR("READY=1"));
	run(serve, transport);
	drain(serve, transport);
	serve->driver->stop(&transport);
	return 0;
}
