/* SPDX-License-Identifier: Apache-2.0 */
/* Which headers of which proxy become which parameters. 192.0.2.0/24, 2001:db8::/32
 * and 127.0.0.1 are trusted. */
#include <stdio.h>
#include <string.h>

#include "http/forwarded.h"
#include "unit.h"

enum { LINES_MAX = 16 };

static struct networks trusted;
static struct arena *arena;

/* "NAME=value" lines, in and out. */
struct row {
	const char *row;
	enum asked asked;
	const char *lines[LINES_MAX];
	const char *want;
};

static void run(const struct row *row, enum forwarded how)
{
	static char memory[65536];
	struct param params[LINES_MAX];
	struct incoming in = {.params = params, .asked = row->asked}, out;
	for (; row->lines[in.n_params]; in.n_params++) {
		struct str line = str_of(row->lines[in.n_params]);
		size_t equals = str_find(line, '=');
		params[in.n_params] = (struct param){{line.p, equals}, str_skip(line, equals + 1)};
	}
	forwarded_read(arena, &trusted, how, &in, &out);
	struct buf text = buf_over(memory, sizeof memory);
	if (out.refused)
		buf_printf(&text, "%s: %s", err_row(out.refused)->reason, out.why);
	for (size_t i = 0; i < out.n_params && !out.refused; i++)
		buf_printf(&text, "%s%.*s=%.*s", i ? " " : "", STR_ARGS(out.params[i].name),
			   STR_ARGS(out.params[i].value));
	UNIT_STR_EQ(buf_str(&text), str_of(row->want), row->row);
	CU_ASSERT_EQUAL(out.asked, row->asked);
	arena_reset(arena);
}

#define RUN(rows, how)                                               \
	for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++)   \
	run(&(rows)[i], how)

#define NGINX "REQUEST_METHOD=GET", "REQUEST_URI=/original", "HTTP_HOST=site", "HTTP_X_ORIGINAL_URI=/a?b", \
	      "HTTP_X_ORIGINAL_METHOD=POST"
#define NGINX_SEEN "HTTP_HOST=site REQUEST_URI=/a?b REQUEST_METHOD=POST"
#define TRAEFIK "REQUEST_METHOD=GET", "REQUEST_URI=/forwarded", "HTTP_HOST=auth", "HTTP_X_FORWARDED_URI=/a?b", \
		"HTTP_X_FORWARDED_METHOD=POST", "HTTP_X_FORWARDED_HOST=site"
#define TRAEFIK_SEEN "REQUEST_URI=/a?b REQUEST_METHOD=POST HTTP_HOST=site"

