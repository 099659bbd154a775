/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy a request falls under, and what a configuration may not say. */
#include "policy/access.h"

#include <stdio.h>
#include <string.h>

#include "folder.h"
#include "http/url.h"
#include "policy/runtime.h"
#include "unit.h"

#define ISSUER "[issuer \"main\"]\nalgorithms = HS256\nsecret = text:0123456789abcdef0123456789abcdef\ncookie = sso\n"
#define OTHER "[issuer \"other\"]\nalgorithms = HS256\nsecret = text:fedcba9876543210fedcba9876543210\n"

static struct folder folder;

static bool load(const char *text, struct snapshot **out, struct conf_error *error)
{
	folder_write(&folder, "conf", str_of(text));
	error->text[0] = '\0';
	return snapshot_open(folder_file(&folder, "conf"), 1, out, error);
}

static void finds(void)
{
	static const struct {
		const char *host, *path, *named, *want; /* NULL: none */
	} rows[] = {
		{"a.test", "/", NULL, "site"},
		{"a.test", "/x/y", NULL, "site"},
		{"a.test", "/admin", NULL, "admin"},
		{"a.test", "/admin/x", NULL, "admin"},
		{"a.test", "/admin/log", NULL, "log"},
		{"a.test", "/administrator", NULL, "site"},
		{"b.test", "/admin/x", NULL, "b"},
		{"B.TEST", "/x", NULL, "site"},
		{"a.test", "/x", "admin", "admin"},
		{"a.test", "/admin/x", "site", "site"},
		{"a.test", "/x", "nobody", NULL},
		{"a.test", "/x;a=1", NULL, "site"},
		{"a.test", "/admin/x;a=1", NULL, "admin"},
	};
	struct snapshot *snapshot;
	struct conf_error error;
	CU_ASSERT_FATAL(load(ISSUER "[policy \"site\"]\npath = /**\n[policy \"admin\"]\npath = /admin/**\n"
				    "[policy \"log\"]\npath = /admin/log\n"
				    "[policy \"b\"]\nhost = b.test\npath = /admin/**\n",
			     &snapshot, &error));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {
			.host = str_of(rows[i].host), .path = str_of(rows[i].path), .policy = str_of(rows[i].named)};
		r.bare_path = url_without_parameters(snapshot->arena, r.path);
		const struct policy *policy = NULL;
		enum err err = access_find(snapshot, &r, &policy);
		UNIT_ROW(err == (rows[i].want ? ERR_NONE : ERR_NO_POLICY), rows[i].path);
		if (policy)
			UNIT_STR_EQ(policy->name, str_of(rows[i].want), rows[i].path);
	}
	snapshot_close(&snapshot);
}

/* What another server would take for another path. */
static void refuses_parameters_that_change_the_policy(void)
{
	static const char *const rows[] = {"/admin;x", "/admin;x/y", "/ad;x/admin", "/admin/log;x"};
	struct snapshot *snapshot;
	struct conf_error error;
	CU_ASSERT_FATAL(load(ISSUER "[policy \"site\"]\npath = /**\n[policy \"admin\"]\npath = /admin/**\n"
				    "[policy \"log\"]\npath = /admin/log\n[policy \"ad\"]\npath = /ad/admin\n",
			     &snapshot, &error));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.host = STR("a.test"), .path = str_of(rows[i])};
		const struct policy *policy;
		r.bare_path = url_without_parameters(snapshot->arena, r.path);
		UNIT_ROW(access_find(snapshot, &r, &policy) == ERR_BAD_REQUEST, rows[i]);
	}
	snapshot_close(&snapshot);
}

static void finds_none(void)
{
	struct snapshot *snapshot;
	struct conf_error error;
	const struct policy *policy;
	struct request r = {.host = STR("a.test"), .path = STR("/other"), .bare_path = STR("/other")};
	CU_ASSERT_FATAL(load(ISSUER "[policy \"site\"]\npath = /app/**\n", &snapshot, &error));
	CU_ASSERT_EQUAL(access_find(snapshot, &r, &policy), ERR_NO_POLICY);
	snapshot_close(&snapshot);
}

