/* SPDX-License-Identifier: Apache-2.0 */
/* Which allows a web server may keep, for how long, and for what. */
#include "policy/verdict_cache.h"

#include "base/clock.h"
#include "folder.h"
#include "unit.h"

#define ISSUER "[issuer \"main\"]\nalgorithms = HS256\nsecret = text:0123456789abcdef0123456789abcdef\ncookie = sso\n"
#define PROFILE "[profile \"p\"]\nurl = https://profiles.example/{user_id}\n"

enum { NOW = 1800000000 };

static struct folder folder;

struct row {
	const char *name;
	const char *options; /* of the policy */
	const char *more;    /* sections */
	const char *method, *policy;
	struct request request; /* but for the method and policy */
	struct verdict verdict;
	struct verdict_hold want;
};

#define WANTED {.cache_wanted = true}
#define USER .user_id = {"alice", 5}, .iat = NOW - 10, .nbf = TIME_ABSENT
#define LASTING {.claims = {USER, .exp = NOW + 3600}}
#define UNTIL(seconds) {.claims = {USER, .exp = NOW + (seconds)}}

static const struct row rows[] = {
	{"named by the web server", "", "", "GET", "site", WANTED, LASTING, {60, true}},
	{"found by the path", "", "", "GET", NULL, WANTED, LASTING, {60, false}},
	{"named as nothing", "", "", "GET", "", WANTED, LASTING, {60, false}},
	{"paths of users", "path-user = /u/{user}/**", "", "GET", "site", WANTED, LASTING, {60, false}},
	{"another method", "", "", "POST", "site", WANTED, LASTING, {60, true}},

	/* How long. */
	{"verdict-ttl", "verdict-ttl = 7s", "", "GET", "site", WANTED, LASTING, {7, true}},
	{"part of a second", "verdict-ttl = 1999ms", "", "GET", "site", WANTED, LASTING, {1, true}},
	{"less than a second", "verdict-ttl = 999ms", "", "GET", "site", WANTED, LASTING, {0, true}},
	{"never", "verdict-ttl = 0", "", "GET", "site", WANTED, LASTING, {0, true}},
	{"exp", "", "", "GET", "site", WANTED, UNTIL(5), {5, true}},
	{"exp is now", "", "", "GET", "site", WANTED, UNTIL(0), {0, true}},
	{"within the leeway", "", "", "GET", "site", WANTED, UNTIL(-5), {0, true}},
	{"no exp", "", "", "GET", "site", WANTED, {.claims = {USER, .exp = TIME_ABSENT}}, {60, true}},
	{"an exp beyond all times", "", "", "GET", "site", WANTED, {.claims = {USER, .exp = INT64_MAX}}, {60, true}},
	{"max-age", "max-age = 30s", "", "GET", "site", WANTED, LASTING, {20, true}},
	{"max-age is over", "max-age = 10s", "", "GET", "site", WANTED, LASTING, {0, true}},
	{"a longer max-age", "max-age = 1h", "", "GET", "site", WANTED, LASTING, {60, true}},
	{"record of the user", "local-user = on\nlocal-user-refresh = 9s", "", "GET", "site", WANTED, LASTING,
	 {9, true}},
	{"no record", "local-user-refresh = 9s", "", "GET", "site", WANTED, LASTING, {60, true}},

	/* Not at all. */
	{"not asked for", "", "", "GET", "site", {.cache_wanted = false}, LASTING, {0, false}},
	{"a denial", "", "", "GET", "site", WANTED, {.err = ERR_RULE_FAILED, .claims = {USER}}, {0, false}},
	{"nobody", "unauthenticated = anonymous", "", "GET", "site", WANTED, {.anonymous = true}, {0, false}},
	{"two policies", "", "", "GET", NULL, WANTED, {.two_policies = true, .claims = {USER, .exp = NOW + 3600}},
	 {0, false}},
	{"OPTIONS", "", "", "OPTIONS", "site", WANTED, LASTING, {0, false}},
	{"a WebSocket", "", "", "GET", "site", {.cache_wanted = true, .websocket = true}, LASTING,
	 {0, false}},
	{"API keys", "token-from = bearer, api-key", "", "GET", "site", WANTED, LASTING, {0, false}},
	{"a token in the query", "token-from = bearer, query:token", "", "GET", "site", WANTED, LASTING, {0, false}},
	{"one in the handshake", "token-from = bearer, websocket-protocol", "", "GET", "site", WANTED, LASTING,
	 {0, false}},
	{"pages of other origins", "cors-origin = https://app.example", "", "GET", "site", WANTED, LASTING,
	 {0, false}},
	{"cookies alone", "token-from = cookie", "", "GET", "site", WANTED, LASTING, {60, true}},
	{"many hosts", "", "[store]\nmemcached = 127.0.0.1:11211\n", "GET", "site", WANTED, LASTING, {0, false}},
	{"each allow is logged", "", "[server]\nlog-allow = on\n", "GET", "site", WANTED, LASTING, {0, false}},
	{"an old profile", "", "", "GET", "site", WANTED,
	 {.claims = {USER, .exp = TIME_ABSENT}, .profile = {.from = PROFILE_FROM_OLD}}, {0, false}},
};

