/* SPDX-License-Identifier: Apache-2.0 */
/* What [upstream] refuses, and what it is compiled to. */
#include "policy/upstream_options.h"

#include <stdio.h>
#include <string.h>

#include "policy/runtime.h"

#include "folder.h"
#include "unit.h"

static const char issuers[] =
	"[issuer \"main\"]\nalgorithms = HS256\nsecret = text:0123456789abcdef0123456789abcdef-main\ncookie = sso\n"
	"[policy \"site\"]\npath = /**\n[login]\nbackend = upstream\n";

/* Open a configuration of these lines; the error's text, or "" when it is good. */
static const char *open_with(const char *before, const char *lines, struct snapshot **out)
{
	static struct conf_error error;
	struct folder folder;
	char text[4096];
	struct buf b = buf_over(text, sizeof text);
	error.text[0] = '\0';
	folder_open(&folder);
	buf_printf(&b, "%s%s\n", before, lines);
	folder_write(&folder, "conf", buf_str(&b));
	if (!snapshot_open(folder_file(&folder, "conf"), 1, out, &error))
		*out = NULL;
	folder_close(&folder);
	return error.text;
}

#define BASE "[upstream]\nbase = https://auth.example\n"

static void refuses(void)
{
	static const struct {
		const char *lines, *error; /* part of the text; NULL: good */
	} rows[] = {
		{"", "base: is missing"},
		{BASE, NULL},
		{"[upstream]\nbase = auth.example", "base: \"auth.example\" is no URL that can be asked"},
		{"[upstream]\nbase = ftp://auth.example", "must begin with https:// or http://"},
		{"[upstream]\nbase = http://auth.example", "set allow-plain-http = on"},
		{"[upstream]\nbase = http://auth.example\nallow-plain-http = on", NULL},
		{"[upstream]\nbase = http://127.0.0.1:4567", NULL},
		{"[upstream]\nbase = https://auth.example/", "base: ends with '/'"},
		{"[upstream]\nbase = https://auth.example/api", NULL},
		{"[upstream]\nbase = https://auth.example?a", "base: ends with '/' or has a query"},
		{"[upstream]\nbase = https://a:b@auth.example", "user name or password"},
		{BASE "login = signin", "login: is a path: begin it with '/'"},
		{BASE "login = /a b", "login: \"https://auth.example/a b\" has characters"},
		{BASE "verify-email = /verify?token={token}", NULL},
		{BASE "verify-email = /verify/{token}/x", "verify-email: "},
		{BASE "register = /r/{token}", "register: "},
		{BASE "host = auth.example:8080", NULL},
		{BASE "host = a/b", "host: \"a/b\" is no host name"},
		{BASE "host = a b", "host: \"a b\" is no host name"},
		{BASE "origin = https://www.example", NULL},
		{BASE "origin = https://www.example/", "origin: \"https://www.example/\" is no origin"},
		{BASE "fields = login.username = email, reset-password.password = newPassword", NULL},
		{BASE "fields = login.username", "fields: \"login.username\" is none"},
		{BASE "fields = health.x = y", "fields: \"health.x = y\" is none"},
		{BASE "fields = login.a&b = c", "fields: "},
		{BASE "fields = login.a = b&c", "fields: "},
		{BASE "extra-fields = register.firstName", NULL},
		{BASE "extra-fields = register.firstName = x", "extra-fields: "},
		{BASE "token = /data/token, data.token", NULL},
		{BASE "token = data..token", "token: \"data..token\" is no path"},
		{BASE "error = \"", "error: "},
		{BASE "success = 200, 302", NULL},
		{BASE "success = 404", "success: \"404\" is no status"},
		{BASE "success = yes", "success: \"yes\" is no status"},
		{BASE "token-header = set-auth-jwt", NULL},
		{BASE "token-header = a b", "token-header: \"a b\" is no name"},
		{BASE "pass-cookies = a b", "pass-cookies: \"a b\" can't be the name of a cookie"},
		{BASE "session = cookies", "session: with cookies, one of pass-cookies must be"},
		{BASE "session = cookies\npass-cookies = other", "session: with cookies"},
		{BASE "session = cookies\npass-cookies = other, sso", NULL},
		{BASE "max-concurrent = 300", "max-concurrent"},
		{BASE "ca-file = ca.pem", "ca-file"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct snapshot *snapshot;
		const char *error = open_with(issuers, rows[i].lines, &snapshot);
		bool expected = rows[i].error ? strstr(error, rows[i].error) != NULL : error[0] == '\0';
		if (!expected)
			printf("%s: %s\n", rows[i].lines, error);
		UNIT_ROW(expected, rows[i].lines);
		snapshot_close(&snapshot);
	}
}

static void needs_somebody_who_verifies(void)
{
	struct snapshot *snapshot;
	const char *error = open_with("[login]\nbackend = upstream\n", BASE, &snapshot);
	CU_ASSERT(strstr(error, "there is no [issuer]") != NULL);
	snapshot_close(&snapshot);
}

static void counts_only_where_it_is_the_backend(void)
{
	struct snapshot *snapshot;
	CU_ASSERT_STRING_EQUAL(open_with("[login]\n", "[upstream]\nlogin = x", &snapshot), "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
	CU_ASSERT_PTR_NULL(snapshot->upstream);
	snapshot_close(&snapshot);
}

static void compiles(void)
{
	struct snapshot *snapshot;
	open_with(issuers,
		  "[upstream]\nbase = http://localhost/api\nhost = a.example\norigin = https://b.example\n"
		  "verify-email = /v?t={token}\nrequest = form\nlogin-request = json\nfields = login.username = email",
		  &snapshot);
	CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
	const struct upstream *u = snapshot->upstream;
	CU_ASSERT_PTR_NOT_NULL_FATAL(u);
	UNIT_STR_EQ(u->urls[UPSTREAM_LOGIN], STR("http://localhost/api/login"), "login");
	UNIT_STR_EQ(u->urls[UPSTREAM_VERIFY_EMAIL], STR("http://localhost/api/v?t="), "verify-email");
	CU_ASSERT(u->verify_by_get && !u->urls[UPSTREAM_REGISTER].p && snapshot->asks);
	CU_ASSERT_EQUAL_FATAL(u->n_headers, 2);
	UNIT_STR_EQ(u->headers[0], STR("Host: a.example"), "host");
	UNIT_STR_EQ(u->headers[1], STR("Origin: https://b.example"), "origin");
	CU_ASSERT_EQUAL(u->n_success, 2);
	CU_ASSERT_EQUAL(u->success[1], 201);
	UNIT_STR_EQ(u->fields[0].theirs, STR("email"), "field");
	CU_ASSERT_EQUAL(upstream_encoding(u, UPSTREAM_LOGIN), UPSTREAM_REQUEST_JSON);
	CU_ASSERT_EQUAL(upstream_encoding(u, UPSTREAM_REGISTER), UPSTREAM_REQUEST_FORM);
	CU_ASSERT_STRING_EQUAL(upstream_action_name(UPSTREAM_EXCHANGE), "exchange");
	snapshot_close(&snapshot);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"refuses", refuses},
		{"needs somebody who verifies", needs_somebody_who_verifies},
		{"counts only where it is the backend", counts_only_where_it_is_the_backend},
		{"compiles", compiles},
		{NULL, NULL},
	};
	return token_start() ? unit_main("upstream_options", cases) : 1;
}
