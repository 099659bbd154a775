/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for and what is served, where these are two paths: both are judged. */
#include <stdio.h>

#include "base/clock.h"
#include "folder.h"
#include "policy/verify.h"
#include "unit.h"

/* Minted by PyJWT 2.6.0 with the secret below; iss https://sso.example, exp 1700003600. */
#define HEAD "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
static const char dev[] = /* sub ann, jti one, iat 1700000000, roles dev */
	HEAD "eyJzdWIiOiJhbm4iLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMzYwMCwianRpIjoib25lIiwiaXNzIjoiaHR0cHM6Ly9z"
	     "c28uZXhhbXBsZSIsInJvbGVzIjpbImRldiJdfQ.l46bsvNeQdNApipBc98q3VXYctkjwjXIQUo2-LOo1cs";
static const char ann[] =
	HEAD "eyJzdWIiOiJhbm4iLCJleHAiOjE3MDAwMDM2MDAsImlzcyI6Imh0dHBzOi8vc3NvLmV4YW1wbGUifQ.lYl0djqPwcfwt_luREII9"
	     "D2UiZbdBkVjxdWewtrYPW4";
static const char bob[] =
	HEAD "eyJzdWIiOiJib2IiLCJleHAiOjE3MDAwMDM2MDAsImlzcyI6Imh0dHBzOi8vc3NvLmV4YW1wbGUifQ.pq5FYYzkNK97xfjH1Tpd"
	     "0NvQJgtaCN6X64iLct6cdQE";

static const char configuration[] =
	"[server]\nstate-dir = %s\n[issuer \"main\"]\nalgorithms = HS256\niss = https://sso.example\ncookie = sso\n"
	"secret = text:0123456789abcdef0123456789abcdef0123456789abcdef\n"
	"[policy \"public\"]\npath = /public/**\nunauthenticated = anonymous\n"
	"[policy \"site\"]\npath = /app/**\npath-user = /app/of/{user}/**\n"
	"[policy \"dev\"]\npath = /dev/**\nrequire = claim:roles = dev\n"
	"[policy \"users\"]\npath = /u/**\npath-user = /u/{user}/**\n"
	"[policy \"browser\"]\npath = /browser/**\ntoken-from = cookie\n";

enum { NOW = 1700000100 };

static struct folder folder;

