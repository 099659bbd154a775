/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of other origins: who is told what, and which configurations are refused. */
#include "policy/cors.h"

#include <string.h>

#include "folder.h"
#include "http/url.h"
#include "policy/runtime.h"
#include "unit.h"

#define ISSUER "[issuer \"main\"]\nalgorithms = HS256\nsecret = text:0123456789abcdef0123456789abcdef\ncookie = sso\n"

static struct folder folder;
static struct arena *arena;
static struct snapshot *snapshot;

static bool load(const char *text, struct conf_error *error)
{
	folder_write(&folder, "conf", str_of(text));
	error->text[0] = '\0';
	return snapshot_open(folder_file(&folder, "conf"), 1, &snapshot, error);
}

static void load_site(void)
{
	struct conf_error error;
	CU_ASSERT_FATAL(load(ISSUER "[policy \"app\"]\npath = /app/**\n"
				    "cors-origin = https://a.test, http://b.test:8080\ncors-headers = X-Own\n"
				    "[policy \"open\"]\npath = /open/**\ntoken-from = bearer\ncors-origin = *\n"
				    "[policy \"closed\"]\npath = /**\n",
			     &error));
}

static struct request ask(const char *path, const char *effective, const char *origin)
{
	struct request r = {.method = STR("OPTIONS"),
			    .host = STR("site.test"),
			    .path = str_of(path),
			    .bare_path = str_of(path),
			    .effective_path = str_of(effective),
			    .bare_effective_path = str_of(effective),
			    .origin = str_of(origin),
			    .requested_method = STR("PUT"),
			    .takes_preflight = true};
	return r;
}

static void lists_origins(void)
{
	static const struct {
		const char *path, *effective, *origin, *want;
	} rows[] = {
		{"/app/x", NULL, "https://a.test", "https://a.test"},
		{"/app/x", NULL, "HTTPS://A.Test", "HTTPS://A.Test"},
		{"/app/x", NULL, "http://b.test:8080", "http://b.test:8080"},
		{"/app/x", NULL, "http://a.test", NULL},
		{"/app/x", NULL, "https://a.test:443", NULL},
		{"/app/x", NULL, "https://a.test.evil.test", NULL},
		{"/app/x", NULL, "https://evil.test#https://a.test", NULL},
		{"/app/x", NULL, "https://a.tes", NULL},
		{"/app/x", NULL, "null", NULL},
		{"/app/x", NULL, "", NULL},
		{"/app/x", NULL, NULL, NULL},
		{"/open/x", NULL, "https://any.test", "*"},
		{"/open/x", NULL, "null", "*"},
		{"/open/x", NULL, NULL, NULL},
		{"/x", NULL, "https://a.test", NULL},
		/* A rewrite lends nobody's origins. */
		{"/x", "/app/x", "https://a.test", NULL},
		{"/app/x", "/x", "https://a.test", NULL},
		{"/app/x", "/open/x", "https://a.test", "*"},
		{"/open/x", "/app/x", "https://c.test", NULL},
	};
	load_site();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = ask(rows[i].path, rows[i].effective, rows[i].origin);
		struct str origin = STR_NONE;
		const struct policy *policy = NULL;
		UNIT_STR_EQ(cors_origin(snapshot, &r), str_of(rows[i].want), rows[i].path);
		bool answered = cors_preflight(snapshot, &r, &origin, &policy);
		UNIT_ROW(answered == (rows[i].want != NULL) && answered == (policy != NULL), rows[i].path);
		UNIT_STR_EQ(origin, str_of(rows[i].want), rows[i].path);
	}
	snapshot_close(&snapshot);
}

/* What is no preflight, and where its answer would be an allow. */
static void answers_preflights_alone(void)
{
	const struct policy *policy;
	struct str origin;
	load_site();
	struct request r = ask("/app/x", NULL, "https://a.test");
	CU_ASSERT(cors_preflight(snapshot, &r, &origin, &policy));
	r.method = STR("GET");
	CU_ASSERT(!cors_preflight(snapshot, &r, &origin, &policy));
	r = ask("/app/x", NULL, "https://a.test");
	r.requested_method = STR_NONE;
	CU_ASSERT(!cors_preflight(snapshot, &r, &origin, &policy));
	r = ask("/app/x", NULL, "https://a.test");
	r.takes_preflight = false;
	CU_ASSERT(!cors_preflight(snapshot, &r, &origin, &policy));
	snapshot_close(&snapshot);
}