static void test_original(void)
{
	static const struct row rows[] = {
		{"nginx", ASKED_HTTP_LOCAL,
		 {NGINX, "HTTP_X_FORWARDED_PROTO=https", "HTTP_X_REAL_IP=203.0.113.9", "HTTP_COOKIE=c",
		  "CONTENT_LENGTH=4"},
		 NGINX_SEEN " REQUEST_SCHEME=https HTTP_COOKIE=c REMOTE_ADDR=203.0.113.9"},
		{"the least", ASKED_HTTP_LOCAL, {NGINX}, NGINX_SEEN},
		{"from a trusted address", ASKED_HTTP,
		 {NGINX, "REMOTE_ADDR=127.0.0.1"}, NGINX_SEEN " REMOTE_ADDR=127.0.0.1"},
		{"the other family is nobody's", ASKED_HTTP_LOCAL,
		 {NGINX, "HTTP_X_FORWARDED_URI=/public", "HTTP_X_FORWARDED_METHOD=GET", "HTTP_X_FORWARDED_HOST=other",
		  "HTTP_X_FORWARDED_FOR=6.6.6.6"},
		 NGINX_SEEN},
		{"behind another proxy", ASKED_HTTP_LOCAL,
		 {NGINX, "HTTP_X_REAL_IP=192.0.2.7", "HTTP_X_FORWARDED_FOR=6.6.6.6, 203.0.113.9"},
		 NGINX_SEEN " REMOTE_ADDR=203.0.113.9"},
		{"an address that is none", ASKED_HTTP_LOCAL, {NGINX, "HTTP_X_REAL_IP=unix:"}, NGINX_SEEN},
		{"two addresses", ASKED_HTTP_LOCAL, {NGINX, "HTTP_X_REAL_IP=1.1.1.1", "HTTP_X_REAL_IP=2.2.2.2"},
		 "bad_request: X-Real-IP"},
		{"wss", ASKED_HTTP_LOCAL, {NGINX, "HTTP_X_FORWARDED_PROTO=WSS"}, NGINX_SEEN " REQUEST_SCHEME=https"},
		{"ftp", ASKED_HTTP_LOCAL, {NGINX, "HTTP_X_FORWARDED_PROTO=ftp"}, "bad_request: X-Forwarded-Proto"},
		{"the client's query as ours", ASKED_HTTP_LOCAL,
		 {"REQUEST_URI=/original?policy=a", "HTTP_HOST=h", "HTTP_X_ORIGINAL_METHOD=GET",
		  "HTTP_X_ORIGINAL_URI=/admin?policy=a"},
		 "bad_request: request target: the proxy hands on the query of its client"},
		/* request_read refuses these twins. */
		{"two of one kind", ASKED_HTTP_LOCAL,
		 {NGINX, "HTTP_X_ORIGINAL_URI=/public"}, NGINX_SEEN " REQUEST_URI=/public"},
		{"no URI", ASKED_HTTP_LOCAL,
		 {"REQUEST_URI=/original", "REQUEST_METHOD=GET", "HTTP_HOST=h", "HTTP_X_ORIGINAL_METHOD=GET"},
		 "bad_request: no X-Original-URI"},
		{"empty URI", ASKED_HTTP_LOCAL,
		 {"REQUEST_URI=/original", "HTTP_HOST=h", "HTTP_X_ORIGINAL_METHOD=GET", "HTTP_X_ORIGINAL_URI="},
		 "bad_request: no X-Original-URI"},
		{"no method", ASKED_HTTP_LOCAL, {"REQUEST_URI=/original", "HTTP_HOST=h", "HTTP_X_ORIGINAL_URI=/"},
		 "bad_request: no X-Original-Method"},
		{"no host", ASKED_HTTP_LOCAL,
		 {"REQUEST_URI=/original", "HTTP_X_ORIGINAL_METHOD=GET", "HTTP_X_ORIGINAL_URI=/"},
		 "bad_request: no Host"},
	};
	RUN(rows, FORWARDED_ASKS);
}

static void test_forwarded(void)
{
	static const struct row rows[] = {
		{"Traefik", ASKED_HTTP,
		 {TRAEFIK, "HTTP_X_FORWARDED_PROTO=http", "HTTP_X_FORWARDED_FOR=203.0.113.9", "REMOTE_ADDR=192.0.2.7",
		  "HTTP_X_FORWARDED_PORT=80", "HTTP_ACCEPT=a"},
		 TRAEFIK_SEEN " REQUEST_SCHEME=http HTTP_ACCEPT=a REMOTE_ADDR=203.0.113.9"},
		{"the other family is nobody's", ASKED_HTTP_LOCAL,
		 {TRAEFIK, "HTTP_X_ORIGINAL_URI=/public", "HTTP_X_ORIGINAL_METHOD=GET", "HTTP_X_REAL_IP=6.6.6.6"},
		 TRAEFIK_SEEN},
		{"no host", ASKED_HTTP_LOCAL,
		 {"REQUEST_URI=/forwarded", "HTTP_HOST=auth", "HTTP_X_FORWARDED_METHOD=GET", "HTTP_X_FORWARDED_URI=/"},
		 "bad_request: no X-Forwarded-Host"},
		{"no URI", ASKED_HTTP_LOCAL,
		 {"REQUEST_URI=/forwarded", "HTTP_X_FORWARDED_HOST=a", "HTTP_X_FORWARDED_METHOD=GET",
		  "HTTP_X_ORIGINAL_URI=/"},
		 "bad_request: no X-Forwarded-Uri"},
	};
	RUN(rows, FORWARDED_ASKS);
}

static void test_believed(void)
{
	static const char why[] = "untrusted_proxy: asked by an address that is not in trusted-proxies";
	static const struct row rows[] = {
		{"from anywhere", ASKED_HTTP, {NGINX, "REMOTE_ADDR=203.0.113.9"}, why},
		{"loopback that is not listed", ASKED_HTTP, {NGINX, "REMOTE_ADDR=::1"}, why},
		{"a peer that has gone", ASKED_HTTP, {NGINX, "REMOTE_ADDR=?"}, why},
		{"without an address", ASKED_HTTP, {NGINX}, why},
		{"who says it is trusted", ASKED_HTTP,
		 {NGINX, "HTTP_REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_FOR=127.0.0.1", "HTTP_X_REAL_IP=127.0.0.1",
		  "REMOTE_ADDR=203.0.113.9"},
		 why},
	};
	RUN(rows, FORWARDED_ASKS);
}

