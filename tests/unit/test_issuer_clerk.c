/* SPDX-License-Identifier: Apache-2.0 */
/* Session tokens of Clerk: which are taken, and what their claims become. */
#include <string.h>

#include "base/codec.h"
#include "folder.h"
#include "token/clerk_claims.h"
#include "token/issuer.h"
#include "token/jws.h"
#include "unit.h"

enum { NOW = 1767225600 };

#define OK ISS "\"sub\":\"user_1\"," AZP
#define ISS "\"iss\":\"https://clerk.example.com\","
#define AZP "\"azp\":\"https://app.example.com\","
#define TIMES "\"iat\":1767225590,\"nbf\":1767225580,\"exp\":1767225650"
#define JWT "\"typ\":\"JWT\""

static struct folder folder;
static struct arena *arena;
static struct token_thread *thread;
static struct key_set signer;
static struct issuer *issuer;
static struct conf *conf;

/* What "o" and "fea" become, in the order of json_text: id, slug, role, permissions. */
static void claims_of_version_2(void)
{
	static const struct {
		const char *claims, *want;
	} rows[] = {
		{"{\"v\":2,\"o\":{\"id\":\"org_2x\",\"slg\":\"acme\",\"rol\":\"admin\",\"per\":\"read,manage\","
		 "\"fpm\":\"3,1\"},\"fea\":\"o:articles,u:dash\"}",
		 "org_2x|acme|org:admin|org:articles:read,org:articles:manage"},
		{"{\"v\":2,\"o\":{\"id\":\"o1\",\"rol\":\"basic_member\"}}", "o1||org:basic_member|"},
		{"{\"v\":2,\"o\":{\"per\":\"a,b,c\",\"fpm\":\"5,2\"},\"fea\":\"o:x,u:y,uo:z\"}",
		 "|||org:x:a,org:x:c,org:z:b"},
		{"{\"v\":2,\"o\":{\"per\":\"a, b\",\"fpm\":\"0, 2\"},\"fea\":\"o:x, o:y\"}", "|||org:y:b"},
		/* A feature without a mask has no permission. */
		{"{\"v\":2,\"o\":{\"per\":\"a\",\"fpm\":\"1\"},\"fea\":\"o:x,o:y\"}", "|||org:x:a"},
		/* Not version 2. */
		{"{\"o\":{\"id\":\"o1\",\"rol\":\"admin\"}}", "|||"},
		{"{\"v\":1,\"o\":{\"id\":\"o1\",\"rol\":\"admin\"}}", "|||"},
		{"{\"v\":\"2\",\"o\":{\"id\":\"o1\",\"rol\":\"admin\"}}", "|||"},
		{"{\"v\":2}", "|||"},
		{"{\"v\":2,\"o\":\"o1\"}", "|||"},
		{"{\"v\":2,\"o\":[\"id\"]}", "|||"},
		/* Not as Clerk writes it: no permission, and no part of them. */
		{"{\"v\":2,\"o\":{\"id\":1,\"slg\":null,\"rol\":[\"admin\"]}}", "|||"},
		{"{\"v\":2,\"o\":{\"rol\":\"\"}}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a,b\",\"fpm\":\"4\"},\"fea\":\"o:x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a,b\",\"fpm\":\"1,4\"},\"fea\":\"o:x,o:y\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a,b\",\"fpm\":\"-1\"},\"fea\":\"o:x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a,b\",\"fpm\":\"0x1\"},\"fea\":\"o:x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a,b\",\"fpm\":3},\"fea\":\"o:x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a,,b\",\"fpm\":\"1\"},\"fea\":\"o:x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a:b\",\"fpm\":\"1\"},\"fea\":\"o:x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a\",\"fpm\":\"1\"},\"fea\":\"x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a\",\"fpm\":\"1\"},\"fea\":\"o:\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a\",\"fpm\":\"1\"},\"fea\":\"o:x:y\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a\",\"fpm\":\"1\"},\"fea\":[\"o:x\"]}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a\",\"fpm\":\"1\"}}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"a\"},\"fea\":\"o:x\"}", "|||"},
		{"{\"v\":2,\"o\":{\"per\":\"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,"
		 "28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,"
		 "60,61,62,63,64\",\"fpm\":\"1\"},\"fea\":\"o:x\"}",
		 "|||"},
		/* What the token says itself stays. */
		{"{\"v\":2,\"org_role\":\"own\",\"o\":{\"id\":\"o1\",\"rol\":\"admin\"}}", "o1||own|"},
	};
	static const char *const names[] = {"org_id", "org_slug", "org_role", "org_permissions"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *claims;
		char memory[512];
		struct buf got = buf_over(memory, sizeof memory);
		CU_ASSERT_FATAL(json_parse(arena, str_of(rows[i].claims), &claims));
		const struct json *all = clerk_claims(arena, claims);
		for (size_t k = 0; k < 4; k++) {
			if (k)
				buf_char(&got, '|');
			buf_add(&got, json_text(arena, json_member(all, str_of(names[k]))));
		}
		UNIT_STR_EQ(buf_str(&got), str_of(rows[i].want), rows[i].claims);
		UNIT_ROW(json_member(all, STR("v")) == json_member(claims, STR("v")), "what is there stays");
		arena_reset(arena);
	}
}

