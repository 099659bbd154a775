/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies, texts and bodies of an auth server, and how many threads may ask it. */
#include "policy/upstream_internal.h"

#include <string.h>

#include "unit.h"

/* As STR, for what is laid out before the program runs. */
#define TEXT(literal) {literal, sizeof(literal) - 1}
#define LIST(items) {items, sizeof(items) / sizeof *(items)}

static const struct conf_text errors[] = {
	{TEXT("/detail"), "", 0}, {TEXT("/error"), "", 0}, {TEXT("/message"), "", 0}};
static const struct conf_text names[] = {{TEXT("session"), "", 0}, {TEXT("__Host-s"), "", 0}};
static const struct upstream_field fields[] = {{UPSTREAM_LOGIN, TEXT("username"), TEXT("email")}};
static const struct upstream_field extra[] = {{UPSTREAM_REGISTER, TEXT("age"), TEXT("age")},
					      {UPSTREAM_REGISTER, TEXT("more"), TEXT("more")}};
static const struct conf_text one[] = {{TEXT("x"), "", 0}}, two[] = {{TEXT("x"), "", 0}, {TEXT("y"), "", 0}};
static struct upstream_conf conf = {.error = LIST(errors), .pass_cookies = LIST(names), .fields = LIST(one),
				    .extra_fields = LIST(two)};
static const struct upstream upstream = {.conf = &conf, .fields = fields, .extra_fields = extra};
static struct login_conf login;
static struct snapshot snapshot = {.login = &login, .upstream = &upstream};
static struct worker worker = {.snapshot = &snapshot};

static void texts(void)
{
	static const struct {
		const char *json, *text; /* NULL: none */
	} rows[] = {
		{"{\"error\":\"Invalid credentials\"}", "Invalid credentials"},
		{"{\"detail\":\"a\",\"error\":\"b\"}", "a"},
		{"{\"detail\":null,\"error\":\"b\"}", "b"},
		{"{\"message\":\"Invalid email\",\"code\":\"X\"}", "Invalid email"},
		{"{\"detail\":[{\"loc\":[\"body\",\"email\"],\"msg\":\"field required\",\"type\":\"x\"},"
		 "{\"loc\":[\"body\"],\"msg\":\"bad\"}]}", "email: field required; bad"},
		{"{\"detail\":[\"one\",\"two\"]}", "one; two"},
		{"{\"error\":{\"message\":\"inner\"}}", "inner"},
		{"{\"error\":5}", NULL},
		{"{\"error\":\"\"}", NULL},
		{"{\"error\":\"a\\nTraceback\"}", NULL},
		{"{\"error\":\"<h1>Oops</h1>\"}", NULL},
		{"{\"other\":\"x\"}", NULL},
		{"[]", NULL},
		{"null", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *json;
		arena_reset(worker.arena);
		CU_ASSERT_FATAL(json_parse(worker.arena, str_of(rows[i].json), &json));
		UNIT_STR_EQ(upstream_error_text(worker.arena, &upstream, json), str_of(rows[i].text), rows[i].json);
	}
}

static void long_texts(void)
{
	char text[600];
	struct buf b = buf_over(text, sizeof text);
	const struct json *json;
	arena_reset(worker.arena);
	buf_add(&b, STR("{\"error\":\""));
	for (int i = 0; i < 400; i++)
		buf_char(&b, 'x');
	buf_add(&b, STR("\"}"));
	CU_ASSERT_FATAL(json_parse(worker.arena, buf_str(&b), &json));
	CU_ASSERT_PTR_NULL(upstream_error_text(worker.arena, &upstream, json).p);
}

static void cookies(void)
{
	static const struct {
		const char *line, *name, *value, *printed; /* NULL: no cookie */
		bool ends;
	} rows[] = {
		{"session=a%2Bb; Path=/; HttpOnly; SameSite=Lax", "session", "a%2Bb",
		 "session=a%2Bb; Path=/; HttpOnly; SameSite=Lax", false},
		{" s = v ;path=/x; secure;samesite=strict;max-age=60;domain=evil.example", "s", "v",
		 "s=v; Path=/x; Max-Age=60; Secure; HttpOnly; SameSite=Strict", false},
		{"s=v; Expires=Thu, 01 Jan 2099 00:00:00 GMT; SameSite=odd; Path=evil", "s", "v",
		 "s=v; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT; HttpOnly; SameSite=Lax", false},
		{"__Host-s=v; Path=/x", "__Host-s", "v", "__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Lax", false},
		{"s=; Max-Age=0", "s", "", "s=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", true},
		{"s=v; Max-Age=-1", "s", "v", "s=v; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", true},
		{"s", NULL, NULL, NULL, false},
		{"", NULL, NULL, NULL, false},
		{"=v", NULL, NULL, NULL, false},
		{"a b=v", NULL, NULL, NULL, false},
		{"s=a b", NULL, NULL, NULL, false},
		{"s=a\tb", NULL, NULL, NULL, false},
	};
	const struct request request = {0};
	const struct call call = {.worker = &worker, .request = &request};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct upstream_cookie cookie;
		arena_reset(worker.arena);
		bool good = upstream_cookie_parse(str_of(rows[i].line), &cookie);
		UNIT_ROW(good == (rows[i].name != NULL), rows[i].line);
		if (!good || !rows[i].name)
			continue;
		struct buf b = arena_buf(worker.arena, 1000);
		upstream_cookie_print(&call, &cookie, &b);
		UNIT_STR_EQ(cookie.name, str_of(rows[i].name), rows[i].line);
		UNIT_STR_EQ(cookie.value, str_of(rows[i].value), rows[i].line);
		UNIT_STR_EQ(buf_str(&b), str_of(rows[i].printed), rows[i].line);
		UNIT_ROW(cookie.ends == rows[i].ends, rows[i].line);
	}
}