static void test_target(void)
{
	static const struct {
		const char *target, *policy;
	} rows[] = {
		{"/original", "-"},	       {"/original?", "-"},		{"/original?policy=wiki", "wiki"},
		{"/original?policy=", ""},     {"/original?policy=a%20b", "a b"}, {"/original?policy=a&policy=b", NULL},
		{"/original?policy=a&preflight=answer", "a AUTH_PREFLIGHT=answer"},
		{"/original?accel-redirect=@a&policy=b", "AUTH_ACCEL_REDIRECT=@a AUTH_POLICY=b"},
		{"/original?policy=a&", NULL}, {"/original?&policy=a", NULL}, {"/original?policy=a&policy=a", NULL},
		{"/original?policies=a", NULL}, {"/original?policy=a&x", NULL}, {"/original?policy=%4", NULL},
		{"/original/", "- AUTH_EFFECTIVE_PATH=/"}, {"/original/a%20b%3f/", "- AUTH_EFFECTIVE_PATH=/a b?/"},
		{"/original/a?policy=b", "- AUTH_EFFECTIVE_PATH=/a AUTH_POLICY=b"}, {"/original/%4", NULL},
		{"/originala", NULL}, {"/original%2fa", NULL}, {"/Original", NULL},		{"/", NULL},
		{"//original", NULL},	       {"/original?Policy=a", NULL},	{"/original%3fpolicy=a", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[100], want[200];
		snprintf(line, sizeof line, "REQUEST_URI=%s", rows[i].target);
		if (!rows[i].policy)
			snprintf(want, sizeof want, "bad_request: request target");
		else if (str_starts(str_of(rows[i].policy), STR("- ")))
			snprintf(want, sizeof want, "%s %s HTTP_AUTH_POLICY=forged", rows[i].policy + 2, NGINX_SEEN);
		else if (rows[i].policy[0] == '-')
			snprintf(want, sizeof want, "%s HTTP_AUTH_POLICY=forged", NGINX_SEEN);
		else
			snprintf(want, sizeof want, "%s%s %s HTTP_AUTH_POLICY=forged",
				 strstr(rows[i].policy, "AUTH_A") ? "" : "AUTH_POLICY=",
				 rows[i].policy, NGINX_SEEN);
		run(&(struct row){rows[i].target, ASKED_HTTP_LOCAL,
				  {"REQUEST_METHOD=GET", line, "HTTP_HOST=site", "HTTP_X_ORIGINAL_URI=/a?b",
				   "HTTP_X_ORIGINAL_METHOD=POST", "HTTP_AUTH_POLICY=forged"},
				  want},
		    FORWARDED_ASKS);
	}
}

#define LOGIN "REQUEST_METHOD=POST", "REQUEST_URI=/auth/login", "HTTP_HOST=site"
#define LOGIN_SEEN "REQUEST_METHOD=POST REQUEST_URI=/auth/login HTTP_HOST=site"

static void test_passed(void)
{
	static const struct row rows[] = {
		{"as it comes", ASKED_HTTP,
		 {LOGIN, "HTTP_X_FORWARDED_PROTO=https", "HTTP_X_REAL_IP=6.6.6.6", "REMOTE_ADDR=203.0.113.9"},
		 LOGIN_SEEN " HTTP_X_FORWARDED_PROTO=https HTTP_X_REAL_IP=6.6.6.6 REMOTE_ADDR=203.0.113.9"},
		{"of a proxy", ASKED_HTTP_LOCAL,
		 {LOGIN, "HTTP_X_FORWARDED_PROTO=https", "HTTP_X_REAL_IP=203.0.113.9", "CONTENT_LENGTH=4"},
		 LOGIN_SEEN " REQUEST_SCHEME=https HTTP_X_REAL_IP=203.0.113.9 CONTENT_LENGTH=4 "
		 "REMOTE_ADDR=203.0.113.9"},
		{"of a proxy with the other header", ASKED_HTTP,
		 {LOGIN, "HTTP_X_FORWARDED_FOR=6.6.6.6, 203.0.113.9", "REMOTE_ADDR=127.0.0.1"},
		 LOGIN_SEEN " HTTP_X_FORWARDED_FOR=6.6.6.6, 203.0.113.9 REMOTE_ADDR=203.0.113.9"},
		{"with both", ASKED_HTTP_LOCAL,
		 {LOGIN, "HTTP_X_REAL_IP=203.0.113.9", "HTTP_X_FORWARDED_FOR=6.6.6.6, 203.0.113.9"},
		 LOGIN_SEEN " HTTP_X_REAL_IP=203.0.113.9 HTTP_X_FORWARDED_FOR=6.6.6.6, 203.0.113.9 "
		 "REMOTE_ADDR=203.0.113.9"},
		{"one is the client's own", ASKED_HTTP,
		 {LOGIN, "HTTP_X_REAL_IP=6.6.6.6", "HTTP_X_FORWARDED_FOR=203.0.113.9", "REMOTE_ADDR=127.0.0.1"},
		 LOGIN_SEEN " HTTP_X_REAL_IP=6.6.6.6 HTTP_X_FORWARDED_FOR=203.0.113.9 REMOTE_ADDR=127.0.0.1"},
		{"which is trusted", ASKED_HTTP_LOCAL,
		 {LOGIN, "HTTP_X_REAL_IP=127.0.0.1", "HTTP_X_FORWARDED_FOR=203.0.113.9"},
		 LOGIN_SEEN " HTTP_X_REAL_IP=127.0.0.1 HTTP_X_FORWARDED_FOR=203.0.113.9 REMOTE_ADDR=203.0.113.9"},
		{"none", ASKED_HTTP_LOCAL, {LOGIN}, LOGIN_SEEN},
		{"garbage", ASKED_HTTP_LOCAL, {LOGIN, "HTTP_X_REAL_IP=x", "HTTP_X_FORWARDED_FOR=y"},
		 LOGIN_SEEN " HTTP_X_REAL_IP=x HTTP_X_FORWARDED_FOR=y"},
		{"another scheme", ASKED_HTTP_LOCAL, {LOGIN, "HTTP_X_FORWARDED_PROTO=javascript"},
		 "bad_request: X-Forwarded-Proto"},
	};
	RUN(rows, FORWARDED_PASSES);
}

static void test_chain(void)
{
	static char hundred[2000];
	static const struct {
		const char *row, *first, *second, *client;
	} rows[] = {
		{"one", "203.0.113.9", NULL, "203.0.113.9"},
		{"spoofed before it", "6.6.6.6,7.7.7.7,203.0.113.9", NULL, "203.0.113.9"},
		{"trusted ones behind it", "6.6.6.6, 203.0.113.9,192.0.2.8 , 2001:db8::7", NULL, "203.0.113.9"},
		{"all trusted", "192.0.2.8, 192.0.2.9", NULL, "192.0.2.8"},
		{"a trusted one claimed", "192.0.2.8, 203.0.113.9", NULL, "203.0.113.9"},
		{"mapped", "6.6.6.6, ::ffff:192.0.2.9", NULL, "6.6.6.6"},
		{"mapped client", "::ffff:203.0.113.9", NULL, "::ffff:203.0.113.9"},
		{"port", "203.0.113.9:1234", NULL, "203.0.113.9"},
		{"port of IPv6", "6.6.6.6, [2001:db8::7]:1, [2001:db9::1]:1234", NULL, "2001:db9::1"},
		{"brackets", "[2001:db9::1]", NULL, "2001:db9::1"},
		{"no address", "203.0.113.9, unknown", NULL, "192.0.2.1"},
		{"no address behind a trusted one", "203.0.113.9, unknown, 192.0.2.9", NULL, "192.0.2.9"},
		{"empty", "", NULL, "192.0.2.1"},
		{"empty entry", "203.0.113.9,", NULL, "192.0.2.1"},
		{"commas", ",,,", NULL, "192.0.2.1"},
		{"line feed", "203.0.113.9\n", NULL, "192.0.2.1"},
		{"brackets alone", "[]", NULL, "192.0.2.1"},
		{"two lines", "6.6.6.6", "203.0.113.9", "203.0.113.9"},
		{"two lines, trusted behind", "6.6.6.6, 203.0.113.9", "192.0.2.4,192.0.2.5", "203.0.113.9"},
		{"a hundred", hundred, NULL, "203.0.113.9"},
	};
	struct buf b = buf_over(hundred, sizeof hundred - 1);
	buf_add(&b, STR("6.6.6.6, 203.0.113.9"));
	for (int i = 0; i < 100; i++)
		buf_printf(&b, ", 192.0.2.%d", i);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char first[2100], second[100], want[2400];
		snprintf(first, sizeof first, "HTTP_X_FORWARDED_FOR=%s", rows[i].first);
		snprintf(second, sizeof second, "HTTP_X_FORWARDED_FOR=%s", rows[i].second ? rows[i].second : "");
		snprintf(want, sizeof want, "%s%s%s REMOTE_ADDR=%s", first, rows[i].second ? " " : "",
			 rows[i].second ? second : "", rows[i].client);
		const char *last = rows[i].second ? second : NULL;
		run(&(struct row){rows[i].row, ASKED_UNKNOWN, {"REMOTE_ADDR=192.0.2.1", first, last}, want},
		    FORWARDED_ASKS);
	}
}

