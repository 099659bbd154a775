/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters into a request; cookies; replies; navigation or API. */
#include "http/request.h"

#include <string.h>

#include "http/cookie.h"
#include "http/negotiate.h"
#include "http/reply.h"
#include "unit.h"

static struct arena *arena;

#define P(name, value)                                                                                                 \
	{                                                                                                              \
		{name, sizeof(name) - 1},                                                                              \
		{                                                                                                      \
			value, sizeof(value) - 1                                                                       \
		}                                                                                                      \
	}
#define READ(...)                                                                                                      \
	struct param params[] = {__VA_ARGS__};                                                                         \
	struct incoming in = {.params = params, .n_params = sizeof params / sizeof *params};                           \
	struct request r;                                                                                              \
	const char *why;                                                                                               \
	enum err err = request_read(arena, &in, 0x0123456789abcdef, &r, &why)

static void reads(void)
{
	READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/a%20b?x=1"), P("HTTP_HOST", "Wiki.Example.:8443"),
	     P("HTTPS", "on"), P("REMOTE_ADDR", "192.0.2.1"), P("HTTP_X_USER", "evil"), P("CONTENT_LENGTH", "12"));
	CU_ASSERT_EQUAL(err, ERR_NONE);
	UNIT_STR_EQ(r.path, STR("/a b"), "path");
	UNIT_STR_EQ(r.query, STR("x=1"), "query");
	UNIT_STR_EQ(r.host, STR("wiki.example"), "host");
	UNIT_STR_EQ(r.authority, STR("Wiki.Example.:8443"), "authority");
	CU_ASSERT(r.https && r.content_length == 12 && strcmp(r.id, "0123456789abcdef") == 0);
}

static void reads_absolute_form(void)
{
	READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "http://other.test/x?y"), P("HTTP_HOST", "[::1]:80"));
	CU_ASSERT_EQUAL(err, ERR_NONE);
	UNIT_STR_EQ(r.path, STR("/x"), "path");
	UNIT_STR_EQ(r.host, STR("[::1]"), "the host is the server's word, not the target's");
}

static void joins_cookies(void)
{
	READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/"), P("HTTP_COOKIE", "a=1"), P("HTTP_COOKIE", "b=2"));
	CU_ASSERT_EQUAL(err, ERR_NONE);
	UNIT_STR_EQ(r.cookie, STR("a=1; b=2"), "joined");
}

static void same_twin_is_one(void)
{
	READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/"), P("REQUEST_METHOD", "GET"));
	CU_ASSERT_EQUAL(err, ERR_NONE);
}

static void refuses_twins(void)
{
	static const char *const names[] = {"HTTP_AUTHORIZATION", "HTTP_HOST",		 "REQUEST_METHOD",
					    "REQUEST_URI",	  "REMOTE_ADDR",	 "HTTPS",
					    "AUTH_POLICY",	  "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_SITE",
					    "HTTP_ORIGIN",	  "AUTH_EFFECTIVE_PATH"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/"), {str_of(names[i]), STR("/one")},
		     {str_of(names[i]), STR("/two")});
		UNIT_ROW(err == ERR_BAD_REQUEST && why && strcmp(why, names[i]) == 0, names[i]);
	}
}

static void refuses_without_target(void)
{
	READ(P("REQUEST_METHOD", "GET"));
	CU_ASSERT_EQUAL(err, ERR_BAD_REQUEST);
	CU_ASSERT_STRING_EQUAL(why, "REQUEST_URI");
}

static void refuses_without_method(void)
{
	READ(P("REQUEST_URI", "/x"));
	CU_ASSERT_EQUAL(err, ERR_BAD_REQUEST);
	CU_ASSERT_STRING_EQUAL(why, "REQUEST_METHOD");
}

static void refuses_bad_path(void)
{
	READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/a%2fb"));
	CU_ASSERT_EQUAL(err, ERR_BAD_REQUEST);
	UNIT_STR_EQ(r.raw_path, STR("/a%2fb"), "kept for the log");
}

