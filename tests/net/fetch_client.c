/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches URLs, one after the other on one handle, and prints what came. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/fetch.h"

enum { EXIT_USAGE = 64, HEADERS_MAX = 8, ARENA_SIZE = 4 << 20 };

struct options {
	struct str headers[HEADERS_MAX];
	struct fetch_request request;
	struct fetch_look look;
	struct fetch_send send;
	bool check;
};

static bool read_number(const char *text, uint64_t *out)
{
	return str_to_uint(str_of(text), INT32_MAX, out);
}

/* How to look; any of these makes it a look. */
static bool read_look(int option, struct fetch_look *look)
{
	if (option == 'X')
		look->method = optarg;
	else if (option == 'T')
		look->target = str_of(optarg);
	else if (option == 'd')
		look->body = str_of(optarg);
	else if (option == 'c')
		look->ca_file = optarg;
	else if (option == 'k')
		look->insecure = true;
	else
		return option == 'l';
	return true;
}

static bool read_option(int option, struct options *out)
{
	uint64_t number = 0;
	if (read_look(option, &out->look))
		out->request.look = &out->look;
	else if (option == 's')
		out->send.body = str_of(optarg), out->request.send = &out->send;
	else if (option == 'a')
		out->send.ca_file = optarg, out->request.send = &out->send;
	else if (option == 'h' && out->request.n_headers < HEADERS_MAX)
		out->headers[out->request.n_headers++] = str_of(optarg);
	else if (option == 'p')
		out->request.allow_plain_http = true;
	else if (option == 'u')
		out->check = true;
	else if (option == 't' && read_number(optarg, &number))
		out->request.timeout_ms = out->request.connect_timeout_ms = (int64_t)number;
	else if (option == 'm' && read_number(optarg, &number))
		out->request.max_body = (size_t)number;
	else
		return false;
	return true;
}

static void print_check(const struct options *options, const char *url)
{
	char text[4096];
	struct buf why = buf_over(text, sizeof text - 1);
	if (fetch_check_url(str_of(url), options->request.allow_plain_http, &why))
		printf("good\n");
	else
		printf("refused: %s\n", buf_z(&why));
}

static void print_answer(struct fetch *fetch, struct arena *arena, struct options *options, const char *url)
{
	char text[4096];
	struct buf why = buf_over(text, sizeof text - 1);
	struct fetch_answer answer;
	options->request.url = str_of(url);
	arena_reset(arena);
	if (!fetch_get(fetch, arena, &options->request, &answer, &why)) {
		printf("failed: %s\n", buf_z(&why));
		if (options->request.send)
			printf("%s\n", fetch_timed_out(fetch) ? "timed out" : fetch_unanswered(fetch) ? "unreached"
											       : "no good");
		return;
	}
	printf("status %d, type %.*s, max-age %lld, %zu bytes: %.*s\n", answer.status, STR_ARGS(answer.content_type),
	       (long long)answer.max_age, answer.body.n, (int)(answer.body.n < 64 ? answer.body.n : 64), answer.body.p);
	struct str rest = answer.head, name, value;
	while (fetch_next_header(&rest, &name, &value))
		printf("header %.*s: %.*s\n", STR_ARGS(name), STR_ARGS(value));
	if (options->request.look)
		printf("server %.*s\n", STR_ARGS(fetch_header(answer.head, STR("SERVER"))));
}

static int fetch_all(struct options *options, char **urls)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	struct fetch *fetch = NULL;
	struct arena *arena = NULL;
	/* The second time it has been loaded. */
	if (!fetch_start(&why) || !fetch_start(&why) || !fetch_open(&fetch) || !arena_open(ARENA_SIZE, &arena)) {
		fprintf(stderr, "cannot start: %s\n", buf_z(&why));
		fetch_close(&fetch);
		return EXIT_FAILURE;
	}
	for (; *urls; urls++)
		print_answer(fetch, arena, options, *urls);
	fetch_close(&fetch);
	arena_close(&arena);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = {.request = {.timeout_ms = 5000, .connect_timeout_ms = 5000, .max_body = 1 << 16}};
	for (int option; (option = getopt(argc, argv, "a:c:d:h:klm:ps:t:uT:X:")) != -1;)
		if (!read_option(option, &options)) {
			fprintf(stderr, "usage: fetch_client [-u] [-p] [-h HEADER]… [-m BYTES] [-t MS] [-l] [-k] "
					"[-c CA] [-d BODY] [-a CA] [-s BODY] [-T TARGET] [-X METHOD] URL…\n");
			return EXIT_USAGE;
		}
	options.request.headers = options.headers;
	for (char **url = argv + optind; options.check && *url; url++)
		print_check(&options, *url);
	return options.check ? EXIT_SUCCESS : fetch_all(&options, argv + optind);
}