static struct snapshot *load(const struct row *row)
{
	char text[1024];
	struct buf conf = buf_over(text, sizeof text - 1);
	struct conf_error error = {""};
	struct snapshot *snapshot = NULL;
	buf_printf(&conf, ISSUER "[policy \"site\"]\npath = /**\n%s\n%s", row->options, row->more);
	folder_write(&folder, "conf", buf_str(&conf));
	UNIT_ROW(snapshot_open(folder_file(&folder, "conf"), 1, &snapshot, &error), error.text);
	return snapshot;
}

static struct verdict_hold hold(struct snapshot *snapshot, const struct row *row, const struct verdict *verdict)
{
	struct request request = row->request;
	struct verdict judged = *verdict;
	request.method = str_of(row->method);
	request.policy = str_of(row->policy);
	judged.policy = &snapshot->policies[0];
	return verdict_cache_hold(snapshot, &request, &judged);
}

static void table(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct snapshot *snapshot = load(&rows[i]);
		if (!snapshot)
			continue;
		struct verdict_hold got = hold(snapshot, &rows[i], &rows[i].verdict);
		UNIT_ROW(got.seconds == rows[i].want.seconds, rows[i].name);
		UNIT_ROW(got.seconds == 0 || got.every_path == rows[i].want.every_path, rows[i].name);
		snapshot_close(&snapshot);
	}
}

/* What is measured by other clocks than that of claims. */
static void by_other_clocks(void)
{
	static const struct row plain = {"", "", "", "GET", "site", WANTED, LASTING, {0, false}};
	struct snapshot *snapshot = load(&plain);
	struct verdict verdict = plain.verdict;
	if (!snapshot)
		return;
	verdict.claims.ask_again_ms = clock_monotonic_ms() + 9990;
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 9, "a session that is asked about again");
	verdict.claims.ask_again_ms = clock_monotonic_ms();
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 0, "now");
	verdict = plain.verdict;
	/* Only that there is one counts here. */
	verdict.profile.source = (const void *)&plain;
	verdict.profile.from = PROFILE_FROM_CACHE;
	verdict.profile.new_until_ms = clock_unfrozen_ms() + 8990;
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 8, "a profile that gets old");
	verdict.profile.new_until_ms = INT64_MAX;
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 60, "one that does not");
	verdict.profile.new_until_ms = clock_unfrozen_ms() - 1;
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 0, "one that is old, and was asked for just now");
	snapshot_close(&snapshot);
}

/* From then on each answer may bring the next token, which must not be kept. */
static void until_the_next_token(void)
{
	static const struct row plain = {"", "", "[login]\ncookie = auth\nlifetime = 1h\n", "GET", "site", WANTED,
					 UNTIL(900 + 20), {0, false}};
	struct snapshot *snapshot = load(&plain);
	struct arena *arena;
	struct verdict verdict = plain.verdict;
	if (!snapshot || !arena_open(1 << 16, &arena))
		return;
	verdict.claims.sid = verdict.claims.jti = STR("x");
	verdict.claims.issuer = STR("main");
	verdict.credentials = (struct credentials){.carrier = CARRIER_COOKIE, .cookie = STR("auth")};
	CU_ASSERT_FATAL(json_parse(arena, STR("{\"auth_time\":1799999000}"), &verdict.claims.all));
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 20, "before it");
	verdict.claims.exp = NOW + 900;
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 0, "from then on");
	verdict.credentials.cookie = STR("sso");
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 60, "in another cookie");
	verdict.credentials = (struct credentials){.carrier = CARRIER_BEARER};
	UNIT_ROW(hold(snapshot, &plain, &verdict).seconds == 60, "of a program");
	arena_close(&arena);
	snapshot_close(&snapshot);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"table", table},
		{"by other clocks", by_other_clocks},
		{"until the next token", until_the_next_token},
		{NULL, NULL},
	};
	clock_set(NOW);
	folder_open(&folder);
	int status = unit_main("verdict_cache", cases);
	folder_close(&folder);
	return status;
}
