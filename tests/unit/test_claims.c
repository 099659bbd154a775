/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out of a claims set; the verdicts are in tokens.json (test_issuer). */
#include "token/claims.h"

#include "unit.h"

enum { NOW = 1767225600 };

static struct arena *arena;

static const struct conf_text sub[] = {{.value = {"sub", 3}}};

static struct claims_rules rules_for_sub(void)
{
	return (struct claims_rules){.user_id = {sub, 1}, .require_exp = true};
}

static enum err check(const struct claims_rules *rules, const char *header, const char *payload, struct claims *out)
{
	struct token token = {.text = STR_NONE};
	CU_ASSERT_FATAL(json_parse(arena, str_of(header), &token.header));
	CU_ASSERT_FATAL(json_parse(arena, str_of(payload), &token.payload));
	return claims_check(rules, &token, NOW, out);
}

static void everything(void)
{
	struct claims c;
	struct claims_rules rules = rules_for_sub();
	rules.leeway = 5;
	CU_ASSERT_EQUAL_FATAL(check(&rules, "{\"alg\":\"HS256\",\"kid\":\"k1\"}",
				    "{\"sub\":\"alice\",\"iss\":\"https://a.test\",\"jti\":\"j1\",\"sid\":\"s1\","
				    "\"exp\":1767225700.7,\"iat\":1767225500.2,\"nbf\":1767225400}",
				    &c),
			      ERR_NONE);
	UNIT_STR_EQ(c.user_id, STR("alice"), "user");
	UNIT_STR_EQ(c.iss, STR("https://a.test"), "iss");
	UNIT_STR_EQ(c.jti, STR("j1"), "jti");
	UNIT_STR_EQ(c.sid, STR("s1"), "sid");
	UNIT_STR_EQ(c.kid, STR("k1"), "kid");
	CU_ASSERT_EQUAL(c.exp, 1767225700);
	CU_ASSERT_EQUAL(c.iat, 1767225500);
	CU_ASSERT_EQUAL(c.nbf, 1767225400);
	CU_ASSERT_EQUAL(c.leeway, 5);
	CU_ASSERT_PTR_NOT_NULL(json_member(c.all, STR("jti")));
}

/* jti and sid name what may be revoked: one that is no good name is none. */
static void nothing(void)
{
	static const char *const rows[] = {
		"{\"sub\":1}",
		"{\"sub\":1,\"jti\":\"\",\"sid\":\"\",\"iss\":\"\"}",
		"{\"sub\":1,\"jti\":7,\"sid\":null}",
		"{\"sub\":1,\"jti\":[\"j\"],\"sid\":{}}",
	};
	struct claims_rules rules = rules_for_sub();
	rules.require_exp = false;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct claims c;
		CU_ASSERT_EQUAL_FATAL(check(&rules, "{}", rows[i], &c), ERR_NONE);
		UNIT_STR_EQ(c.user_id, STR("1"), rows[i]);
		CU_ASSERT(!c.jti.p && !c.sid.p && !c.iss.p && !c.kid.p);
		CU_ASSERT(c.exp == TIME_ABSENT && c.iat == TIME_ABSENT && c.nbf == TIME_ABSENT);
	}
}

/* Only a token that is good but for its age leaves claims behind. */
static void written_when(void)
{
	static const struct {
		const char *payload;
		enum err err;
		bool written;
	} rows[] = {
		{"{\"sub\":\"a\",\"exp\":1767225601}", ERR_NONE, true},
		{"{\"sub\":\"a\",\"exp\":1767225600}", ERR_TOKEN_EXPIRED, true},
		{"{\"sub\":\"\",\"exp\":1767225600}", ERR_BAD_CLAIM, false},
		{"{\"sub\":\"a\",\"exp\":1,\"nbf\":1767225601}", ERR_NOT_YET_VALID, false},
		{"{\"sub\":\"a\",\"exp\":1,\"iss\":2}", ERR_BAD_ISSUER, false},
	};
	struct claims_rules rules = rules_for_sub();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct claims c = {.leeway = 99};
		UNIT_ROW(check(&rules, "{}", rows[i].payload, &c) == rows[i].err, rows[i].payload);
		UNIT_ROW((c.leeway != 99) == rows[i].written, rows[i].payload);
	}
}

/* The clock may be anything without a side overflowing (UBSan watches). */
static void far_clocks(void)
{
	struct claims c;
	struct token token = {.text = STR_NONE};
	struct claims_rules rules = rules_for_sub();
	rules.leeway = 600;
	CU_ASSERT_FATAL(json_parse(arena, STR("{}"), &token.header));
	CU_ASSERT_FATAL(json_parse(arena, STR("{\"sub\":\"a\",\"exp\":9e99,\"nbf\":0}"), &token.payload));
	CU_ASSERT_EQUAL(claims_check(&rules, &token, 0, &c), ERR_NONE);
	CU_ASSERT_EQUAL(claims_check(&rules, &token, INT64_MAX, &c), ERR_NONE);
	CU_ASSERT_EQUAL(c.exp, INT64_MAX);
	rules.max_lifetime = 3600;
	CU_ASSERT_FATAL(json_parse(arena, STR("{\"sub\":\"a\",\"exp\":0,\"iat\":9e99}"), &token.payload));
	CU_ASSERT_EQUAL(claims_check(&rules, &token, INT64_MAX, &c), ERR_TOKEN_EXPIRED);
}

static void user_ids(void)
{
	static const struct {
		struct str id;
		bool valid;
	} rows[] = {
		{{"a", 1}, true},	{{"a b", 3}, true},	    {{"\xc3\xa9", 2}, true}, {{"", 0}, false},
		{{NULL, 0}, false},	{{" a", 2}, false},	    {{"a ", 2}, false},	     {{" ", 1}, false},
		{{"a\0b", 3}, false},	{{"a\x7f", 2}, false},	    {{"a\nb", 3}, false},    {{"\xff", 1}, false},
		{{"\xc3", 1}, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CU_ASSERT(claims_user_id_valid(rows[i].id) == rows[i].valid);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"everything", everything}, {"nothing", nothing},   {"written when", written_when},
		{"far clocks", far_clocks}, {"user ids", user_ids}, {0},
	};
	if (!arena_open(1 << 16, &arena))
		return 1;
	int status = unit_main("claims", cases);
	arena_close(&arena);
	return status;
}