static void judges_both(void)
{
	static const struct {
		const char *name, *path, *effective, *named, *token, *cookie;
		enum err err;
		const char *policy, *user;
	} rows[] = {
		{"the same policy", "/app/x", "/app/y", NULL, ann, NULL, ERR_NONE, "site", "ann"},
		{"served is stricter", "/app/x", "/dev/x", NULL, ann, NULL, ERR_RULE_FAILED, "dev", "ann"},
		{"both hold", "/app/x", "/dev/x", NULL, dev, NULL, ERR_NONE, "dev", "ann"},
		{"asked for is stricter", "/dev/x", "/app/index.php", NULL, ann, NULL, ERR_RULE_FAILED, "dev", "ann"},
		{"both hold, other way", "/dev/x", "/app/index.php", NULL, dev, NULL, ERR_NONE, "site", "ann"},
		{"served is under none", "/app/x", "/else", NULL, ann, NULL, ERR_NO_POLICY, NULL, NULL},
		{"asked for is under none", "/else", "/app/x", NULL, ann, NULL, ERR_NO_POLICY, NULL, NULL},
		{"served is another's", "/app/x", "/u/bob/x", NULL, ann, NULL, ERR_USER_MISMATCH, "users", "ann"},
		{"served is one's own", "/app/x", "/u/ann/x", NULL, ann, NULL, ERR_NONE, "users", "ann"},
		{"asked for is another's", "/u/bob/x", "/app/x", NULL, ann, NULL, ERR_USER_MISMATCH, "users", "ann"},
		{"both in one policy", "/app/of/ann/x", "/app/of/bob/x", NULL, ann, NULL, ERR_USER_MISMATCH, "site",
		 "ann"},
		{"and other way", "/app/of/bob/x", "/app/of/ann/x", NULL, ann, NULL, ERR_USER_MISMATCH, "site", "ann"},
		{"public shows private", "/public/x", "/app/x", NULL, NULL, NULL, ERR_NO_TOKEN, "site", NULL},
		{"to a user", "/public/x", "/app/x", NULL, ann, NULL, ERR_NONE, "site", "ann"},
		{"private shows public", "/app/x", "/public/x", NULL, NULL, NULL, ERR_NO_TOKEN, "site", NULL},
		{"to a user", "/app/x", "/public/x", NULL, ann, NULL, ERR_NONE, "public", "ann"},
		{"public shows public", "/public/x", "/public/y", NULL, NULL, NULL, ERR_NONE, "public", NULL},
		{"two users", "/app/x", "/browser/x", NULL, ann, bob, ERR_USER_MISMATCH, "browser", "bob"},
		{"one user twice", "/app/x", "/browser/x", NULL, ann, ann, ERR_NONE, "browser", "ann"},
		{"public shows no user", "/browser/x", "/public/x", NULL, NULL, ann, ERR_NONE, "public", "ann"},
		{"named", "/app/x", "/dev/x", "site", ann, NULL, ERR_NONE, "site", "ann"},
		{"named, and of a user", "/app/x", "/u/bob/x", "users", ann, NULL, ERR_USER_MISMATCH, "users", "ann"},
		{"parameters", "/app/x", "/dev;a/x", NULL, dev, NULL, ERR_BAD_REQUEST, NULL, NULL},
		{"parameters hide a user", "/app/x", "/u/bob;a/x", NULL, ann, NULL, ERR_USER_MISMATCH, "users", "ann"},
	};
	struct runtime *runtime;
	struct worker worker;
	struct conf_error error = {""};
	int status;
	char text[1024];
	snprintf(text, sizeof text, configuration, folder.path);
	folder_write(&folder, "conf", str_of(text));
	struct runtime_settings settings = {.path = folder_file(&folder, "conf"), .threads = 1};
	CU_ASSERT_FATAL(runtime_open(&settings, &runtime, &error, &status));
	CU_ASSERT_FATAL(worker_open(runtime, 0, &worker));
	clock_set(NOW);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char header[1024], cookie[1024];
		struct param params[6] = {{STR("REQUEST_METHOD"), STR("GET")},
					  {STR("REQUEST_URI"), str_of(rows[i].path)},
					  {STR("AUTH_EFFECTIVE_PATH"), str_of(rows[i].effective)},
					  {STR("AUTH_POLICY"), str_of(rows[i].named ? rows[i].named : "")}};
		struct incoming in = {.params = params, .n_params = 4};
		snprintf(header, sizeof header, "Bearer %s", rows[i].token ? rows[i].token : "");
		snprintf(cookie, sizeof cookie, "sso=%s", rows[i].cookie ? rows[i].cookie : "");
		if (rows[i].token)
			params[in.n_params++] = (struct param){STR("HTTP_AUTHORIZATION"), str_of(header)};
		if (rows[i].cookie)
			params[in.n_params++] = (struct param){STR("HTTP_COOKIE"), str_of(cookie)};
		struct request request;
		struct verdict v;
		const char *why;
		worker_begin(&worker);
		enum err err = request_read(worker.arena, &in, i, &request, &why);
		verify_request(&worker, &request, err, why, &v);
		UNIT_ROW(v.err == rows[i].err, rows[i].name);
		UNIT_STR_EQ(v.policy ? v.policy->name : STR_NONE, str_of(rows[i].policy), rows[i].name);
		UNIT_STR_EQ(v.claims.user_id, str_of(rows[i].user), rows[i].name);
		UNIT_ROW(v.step < VERIFY_USER || v.err || v.anonymous || v.subject.claims == &v.claims, rows[i].name);
		worker_end(&worker);
	}
	worker_close(&worker);
	runtime_close(&runtime);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"both are judged", judges_both},
		{NULL, NULL},
	};
	folder_open(&folder);
	int status = unit_main("effective", cases);
	folder_close(&folder);
	return status;
}
