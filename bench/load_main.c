/* SPDX-License-Identifier: Apache-2.0 */
/* The command `load`: options in, one line of JSON out. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { EXIT_ERRORS = 1, EXIT_USAGE = 64, CLIENTS_MAX = 10000 };

struct command {
	struct load_settings settings;
	const char *address;
	const char *params;
};

static const char usage[] =
	"usage: load -a ADDRESS -p FILE [-c CLIENTS] [-k] [-n REQUESTS] [-s SECONDS] [-e STATUS] [-t TEXT]\n"
	"Ask a FastCGI authorizer and check each answer. Prints a line of JSON; exit\n"
	"status 0: every answer was right, 1: not, 64: usage.\n"
	"  -a ADDRESS   unix:/path or tcp:HOST:PORT\n"
	"  -p FILE      the request's parameters, a line NAME=VALUE each\n"
	"  -c CLIENTS   that ask at the same time [1]\n"
	"  -k           keep the connections; without it each request has its own\n"
	"  -n REQUESTS  end after that many\n"
	"  -s SECONDS   end after that time [1, without -n]\n"
	"  -e STATUS    the right answer's status [200]\n"
	"  -t TEXT      what the right answer's head contains\n";

static bool parse_options(int argc, char **argv, struct command *out)
{
	int option;

	while ((option = getopt(argc, argv, "a:p:c:kn:s:e:t:")) != -1) {
		switch (option) {
		case 'a': out->address = optarg; break;
		case 'p': out->params = optarg; break;
		case 'c': out->settings.clients = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'k': out->settings.keep = true; break;
		case 'n': out->settings.requests = strtoull(optarg, NULL, 10); break;
		case 's': out->settings.seconds = strtod(optarg, NULL); break;
		case 'e': out->settings.expected.status = optarg; break;
		case 't': out->settings.expected.contains = optarg; break;
		default: return false;
		}
	}
	if (out->settings.requests == 0 && out->settings.seconds <= 0)
		out->settings.seconds = 1;
	return optind == argc && out->address != NULL && out->params != NULL && out->settings.clients > 0 &&
	       out->settings.clients <= CLIENTS_MAX && strlen(out->settings.expected.status) == 3;
}

static double microseconds(const struct load_result *result, unsigned percent)
{
	return (double)histogram_percentile(&result->times, percent) / 1e3;
}

static void print_result(const struct load_result *result)
{
	printf("{\"requests\": %llu, \"seconds\": %.6f, \"per_second\": %.1f, ", (unsigned long long)result->right,
	       result->seconds, (double)result->right / result->seconds);
	printf("\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, ", microseconds(result, 50),
	       microseconds(result, 90), microseconds(result, 99), (double)result->times.max / 1e3);
	printf("\"starved\": %u, \"errors\": %llu, \"first_error\": \"%s\"}\n", result->starved,
	       (unsigned long long)result->errors, result->first_error);
}

int main(int argc, char **argv)
{
	static struct load_result result;
	static struct request request;
	struct command command = { .settings = { .clients = 1, .expected = { .status = "200" } } };
	const char *why;

	if (!parse_options(argc, argv, &command)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!address_parse(command.address, &command.settings.address)) {
		fprintf(stderr, "load: %s: no address of the form unix:/path or tcp:HOST:PORT\n", command.address);
		return EXIT_USAGE;
	}
	if (!request_read(command.params, command.settings.keep, &request, &why)) {
		fprintf(stderr, "load: %s: %s\n", command.params, why);
		return EXIT_USAGE;
	}
	if (!load_run(&command.settings, &request, &result)) {
		fputs("load: out of memory or descriptors\n", stderr);
		return EXIT_ERRORS;
	}
	print_result(&result);
	return result.errors == 0 && result.right > 0 ? 0 : EXIT_ERRORS;
}
