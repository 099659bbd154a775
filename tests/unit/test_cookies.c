/* SPDX-License-Identifier: Apache-2.0 */
/* Names of cookies, several of one name, and deleting those that a sibling site planted. */
#include "policy/cookies.h"

#include <string.h>

#include "unit.h"

static void names(void)
{
	static const struct {
		const char *name;
		bool valid, host, secure;
	} rows[] = {
		{"sso", true, false, false},	     {"__Host-auth", true, true, true},
		{"__HOST-auth", true, true, true},   {"__Secure-a", true, false, true},
		{"__secure-a", true, false, true},   {"__Secure", true, false, false},
		{"next-auth.session", true, false, false}, {"", false, false, false},
		{"a b", false, false, false},	     {"a;b", false, false, false},
		{"a=b", false, false, false},	     {"a\"b", false, false, false},
		{"a,b", false, false, false},	     {"a\tb", false, false, false},
		{"a\x7f", false, false, false},	     {"\xc3\xa4", false, false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str name = str_of(rows[i].name);
		UNIT_ROW(cookies_name_is_valid(name) == rows[i].valid, rows[i].name);
		UNIT_ROW(cookies_prefix_is_host(name) == rows[i].host, rows[i].name);
		UNIT_ROW(cookies_prefix_is_secure(name) == rows[i].secure, rows[i].name);
	}
}

static void several_values(void)
{
	static const struct {
		const char *header, *values; /* joined by blanks */
	} rows[] = {
		{"", ""},	     {"a=1", "1"},	    {"a=1; a=2", "1 2"},   {"b=0; a=1; c=2;a=3", "1 3"},
		{"a=; a=1", "1"},    {"aa=1; xa=2", ""},    {"a", ""},		   {"a=1; a", "1"},
		{"a=\"1\"; a=2", "1 2"}, {";;a=1;;", "1"}, {"A=1", ""},	   {"a =1; a=2", "2"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char memory[64];
		struct buf b = buf_over(memory, sizeof memory);
		struct str rest = str_of(rows[i].header), value;
		while (cookies_next_value(&rest, STR("a"), &value)) {
			if (b.n)
				buf_char(&b, ' ');
			buf_add(&b, value);
		}
		UNIT_STR_EQ(buf_str(&b), str_of(rows[i].values), rows[i].header);
	}
	struct str none = STR_NONE, value;
	CU_ASSERT(!cookies_next_value(&none, STR("a"), &value));
}

static void domains(void)
{
	static const char *const good[] = {"example.org", ".example.org", "a", "a-b.c1", NULL};
	static const char *const bad[] = {"",	 ".",	"a.",  "..a",	"-a",	"A.b",
					  "a_b", "a b", "a;b", "[::1]", "a:80", NULL};
	for (size_t i = 0; good[i]; i++)
		UNIT_ROW(cookies_domain_is_valid(str_of(good[i])), good[i]);
	for (size_t i = 0; bad[i]; i++)
		UNIT_ROW(!cookies_domain_is_valid(str_of(bad[i])), bad[i]);
}

static void twins(void)
{
	static const char *const want[] = {
		"sso=; Path=/; Max-Age=0;", "sso=; Path=/; Domain=a.b.example; Max-Age=0;",
		"sso=; Path=/; Domain=b.example; Max-Age=0;", "sso=; Path=/x/; Max-Age=0;",
		"sso=; Path=/x/; Domain=b.example; Max-Age=0;", "sso=; Path=/x; Domain=a.b.example; Max-Age=0;",
	};
	static char memory[REPLY_MAX];
	struct worker worker = {0};
	struct request request = {.host = STR("a.b.example")};
	struct reply reply = {.out = buf_over(memory, sizeof memory)};
	struct call call = {.worker = &worker, .request = &request, .reply = &reply, .mount = STR("/x/")};
	CU_ASSERT_FATAL(arena_open(1 << 18, &worker.arena));
	reply_begin(&reply, 200);
	cookies_clear_twins(&call, STR("sso"));
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		UNIT_ROW(memmem(reply.out.p, reply.out.n, want[i], strlen(want[i])) != NULL, want[i]);
	CU_ASSERT(!memmem(reply.out.p, reply.out.n, "Domain=example;", 15));
	arena_close(&worker.arena);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"names", names},     {"several values", several_values},
		{"domains", domains}, {"twins", twins},
		{NULL, NULL},
	};
	return unit_main("cookies", cases);
}