/* Over FastCGI and CGI: the web server's word, but for the client's address. */
static void test_server(void)
{
	static const struct row rows[] = {
		{"not trusted", ASKED_AUTHORIZER,
		 {"REMOTE_ADDR=203.0.113.9", "HTTP_X_FORWARDED_FOR=6.6.6.6", "HTTP_X_REAL_IP=6.6.6.6"},
		 "REMOTE_ADDR=203.0.113.9 HTTP_X_FORWARDED_FOR=6.6.6.6 HTTP_X_REAL_IP=6.6.6.6"},
		{"trusted", ASKED_CGI,
		 {"REMOTE_ADDR=127.0.0.1", "REQUEST_URI=/a", "HTTP_X_ORIGINAL_URI=/b", "HTTP_X_FORWARDED_PROTO=https",
		  "HTTP_X_FORWARDED_HOST=other", "HTTP_X_FORWARDED_FOR=203.0.113.9", "REQUEST_SCHEME=http"},
		 "REQUEST_URI=/a HTTP_X_ORIGINAL_URI=/b HTTP_X_FORWARDED_PROTO=https HTTP_X_FORWARDED_HOST=other "
		 "HTTP_X_FORWARDED_FOR=203.0.113.9 REQUEST_SCHEME=http REMOTE_ADDR=203.0.113.9"},
		{"trusted, but of another family", ASKED_UNKNOWN, {"REMOTE_ADDR=::1", "HTTP_X_FORWARDED_FOR=6.6.6.6"},
		 "REMOTE_ADDR=::1 HTTP_X_FORWARDED_FOR=6.6.6.6"},
		{"X-Real-IP has no say", ASKED_UNKNOWN, {"REMOTE_ADDR=127.0.0.1", "HTTP_X_REAL_IP=6.6.6.6"},
		 "HTTP_X_REAL_IP=6.6.6.6 REMOTE_ADDR=127.0.0.1"},
		{"two peers", ASKED_UNKNOWN,
		 {"REMOTE_ADDR=127.0.0.1", "REMOTE_ADDR=192.0.2.1", "HTTP_X_FORWARDED_FOR=6.6.6.6"},
		 "REMOTE_ADDR=127.0.0.1 REMOTE_ADDR=192.0.2.1 HTTP_X_FORWARDED_FOR=6.6.6.6"},
		{"none", ASKED_UNKNOWN, {"HTTP_X_FORWARDED_FOR=6.6.6.6"}, "HTTP_X_FORWARDED_FOR=6.6.6.6"},
	};
	RUN(rows, FORWARDED_ASKS);
	RUN(rows, FORWARDED_PASSES);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"original", test_original}, {"forwarded", test_forwarded}, {"believed", test_believed},
		{"target", test_target},     {"passed", test_passed},	    {"chain", test_chain},
		{"server", test_server},     {NULL, NULL},
	};
	static const char *const texts[] = {"192.0.2.0/24", "2001:db8::/32", "127.0.0.1"};
	static struct network networks[3];
	for (size_t i = 0; i < 3; i++)
		if (network_parse(str_of(texts[i]), &networks[i]))
			return 1;
	trusted = (struct networks){networks, 3};
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("forwarded", cases);
	arena_close(&arena);
	return status;
}
