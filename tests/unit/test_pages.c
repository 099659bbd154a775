/* SPDX-License-Identifier: Apache-2.0 */
/* The pages: what is foreign is escaped, headers are strict, a page is whole or is not sent. */
#include "policy/pages.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const struct conf_text origins[] = {{{"https://wiki.example", 20}, "", 0},
					   {{"https://b.example:8443", 22}, "", 0}};
static struct login_conf login = {.return_origins = {origins, 2}, .title = {{"A & <B>", 7}, "", 0}, .password_min = 9};
static struct logout_conf logout = {.return_to = {{"https://www.example/bye", 23}, "", 0}};
static struct snapshot snapshot = {.login = &login, .logout = &logout};
static struct worker worker = {.snapshot = &snapshot};
static struct page_set pages;
static char memory[REPLY_MAX];
static const struct param german[] = {{{"HTTP_ACCEPT_LANGUAGE", 20}, {"fr, de-AT;q=0.8, en;q=0.5", 25}}};
static struct request request = {.path = {"/auth/login", 11}, .id = "0123456789abcdef"};

static struct reply new_reply(void)
{
	static struct arena *kept = NULL;
	struct reply reply = {.out = buf_over(memory, sizeof memory)};
	if (worker.arena)
		arena_reset(worker.arena);
	else if (!arena_open(1 << 19, &worker.arena) || !arena_open(1 << 20, &kept))
		abort();
	if (!snapshot.pages) {
		char text[256];
		struct buf why = buf_over(text, sizeof text);
		if (!page_set_open(kept, &(struct page_own){NULL, NULL}, &pages, &why))
			abort();
		snapshot.pages = &pages;
	}
	return reply;
}

static bool has(const struct reply *reply, const char *text)
{
	return memmem(reply->out.p, reply->out.n, text, strlen(text)) != NULL;
}

static struct str body_of(const struct reply *reply)
{
	const char *end = memmem(reply->out.p, reply->out.n, "\r\n\r\n", 4);
	return end ? str_skip(buf_str(&reply->out), (size_t)(end - reply->out.p) + 4) : STR_NONE;
}

static void login_page(void)
{
	struct reply reply = new_reply();
	struct call call = {.worker = &worker, .request = &request};
	struct csrf csrf = {.cookie = STR("1.2.3"), .field = STR("F\""), .fresh = true};
	struct page *page = page_open(&worker, &request, "login");
	page_text(page, "rd", STR("/x\"><i>&'"));
	page_text(page, "user", STR("<u>\"'"));
	page_say(page, "Wrong <password>");
	page_form(&call, page, &csrf);
	page_send(page, &reply, 401);
	CU_ASSERT(reply.in_body && reply.status == 401);
	CU_ASSERT(has(&reply, "Sign in – A &amp; &lt;B&gt;</title>") && has(&reply, "<p>A &amp; &lt;B&gt;</p>"));
	CU_ASSERT(has(&reply, "name=\"rd\" value=\"/x&quot;&gt;&lt;i&gt;&amp;&#39;\""));
	CU_ASSERT(has(&reply, "value=\"&lt;u&gt;&quot;&#39;\""));
	CU_ASSERT(has(&reply, "role=\"alert\">Wrong &lt;password&gt;</p>"));
	CU_ASSERT(has(&reply, "name=\"csrf\" value=\"F&quot;\"") && has(&reply, "\r\nSet-Cookie: auth-csrf=1.2.3;"));
	CU_ASSERT(!has(&reply, "<i>") && !has(&reply, "<u>"));
}

static void page_without_the_optional(void)
{
	struct reply reply = new_reply();
	page_send(page_open(&worker, &request, "login"), &reply, 200);
	CU_ASSERT(!has(&reply, "name=\"rd\"") && !has(&reply, "role=\"alert\"") && !has(&reply, "Set-Cookie"));
	CU_ASSERT(has(&reply, "autocomplete=\"username\"") && has(&reply, "autocomplete=\"current-password\""));
	CU_ASSERT(has(&reply, "action=\"./login\"") && !has(&reply, "{{"));
}

