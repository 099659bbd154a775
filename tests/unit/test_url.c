/* SPDX-License-Identifier: Apache-2.0 */
/* Paths in one form, patterns, form fields, return addresses. */
#include "http/url.h"

#include "unit.h"

static struct arena *arena;

static void normalises(void)
{
	static const struct {
		const char *raw;
		const char *want; /* NULL: refused */
	} rows[] = {
		{"/", "/"},
		{"/a/b", "/a/b"},
		{"/a/b/", "/a/b/"},
		{"//a///b", "/a/b"},
		{"/./a/./b", "/a/b"},
		{"/a/../b", "/b"},
		{"/a/..", "/"},
		{"/a/b/..", "/a/"},
		{"/a/.", "/a/"},
		{"/%61dmin", "/admin"},
		{"/a%20b", "/a b"},
		{"/%2e%2e/a", NULL},
		{"/public/%2e%2e/admin", "/admin"},
		{"/public/..%2fadmin", NULL},
		{"/a%5cb", NULL},
		{"/a\\b", NULL},
		{"/../a", NULL},
		{"/a/../../b", NULL},
		{"/%252e%252e/a", NULL},
		{"/100%25", "/100%"},
		{"/a%00b", NULL},
		{"/a%0ab", NULL},
		{"/a#b", NULL},
		{"/a%23b", NULL},
		{"/%ff", NULL},
		{"/%c0%ae%c0%ae/", NULL},
		{"/%c3%a4", "/\xc3\xa4"},
		{"/a;x=1/b", "/a;x=1/b"},
		{"/a/..;/b", NULL},
		{"/a/..;x=1/b", NULL},
		{"/a/.;/b", NULL},
		{"/a/%2e%2e;/b", NULL},
		{"/a/..%3b/b", NULL},
		{"/a/..x;/b", "/a/..x;/b"},
		{"", NULL},
		{"a", NULL},
		{"*", NULL},
		{"/%", NULL},
		{"/%zz", NULL},
		{"/a/.hidden", "/a/.hidden"},
		{"/a/...", "/a/..."},
		{"/a\x7f", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str path = STR_NONE;
		bool good = url_normalise(arena, str_of(rows[i].raw), &path);
		UNIT_ROW(good == (rows[i].want != NULL), rows[i].raw);
		if (good)
			UNIT_STR_EQ(path, str_of(rows[i].want), rows[i].raw);
	}
}

/* What the web server has decoded stays as it is: "%41" is no 'A' here, but doubtful. */
static void normalises_decoded(void)
{
	static const struct {
		const char *decoded;
		const char *want; /* NULL: refused */
	} rows[] = {
		{"/", "/"},
		{"/a/b", "/a/b"},
		{"/a b/\xc3\xa4", "/a b/\xc3\xa4"},
		{"//a/./b/../c/", "/a/c/"},
		{"/a/..", "/"},
		{"/100%", "/100%"},
		{"/a?b", "/a?b"},
		{"/a;x/b", "/a;x/b"},
		{"/%41", NULL},
		{"/a%2fb", NULL},
		{"/../a", NULL},
		{"/a\\b", NULL},
		{"/a#b", NULL},
		{"/a\nb", NULL},
		{"/\xff", NULL},
		{"/..;/a", NULL},
		{"", NULL},
		{"a", NULL},
		{"*", NULL},
		{"http://a/b", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str path = STR_NONE;
		bool good = url_normalise_decoded(arena, str_of(rows[i].decoded), &path);
		UNIT_ROW(good == (rows[i].want != NULL), rows[i].decoded);
		if (good)
			UNIT_STR_EQ(path, str_of(rows[i].want), rows[i].decoded);
	}
}

/* A form is the form of itself. */
static void normalises_once(void)
{
	static const char *const rows[] = {"//a/./b/../c/", "/%61/%20", "/x/..", "/a/.", "/"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str once, twice;
		CU_ASSERT_FATAL(url_normalise(arena, str_of(rows[i]), &once));
		if (url_normalise(arena, once, &twice))
			UNIT_STR_EQ(twice, once, rows[i]);
	}
}

static void drops_parameters(void)
{
	static const struct {
		const char *path, *want;
	} rows[] = {
		{"/a/b", "/a/b"}, {"/a;x/b", "/a/b"}, {"/a;x=1;y/b;z", "/a/b"}, {"/;x", "/"}, {"/a/;x/b", "/a//b"},
		{"/a;", "/a"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(url_without_parameters(arena, str_of(rows[i].path)), str_of(rows[i].want), rows[i].path);
}

static void patterns_match(void)
{
	static const struct {
		const char *pattern, *path;
		bool match;
		const char *user;
	} rows[] = {
		{"/**", "/", true, NULL},
		{"/**", "/a/b", true, NULL},
		{"/wiki/**", "/wiki/a", true, NULL},
		{"/wiki/**", "/wiki/", true, NULL},
		{"/wiki/**", "/wiki", true, NULL},
		{"/wiki/**", "/wikis", false, NULL},
		{"/wiki/**", "/Wiki/a", false, NULL},
		{"/a/*/c", "/a/b/c", true, NULL},
		{"/a/*/c", "/a/b/x/c", false, NULL},
		{"/a/*/c", "/a//c", false, NULL},
		{"/u/{user}/**", "/u/ann/x", true, "ann"},
		{"/u/{user}/**", "/u/ann", true, "ann"},
		{"/u/{user}/**", "/u/", false, NULL},
		{"/a", "/a", true, NULL},
		{"/a", "/a/", false, NULL},
		{"/a/", "/a/", true, NULL},
		{"/a/", "/a", false, NULL},
		{"/{user}", "/ann", true, "ann"},
		{"/{id}/x", "/7/x", true, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str user = STR_NONE;
		bool match = url_pattern_match(str_of(rows[i].pattern), str_of(rows[i].path), &user);
		UNIT_ROW(match == rows[i].match, rows[i].path);
		if (match)
			UNIT_STR_EQ(user, str_of(rows[i].user), rows[i].path);
	}
}

static void patterns_are_checked(void)
{
	static const char *const good[] = {"/", "/**", "/a/", "/a/*/b", "/u/{user}/**", "/a b"};
	static const char *const bad[] = {"",	 "a",	"**",	 "/**/a", "/a**", "/a*",
					  "/{}", "/{a", "/a//b", "/../a", "/./a", "/a\n"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		UNIT_ROW(url_pattern_check(str_of(good[i])), good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_ROW(!url_pattern_check(str_of(bad[i])), bad[i]);
}

static void longest_wins(void)
{
	static const char *const rising[] = {"/**", "/*/**", "/*", "/a/**", "/a", "/a/*/**", "/ab/**", "/a/b/**"};
	for (size_t i = 0; i + 1 < sizeof rising / sizeof *rising; i++) {
		UNIT_ROW(url_pattern_compare(str_of(rising[i]), str_of(rising[i + 1])) <= 0, rising[i]);
		UNIT_ROW(url_pattern_compare(str_of(rising[i + 1]), str_of(rising[i])) >= 0, rising[i]);
	}
	CU_ASSERT(url_pattern_compare(STR("/admin/**"), STR("/**")) > 0);
	CU_ASSERT(url_pattern_compare(STR("/a"), STR("/a/**")) > 0);
}

static void fields(void)
{
	static const struct {
		const char *body, *want;
	} rows[] = {
		{"rd=%2Fx&b=1", "/x"}, {"b=1&rd=a+b", "a b"}, {"rd", ""},	   {"rd=", ""},
		{"b=1", NULL},	       {"rd=1&rd=2", NULL},   {"rd=1&rd=1", NULL}, {"rd=%zz", NULL},
		{"?&", NULL},	       {"?=", NULL},	      {"", NULL},	   {"xrd=1", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(url_field(arena, str_of(rows[i].body), "rd"), str_of(rows[i].want), rows[i].body);
}

static void return_addresses(void)
{
	static const struct str origins[] = {{"https://wiki.example", 20}};
	static const char *const safe[] = {"/",
					   "/ok?x=1#f",
					   "/a/b/",
					   "/a%20b",
					   "/x?u=http://evil.test/",
					   "https://wiki.example",
					   "https://wiki.example/x",
					   "https://app.test/y"};
	static const char *const unsafe[] = {
		"",
		"//evil.test",
		"///evil.test",
		"/\\evil.test",
		"\\\\evil.test",
		"/\t/evil.test",
		"/\n/evil.test",
		"http://evil.test",
		"https://wiki.example.evil.test/",
		"https://wiki.example@evil.test/",
		"https://wiki.example:444/",
		"https:/evil.test",
		"javascript:alert(1)",
		"data:text/html,x",
		"evil.test",
		"/%2f/evil.test",
		"/%5cevil.test",
		"/%09/evil.test",
		"/.//evil.test",
		"/..//evil.test",
		"/a/../b",
		"/%2e%2e/x",
		"/%252f",
		"/\xc3\xa4",
		" /x",
		"/ x",
		"https://wiki.example//evil.test",
		"https://wiki.example\\x",
		"HTTPS://evil.test",
		"/x//y",
	};
	for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
		UNIT_ROW(url_return_is_safe(str_of(safe[i]), STR("https://app.test"), origins, 1), safe[i]);
	for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
		UNIT_ROW(!url_return_is_safe(str_of(unsafe[i]), STR("https://app.test"), origins, 1), unsafe[i]);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"normal form", normalises},
		{"decoded paths", normalises_decoded},
		{"normal form of itself", normalises_once},
		{"parameters", drops_parameters},
		{"patterns", patterns_match},
		{"patterns checked", patterns_are_checked},
		{"the longest wins", longest_wins},
		{"fields", fields},
		{"return addresses", return_addresses},
		{NULL, NULL},
	};
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("url", cases);
	arena_close(&arena);
	return status;
}