/* What is served instead of what was asked for. */
static void reads_the_effective_path(void)
{
	static const struct {
		const char *effective, *want; /* want NULL: none */
		enum err err;
	} rows[] = {
		{"/a b", NULL, ERR_NONE},     {"//a b", NULL, ERR_NONE},    {"/c", "/c", ERR_NONE},
		{"/x/../c", "/c", ERR_NONE},  {"/a;x/b", "/a;x/b", ERR_NONE}, {"/a%20b", NULL, ERR_BAD_REQUEST},
		{"", NULL, ERR_BAD_REQUEST},  {"c", NULL, ERR_BAD_REQUEST}, {"/..", NULL, ERR_BAD_REQUEST},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/a%20b?x"),
		     {STR("AUTH_EFFECTIVE_PATH"), str_of(rows[i].effective)});
		UNIT_ROW(err == rows[i].err, rows[i].effective);
		UNIT_ROW(!err || strcmp(why, "AUTH_EFFECTIVE_PATH") == 0, rows[i].effective);
		UNIT_STR_EQ(r.effective_path, str_of(rows[i].want), rows[i].effective);
		UNIT_STR_EQ(r.path, STR("/a b"), rows[i].effective);
	}
	READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/x"), P("AUTH_EFFECTIVE_PATH", "/a;x/b"));
	CU_ASSERT_EQUAL(err, ERR_NONE);
	UNIT_STR_EQ(r.bare_effective_path, STR("/a/b"), "without parameters");
	UNIT_STR_EQ(request_effective(&r).path, STR("/a;x/b"), "as if it had been asked for");
	UNIT_STR_EQ(request_effective(&r).bare_path, STR("/a/b"), "as if it had been asked for");
}

/* A client's header comes under another name. */
static void clients_choose_no_effective_path(void)
{
	READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/x"), P("HTTP_AUTH_EFFECTIVE_PATH", "/public"));
	CU_ASSERT(err == ERR_NONE && !r.effective_path.p);
}

static void refuses_bad_length(void)
{
	READ(P("REQUEST_METHOD", "POST"), P("REQUEST_URI", "/x"), P("CONTENT_LENGTH", "-1"));
	CU_ASSERT_EQUAL(err, ERR_BAD_REQUEST);
}

static void finds_https(void)
{
	static const struct {
		const char *https, *scheme, *port;
		bool want;
	} rows[] = {{"on", "", "", true},	{"off", "https", "443", false}, {"", "https", "80", true},
		    {"", "http", "443", false}, {"", "", "443", true},		{"", "", "80", false}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		READ(P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/"), {STR("HTTPS"), str_of(rows[i].https)},
		     {STR("REQUEST_SCHEME"), str_of(rows[i].scheme)}, {STR("SERVER_PORT"), str_of(rows[i].port)});
		UNIT_ROW(err == ERR_NONE && r.https == rows[i].want, rows[i].port);
	}
}

