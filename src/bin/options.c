/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line of the FastCGI programs. */
#include "bin/options.h"

#include <getopt.h>
#include <stdlib.h>

#include "base/str.h"

#define DEFAULT_CONFIGURATION SYSCONFDIR "/fcgi-auth/fcgi-auth.conf"

static const char usage[] =
	"  -c FILE        configuration (else $FCGI_AUTH_CONF, else " DEFAULT_CONFIGURATION ")\n"
	"  -l ADDRESS     listen on unix:/path[,mode=0660][,group=NAME] or tcp:127.0.0.1:PORT;\n"
	"                 for HTTP in the place of FastCGI: http:unix:/path or http:127.0.0.1:PORT\n"
	"  -w N           worker threads (1-256) instead of the configuration's\n"
	"  -t             check the configuration and exit\n"
	"  -T             print the effective configuration, secrets masked, and exit\n"
	"  -V, --version  print the version and those of the libraries\n"
	"  -h, --help     print this\n\n"
	"Without -l it serves the sockets of systemd (LISTEN_FDS), a listening socket on\n"
	"descriptor 0 (spawn-fcgi, lighttpd, mod_fcgid), or one request as CGI.\n";

void options_usage(FILE *to, const char *program, const char *summary)
{
	fprintf(to, "Usage: %s [-c FILE] [-l ADDRESS] [-w N] [-t | -T | -V | -h]\n%s\n\n%s", program, summary, usage);
}

static bool read_threads(const char *program, const char *text, unsigned *out)
{
	uint64_t threads = 0;
	if (!str_to_uint(str_of(text), 256, &threads) || threads == 0) {
		fprintf(stderr, "%s: -w %s: a number from 1 to 256\n", program, text);
		return false;
	}
	*out = (unsigned)threads;
	return true;
}

static bool read_option(int c, const char *program, struct options *out)
{
	switch (c) {
	case 'c':
		out->configuration = optarg;
		return true;
	case 'l':
		out->address = optarg;
		return true;
	case 'w':
		return read_threads(program, optarg, &out->threads);
	case 't':
		out->action = OPTIONS_TEST;
		return true;
	case 'T':
		out->action = OPTIONS_PRINT;
		return true;
	case 'V':
		out->action = OPTIONS_VERSION;
		return true;
	case 'h':
		out->action = OPTIONS_HELP;
		return true;
	default:
		return false;
	}
}

bool options_read(int argc, char **argv, struct options *out)
{
	static const struct option words[] = {
		{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int c;
	*out = (struct options){.configuration = getenv("FCGI_AUTH_CONF")};
	while ((c = getopt_long(argc, argv, "c:l:w:tTVh", words, NULL)) != -1)
		if (!read_option(c, argv[0], out))
			return false;
	if (optind < argc)
		fprintf(stderr, "%s: \"%s\": there are no arguments but options\n", argv[0], argv[optind]);
	if (!out->configuration || !out->configuration[0])
		out->configuration = DEFAULT_CONFIGURATION;
	return optind == argc;
}