static void holds_users_to_their_paths(void)
{
	static const struct {
		const char *path, *user;
		enum err want;
	} rows[] = {
		{"/u/ann/x", "ann", ERR_NONE},	{"/u/bob/x", "ann", ERR_USER_MISMATCH}, {"/u/ann", "ann", ERR_NONE},
		{"/u/", "ann", ERR_NONE},	{"/v/bob/w", "ann", ERR_USER_MISMATCH}, {"/x", "ann", ERR_NONE},
		{"/u/Ann/x", "ann", ERR_USER_MISMATCH}, {"/u", "ann", ERR_NONE},
		{"/u/ann@x.test/y", "ann@x.test", ERR_NONE}, {"/u/ann;a=1/x", "ann", ERR_USER_MISMATCH},
		{"/u/ann", "annie", ERR_USER_MISMATCH}, {"/u/annie", "ann", ERR_USER_MISMATCH},
		{"/v/ann", "bob", ERR_NONE}, {"/v/ann/w/x", "bob", ERR_NONE},
		/* By both of two patterns. */
		{"/share/ann/with/ann", "ann", ERR_NONE}, {"/share/ann/with/bob", "ann", ERR_USER_MISMATCH},
		{"/share/bob/with/ann", "ann", ERR_USER_MISMATCH}, {"/share/bob/with/bob", "ann", ERR_USER_MISMATCH},
		{"/share/ann/else/bob", "ann", ERR_NONE}, {"/share/bob/else/ann", "ann", ERR_USER_MISMATCH},
		/* In the middle of a path, and deep in it. */
		{"/team/x/of/ann/files/y", "ann", ERR_NONE}, {"/team/x/of/bob/files/y", "ann", ERR_USER_MISMATCH},
		{"/team/bob/of/ann/files", "ann", ERR_NONE},
	};
	struct snapshot *snapshot;
	struct conf_error error;
	CU_ASSERT_FATAL(load(ISSUER "[policy \"site\"]\npath = /**\npath-user = /u/{user}/**, /v/{user}/w\n"
				    "path-user = /share/{user}/**, /share/*/with/{user}\n"
				    "path-user = /team/*/of/{user}/files/**\n",
			     &snapshot, &error));
	const struct policy *site = &snapshot->policies[0];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(access_check_path(site, str_of(rows[i].path), str_of(rows[i].user)) == rows[i].want,
			 rows[i].path);
	snapshot_close(&snapshot);
}

static void holds_tokens_to_their_age(void)
{
	struct snapshot *snapshot;
	struct conf_error error;
	struct str why;
	static const struct {
		int64_t iat, nbf, now;
		enum err want;
	} rows[] = {
		{1000, TIME_ABSENT, 1000, ERR_NONE},
		{1000, TIME_ABSENT, 1060, ERR_NONE},
		{1000, TIME_ABSENT, 1061, ERR_RULE_FAILED},
		{0, TIME_ABSENT, 60, ERR_NONE},
		{0, TIME_ABSENT, 61, ERR_RULE_FAILED},
		/* From nbf the age cannot be told. */
		{TIME_ABSENT, TIME_ABSENT, 1000, ERR_RULE_FAILED},
		{TIME_ABSENT, 1000, 1000, ERR_RULE_FAILED},
		{TIME_ABSENT, TIME_ABSENT, 10, ERR_RULE_FAILED},
		/* Clocks differ; but nobody is young for years. */
		{1060, TIME_ABSENT, 1000, ERR_NONE},
		{1061, TIME_ABSENT, 1000, ERR_RULE_FAILED},
		{INT64_MAX, TIME_ABSENT, 1000, ERR_RULE_FAILED},
		{INT64_MAX, TIME_ABSENT, 0, ERR_RULE_FAILED},
	};
	CU_ASSERT_FATAL(load(ISSUER "[policy \"site\"]\npath = /**\nmax-age = 1m\n", &snapshot, &error));
	const struct policy *p = &snapshot->policies[0];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char row[32];
		struct claims claims = {.iat = rows[i].iat, .nbf = rows[i].nbf};
		snprintf(row, sizeof row, "max-age, row %zu", i);
		UNIT_ROW(access_check_rules(p, &(struct subject){.claims = &claims}, rows[i].now, &why) == rows[i].want,
			 row);
		UNIT_STR_EQ(why, rows[i].want ? STR("max-age") : STR_NONE, row);
	}
	snapshot_close(&snapshot);
}

/* Less than a second is no second, but not "any time". */
static void holds_tokens_to_a_short_age(void)
{
	struct snapshot *snapshot;
	struct conf_error error;
	struct str why;
	struct claims claims = {.iat = 1000};
	struct subject subject = {.claims = &claims};
	CU_ASSERT_FATAL(load(ISSUER "[policy \"site\"]\npath = /**\nmax-age = 500ms\n", &snapshot, &error));
	CU_ASSERT_EQUAL(access_check_rules(&snapshot->policies[0], &subject, 1000, &why), ERR_NONE);
	CU_ASSERT_EQUAL(access_check_rules(&snapshot->policies[0], &subject, 1001, &why), ERR_RULE_FAILED);
	snapshot_close(&snapshot);
}

