/* SPDX-License-Identifier: Apache-2.0 */
/* Taking the path apart, and refusing as a page or as JSON. */
#include "policy/call.h"

#include <string.h>

#include "unit.h"

static struct login_conf login = {.title = {{"Site", 4}, "", 0}};
static struct logout_conf logout = {.return_to = {{"/", 1}, "", 0}};
static struct snapshot snapshot = {.login = &login, .logout = &logout};
static struct worker worker = {.snapshot = &snapshot};
static struct page_set pages;
static char memory[REPLY_MAX];

static void paths(void)
{
	static const struct {
		const char *path, *mount, *segment;
	} rows[] = {
		{"/login", "/", "login"},
		{"/auth/login", "/auth/", "login"},
		{"/auth/login/", "/auth/", "login"},
		{"/", "/", ""},
		{NULL, "/", ""},
		{"/a b/\"x\"/login", "/a%20b/%22x%22/", "login"},
		{"/evil.example/login", "/evil.example/", "login"},
		{"/auth/lo gin", "/auth/", "lo gin"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request request = {.path = str_of(rows[i].path)};
		struct call call;
		arena_reset(worker.arena);
		CU_ASSERT_FATAL(call_open(&worker, &request, NULL, &call));
		UNIT_STR_EQ(call.mount, str_of(rows[i].mount), "mount");
		UNIT_STR_EQ(call.segment, str_of(rows[i].segment), "segment");
	}
}

static void cross_site(void)
{
	static const struct {
		const char *origin, *site;
		bool https, cross;
	} rows[] = {
		{NULL, NULL, true, false},
		{"", "", true, false},
		{"https://a.example", NULL, true, false},
		{"https://a.example", "same-origin", true, false},
		{NULL, "same-origin", true, false},
		{"http://a.example", NULL, true, true},
		{"https://a.example", NULL, false, true},
		{"https://b.example", NULL, true, true},
		{"null", NULL, true, true},
		{"https://a.example", "cross-site", true, true},
		{"https://a.example", "same-site", true, true},
		{NULL, "none", true, true},
		{NULL, "cross-site", true, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request request = {.authority = STR("a.example"), .https = rows[i].https,
					  .origin = str_of(rows[i].origin), .sec_fetch_site = str_of(rows[i].site)};
		struct call call = {.request = &request};
		UNIT_ROW(call_is_cross_site(&call) == rows[i].cross, rows[i].origin ? rows[i].origin : "no origin");
	}
}

static struct reply refuse(const char *accept, enum err err, struct str login_url)
{
	struct request request = {.method = STR("GET"), .accept = str_of(accept), .id = "0123456789abcdef"};
	struct reply reply = {.out = buf_over(memory, sizeof memory)};
	struct call call;
	arena_reset(worker.arena);
	CU_ASSERT_FATAL(call_open(&worker, &request, &reply, &call));
	call.login_url = login_url;
	call_refuse(&call, err);
	CU_ASSERT(reply.in_body && reply.status == err_row(err)->status);
	return reply;
}

static bool has(const struct reply *reply, const char *text)
{
	return memmem(reply->out.p, reply->out.n, text, strlen(text)) != NULL;
}

static void refusals(void)
{
	struct reply reply = refuse("application/json", ERR_TOKEN_EXPIRED, STR("/auth/login"));
	CU_ASSERT(has(&reply, "Status: 401 Unauthorized\r\n") && has(&reply, "\r\nContent-Type: application/json\r\n"));
	CU_ASSERT(has(&reply, "\r\nWWW-Authenticate: Bearer realm=\"fcgi-auth\", error=\"invalid_token\", "
			      "error_description=\"Token has expired\"\r\n"));
	CU_ASSERT(has(&reply, "\"login_url\":\"/auth/login\"") && has(&reply, "\r\nCache-Control: no-store\r\n"));
	reply = refuse("text/html", ERR_NO_TOKEN, STR("/auth/login"));
	CU_ASSERT(has(&reply, "\r\nContent-Type: text/html") && has(&reply, "href=\"/auth/login\">"));
	CU_ASSERT(has(&reply, "\r\nWWW-Authenticate: Bearer realm=\"fcgi-auth\"\r\n"));
	reply = refuse("*/*", ERR_STORE, STR_NONE);
	CU_ASSERT(has(&reply, "Status: 503 Service Unavailable\r\n") && has(&reply, "\r\nRetry-After: "));
	CU_ASSERT(!has(&reply, "WWW-Authenticate") && !has(&reply, "login_url"));
}

static void refusals_for_a_while(void)
{
	for (unsigned html = 0; html < 2; html++) {
		struct request request = {.method = STR("POST"), .accept = html ? STR("text/html") : STR("*/*")};
		struct reply reply = {.out = buf_over(memory, sizeof memory)};
		struct call call;
		arena_reset(worker.arena);
		CU_ASSERT_FATAL(call_open(&worker, &request, &reply, &call));
		call_refuse_later(&call, ERR_ACCOUNT_LOCKED, 812);
		CU_ASSERT(has(&reply, "Status: 423 Locked\r\n") && has(&reply, "\r\nRetry-After: 812\r\n"));
		CU_ASSERT(has(&reply, html ? "in a quarter of an hour." : "\"account_locked\""));
	}
}

static void head_has_no_body(void)
{
	struct reply reply = refuse("*/*", ERR_NOT_FOUND, STR_NONE);
	call_cut_body(&reply);
	CU_ASSERT(str_ends(buf_str(&reply.out), STR("\r\n\r\n")));
	CU_ASSERT(has(&reply, "\r\nContent-Length: ") && !has(&reply, "not_found"));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"paths", paths},
		{"cross-site", cross_site},
		{"refusals", refusals},
		{"refusals for a while", refusals_for_a_while},
		{"HEAD has no body", head_has_no_body},
		{NULL, NULL},
	};
	char text[256];
	struct buf why = buf_over(text, sizeof text);
	struct arena *kept = NULL;
	if (!arena_open(1 << 18, &worker.arena) || !arena_open(1 << 20, &kept))
		return 1;
	if (!page_set_open(kept, &(struct page_own){NULL, NULL}, &pages, &why))
		return 1;
	snapshot.pages = &pages;
	int status = unit_main("call", cases);
	arena_close(&kept);
	arena_close(&worker.arena);
	return status;
}
