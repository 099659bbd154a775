/* SPDX-License-Identifier: Apache-2.0 */
/* One request as a CGI program: environment in, standard output out. */
#include "web/cgi.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "web/frame.h"
#include "web/params.h"

enum { BODY_MS = 30000, STALL_MS = 5000, REST_MAX = 64 << 20 };

struct cgi {
	const struct handler *handler;
	struct params params;
	char *body;
	size_t body_n;
	char *reply; /* of handler->max_reply bytes */
};

void cgi_forget_proxies(void)
{
	static const char *const names[] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY",
					    "all_proxy",   "FTP_PROXY",	 "ftp_proxy",	"NO_PROXY",    "no_proxy"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

/* Exactly n bytes of standard input, within the time; the rest is not ours. */
static const char *read_body(char *body, size_t n)
{
	int64_t end_ms = clock_monotonic_ms() + BODY_MS;
	for (size_t got = 0; got < n;) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		int64_t left_ms = end_ms - clock_monotonic_ms();
		if (left_ms <= 0 || poll(&input, 1, (int)(left_ms < STALL_MS ? left_ms : STALL_MS)) == 0)
			return "body came too slowly";
		ssize_t m = read(STDIN_FILENO, body + got, n - got);
		if (m < 0 && errno != EINTR && errno != EAGAIN)
			return "body cannot be read";
		if (m == 0)
			return "body and CONTENT_LENGTH differ";
		if (m > 0)
			got += (size_t)m;
	}
	return NULL;
}

/* NULL, or what the request is refused for. */
static const char *read_request(struct cgi *cgi, size_t max_params)
{
	const char *why;
	uint64_t length;
	if (!params_add_environment(&cgi->params, environ, max_params, &why))
		return why;
	if (!cgi->handler->reads_body)
		return NULL;
	if (!params_content_length(&cgi->params, &length))
		return "CONTENT_LENGTH";
	if (length > (uint64_t)cgi->handler->max_body)
		return "length of the body";
	cgi->body = malloc((size_t)length + 1);
	if (!cgi->body)
		return "no memory for the body";
	cgi->body_n = (size_t)length;
	why = read_body(cgi->body, cgi->body_n);
	return why || params_allow_body(&cgi->params, cgi->body_n) ? why : "body and CONTENT_LENGTH differ";
}

static bool write_all(struct str bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes.p, bytes.n);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			bytes = str_skip(bytes, (size_t)n);
	}
	return true;
}

/* Apache's mod_cgid loses the answer of a program that ends while there is something
 * it has not read: what is left of a refused request is read, for a while. */
static void read_rest(char *scratch, size_t n)
{
	int64_t end_ms = clock_monotonic_ms() + STALL_MS;
	for (size_t got = 0; got < REST_MAX;) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		int64_t left_ms = end_ms - clock_monotonic_ms();
		if (left_ms <= 0 || poll(&input, 1, (int)left_ms) <= 0)
			return;
		ssize_t m = read(STDIN_FILENO, scratch, n);
		if (m <= 0)
			return;
		got += (size_t)m;
	}
}

void cgi_answer_failure(void)
{
	write_all(STR("Status: 500 Internal Server Error\r\nCache-Control: no-store\r\n"
		      "Content-Type: application/json\r\n\r\n"
		      "{\"error\":\"internal_error\",\"detail\":\"Internal error\",\"reason\":\"internal_error\"}\n"));
}

static int answer(struct cgi *cgi, const struct transport_settings *settings)
{
	const struct handler *handler = cgi->handler;
	int64_t arrived_us = clock_monotonic_us();
	const char *refused = read_request(cgi, (size_t)settings->max_request_headers);
	struct reply reply = {.out = buf_over(cgi->reply, handler->max_reply)};
	struct incoming in = {cgi->params.items, cgi->params.n, STR_NONE, arrived_us,
			      refused ? ERR_BAD_REQUEST : ERR_NONE, refused, ASKED_CGI};
	if (!refused && cgi->body)
		in.body = (struct str){cgi->body, cgi->body_n};

	if (handler->worker_open && !handler->worker_open(handler->context, 0)) {
		log_text(LOG_ERR, "transport", "worker could not be opened");
		return 1;
	}
	handler->handle(handler->context, 0, &in, &reply);
	if (handler->worker_close)
		handler->worker_close(handler->context, 0);
	if (!frame_takes(&reply)) {
		log_text(LOG_ERR, "transport", "no complete reply");
		return 1;
	}
	return write_all(buf_str(&reply.out)) ? 0 : 1;
}

int cgi_run(const struct transport_settings *settings, const struct handler *handler)
{
	cgi_forget_proxies();
	/* A server that has gone away is an error of write(), not our end. */
	signal(SIGPIPE, SIG_IGN);
	/* And it may end us: nobody reads signals here as a server does. */
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	struct cgi *cgi = calloc(1, sizeof *cgi);
	if (!cgi)
		return 1;
	cgi->handler = handler;
	cgi->reply = malloc(handler->max_reply);
	int status = cgi->reply ? answer(cgi, settings) : 1;
	if (cgi->reply && handler->reads_body)
		read_rest(cgi->reply, handler->max_reply);
	if (cgi->body) {
		secret_wipe(cgi->body, cgi->body_n);
		free(cgi->body);
	}
	if (cgi->reply)
		secret_wipe(cgi->reply, handler->max_reply);
	free(cgi->reply);
	free(cgi);
	return status;
}