static void refuses(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"[policy \"a\"]\npath = /**\n", ":1: issuer: there is no [issuer"},
		{ISSUER "[policy \"a\"]\npath = a\n", ":6: path: \"a\" is no path pattern"},
		{ISSUER "[policy \"a\"]\npath = /a**\n", ":6: path: "},
		{ISSUER "[policy \"a\"]\npath-user = /u/**\n", ":6: path-user: the pattern has no {user}"},
		{ISSUER "[policy \"a\"]\npath-user = /x\npath-user = /{user}/{user}\n",
		 ":6: path-user: the pattern has no {user}"},
		{ISSUER "[policy \"a\"]\npath-user = /u/{user}/**, /{user}/{user}\n",
		 ":6: path-user: the pattern has more than one {user}"},
		{ISSUER "[policy \"a\"]\npath-user = /u/{users}\n", ":6: path-user: the pattern has no {user}"},
		{ISSUER "[policy \"a\"]\nprofile = team\n", ":6: profile: there is no [profile \"team\"]"},
		{ISSUER "[policy \"a\"]\nrequire = user = a\nrequire = not profile:/blocked = true\n",
		 ":7: require: profile:/blocked is asked for in a policy without profile: add profile = NAME"},
		{ISSUER "[policy \"a\"]\nattribute = AUTH_X = claim:a, profile:/a\n",
		 ":6: attribute: profile:/a is asked for in a policy without profile"},
		{ISSUER "[policy \"a\"]\nhost = https://a\n", ":6: host: "},
		{ISSUER "[policy \"a\"]\nhost = a:80\n", ":6: host: "},
		{ISSUER "[policy \"a\"]\nhost = *.a\n", ":6: host: "},
		{ISSUER "[policy \"a\"]\nissuer = mian\n", ":6: issuer: there is no [issuer \"mian\"]"},
		{ISSUER "[policy \"a\"]\ntoken-from = query\n", ":6: token-from: "},
		{ISSUER "[policy \"a\"]\ntoken-from = query:\n", ":6: token-from: \"query:\": the name of a query"},
		{ISSUER "[policy \"a\"]\ntoken-from = query:a&b\n", ":6: token-from: \"query:a&b\": the name"},
		{ISSUER "[policy \"a\"]\nrealm = a\"b\n", ":6: realm: "},
		{ISSUER "[policy \"a\"]\nrequire = claim:a ~ b\n", ":6: require: "},
		{ISSUER "[policy \"a\"]\nattribute = X = claim:a\n", ":6: attribute: "},
		{ISSUER "[policy \"a\"]\nattribute = AUTH_X = claim:a\nattribute = AUTH_X = claim:b\n",
		 ":7: attribute: AUTH_X is given a second time"},
		{ISSUER "[policy \"a\"]\npath = /x\n[policy \"b\"]\npath = /y, /x\n",
		 ":8: path: /x belongs to [policy \"a\"] already"},
		{ISSUER "[policy \"a\"]\npath = /x\nhost = A.test\n[policy \"b\"]\npath = /x\nhost = a.test\n",
		 ":9: path: /x belongs to [policy \"a\"] already"},
		{ISSUER OTHER "[policy \"a\"]\npath = /**\n", "cannot be told apart"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct snapshot *snapshot = NULL;
		struct conf_error error;
		bool good = load(rows[i].text, &snapshot, &error);
		UNIT_ROW(!good && strstr(error.text, rows[i].says), good ? rows[i].text : error.text);
		snapshot_close(&snapshot);
	}
}

static void lets_hosts_share_a_path(void)
{
	struct snapshot *snapshot;
	struct conf_error error;
	CU_ASSERT_FATAL(load(ISSUER "[policy \"a\"]\npath = /x\nhost = a.test\n"
				    "[policy \"b\"]\npath = /x\nhost = b.test\n"
				    "[policy \"c\"]\npath = /x\n",
			     &snapshot, &error));
	snapshot_close(&snapshot);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"finds", finds},
		{"parameters", refuses_parameters_that_change_the_policy},
		{"finds none", finds_none},
		{"path-user", holds_users_to_their_paths},
		{"max-age", holds_tokens_to_their_age},
		{"short max-age", holds_tokens_to_a_short_age},
		{"refuses", refuses},
		{"hosts share a path", lets_hosts_share_a_path},
		{NULL, NULL},
	};
	folder_open(&folder);
	int status = token_start() ? unit_main("access", cases) : 1;
	folder_close(&folder);
	return status;
}
