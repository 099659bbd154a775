/* SPDX-License-Identifier: Apache-2.0 */
/* What a logout token must say; signatures and effects are in test_backchannel.py. */
#include "token/logout_token.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

enum { NOW = 1767225600 };

#define EVENTS "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"
#define ISS "\"iss\":\"https://idp\","
#define WHO ISS "\"aud\":\"me\",\"jti\":\"j\",\"iat\":1767225590,\"exp\":1767225700,"

static struct arena *arena;

static struct token parse(const char *header, const char *payload)
{
	struct token token = {.text = STR_NONE};
	CU_ASSERT_FATAL(json_parse(arena, str_of(header), &token.header));
	CU_ASSERT_FATAL(json_parse(arena, str_of(payload), &token.payload));
	return token;
}

static void checked(void)
{
	static const struct conf_text iss[] = {{.value = {"https://idp", 11}}}, aud[] = {{.value = {"site", 4}}},
				      azp[] = {{.value = {"me", 2}}}, id[] = {{.value = {"sub", 3}}};
	static const struct {
		const char *payload, *why; /* the beginning; NULL: it is good */
	} rows[] = {
		{"{" WHO EVENTS ",\"sid\":\"s\"}", NULL},
		{"{" WHO EVENTS ",\"sub\":\"u\"}", NULL},
		{"{" WHO EVENTS "}", "neither"},
		{"{" WHO EVENTS ",\"sub\":\" u\"}", "sub is no"},
		{"{" WHO EVENTS ",\"sid\":\"s\",\"nonce\":\"n\"}", "nonce"},
		{"{" WHO "\"events\":{},\"sid\":\"s\"}", "events"},
		{"{" WHO "\"sid\":\"s\"}", "events"},
		{"{" ISS "\"aud\":[\"x\",\"site\"],\"jti\":\"j\",\"iat\":1767225670,\"exp\":1767225591,"
		 EVENTS ",\"sid\":\"s\"}", NULL},
		{"{" ISS "\"aud\":\"me\",\"jti\":\"j\",\"iat\":1767225671,\"exp\":1767225700," EVENTS
		 ",\"sid\":\"s\"}", "iat is in"},
		{"{" ISS "\"aud\":\"me\",\"jti\":\"j\",\"iat\":1767225500,\"exp\":1767225590," EVENTS
		 ",\"sid\":\"s\"}", "exp is over"},
		{"{" ISS "\"aud\":\"me\",\"jti\":\"j\",\"iat\":1,\"exp\":\"2\"," EVENTS ",\"sid\":\"s\"}",
		 "iat or exp"},
		{"{" ISS "\"aud\":\"ME\",\"jti\":\"j\"," EVENTS ",\"sid\":\"s\"}", "aud"},
		{"{\"iss\":\"https://idp/\",\"aud\":\"me\",\"jti\":\"j\"," EVENTS ",\"sid\":\"s\"}", "iss"},
		{"{" ISS "\"aud\":\"me\",\"iat\":1,\"exp\":2," EVENTS ",\"sid\":\"s\"}", "jti"},
	};
	const struct claims_rules rules = {.iss = {iss, 1}, .audience = {aud, 1}, .authorized_parties = {azp, 1},
					   .user_id = {id, 1}, .leeway = 10};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct token token = parse("{\"typ\":\"logout+jwt\"}", rows[i].payload);
		struct logout_token got;
		const char *why = "";
		bool good = logout_token_check(&rules, &token, NOW, &got, &why);
		UNIT_ROW(good == !rows[i].why, rows[i].payload);
		UNIT_ROW(good || strncmp(why, rows[i].why, strlen(rows[i].why)) == 0, why);
	}
}

static void fields(void)
{
	static const struct conf_text iss[] = {{.value = {"https://idp", 11}}}, aud[] = {{.value = {"me", 2}}},
				      id[] = {{.value = {"user.id", 7}}, {.value = {"sub", 3}}};
	const struct claims_rules rules = {.iss = {iss, 1}, .audience = {aud, 1}, .user_id = {id, 2}, .leeway = 7};
	struct token token = parse("{}", "{" WHO EVENTS ",\"sid\":\"s\",\"sub\":\"u\"}");
	struct logout_token got;
	const char *why = "";
	CU_ASSERT_FATAL(logout_token_check(&rules, &token, NOW, &got, &why));
	UNIT_STR_EQ(got.iss, STR("https://idp"), "iss");
	UNIT_STR_EQ(got.jti, STR("j"), "jti");
	UNIT_STR_EQ(got.sid, STR("s"), "sid");
	UNIT_STR_EQ(got.user_id, STR("u"), "user");
	CU_ASSERT(got.exp == 1767225700 && got.leeway == 7);
	const struct claims_rules nobody = {.iss = {iss, 1}, .user_id = {id, 2}};
	UNIT_ROW(!logout_token_check(&nobody, &token, NOW, &got, &why), "without an audience there is none");
}

static void types(void)
{
	static const struct {
		const char *header;
		bool good, event;
	} rows[] = {
		{"{}", true, false}, {"{\"typ\":\"JWT\"}", true, false}, {"{\"typ\":\"jwt\"}", true, false},
		{"{\"typ\":\"logout+jwt\"}", true, true}, {"{\"typ\":\"Application/Logout+JWT\"}", true, true},
		{"{\"typ\":\"at+jwt\"}", false, false}, {"{\"typ\":\"secevent+jwt\"}", false, true},
		{"{\"typ\":\"application/\"}", false, false}, {"{\"typ\":7}", false, false},
	};
	static const struct conf_text iss[] = {{.value = {"https://idp", 11}}}, aud[] = {{.value = {"me", 2}}};
	const struct claims_rules rules = {.iss = {iss, 1}, .audience = {aud, 1}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct token token = parse(rows[i].header, "{" WHO EVENTS ",\"sid\":\"s\"}");
		struct token bare = parse(rows[i].header, "{\"events\":[\"a\"],\"sid\":\"s\"}");
		struct logout_token got;
		const char *why = "";
		UNIT_ROW(logout_token_check(&rules, &token, NOW, &got, &why) == rows[i].good, rows[i].header);
		UNIT_ROW(logout_token_is_event(&token), rows[i].header);
		UNIT_ROW(logout_token_is_event(&bare) == rows[i].event, rows[i].header);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"checked", checked}, {"fields", fields}, {"types", types}, {NULL, NULL}};
	if (!arena_open(1 << 18, &arena))
		return 99;
	int status = unit_main("logout_token", cases);
	arena_close(&arena);
	return status;
}