/* Written anew they are the JSON that was meant. */
static void derived_claims_are_json(void)
{
	const struct json *claims, *again;
	struct str role, array;
	CU_ASSERT_FATAL(json_parse(arena,
				   STR("{\"v\":2,\"o\":{\"rol\":\"a\\\"\\u0001\\u00e9<\",\"per\":\"r,w\","
				       "\"fpm\":\"3\"},\"fea\":\"o:x\"}"),
				   &claims));
	const struct json *all = clerk_claims(arena, claims);
	CU_ASSERT_TRUE(json_parse(arena, json_member(all, STR("org_role"))->raw, &again));
	CU_ASSERT_TRUE(json_string(again, &role));
	UNIT_STR_EQ(role, STR("org:a\"\x01\xc3\xa9<"), "role");
	array = json_member(all, STR("org_permissions"))->raw;
	UNIT_STR_EQ(array, STR("[\"org:x:r\",\"org:x:w\"]"), "permissions");
	arena_reset(arena);
}

/* No room: what would be half is nothing. */
static void small_arena(void)
{
	static char text[8192];
	struct buf b = buf_over(text, sizeof text);
	buf_add(&b, STR("{\"v\":2,\"o\":{\"per\":\"a,b,c,d,e,f,g,h,i,j\",\"fpm\":\"1023"));
	for (size_t i = 0; i < 200; i++)
		buf_add(&b, STR(",1023"));
	buf_add(&b, STR("\"},\"fea\":\"o:x"));
	for (size_t i = 0; i < 200; i++)
		buf_add(&b, STR(",o:x"));
	buf_add(&b, STR("\"}"));
	const struct json *claims;
	CU_ASSERT_FATAL(json_parse(arena, buf_str(&b), &claims));
	CU_ASSERT_PTR_NULL(json_member(clerk_claims(arena, claims), STR("org_permissions")));
	for (size_t size = 256; size < 4096; size += 256) {
		struct arena *small;
		CU_ASSERT_FATAL(arena_open(size, &small));
		CU_ASSERT_PTR_NULL(json_member(clerk_claims(small, claims), STR("org_permissions")));
		arena_close(&small);
	}
	arena_reset(arena);
}

