/* SPDX-License-Identifier: Apache-2.0 */
/* The pages: what is foreign is escaped, headers are strict, the style is the one that the header names. */
#include "policy/pages.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const struct conf_text origins[] = {{{"https://wiki.example", 20}, "", 0},
					   {{"https://b.example:8443", 22}, "", 0}};
static struct login_conf login = {.return_origins = {origins, 2}, .title = {{"Site", 4}, "", 0}};
static struct logout_conf logout = {.return_to = {{"https://www.example/bye", 23}, "", 0}};
static struct snapshot snapshot = {.login = &login, .logout = &logout};
static struct worker worker = {.snapshot = &snapshot};
static char memory[REPLY_MAX];

static struct reply new_reply(void)
{
	struct reply reply = {.out = buf_over(memory, sizeof memory)};
	if (worker.arena)
		arena_reset(worker.arena);
	else if (!arena_open(1 << 18, &worker.arena))
		abort();
	return reply;
}

static bool has(const struct reply *reply, const char *text)
{
	return memmem(reply->out.p, reply->out.n, text, strlen(text)) != NULL;
}

static void style_has_its_hash(void)
{
	unsigned char digest[32];
	char text[64] = "sha256-";
	CU_ASSERT(EVP_Digest(page_style, strlen(page_style), digest, NULL, EVP_sha256(), NULL) == 1);
	EVP_EncodeBlock((unsigned char *)text + 7, digest, sizeof digest);
	UNIT_STR_EQ(str_of(page_style_hash), str_of(text), "hash of the style sheet");
	CU_ASSERT(strstr(page_style, "</") == NULL);
}

static void login_page(void)
{
	struct reply reply = new_reply();
	struct page_login page = {
		.title = STR("A & <B>"), .action = STR("./login"), .csrf = STR("F"), .cookie = STR("c=d"),
		.return_to = STR("/x\"><i>&'"), .user = STR("<u>\"'"), .message = "Wrong <password>",
	};
	page_login(&worker, &reply, 401, &page);
	CU_ASSERT(reply.in_body && reply.status == 401);
	CU_ASSERT(has(&reply, "<title>A &amp; &lt;B&gt;</title>") && has(&reply, "<h1>A &amp; &lt;B&gt;</h1>"));
	CU_ASSERT(has(&reply, "name=\"rd\" value=\"/x&quot;&gt;&lt;i&gt;&amp;&#39;\""));
	CU_ASSERT(has(&reply, "value=\"&lt;u&gt;&quot;&#39;\""));
	CU_ASSERT(has(&reply, "role=\"alert\">Wrong &lt;password&gt;</p>"));
	CU_ASSERT(has(&reply, "name=\"csrf\" value=\"F\"") && has(&reply, "\r\nSet-Cookie: c=d\r\n"));
	CU_ASSERT(!has(&reply, "<i>") && !has(&reply, "<u>"));
}

static void page_without_the_optional(void)
{
	struct reply reply = new_reply();
	struct page_login page = {.title = STR("T"), .action = STR("./login"), .csrf = STR("F")};
	page_login(&worker, &reply, 200, &page);
	CU_ASSERT(!has(&reply, "name=\"rd\"") && !has(&reply, "role=\"alert\"") && !has(&reply, "Set-Cookie"));
	CU_ASSERT(has(&reply, "autocomplete=\"username\"") && has(&reply, "autocomplete=\"current-password\""));
}

static void headers(void)
{
	struct reply reply = new_reply();
	struct page_logout page = {.csrf = STR("F"), .cookie = STR_NONE};
	page_logout(&worker, &reply, &page);
	CU_ASSERT(has(&reply, "\r\nCache-Control: no-store\r\n"));
	CU_ASSERT(has(&reply, "\r\nX-Content-Type-Options: nosniff\r\n"));
	CU_ASSERT(has(&reply, "\r\nReferrer-Policy: same-origin\r\n") && has(&reply, "\r\nX-Frame-Options: DENY\r\n"));
	CU_ASSERT(has(&reply, "\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-"));
	CU_ASSERT(has(&reply, "'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https://wiki.example "
			      "https://b.example:8443 https://www.example\r\n"));
	CU_ASSERT(has(&reply, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
}

static struct str body_of(const struct reply *reply)
{
	const char *end = memmem(reply->out.p, reply->out.n, "\r\n\r\n", 4);
	return end ? str_skip(buf_str(&reply->out), (size_t)(end - reply->out.p) + 4) : STR_NONE;
}

static void messages_stay_small(void)
{
	static char quotes[4000];
	memset(quotes, '"', sizeof quotes);
	struct reply reply = new_reply();
	struct page_message page = {
		.title = STR("T"),
		.heading = "H",
		.text = "Not <allowed>",
		.detail = {quotes, 150},
		.link = {quotes, 300},
		.link_text = "L",
		.request_id = "0123456789abcdef",
	};
	page_message(&worker, &reply, 403, &page);
	CU_ASSERT(reply.in_body && body_of(&reply).n < 8000 && has(&reply, "<a href=\"&quot;"));
	CU_ASSERT(has(&reply, "Not &lt;allowed&gt;") && has(&reply, "0123456789abcdef"));
	page.link.n = page.detail.n = sizeof quotes;
	reply = new_reply();
	page_message(&worker, &reply, 403, &page);
	CU_ASSERT(reply.in_body && body_of(&reply).n < 8000 && !has(&reply, "<a ") && !has(&reply, "&quot;"));
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

static void no_arena_no_page(void)
{
	struct reply reply = {.out = buf_over(memory, sizeof memory)};
	struct worker poor = {.snapshot = &snapshot};
	struct page_login page = {.title = STR("T"), .action = STR("./login"), .csrf = STR("F")};
	CU_ASSERT_FATAL(arena_open(64, &poor.arena));
	page_login(&poor, &reply, 200, &page);
	CU_ASSERT(!reply.in_body);
	arena_close(&poor.arena);
}

static void done(void)
{
	arena_close(&worker.arena);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"the style has its hash", style_has_its_hash},
		{"login page", login_page},
		{"page without the optional", page_without_the_optional},
		{"headers", headers},
		{"messages stay small", messages_stay_small},
		{"refusals", refusals},
		{"no memory, no page", no_arena_no_page},
		{"close", done},
		{NULL, NULL},
	};
	return unit_main("pages", cases);
}
