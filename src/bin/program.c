/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which a FastCGI program starts, reloads and ends. */
#include "bin/program.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "bin/options.h"
#include "policy/version.h"
#include "web/cgi.h"
#include "web/listen.h"
#include "web/serve.h"

struct process {
	const struct program *program;
	struct runtime *runtime;
	const struct snapshot *logged; /* whose log settings are in force */
};

static int print_version(const struct program *program)
{
	char text[512];
	struct buf b = buf_over(text, sizeof text);
	version_print(&b, program->name);
	fwrite(b.p, 1, b.n, stdout);
	return EXIT_SUCCESS;
}

static bool check_configuration(const struct program *program, const struct options *options, struct snapshot **out)
{
	struct conf_error error = {"OpenSSL lacks an algorithm"};
	if (token_start() && snapshot_open(options->configuration, options->threads, out, &error))
		return true;
	fprintf(stderr, "%s: %s\n", program->name, error.text);
	return false;
}

/* -t and -T. */
static int print_configuration(const struct program *program, const struct options *options)
{
	enum { TEXT_MAX = 1 << 20 };
	struct snapshot *snapshot;
	if (!check_configuration(program, options, &snapshot))
		return EXIT_CONFIGURATION;
	if (options->action == OPTIONS_TEST) {
		printf("%s: the configuration is good\n", options->configuration);
	} else {
		struct buf b = arena_buf(snapshot->arena, TEXT_MAX);
		conf_print(&b, snapshot->conf, runtime_masked);
		fwrite(b.p, 1, b.n, stdout);
	}
	snapshot_close(&snapshot);
	return EXIT_SUCCESS;
}

static void apply_log(struct process *process)
{
	const struct snapshot *snapshot = runtime_snapshot(process->runtime);
	if (snapshot == process->logged)
		return;
	process->logged = snapshot;
	/* The words of the options stand in the order of these numbers. */
	struct log_settings settings = {.sink = (enum log_sink)snapshot->server->log,
					.format = (enum log_format)snapshot->server->log_format,
					.level = snapshot->server->log_level};
	log_open(process->program->name, &settings);
}

static void on_reload(void *context)
{
	struct process *process = context;
	runtime_reload(process->runtime);
	apply_log(process);
}

static void on_reopen(void *context)
{
	(void)context;
	log_reopen();
}

static void on_tick(void *context)
{
	struct process *process = context;
	runtime_tick(process->runtime);
	apply_log(process);
}

static const struct transport_driver *find_transport(struct str name)
{
	for (size_t i = 0; transport_drivers[i]; i++)
		if (str_eq(str_of(transport_drivers[i]->name), name))
			return transport_drivers[i];
	return NULL;
}

static int serve(struct process *process, const struct handler *handler, const char *asked, int listening)
{
	const struct server_conf *server = runtime_snapshot(process->runtime)->server;
	struct serve s = {
		.driver = find_transport(asked ? str_of(asked) : server->transport.value),
		.settings = {.threads = runtime_threads(process->runtime),
			     .max_connections = (unsigned)server->max_connections,
			     .max_request_headers = server->max_request_headers},
		.handler = handler,
		.listening = listening,
		.drain_timeout_ms = server->drain_timeout,
		.context = process,
		.reload = on_reload,
		.reopen = on_reopen,
		.tick = on_tick,
	};
	if (!s.driver && asked) {
		fprintf(stderr, "%s: -l %s:…: this build has no \"%s\"\n", process->program->name, asked, asked);
		return EXIT_USAGE;
	}
	if (!s.driver) {
		fprintf(stderr, "%s: %s:%u: transport: this build has no \"%.*s\"\n", process->program->name,
			server->transport.file, server->transport.line, STR_ARGS(server->transport.value));
		return EXIT_CONFIGURATION;
	}
	return serve_run(&s);
}

static int run_cgi(struct process *process, const struct handler *handler)
{
	const struct server_conf *server = runtime_snapshot(process->runtime)->server;
	struct transport_settings settings = {.threads = 1, .max_request_headers = server->max_request_headers};
	return cgi_run(&settings, handler);
}

static int start(struct process *process, const struct options *options, enum listen_mode mode, int listening)
{
	struct conf_error error;
	struct adapter *adapter = NULL;
	int status;
	struct runtime_settings settings = {
		.path = options->configuration,
		.threads = mode == LISTEN_CGI ? 1 : options->threads,
		.one_request = mode == LISTEN_CGI,
	};
	/* What is worth a notice at a start is not worth one for each CGI request. */
	if (mode == LISTEN_CGI)
		log_open(process->program->name, &(struct log_settings){.level = LOG_WARNING});
	if (!runtime_open(&settings, &process->runtime, &error, &status)) {
		fprintf(stderr, "%s: %s\n", process->program->name, error.text);
		if (mode == LISTEN_CGI)
			cgi_answer_failure();
		return status;
	}
	apply_log(process);
	status = EXIT_FAILURE;
	if (process->program->adapter_open(process->runtime, &adapter)) {
		struct handler handler = *adapter_handler(adapter);
		status = mode == LISTEN_CGI ? run_cgi(process, &handler)
					     : serve(process, &handler, listen_transport(options->address), listening);
	}
	adapter_close(&adapter);
	runtime_close(&process->runtime);
	return status;
}

static int listen_and_start(const struct program *program, const struct options *options)
{
	struct process process = {.program = program};
	char text[512];
	struct buf why = buf_over(text, sizeof text - 1);
	struct snapshot *snapshot = NULL;
	int listening = -1;
	serve_block_signals();
	enum listen_mode mode = listen_open(options->address, &listening, &why);
	if (mode == LISTEN_NOTHING && why.n) {
		fprintf(stderr, "%s: %s\n", program->name, buf_z(&why));
		return EXIT_FAILURE;
	}
	/* Started by hand, perhaps because something is wrong: say that first. */
	if (mode == LISTEN_NOTHING && !check_configuration(program, options, &snapshot))
		return EXIT_CONFIGURATION;
	snapshot_close(&snapshot);
	if (mode == LISTEN_NOTHING) {
		fprintf(stderr, "%s: no socket to serve: give -l ADDRESS\n", program->name);
		options_usage(stderr, program->name, program->summary);
		return EXIT_USAGE;
	}
	int status = start(&process, options, mode, listening);
	if (options->address)
		listen_close(listening, options->address);
	return status;
}

int program_main(const struct program *program, int argc, char **argv)
{
	struct options options;
	if (!options_read(argc, argv, &options)) {
		options_usage(stderr, program->name, program->summary);
		return EXIT_USAGE;
	}
	switch (options.action) {
	case OPTIONS_VERSION:
		return print_version(program);
	case OPTIONS_HELP:
		options_usage(stdout, program->name, program->summary);
		return EXIT_SUCCESS;
	case OPTIONS_TEST:
	case OPTIONS_PRINT:
		return print_configuration(program, &options);
	case OPTIONS_SERVE:
		break;
	}
	return listen_and_start(program, &options);
}
