/* SPDX-License-Identifier: Apache-2.0 */
/* What the core operations cost: nanoseconds of CPU time for one, the median of
 * the rounds and the best of them. The operations take turns, so that a busy moment of the
 * machine meets all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/codec.h"
#include "core_frame.h"
#include "token/issuer.h"

enum { REPEATS = 20000 };

struct bench {
	struct arena *arena;
	struct token_thread *thread;
	struct issuer *issuer;
	struct str token, payload, signing_input, secret;
	char memory[2048];
};

static bool verification(void *context)
{
	struct bench *b = context;
	struct token token;
	struct claims claims;
	arena_reset(b->arena);
	return token_parse(b->arena, b->token, &token) == ERR_NONE &&
	       issuer_verify(b->issuer, &(struct verification){b->thread, b->arena, NOW}, &token, &claims) == ERR_NONE;
}

static bool parse(void *context)
{
	struct bench *b = context;
	struct token token;
	arena_reset(b->arena);
	return token_parse(b->arena, b->token, &token) == ERR_NONE;
}

static bool hmac(void *context)
{
	struct bench *b = context;
	static struct digest_hmac key;
	static bool made;
	unsigned char out[DIGEST_MAX];
	if (!made)
		made = digest_hmac_key(DIGEST_SHA256, b->secret, &key);
	return made && digest_hmac(&key, b->signing_input, out);
}

static bool json(void *context)
{
	struct bench *b = context;
	const struct json *tree;
	arena_reset(b->arena);
	return json_parse(b->arena, b->payload, &tree);
}

static bool base64(void *context)
{
	struct bench *b = context;
	unsigned char out[1024];
	size_t n;
	struct str rest = b->token, header, payload;
	return str_split(&rest, '.', &header) && str_split(&rest, '.', &payload) && base64url_decode(payload, out, &n);
}

static bool revocation_key(void *context)
{
	struct bench *b = context;
	static const struct str parts[] = {{"main", 4}, {"jti", 3}, {"dDLZ1Ur0ACs2ni7SCnkOpw", 22}};
	unsigned char out[DIGEST_SIZE];
	return digest_parts(b->thread, parts, 3, out);
}

static bool token_hash(void *context)
{
	struct bench *b = context;
	unsigned char out[DIGEST_SIZE];
	return digest_parts(b->thread, &b->token, 1, out);
}

static const struct operation {
	const char *name;
	bool (*run)(void *context);
} operations[] = {
	{"verification core, HS256", verification},
	{"  of it: taking the token apart", parse},
	{"    of it: base64url, payload", base64},
	{"    of it: JSON, payload", json},
	{"  of it: HMAC-SHA-256", hmac},
	{"revocation key of a jti", revocation_key},
	{"revocation key of a token", token_hash},
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double cpu_nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double core_measure(bool (*run)(void *), void *context, unsigned repeats, bool *good)
{
	double begin = cpu_nanoseconds();
	for (unsigned i = 0; i < repeats; i++)
		*good &= run(context);
	return (cpu_nanoseconds() - begin) / repeats;
}

double core_median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof values[0], by_value);
	return values[ROUNDS / 2];
}

static bool open_bench(struct bench *b)
{
	static const struct conf_text algorithms[] = {{.value = {"HS256", 5}}};
	static const char secret[] = "text:bench-Kp4Wn8Rt1Yx6Bq3Mv9Lz2Cd5Fh7Gj0Sa4Eu";
	static const struct conf_text secrets[] = {{.value = {secret, sizeof secret - 1}}};
	static const struct conf_text user_id[] = {{.value = {"sub", 3}}, {.value = {"user_id", 7}}};
	static const char issuer[] = "https://issuer.example.com";
	static const struct conf_text iss[] = {{.value = {issuer, sizeof issuer - 1}}};
	static const struct conf_text audience[] = {{.value = {"app", 3}}};
	static struct issuer_conf conf = {
		.type = {.value = {"jwt", 3}},
		.algorithms = {algorithms, 1},
		.secret = {secrets, 1},
		.user_id = {user_id, 2},
		.iss = {iss, 1},
		.audience = {audience, 1},
		.require_exp = true,
	};
	struct conf_section section = {.kind = &issuer_kind, .name = STR("main"), .values = &conf, .file = "bench"};
	struct conf_error error;
	struct str members = STR("\"role\":\"editor\",\"email\":\"alice@example.com\"");
	struct issue issue = {STR("6b1c9f0e"), members, NOW - 60, 600, STR_NONE};
	struct str text;
	struct token token;
	if (!token_start() || !arena_open(1 << 18, &b->arena) || !token_thread_open(0, &b->thread) ||
	    !issuer_open(&section, 1, &b->issuer, &error) ||
	    issuer_sign(b->issuer, b->thread, b->arena, &issue, &text) != ERR_NONE)
		return false;
	struct buf copy = buf_over(b->memory, sizeof b->memory);
	buf_add(&copy, text);
	b->token = buf_str(&copy);
	if (token_parse(b->arena, b->token, &token) != ERR_NONE)
		return false;
	buf_add(&copy, token.payload_bytes);
	b->payload = str_skip(buf_str(&copy), b->token.n);
	b->signing_input = token.canonical;
	b->secret = str_skip(secrets[0].value, 5);
	return !copy.full;
}

int main(void)
{
	static struct bench b;
	static double results[OPERATIONS][ROUNDS];
	bool good = true;
	if (!open_bench(&b))
		return 1;
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < OPERATIONS; i++)
			results[i][round] = core_measure(operations[i].run, &b, REPEATS, &good);
	printf("token of %zu bytes, payload of %zu; ns for one, %d rounds of %d\n", b.token.n, b.payload.n, ROUNDS,
	       REPEATS);
	printf("%-36s %8s %8s\n", "operation", "median", "best");
	for (size_t i = 0; i < OPERATIONS; i++) {
		double median = core_median(results[i]);
		printf("%-36s %8.0f %8.0f\n", operations[i].name, median, results[i][0]);
	}
	issuer_close(&b.issuer);
	token_thread_close(&b.thread);
	arena_close(&b.arena);
	return good && core_tokens() ? 0 : 1;
}