/* A key pair: its public part for the issuer, as Clerk's JWK Set has it. */
static void make_keys(void)
{
	static const struct conf_kind *const kinds[] = {&issuer_kind, NULL};
	static char text[8 * KEY_JWK_MAX];
	struct buf ring = buf_over(text, sizeof text), why = buf_over(text, sizeof text);
	char memory[2 * KEY_JWK_MAX], jwk_memory[KEY_JWK_MAX];
	struct buf jwk = buf_over(jwk_memory, sizeof jwk_memory), set = buf_over(memory, sizeof memory);
	const struct algorithm *algorithm = algorithm_find(STR("RS256"), ALGORITHM_ALL);
	struct conf_error error;
	CU_ASSERT_FATAL(key_generate_jwk(algorithm, STR("ins_1"), &jwk));
	buf_printf(&ring, "{\"keys\":[%.*s]}", STR_ARGS(buf_str(&jwk)));
	key_set_begin(&signer);
	CU_ASSERT_FATAL(key_set_add_ring(&signer, ALGORITHM_ALL, false, buf_str(&ring), &why));
	buf_add(&set, STR("{\"keys\":["));
	CU_ASSERT_FATAL(key_print_jwk(signer.keys[0], &set));
	buf_add(&set, STR("]}"));
	folder_write(&folder, "jwks", buf_str(&set));
	struct buf options = buf_over(text, sizeof text);
	buf_printf(&options,
		   "[issuer \"main\"]\ntype = clerk\niss = https://clerk.example.com\njwks = file:%s/jwks\n"
		   "authorized-parties = https://app.example.com\n",
		   folder.path);
	folder_write(&folder, "conf", buf_str(&options));
	CU_ASSERT_FATAL(conf_open(folder_file(&folder, "conf"), kinds, &conf, &error));
	CU_ASSERT_FATAL(issuer_open(conf->sections, 1, &issuer, &error));
}

static struct str sign(const char *header, const char *payload)
{
	struct buf out = arena_buf(arena, 8192);
	unsigned char signature[KEY_SIGNATURE_MAX];
	size_t n;
	base64url_encode(&out, (const unsigned char *)header, strlen(header));
	buf_char(&out, '.');
	base64url_encode(&out, (const unsigned char *)payload, strlen(payload));
	CU_ASSERT_FATAL(key_sign(signer.keys[0], thread, buf_str(&out), signature, &n));
	buf_char(&out, '.');
	base64url_encode(&out, signature, n);
	return buf_str(&out);
}

static void tokens(void)
{
	static const struct {
		const char *header, *payload;
		enum err want;
	} rows[] = {
		{JWT, OK TIMES, ERR_NONE},
		{JWT ",\"kid\":\"ins_1\"", OK TIMES, ERR_NONE},
		{JWT ",\"cat\":\"cl_B7d4PD111AAA\"", OK TIMES, ERR_NONE},
		{JWT ",\"cat\":\"cl_B7d4PD222AAA\"", OK TIMES, ERR_NONE},
		{JWT ",\"cat\":\"cl_B7d4PD333AAA\"", OK TIMES, ERR_BAD_CLAIM},
		{JWT ",\"cat\":\"cl_b7d4pd111aaa\"", OK TIMES, ERR_BAD_CLAIM},
		{JWT ",\"cat\":\"\"", OK TIMES, ERR_BAD_CLAIM},
		{JWT ",\"cat\":null", OK TIMES, ERR_BAD_CLAIM},
		{JWT ",\"kid\":\"ins_2\"", OK TIMES, ERR_UNKNOWN_KEY},
		{"\"x\":1", OK TIMES, ERR_BAD_CLAIM},
		{"\"typ\":\"at+jwt\"", OK TIMES, ERR_BAD_CLAIM},
		{JWT, ISS "\"sub\":\"mch_1\"," AZP TIMES,
		 ERR_BAD_CLAIM},
		{JWT, ISS "\"sub\":1," AZP TIMES,
		 ERR_BAD_CLAIM},
		{JWT, ISS AZP TIMES, ERR_BAD_CLAIM},
		{JWT, "\"iss\":\"https://clerk.example.com/\",\"sub\":\"user_1\"," TIMES, ERR_BAD_ISSUER},
		{JWT, "\"sub\":\"user_1\",\"azp\":\"https://app.example.com\"," TIMES, ERR_BAD_ISSUER},
		{JWT, "\"iss\":\"https://clerk.example.com\",\"sub\":\"user_1\"," TIMES, ERR_BAD_PARTY},
		{JWT, OK "\"exp\":1767225596", ERR_NONE},
		{JWT, OK "\"exp\":1767225595", ERR_TOKEN_EXPIRED},
		{JWT, OK "\"exp\":\"1767225650\"", ERR_BAD_CLAIM},
		{JWT, OK "\"iat\":1767225590", ERR_BAD_CLAIM},
		{JWT, OK "\"exp\":1767225650,\"nbf\":1767225605", ERR_NONE},
		{JWT, OK "\"exp\":1767225650,\"nbf\":1767225606", ERR_NOT_YET_VALID},
		{JWT, OK "\"exp\":1767225650,\"iat\":1767225605", ERR_NONE},
		{JWT, OK "\"exp\":1767225650,\"iat\":1767225606", ERR_NOT_YET_VALID},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str header = arena_printf(arena, "{\"alg\":\"RS256\",%s}", rows[i].header);
		struct str payload = arena_printf(arena, "{%s}", rows[i].payload);
		struct token token;
		struct claims claims;
		CU_ASSERT_FATAL(token_parse(arena, sign(header.p, payload.p), &token) == ERR_NONE);
		enum err err = issuer_verify(issuer, &(struct verification){thread, arena, NOW}, &token, &claims);
		UNIT_ROW(err == rows[i].want, payload.p);
		if (!err)
			UNIT_STR_EQ(claims.user_id, STR("user_1"), payload.p);
		arena_reset(arena);
	}
}