static void which_cookies_pass(void)
{
	static const struct {
		const char *name;
		bool passes;
	} rows[] = {{"session", true},	  {"session.0", true},	 {"session.99", true}, {"session.100", false},
		    {"session.01", false}, {"session.", false},	 {"session.x", false}, {"session-x", false},
		    {"sessio", false},	  {"__Host-s", true}, {"other", false},	{"", false}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(upstream_cookie_passes(&upstream, str_of(rows[i].name)) == rows[i].passes, rows[i].name);
}

static void what_goes_back(void)
{
	struct upstream_cookie set[] = {
		{.name = STR("csrf"), .value = STR("1")},
		{.name = STR("session"), .value = STR("old")},
		{.name = STR("session"), .value = STR("new")},
		{.name = STR("__Host-s"), .value = STR(""), .ends = true},
	};
	const struct request request = {
		.cookie = STR("other=x; session=mine; session.0=chunk; __Host-s=left; session.1=a b")};
	const struct call call = {.worker = &worker, .request = &request};
	const struct upstream_visit visit = {.call = &call, .upstream = &upstream, .cookies = set, .n_cookies = 4};
	const struct upstream_visit none = {.call = &call, .upstream = &upstream};
	arena_reset(worker.arena);
	UNIT_STR_EQ(upstream_cookie_header(&visit, false, false), STR("csrf=1; session=new"), "all");
	UNIT_STR_EQ(upstream_cookie_header(&visit, true, false), STR("session=new"), "passed");
	UNIT_STR_EQ(upstream_cookie_header(&visit, false, true), STR("csrf=1; session=new; session.0=chunk"), "client");
	UNIT_STR_EQ(upstream_cookie_header(&none, true, true), STR("session=mine; session.0=chunk; __Host-s=left"),
		    "none");
	CU_ASSERT_PTR_NULL(upstream_cookie_header(&none, true, false).p);
}

static struct str body(enum upstream_action action, const char *json, int encoding)
{
	const struct upstream_value items[] = {
		{"username", STR("a\"b&c")}, {"name", STR_NONE}, {"password", STR("<p>")}};
	struct form form = {.kind = FORM_JSON, .body = str_of(json)};
	const struct upstream_values values = {items, 3, json ? &form : NULL};
	conf.request = encoding;
	arena_reset(worker.arena);
	if (json)
		CU_ASSERT_FATAL(json_parse(worker.arena, form.body, &form.json));
	return upstream_body(worker.arena, &upstream, action, &values);
}

static void bodies(void)
{
	static const char more[] = "{\"age\":7,\"more\":true,\"role\":\"admin\"}";
	UNIT_STR_EQ(body(UPSTREAM_LOGIN, NULL, UPSTREAM_REQUEST_JSON),
		    STR("{\"email\":\"a\\\"b\\u0026c\",\"password\":\"\\u003cp\\u003e\"}"), "json");
	UNIT_STR_EQ(body(UPSTREAM_LOGIN, NULL, UPSTREAM_REQUEST_FORM), STR("email=a%22b%26c&password=%3Cp%3E"), "form");
	UNIT_STR_EQ(body(UPSTREAM_REGISTER, more, UPSTREAM_REQUEST_FORM),
		    STR("username=a%22b%26c&password=%3Cp%3E&age=7&more=true"), "extra");
	UNIT_STR_EQ(body(UPSTREAM_REGISTER, more, UPSTREAM_REQUEST_JSON),
		    STR("{\"username\":\"a\\\"b\\u0026c\",\"password\":\"\\u003cp\\u003e\",\"age\":7,\"more\":true}"),
		    "extra");
}

static void gate(void)
{
	struct upstream_gate *gate;
	CU_ASSERT_FATAL(upstream_gate_open(16, &gate));
	for (int i = 0; i < 4; i++)
		CU_ASSERT(upstream_gate_enter(gate, 0, 0));
	CU_ASSERT(!upstream_gate_enter(gate, 0, 0));
	CU_ASSERT(!upstream_gate_enter(gate, 0, 1));
	CU_ASSERT(upstream_gate_enter(gate, 5, 0));
	upstream_gate_leave(gate);
	upstream_gate_leave(gate);
	CU_ASSERT(upstream_gate_enter(gate, 0, 0));
	CU_ASSERT(!upstream_gate_rests(gate));
	upstream_gate_rest(gate, 60000);
	CU_ASSERT(upstream_gate_rests(gate));
	upstream_gate_close(&gate);
	CU_ASSERT(upstream_gate_enter(NULL, 0, 0) && !upstream_gate_rests(NULL));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"texts", texts},
		{"long texts", long_texts},
		{"cookies", cookies},
		{"which cookies pass", which_cookies_pass},
		{"what goes back", what_goes_back},
		{"bodies", bodies},
		{"gate", gate},
		{NULL, NULL},
	};
	return arena_open(1 << 20, &worker.arena) ? unit_main("upstream", cases) : 1;
}