static void finds_cookies(void)
{
	static const struct {
		const char *header;
		unsigned found;
		const char *value;
	} rows[] = {
		{"sso=a", 1, "a"},	  {"x=1; sso=a; y=2", 1, "a"},
		{"sso=a; sso=a", 1, "a"}, {"sso=a; sso=b", 2, "a"},
		{"xsso=a", 0, NULL},	  {"SSO=a", 0, NULL},
		{"sso", 0, NULL},	  {"sso=", 1, ""},
		{"sso=\"a\"", 1, "a"},	  {";", 0, NULL},
		{"=", 0, NULL},		  {"a", 0, NULL},
		{"sso =a", 0, NULL},	  {"  sso=a  ", 1, "a"},
		{"sso=a=b", 1, "a=b"},	  {"", 0, NULL},
		{"sso=\"", 1, "\""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str value = STR_NONE;
		UNIT_ROW(cookie_find(str_of(rows[i].header), STR("sso"), &value) == rows[i].found, rows[i].header);
		UNIT_STR_EQ(value, str_of(rows[i].value), rows[i].header);
	}
}

static void prints_cookies(void)
{
	char text[256];
	struct buf b = buf_over(text, sizeof text);
	struct cookie_attributes a = {.path = STR("/"), .same_site = "Lax", .secure = true, .max_age = 60};
	cookie_print(&b, STR("__Host-auth"), STR("t"), &a);
	UNIT_STR_EQ(buf_str(&b), STR("__Host-auth=t; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"), "set");
}

static void replies(void)
{
	static char memory[REPLY_MAX];
	struct reply r = {.out = buf_over(memory, sizeof memory)};
	reply_begin(&r, 200);
	CU_ASSERT(reply_header(&r, "Variable-A", STR("x")));
	CU_ASSERT(!reply_header(&r, "Variable-B", STR("x\r\nSet-Cookie: a=b")));
	CU_ASSERT(!reply_header(&r, "Variable-C", STR("x\ny")));
	CU_ASSERT(!reply_header(&r, "Variable-D", STR("\x7f")));
	static char longest[REPLY_LINE_MAX];
	memset(longest, 'x', sizeof longest);
	CU_ASSERT(!reply_header(&r, "Variable-E", (struct str){longest, sizeof longest - 14}));
	CU_ASSERT(reply_header(&r, "Variable-E", (struct str){longest, 3}));
	reply_end(&r);
	UNIT_STR_EQ(buf_str(&r.out), STR("Status: 200 OK\r\nVariable-A: x\r\nVariable-E: xxx\r\n\r\n"), "reply");
	reply_begin(&r, 401);
	reply_body(&r, "text/plain", STR("no"));
	UNIT_STR_EQ(buf_str(&r.out),
		    STR("Status: 401 Unauthorized\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno"),
		    "with a body");
	unsigned added = 0;
	reply_begin(&r, 200);
	while (reply_header(&r, "Variable-F", (struct str){longest, 3000}))
		added++;
	CU_ASSERT(added == 10 && !r.out.full);
}

static void negotiates(void)
{
	static const struct {
		const char *method, *mode, *accept, *with;
		bool navigation;
	} rows[] = {
		{"GET", "navigate", "", "", true},
		{"HEAD", "navigate", "", "", true},
		{"POST", "navigate", "text/html", "", false},
		{"GET", "cors", "text/html", "", false},
		{"GET", "", "text/html,*/*", "", true},
		{"GET", "", "text/html", "XMLHttpRequest", false},
		{"GET", "", "*/*", "", false},
		{"GET", "", "application/json", "", false},
		{"GET", "no-cors", "*/*", "", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		READ({STR("REQUEST_METHOD"), str_of(rows[i].method)}, P("REQUEST_URI", "/"),
		     {STR("HTTP_SEC_FETCH_MODE"), str_of(rows[i].mode)}, {STR("HTTP_ACCEPT"), str_of(rows[i].accept)},
		     {STR("HTTP_X_REQUESTED_WITH"), str_of(rows[i].with)});
		UNIT_ROW(err == ERR_NONE && negotiate_navigation(&r) == rows[i].navigation, rows[i].accept);
	}
}

/* A handshake opens a connection, no page: it is never sent to the login. */
static void handshakes(void)
{
	static const struct {
		const char *method, *upgrade, *key;
		bool websocket;
	} rows[] = {
		{"GET", "websocket", "x", true},    {"GET", "WebSocket", "", true}, {"GET", "h2c, websocket", "", true},
		{"GET", "", "dGhlIHNhbXBsZQ==", true}, {"GET", "h2c", "", false},   {"GET", "", "", false},
		{"POST", "websocket", "x", false},  {"GET", "websockets", "", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		READ({STR("REQUEST_METHOD"), str_of(rows[i].method)}, P("REQUEST_URI", "/"),
		     {STR("HTTP_UPGRADE"), str_of(rows[i].upgrade)},
		     {STR("HTTP_SEC_WEBSOCKET_KEY"), str_of(rows[i].key)}, P("HTTP_ACCEPT", "text/html"));
		UNIT_ROW(err == ERR_NONE && r.websocket == rows[i].websocket, rows[i].upgrade);
		UNIT_ROW(negotiate_navigation(&r) == (!r.websocket && str_eq(r.method, STR("GET"))), rows[i].upgrade);
	}
}

/* What Apache's .htaccess hands to CGI programs, and only to them. */
static void reads_redirected_authorization(void)
{
	static const struct {
		enum asked asked;
		const char *header, *redirected, *name, *expected;
	} rows[] = {
		{ASKED_CGI, NULL, "Bearer a", "REDIRECT_HTTP_AUTHORIZATION", "Bearer a"},
		{ASKED_CGI, "", "Bearer a", "REDIRECT_HTTP_AUTHORIZATION", "Bearer a"},
		{ASKED_CGI, "Bearer b", "Bearer a", "REDIRECT_HTTP_AUTHORIZATION", "Bearer b"},
		{ASKED_CGI, NULL, "Bearer a", "HTTP_REDIRECT_HTTP_AUTHORIZATION", ""},
		{ASKED_AUTHORIZER, NULL, "Bearer a", "REDIRECT_HTTP_AUTHORIZATION", ""},
		{ASKED_UNKNOWN, NULL, "Bearer a", "REDIRECT_HTTP_AUTHORIZATION", ""},
		{ASKED_HTTP, NULL, "Bearer a", "REDIRECT_HTTP_AUTHORIZATION", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct param params[] = {P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/"),
					 {str_of(rows[i].name), str_of(rows[i].redirected)},
					 {STR("HTTP_AUTHORIZATION"), str_of(rows[i].header)}};
		struct incoming in = {.params = params, .n_params = rows[i].header ? 4 : 3, .asked = rows[i].asked};
		struct request r;
		const char *why;
		CU_ASSERT_EQUAL(request_read(arena, &in, 1, &r, &why), ERR_NONE);
		UNIT_ROW(str_eq(r.authorization, str_of(rows[i].expected)), rows[i].name);
	}
}

/* 204 is no allow, or the web server says that the client will have it. */
static void takes_preflights(void)
{
	static const struct {
		enum asked asked;
		const char *parameter;
		bool takes;
	} rows[] = {
		{ASKED_AUTHORIZER, "", true}, {ASKED_CGI, "", true},	       {ASKED_UNKNOWN, "", false},
		{ASKED_UNKNOWN, "on", false}, {ASKED_UNKNOWN, "answer", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct param params[] = {P("REQUEST_METHOD", "OPTIONS"), P("REQUEST_URI", "/"),
					 {STR("AUTH_PREFLIGHT"), str_of(rows[i].parameter)},
					 P("HTTP_AUTH_PREFLIGHT", "answer")};
		struct incoming in = {.params = params, .n_params = 4, .asked = rows[i].asked};
		struct request r;
		const char *why;
		CU_ASSERT_EQUAL(request_read(arena, &in, 1, &r, &why), ERR_NONE);
		UNIT_ROW(r.takes_preflight == rows[i].takes, rows[i].parameter);
	}
}

/* By the web server, in one word, once. */
static void wants_to_keep(void)
{
	static const struct {
		const char *name, *value, *again;
		bool wants, good;
	} rows[] = {
		{"AUTH_CACHE_WANTED", "1", "1", true, true},   {"AUTH_CACHE_WANTED", "0", "0", false, true},
		{"AUTH_CACHE_WANTED", "yes", "yes", false, true}, {"AUTH_CACHE_WANTED", "1", "0", false, false},
		{"HTTP_AUTH_CACHE_WANTED", "1", "1", false, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct param params[] = {P("REQUEST_METHOD", "GET"), P("REQUEST_URI", "/"),
					 {str_of(rows[i].name), str_of(rows[i].value)},
					 {str_of(rows[i].name), str_of(rows[i].again)}};
		struct incoming in = {.params = params, .n_params = 4};
		struct request r;
		const char *why;
		bool good = request_read(arena, &in, 1, &r, &why) == ERR_NONE;
		UNIT_ROW(good == rows[i].good && (!good || r.cache_wanted == rows[i].wants), rows[i].value);
	}
}

static void same_origin(void)
{
	static const struct {
		const char *origin, *site;
		bool same;
	} rows[] = {
		{"", "", false},
		{"", "same-origin", true},
		{"", "none", false},
		{"", "same-site", false},
		{"", "cross-site", false},
		{"https://app.test", "", true},
		{"https://app.test", "same-origin", true},
		{"http://app.test", "", false},
		{"https://evil.test", "same-origin", false},
		{"null", "", false},
		{"https://app.test.evil", "", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		READ(P("REQUEST_METHOD", "POST"), P("REQUEST_URI", "/"), P("HTTP_HOST", "app.test"), P("HTTPS", "on"),
		     {STR("HTTP_ORIGIN"), str_of(rows[i].origin)}, {STR("HTTP_SEC_FETCH_SITE"), str_of(rows[i].site)});
		UNIT_ROW(err == ERR_NONE && negotiate_same_origin(&r) == rows[i].same, rows[i].origin);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"reads", reads},
		{"absolute form", reads_absolute_form},
		{"joins cookies", joins_cookies},
		{"equal twins", same_twin_is_one},
		{"refuses twins", refuses_twins},
		{"no target", refuses_without_target},
		{"no method", refuses_without_method},
		{"bad path", refuses_bad_path},
		{"effective path", reads_the_effective_path},
		{"effective path of a client", clients_choose_no_effective_path},
		{"bad length", refuses_bad_length},
		{"https", finds_https},
		{"finds cookies", finds_cookies},
		{"prints cookies", prints_cookies},
		{"replies", replies},
		{"navigation", negotiates},
		{"handshakes", handshakes},
		{"preflights", takes_preflights},
		{"authorization behind a redirect", reads_redirected_authorization},
		{"verdicts that are kept", wants_to_keep},
		{"same origin", same_origin},
		{NULL, NULL},
	};
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("request", cases);
	arena_close(&arena);
	return status;
}