/* Rules and attributes see the derived claims. */
static void verified_claims(void)
{
	struct token token;
	struct claims claims;
	struct str text = sign("{\"alg\":\"RS256\"," JWT "}",
			       "{" OK TIMES ",\"v\":2,\"o\":{\"id\":\"org_2x\",\"rol\":\"admin\"}}");
	CU_ASSERT_FATAL(token_parse(arena, text, &token) == ERR_NONE);
	CU_ASSERT_FATAL(issuer_verify(issuer, &(struct verification){thread, arena, NOW}, &token, &claims) == ERR_NONE);
	UNIT_STR_EQ(json_text(arena, json_member(claims.all, STR("org_role"))), STR("org:admin"), "role");
	CU_ASSERT_EQUAL(issuer_cookies(issuer).n, 1);
	UNIT_STR_EQ(issuer_cookies(issuer).items[0].value, STR("__session"), "cookie");
}

/* Opaque machine tokens, and what Clerk never signs with. */
static void other_forms(void)
{
	struct token token;
	struct claims claims;
	CU_ASSERT_EQUAL(token_parse(arena, STR("oat_2abcdef"), &token), ERR_NONE);
	CU_ASSERT_EQUAL(issuer_verify(issuer, &(struct verification){thread, arena, NOW}, &token, &claims),
			ERR_TOKEN_MALFORMED);
	CU_ASSERT_EQUAL(token_parse(arena, sign("{\"alg\":\"RS512\"," JWT "}", "{" OK TIMES "}"), &token), ERR_NONE);
	CU_ASSERT_EQUAL(issuer_verify(issuer, &(struct verification){thread, arena, NOW}, &token, &claims),
			ERR_BAD_ALGORITHM);
	CU_ASSERT_FALSE(issuer_fits(issuer, &token));
	CU_ASSERT_EQUAL(token_parse(arena, sign("{\"alg\":\"RS256\"}", "{" OK TIMES "}"), &token), ERR_NONE);
	CU_ASSERT_TRUE(issuer_fits(issuer, &token));
	struct issue issue = {STR("user_1"), STR_NONE, NOW, 60, STR_NONE};
	struct str text;
	CU_ASSERT_EQUAL(issuer_sign(issuer, thread, arena, &issue, &text), ERR_INTERNAL);
	issuer_close(&issuer);
	conf_close(&conf);
	key_set_close(&signer);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"claims of version 2", claims_of_version_2},
		{"derived claims are JSON", derived_claims_are_json},
		{"small arena", small_arena},
		{"keys", make_keys},
		{"tokens", tokens},
		{"verified claims", verified_claims},
		{"other forms", other_forms},
		{NULL, NULL},
	};
	folder_open(&folder);
	if (!token_start() || !arena_open(1 << 20, &arena) || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("issuer_clerk", cases);
	token_thread_close(&thread);
	arena_close(&arena);
	folder_close(&folder);
	return status;
}
