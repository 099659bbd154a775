/* SPDX-License-Identifier: Apache-2.0 */
/* Form tokens: which pairs of cookie and field are taken, and for how long. */
#include "policy/csrf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "policy/form_key.h"

#include "folder.h"
#include "unit.h"

enum { NOW = 1700000000 };

/* A worker with as much of a configuration as form tokens need. */
static struct bench {
	struct folder folder;
	struct server_conf server;
	struct snapshot snapshot;
	struct worker worker;
	struct request request;
	struct call call;
} b;

static void setup(void)
{
	memset(&b, 0, sizeof b);
	folder_open(&b.folder);
	b.server.state_dir.value = str_of(b.folder.path);
	b.snapshot.server = &b.server;
	b.worker.snapshot = &b.snapshot;
	b.request.https = true;
	b.call = (struct call){.worker = &b.worker, .request = &b.request};
	if (!arena_open(1 << 18, &b.worker.arena) || !token_thread_open(0, &b.worker.token))
		abort();
	clock_set(NOW);
}

static void teardown(void)
{
	clock_set(-1);
	token_thread_close(&b.worker.token);
	arena_close(&b.worker.arena);
	folder_close(&b.folder);
}

/* The browser sends the cookie back. */
static void bring(struct str name, struct str value)
{
	b.request.cookie = arena_printf(b.worker.arena, "a=b; %.*s=%.*s", STR_ARGS(name), STR_ARGS(value));
}

static const struct str name = {"__Host-auth-csrf", 16};

static void takes_its_own(void)
{
	struct csrf csrf, again, checked;
	setup();
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &csrf), ERR_NONE);
	CU_ASSERT(csrf.fresh);
	bring(name, csrf.cookie);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", csrf.field, &checked), ERR_NONE);
	UNIT_STR_EQ(checked.field, csrf.field, "the form can be shown again");
	CU_ASSERT(!checked.fresh);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "logout", csrf.field, &checked), ERR_CROSS_SITE);
	CU_ASSERT_EQUAL(csrf_open(&b.call, "logout", &again), ERR_NONE);
	CU_ASSERT(!again.fresh && !str_eq(again.field, csrf.field));
	teardown();
}

static void expires(void)
{
	struct csrf csrf, checked;
	setup();
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &csrf), ERR_NONE);
	bring(name, csrf.cookie);
	clock_set(NOW + CSRF_SECONDS - 1);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", csrf.field, &checked), ERR_NONE);
	clock_set(NOW + CSRF_SECONDS);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", csrf.field, &checked), ERR_CROSS_SITE);
	teardown();
}

static void is_renewed_in_time(void)
{
	struct csrf csrf, later;
	setup();
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &csrf), ERR_NONE);
	bring(name, csrf.cookie);
	clock_set(NOW + CSRF_SECONDS / 2);
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &later), ERR_NONE);
	CU_ASSERT(!later.fresh);
	clock_set(NOW + CSRF_SECONDS / 2 + 1);
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &later), ERR_NONE);
	CU_ASSERT(later.fresh && !str_eq(later.cookie, csrf.cookie));
	/* A clock that was set back: the cookie would live longer than any of ours. */
	clock_set(NOW - 1);
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &later), ERR_NONE);
	CU_ASSERT(later.fresh);
	teardown();
}

static void refuses(void)
{
	static const char *const cookies[] = {"",    ".",     "..",		       "...",  "1",
					      "1.2", "1.2.3", "99999999999.AAAA.AAAA", "a.b.c"};
	struct csrf csrf, other, checked;
	setup();
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &csrf), ERR_NONE);
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &other), ERR_NONE);
	CU_ASSERT(!str_eq(csrf.cookie, other.cookie));
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", csrf.field, &checked), ERR_CROSS_SITE);
	for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
		bring(name, str_of(cookies[i]));
		UNIT_ROW(csrf_check(&b.call, "login", csrf.field, &checked) == ERR_CROSS_SITE, cookies[i]);
		UNIT_ROW(csrf_open(&b.call, "login", &other) == ERR_NONE && other.fresh, cookies[i]);
	}
	bring(name, csrf.cookie);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", STR_NONE, &checked), ERR_CROSS_SITE);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", STR(""), &checked), ERR_CROSS_SITE);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", other.field, &checked), ERR_CROSS_SITE);
	struct str cut = {csrf.field.p, csrf.field.n - 1};
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", cut, &checked), ERR_CROSS_SITE);
	/* The signature in the cookie is none for the field. */
	struct str signature = {csrf.cookie.p + csrf.cookie.n - csrf.field.n, csrf.field.n};
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", signature, &checked), ERR_CROSS_SITE);
	teardown();
}

static void cookie_names(void)
{
	struct csrf csrf, checked;
	setup();
	CU_ASSERT_EQUAL(csrf_open(&b.call, "login", &csrf), ERR_NONE);
	struct str line = csrf_cookie_line(&b.call, &csrf);
	CU_ASSERT(str_starts(line, STR("__Host-auth-csrf=")));
	CU_ASSERT(str_ends(line, STR("; Secure; HttpOnly; SameSite=Lax")));
	/* On https the name without the prefix, which a sibling can plant, counts for nothing. */
	bring(STR("auth-csrf"), csrf.cookie);
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", csrf.field, &checked), ERR_CROSS_SITE);
	b.request.https = false;
	CU_ASSERT_EQUAL(csrf_check(&b.call, "login", csrf.field, &checked), ERR_NONE);
	line = csrf_cookie_line(&b.call, &csrf);
	CU_ASSERT(str_starts(line, STR("auth-csrf=")) && str_ends(line, STR("; HttpOnly; SameSite=Lax")));
	CU_ASSERT(!csrf_cookie_line(&b.call, &checked).p);
	teardown();
}

static void key_file(void)
{
	static const struct {
		const char *bytes;
		unsigned mode;
		enum err err;
	} rows[] = {
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0600, ERR_NONE},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0660, ERR_NONE},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0604, ERR_STORE},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0602, ERR_STORE},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", 0600, ERR_STORE},
		{"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", 0600, ERR_STORE},
		{"", 0600, ERR_STORE},
	};
	char one[FORM_KEY_SIZE], two[FORM_KEY_SIZE];
	setup();
	CU_ASSERT_EQUAL(form_key_load(b.folder.path, one), ERR_NONE);
	CU_ASSERT_EQUAL(form_key_load(b.folder.path, two), ERR_NONE);
	CU_ASSERT(memcmp(one, two, sizeof one) == 0);
	CU_ASSERT_EQUAL(folder_mode(&b.folder, "form.key"), 0600);
	CU_ASSERT_EQUAL(folder_count(&b.folder), 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		folder_write(&b.folder, "form.key", str_of(rows[i].bytes));
		CU_ASSERT_EQUAL(chmod(folder_file(&b.folder, "form.key"), rows[i].mode), 0);
		UNIT_ROW(form_key_load(b.folder.path, two) == rows[i].err, rows[i].bytes);
	}
	CU_ASSERT_EQUAL(form_key_load("/nonexistent", two), ERR_STORE);
	teardown();
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"takes its own", takes_its_own},
		{"expires", expires},
		{"is renewed in time", is_renewed_in_time},
		{"refuses", refuses},
		{"cookie names", cookie_names},
		{"key file", key_file},
		{NULL, NULL},
	};
	return token_start() ? unit_main("csrf", cases) : 1;
}