static void prints_answers(void)
{
	static const struct {
		const char *path, *method, *want;
	} rows[] = {
		{"/app/x", "PUT",
		 "Status: 204 No Content\r\nAccess-Control-Allow-Origin: https://a.test\r\n"
		 "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
		 "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
		 "Access-Control-Allow-Headers: X-Own\r\nAccess-Control-Max-Age: 600\r\n\r\n"},
		{"/open/x", "PROPFIND",
		 "Status: 204 No Content\r\nAccess-Control-Allow-Origin: *\r\nVary: Origin\r\n"
		 "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND\r\n"
		 "Access-Control-Allow-Headers: Authorization, Content-Type\r\nAccess-Control-Max-Age: 600\r\n\r\n"},
		{"/open/x", "A B\r\nX: y",
		 "Status: 204 No Content\r\nAccess-Control-Allow-Origin: *\r\nVary: Origin\r\n"
		 "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
		 "Access-Control-Allow-Headers: Authorization, Content-Type\r\nAccess-Control-Max-Age: 600\r\n\r\n"},
	};
	static char memory[REPLY_MAX];
	load_site();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct reply reply = {.out = buf_over(memory, sizeof memory)};
		struct request r = ask(rows[i].path, NULL, "https://a.test");
		const struct policy *policy;
		struct str origin;
		r.requested_method = str_of(rows[i].method);
		CU_ASSERT_FATAL(cors_preflight(snapshot, &r, &origin, &policy));
		cors_answer(arena, &r, policy, origin, &reply);
		UNIT_STR_EQ(buf_str(&reply.out), str_of(rows[i].want), rows[i].path);
		CU_ASSERT(reply.in_body);
	}
	snapshot_close(&snapshot);
}

static void refuses(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"cors-origin = a.test\n", ":6: cors-origin: \"a.test\" is no origin"},
		{"cors-origin = https://a.test/\n", ":6: cors-origin: \"https://a.test/\" is no origin"},
		{"cors-origin = https://A.test\n", ":6: cors-origin: "},
		{"cors-origin = https://*.a.test\n", ":6: cors-origin: "},
		{"cors-origin = https://a.test:443\n", ":6: cors-origin: "},
		{"cors-origin = http://a.test:80\n", ":6: cors-origin: "},
		{"cors-origin = null\n", ":6: cors-origin: \"null\" is no origin"},
		{"cors-origin = *\n", ":6: cors-origin: * would show what a user's cookie opens"},
		{"cors-origin = https://a.test, *\n", ":6: cors-origin: * is every origin: let it stand alone"},
		{"cors-headers = X Y\n", ":6: cors-headers: \"X Y\" is no name of a header"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[512];
		struct conf_error error;
		struct buf b = buf_over(text, sizeof text);
		buf_printf(&b, ISSUER "[policy \"a\"]\n%s", rows[i].text);
		bool good = load(buf_z(&b), &error);
		UNIT_ROW(!good && strstr(error.text, rows[i].says), good ? rows[i].text : error.text);
		if (good)
			snapshot_close(&snapshot);
	}
}

/* Each cookie that a cross-site page's handshake takes along opens a connection that it can read. */
static void handshakes_with_cookies_have_an_origin(void)
{
	static const struct {
		const char *origin;
		bool https, good;
	} rows[] = {
		{"https://site.test", true, true},
		{"https://SITE.test", true, true},
		{"http://site.test", true, false},
		{"http://site.test", false, true},
		{"https://a.test", true, true},
		{"https://evil.test", true, false},
		{"https://site.test.evil.test", true, false},
		{"null", true, false},
		{NULL, true, false},
		{"", true, false},
	};
	load_site();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.websocket = true, .https = rows[i].https, .authority = STR("site.test"),
				    .origin = str_of(rows[i].origin)};
		struct str why = STR_NONE;
		enum err err = access_check_websocket(&snapshot->policies[0], &r, &why);
		UNIT_ROW(err == (rows[i].good ? ERR_NONE : ERR_RULE_FAILED), rows[i].origin ? rows[i].origin : "none");
		UNIT_STR_EQ(why, rows[i].good ? STR_NONE : STR("websocket from another origin"), "why");
		r.websocket = false;
		CU_ASSERT_EQUAL(access_check_websocket(&snapshot->policies[0], &r, &why), ERR_NONE);
	}
	snapshot_close(&snapshot);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"origins", lists_origins},
		{"preflights alone", answers_preflights_alone},
		{"answers", prints_answers},
		{"refuses", refuses},
		{"handshakes", handshakes_with_cookies_have_an_origin},
		{NULL, NULL},
	};
	folder_open(&folder);
	int status = token_start() && arena_open(1 << 20, &arena) ? unit_main("cors", cases) : 1;
	arena_close(&arena);
	folder_close(&folder);
	return status;
}