static void headers(void)
{
	struct reply reply = new_reply();
	page_send(page_open(&worker, &request, "logout"), &reply, 200);
	CU_ASSERT(has(&reply, "\r\nCache-Control: no-store\r\n"));
	CU_ASSERT(has(&reply, "\r\nX-Content-Type-Options: nosniff\r\n"));
	CU_ASSERT(has(&reply, "\r\nReferrer-Policy: same-origin\r\n") && has(&reply, "\r\nX-Frame-Options: DENY\r\n"));
	CU_ASSERT(has(&reply, "\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-"));
	CU_ASSERT(has(&reply, "'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https://wiki.example "
			      "https://b.example:8443 https://www.example\r\n"));
	CU_ASSERT(has(&reply, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
}

static struct reply message(struct str detail, struct str link)
{
	struct reply reply = new_reply();
	struct page *page = page_open(&worker, &request, "message");
	page_text(page, "heading", STR("Not allowed"));
	page_text(page, "text", STR("Not <allowed>"));
	page_text(page, "detail", detail);
	page_text(page, "link", link);
	page_text(page, "link_text", STR("Use another account"));
	page_send(page, &reply, 403);
	return reply;
}

static void messages_stay_small(void)
{
	static char quotes[4000];
	memset(quotes, '"', sizeof quotes);
	struct reply reply = message((struct str){quotes, 150}, (struct str){quotes, 300});
	CU_ASSERT(reply.in_body && body_of(&reply).n < 8000 && has(&reply, "href=\"&quot;"));
	CU_ASSERT(has(&reply, "Not &lt;allowed&gt;") && has(&reply, "0123456789abcdef"));
	reply = message((struct str){quotes, sizeof quotes}, (struct str){quotes, sizeof quotes});
	CU_ASSERT(reply.in_body && body_of(&reply).n < 8000 && !has(&reply, "<a ") && !has(&reply, "&quot;&quot;"));
}

static void lists(void)
{
	struct reply reply = new_reply();
	struct page *page = page_open(&worker, &request, "profile");
	const char *ids[] = {"one", "t<o", "three"};
	page_text(page, "csrf", STR("FIELD"));
	for (size_t i = 0; i < 3; i++) {
		struct page *item = page_item(page, "sessions");
		page_text(item, "id", str_of(ids[i]));
		page_flag(item, "current", i == 0);
	}
	page_send(page, &reply, 200);
	CU_ASSERT(!has(&reply, "name=\"session\" value=\"one\"") && has(&reply, "name=\"session\" value=\"t&lt;o\""));
	CU_ASSERT(has(&reply, "name=\"session\" value=\"three\"") && has(&reply, "name=\"others\" value=\"1\""));
	size_t n = 0;
	for (const char *at = memory; (at = memmem(at, (size_t)(memory + reply.out.n - at), "FIELD", 5)); at++)
		n++;
	CU_ASSERT_EQUAL(n, 3);
}

static void languages(void)
{
	struct request reader = request;
	reader.params = german;
	reader.n_params = 1;
	struct reply reply = new_reply();
	page_send(page_open(&worker, &reader, "login"), &reply, 200);
	CU_ASSERT(has(&reply, "<html lang=\"de\" dir=\"ltr\">") && has(&reply, "<h1>Anmelden</h1>"));
	reply = new_reply();
	struct page *page = page_open(&worker, &reader, "register");
	page_send(page, &reply, 200);
	CU_ASSERT(has(&reply, "Mindestens 9 Zeichen."));
	reply = new_reply();
	page_send(page_open(&worker, &request, "login"), &reply, 200);
	CU_ASSERT(has(&reply, "<html lang=\"en\" dir=\"ltr\">") && has(&reply, "<h1>Sign in</h1>"));
}

static void refusals(void)
{
	static char slashes[5000];
	memset(slashes, '<', sizeof slashes);
	(void)new_reply();
	UNIT_STR_EQ(page_refusal_json(worker.arena, ERR_TOKEN_EXPIRED, "0123", STR("/auth/login?a=<b>")),
		    STR("{\"error\":\"invalid_token\",\"detail\":\"Token has expired\",\"reason\":\"token_expired\","
			"\"request_id\":\"0123\",\"login_url\":\"/auth/login?a=\\u003cb\\u003e\"}\n"),
		    "a token's error");
	UNIT_STR_EQ(page_refusal_json(worker.arena, ERR_BAD_CREDENTIALS, "0123", STR_NONE),
		    STR("{\"error\":\"bad_credentials\",\"detail\":\"Invalid user name or password\","
			"\"reason\":\"bad_credentials\",\"request_id\":\"0123\"}\n"),
		    "without a login URL");
	UNIT_STR_EQ(page_refusal_json(worker.arena, ERR_NO_POLICY, "0123", (struct str){slashes, sizeof slashes}),
		    STR("{\"error\":\"no_policy\",\"detail\":\"Not allowed\",\"reason\":\"no_policy\","
			"\"request_id\":\"0123\"}\n"),
		    "a login URL that does not fit");
}

/* However little memory there is: a whole page, or none. */
static void no_arena_no_page(void)
{
	(void)new_reply();
	for (size_t size = 64; size <= 1 << 17; size += size < 8192 ? 64 : 8192) {
		struct reply reply = {.out = buf_over(memory, sizeof memory)};
		struct worker poor = {.snapshot = &snapshot};
		CU_ASSERT_FATAL(arena_open(size, &poor.arena));
		struct page *page = page_open(&poor, &request, "login");
		page_text(page, "user", STR("ruth"));
		page_text(page_item(page, "sessions"), "id", STR("x"));
		page_send(page, &reply, 200);
		bool whole = has(&reply, "value=\"ruth\"") && str_ends(body_of(&reply), STR("</html>\n"));
		CU_ASSERT(whole || !reply.in_body);
		arena_close(&poor.arena);
	}
}

static void done(void)
{
	arena_close(&worker.arena);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"login page", login_page},
		{"page without the optional", page_without_the_optional},
		{"headers", headers},
		{"messages stay small", messages_stay_small},
		{"lists", lists},
		{"languages", languages},
		{"refusals", refusals},
		{"no memory, no page", no_arena_no_page},
		{"close", done},
		{NULL, NULL},
	};
	return unit_main("pages", cases);
}
