/* SPDX-License-Identifier: Apache-2.0 */
/* A program around a transport that tells what it was asked, for the tests of
 * transports; with --noop it says yes to everything, as the floor of benchmarks. */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "http/reply.h"
#include "web/cgi.h"
#include "web/listen.h"
#include "web/serve.h"

enum { EXIT_USAGE = 64 };

struct options {
	const char *address, *transport;
	struct transport_settings settings;
	int64_t drain_timeout_ms, max_body;
	bool noop, reads_body;
};

/* A parameter, or the header of that name. */
static struct str find(const struct incoming *in, const char *name)
{
	for (size_t i = 0; i < in->n_params; i++) {
		struct str given = in->params[i].name;
		if (str_starts(given, STR("HTTP_")))
			given = str_skip(given, 5);
		if (str_eq(given, str_of(name)))
			return in->params[i].value;
	}
	return STR_NONE;
}

/* WAIT_FOR=PATH holds the request until the file is there. */
static void wait_for(struct str path)
{
	char text[512];
	struct buf terminated = buf_over(text, sizeof text);
	buf_add(&terminated, path);
	while (path.n > 0 && access(buf_z(&terminated), F_OK) != 0)
		poll(NULL, 0, 1);
}

static void refuse(const struct incoming *in, struct reply *reply)
{
	bool overloaded = in->refused == ERR_OVERLOADED;
	buf_printf(&reply->out, "Status: %d %s\r\nContent-Type: text/plain\r\n\r\n%s", overloaded ? 503 : 400,
		   overloaded ? "Service Unavailable" : "Bad Request", in->why);
}

/* The body is one line NAME=VALUE for each parameter, an empty line, and the
 * body of the request; REPLY_SIZE=N makes it N bytes of 'x'. */
static void echo(void *context, unsigned worker, const struct incoming *in, struct reply *reply)
{
	(void)context;
	(void)worker;
	uint64_t size;
	struct buf *out = &reply->out;
	if (in->refused) {
		refuse(in, reply);
		return;
	}
	wait_for(find(in, "WAIT_FOR"));
	if (find(in, "REPLY_NOTHING").p)
		return;
	if (find(in, "REPLY_BREAK").p) {
		buf_add(out, STR("Variable-REMOTE_USER: nobody\r\n\r\n"));
		return;
	}
	buf_printf(out, "Status: 200 OK\r\nContent-Type: text/plain\r\nX-Pid: %ld\r\nX-Body: %zu\r\n\r\n",
		   (long)getpid(), in->body.n);
	if (str_to_uint(find(in, "REPLY_SIZE"), REPLY_MAX, &size) && size > out->n) {
		memset(out->p + out->n, 'x', size - out->n);
		out->n = size;
		return;
	}
	for (size_t i = 0; i < in->n_params; i++) {
		buf_add(out, in->params[i].name);
		buf_char(out, '=');
		buf_add(out, in->params[i].value);
		buf_char(out, '\n');
	}
	buf_char(out, '\n');
	buf_add(out, in->body);
}

static void allow(void *context, unsigned worker, const struct incoming *in, struct reply *reply)
{
	(void)context;
	(void)worker;
	if (in->refused) {
		refuse(in, reply);
		return;
	}
	buf_add(&reply->out, STR("Status: 200 OK\r\nVariable-REMOTE_USER: noop\r\n\r\n"));
}

static void reload(void *context)
{
	(void)context;
	log_text(LOG_INFO, "reload", "asked");
}

static void reopen(void *context)
{
	(void)context;
	log_text(LOG_INFO, "reopen", "asked");
}

static void tick(void *context)
{
	(void)context;
	log_text(LOG_INFO, "tick", "two seconds");
}

static const struct transport_driver *find_transport(const char *name)
{
	for (size_t i = 0; transport_drivers[i]; i++)
		if (strcmp(transport_drivers[i]->name, name) == 0)
			return transport_drivers[i];
	return NULL;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{"listen", required_argument, NULL, 'l'},  {"transport", required_argument, NULL, 't'},
		{"threads", required_argument, NULL, 'w'}, {"max-connections", required_argument, NULL, 'c'},
		{"noop", no_argument, NULL, 'n'},	   {"reads-body", required_argument, NULL, 'b'},
		{"drain-timeout", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0}};
	int c;
	while ((c = getopt_long(argc, argv, "l:t:w:c:nb:d:", names, NULL)) != -1) {
		uint64_t number = 0;
		if (strchr("wcbd", c) && !str_to_uint(str_of(optarg), INT32_MAX, &number))
			return false;
		switch (c) {
		case 'l': o->address = optarg; break;
		case 't': o->transport = optarg; break;
		case 'w': o->settings.threads = (unsigned)number; break;
		case 'c': o->settings.max_connections = (unsigned)number; break;
		case 'n': o->noop = true; break;
		case 'b': o->reads_body = true; o->max_body = (int64_t)number; break;
		case 'd': o->drain_timeout_ms = (int64_t)number; break;
		default: return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = {.transport = "fastcgi",
			    .settings = {.threads = 16, .max_connections = 1024, .max_request_headers = 65536},
			    .drain_timeout_ms = 10000};
	const struct transport_driver *driver;
	if (!read_options(argc, argv, &o) ||
	    !(driver = find_transport(listen_transport(o.address) ? listen_transport(o.address) : o.transport))) {
		fprintf(stderr, "usage: %s [--listen ADDRESS] [--transport NAME] [--threads N] [--max-connections N]\n"
				"       [--reads-body MAX] [--drain-timeout MS] [--noop]\n", argv[0]);
		return EXIT_USAGE;
	}
	struct handler handler = {.reads_body = o.reads_body, .max_body = o.max_body, .max_reply = REPLY_MAX,
				  .handle = o.noop ? allow : echo};
	char text[512];
	struct buf why = buf_over(text, sizeof text);
	int listening = -1;
	/* Whoever sees the socket may send signals. */
	serve_block_signals();
	enum listen_mode mode = listen_open(o.address, &listening, &why);
	if (mode == LISTEN_CGI)
		return cgi_run(&o.settings, &handler);
	if (mode == LISTEN_NOTHING) {
		fprintf(stderr, "%s: %.*s\n", argv[0], STR_ARGS(buf_str(&why)));
		return why.n > 0 ? EXIT_FAILURE : EXIT_USAGE;
	}
	struct serve serve = {.driver = driver, .settings = o.settings, .handler = &handler, .listening = listening,
			      .drain_timeout_ms = o.drain_timeout_ms, .reload = reload, .reopen = reopen,
			      .tick = o.noop ? NULL : tick};
	int status = serve_run(&serve);
	listen_close(listening, o.address);
	return status;
}
