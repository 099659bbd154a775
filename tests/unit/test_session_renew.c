/* SPDX-License-Identifier: Apache-2.0 */
/* From when on which token has a successor. */
#include "policy/session_renew.h"

#include "base/clock.h"
#include "folder.h"
#include "unit.h"

#define CONF                                                                                                          \
	"[issuer \"main\"]\nalgorithms = HS256\nsecret = text:0123456789abcdef0123456789abcdef\n"                     \
	"[policy \"site\"]\npath = /**\n[login]\nlifetime = 1h\n"

enum { NOW = 1800000000, HOUR = 3600 };

static struct folder folder;
static struct arena *arena;

/* When the token has a successor, or 0. */
static int64_t at(const char *options, const char *claims_json, struct claims claims)
{
	char text[512];
	struct buf conf = buf_over(text, sizeof text - 1);
	struct conf_error error = {""};
	struct snapshot *snapshot = NULL;
	buf_add(&conf, STR(CONF));
	buf_add(&conf, str_of(options));
	folder_write(&folder, "conf", buf_str(&conf));
	if (!snapshot_open(folder_file(&folder, "conf"), 1, &snapshot, &error)) {
		UNIT_ROW(false, error.text);
		return -1;
	}
	CU_ASSERT(json_parse(arena, str_of(claims_json), &claims.all));
	int64_t when = session_renewal_at(snapshot, &claims);
	snapshot_close(&snapshot);
	return when == TIME_ABSENT ? 0 : when;
}

#define LOGIN(seconds) .jti = {"j", 1}, .sid = {"s", 1}, .issuer = {"main", 4}, .exp = NOW + (seconds)

static void table(void)
{
	static const char now[] = "{\"auth_time\":1800000000}";
	static const struct {
		const char *row, *options, *json;
		struct claims claims;
		int64_t want;
	} rows[] = {
		{"a quarter of lifetime", "", now, {LOGIN(HOUR)}, NOW + HOUR - 900},
		{"renew", "renew = 10m\n", now, {LOGIN(HOUR)}, NOW + HOUR - 600},
		{"off", "renew = 0s\n", now, {LOGIN(HOUR)}, 0},
		{"up to session-max", "session-max = 2h\n", now, {LOGIN(HOUR)}, NOW + HOUR - 900},
		{"a last one, cut short", "session-max = 2h\n", now, {LOGIN(2 * HOUR - 60)}, NOW + 2 * HOUR - 960},
		{"none would be longer", "session-max = 2h\n", now, {LOGIN(2 * HOUR)}, 0},
		{"nor beyond it", "session-max = 2h\n", now, {LOGIN(3 * HOUR)}, 0},
		{"no auth_time", "", "{}", {LOGIN(HOUR)}, 0},
		{"one that is no number", "", "{\"auth_time\":\"1800000000\"}", {LOGIN(HOUR)}, 0},
		{"beyond all times", "", "{\"auth_time\":9223372036854775807}", {LOGIN(HOUR)}, 0},
		{"no session", "", now, {.jti = {"j", 1}, .issuer = {"main", 4}, .exp = NOW + HOUR}, 0},
		{"no jti", "", now, {.sid = {"s", 1}, .issuer = {"main", 4}, .exp = NOW + HOUR}, 0},
		{"no end", "", now, {.jti = {"j", 1}, .sid = {"s", 1}, .issuer = {"main", 4}, .exp = TIME_ABSENT}, 0},
		{"of another issuer", "", now,
		 {.jti = {"j", 1}, .sid = {"s", 1}, .issuer = {"sso", 3}, .exp = NOW + HOUR}, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(at(rows[i].options, rows[i].json, rows[i].claims) == rows[i].want, rows[i].row);
}

/* However often a token of ours was renewed. */
static void since(void)
{
	CU_ASSERT_EQUAL(claims_since(&(struct claims){.iat = NOW}), NOW);
	CU_ASSERT_EQUAL(claims_since(&(struct claims){.iat = NOW, .auth_time = NOW - 5}), NOW - 5);
	CU_ASSERT_EQUAL(claims_since(&(struct claims){.iat = NOW, .auth_time = NOW + 5}), NOW);
	CU_ASSERT_EQUAL(claims_since(&(struct claims){.iat = TIME_ABSENT, .auth_time = NOW}), TIME_ABSENT);
}

int main(void)
{
	static const struct unit_case cases[] = {{"table", table}, {"since when", since}, {NULL, NULL}};
	clock_set(NOW);
	folder_open(&folder);
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("session_renew", cases);
	arena_close(&arena);
	folder_close(&folder);
	return status;
}
