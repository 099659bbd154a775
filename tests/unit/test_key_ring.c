/* SPDX-License-Identifier: Apache-2.0 */
/* Key rings: made, imported, read, used; and the public part that is published. */
#include <string.h>

#include "base/codec.h"
#include "jwk_texts.h"
#include "token/jws.h"
#include "unit.h"

static char why_memory[1024];
static struct buf why;

/* A ring of the JWKs, parted by commas, into an empty set. */
static bool open_ring(struct key_set *set, struct str jwks, bool short_too)
{
	static char memory[1 << 16];
	struct buf text = buf_over(memory, sizeof memory);
	buf_printf(&text, "{\"keys\":[%.*s]}", STR_ARGS(jwks));
	why = buf_over(why_memory, sizeof why_memory);
	key_set_begin(set);
	return key_set_add_ring(set, ALGORITHM_ALL, short_too, buf_str(&text), &why);
}

static void check_published(const struct key_set *ring, const struct algorithm *algorithm, struct str text,
			    const struct token *token)
{
	char memory[KEY_JWK_MAX];
	struct buf jwk = buf_over(memory, sizeof memory);
	struct key_set set;
	bool is_secret = algorithm->family == KEY_HMAC;
	CU_ASSERT_EQUAL(key_print_jwk(ring->keys[0], &jwk), !is_secret);
	if (is_secret)
		return;
	why = buf_over(why_memory, sizeof why_memory);
	key_set_begin(&set);
	UNIT_ROW(key_set_add_public(&set, ALGORITHM_ALL, buf_str(&jwk), &why), algorithm->name);
	UNIT_ROW(set.n >= 1 && !key_can_sign(set.keys[0]), algorithm->name);
	UNIT_STR_EQ(key_kid(set.keys[0]), key_kid(ring->keys[0]), "kid");
	UNIT_ROW(jws_verify(&set, NULL, ALGORITHM_ALL, token) == ERR_NONE, algorithm->name);
	struct buf again = buf_over(memory, sizeof memory);
	UNIT_ROW(!jws_sign(&set, NULL, text, &again), algorithm->name);
	key_set_close(&set);
	UNIT_ROW(!open_ring(&set, buf_str(&jwk), false), "a public key is no ring");
}

/* Made, read, signed with, published, verified: for each algorithm. */
static void every_algorithm(void)
{
	struct arena *arena;
	CU_ASSERT_FATAL(arena_open(1 << 16, &arena));
	for (size_t i = 0; algorithm_at(i); i++) {
		const struct algorithm *algorithm = algorithm_at(i);
		char memory[KEY_JWK_MAX], text_memory[4096];
		struct buf jwk = buf_over(memory, sizeof memory), text = buf_over(text_memory, sizeof text_memory);
		struct key_set ring;
		struct token token;
		CU_ASSERT_FATAL(key_generate_jwk(algorithm, STR_NONE, &jwk));
		CU_ASSERT_FATAL(open_ring(&ring, buf_str(&jwk), false));
		UNIT_ROW(ring.n == 1 && key_can_sign(ring.keys[0]), algorithm->name);
		UNIT_ROW(key_algorithm(ring.keys[0]) == algorithm, algorithm->name);
		UNIT_ROW(key_kid(ring.keys[0]).n == (algorithm->family == KEY_HMAC ? 22 : 43), algorithm->name);
		CU_ASSERT_FATAL(jws_sign(&ring, NULL, STR("{\"sub\":\"ann\"}"), &text));
		CU_ASSERT_FATAL(jws_parse_claims(arena, buf_str(&text), &token) == ERR_NONE);
		struct str kid = STR_NONE, alg = STR_NONE;
		json_string(json_member(token.header, STR("kid")), &kid);
		json_string(json_member(token.header, STR("alg")), &alg);
		UNIT_STR_EQ(kid, key_kid(ring.keys[0]), "kid");
		UNIT_STR_EQ(alg, str_of(algorithm->name), "alg");
		UNIT_ROW(jws_verify(&ring, NULL, ALGORITHM_ALL, &token) == ERR_NONE, algorithm->name);
		if (algorithm->signature_size)
			UNIT_ROW(token.signature.n == algorithm->signature_size, algorithm->name);
		check_published(&ring, algorithm, STR("{}"), &token);
		key_set_close(&ring);
		arena_reset(arena);
	}
	arena_close(&arena);
}

#define SECRET32 "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
#define HS(kid) "{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"" kid "\",\"k\":\"" SECRET32 "\"}"
#define NAMES(alg, kid) ",\"alg\":\"" alg "\",\"kid\":\"" kid "\""

static void rings(void)
{
	static const struct {
		const char *jwks;
		size_t n;
		const char *why;
	} rows[] = {
		{HS("a"), 1, NULL},
		{HS("a") "," HS("b"), 2, NULL},
		{HS("a") ",{" RSA RSA_PRIVATE NAMES("RS256", "b") "},{" P256 P256_PRIVATE NAMES("ES256", "c") "}", 3,
		 NULL},
		{"{" P384 P384_PRIVATE NAMES("ES384", "a") "},{" P521 P521_PRIVATE NAMES("ES512", "b") "}", 2, NULL},
		{"{" ED25519 ED25519_PRIVATE NAMES("Ed25519", "a")
		 ",\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"]}", 1, NULL},
		{"{" RSA RSA_PRIVATE NAMES("RS256", "a") "},{" RSA RSA_PRIVATE NAMES("PS256", "b") "}", 2, NULL},
		{"", 0, "no keys; make one"},
		{"7", 0, "key number 1: it is no object"},
		{HS("a") "," HS("a"), 0, "key \"a\": another key has the same kid"},
		{HS(""), 0, "kid is missing or empty"},
		{"{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"" SECRET32 "\"}", 0, "key number 1: kid is missing"},
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"" SECRET32 "\"}", 0, "alg is missing"},
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS999\",\"k\":\"" SECRET32 "\"}", 0, "none that is known"},
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"RS256\",\"k\":\"" SECRET32 "\"}", 0, "another type of key"},
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS256\"}", 0, "k is missing"},
		/* A4 */
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS256\",\"k\":\"\"}", 0, "(k) is empty"},
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS256\","
		 "\"k\":\"ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA\"}",
		 0, "white space"},
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS384\",\"k\":\"" SECRET32 "\"}", 0,
		 "HS384 needs at least 48"},
		{"{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS256\",\"k\":\"" SECRET32 "=\"}", 0, "no base64url"},
		/* no private part, or not the right one */
		{"{" P256 NAMES("ES256", "a") "}", 0, "d is missing"},
		{"{" RSA NAMES("RS256", "a") "}", 0, "d is missing"},
		{"{" RSA ",\"d\":\"AQ\"" NAMES("RS256", "a") "}", 0, "p is missing"},
		{"{" RSA ",\"oth\":[]" RSA_PRIVATE NAMES("RS256", "a") "}", 0, "two primes"},
		{"{" P256 ED25519_PRIVATE NAMES("ES256", "a") "}", 0, "key \"a\": what it signs does not verify"},
		{"{" ED25519 P256_PRIVATE NAMES("EdDSA", "a") "}", 0, "does not verify"},
		{"{" P256 P384_PRIVATE NAMES("ES256", "a") "}", 0, "d has 48 bytes, P-256 has 32"},
		{"{\"kty\":\"RSA\",\"e\":\"AQAD\",\"n\":\"" RSA_N "\"" RSA_PRIVATE NAMES("RS256", "a") "}", 0,
		 "does not verify"},
		/* not for signing */
		{"{" P256 P256_PRIVATE NAMES("ES256", "a") ",\"use\":\"enc\"}", 0, "use"},
		{"{" P256 P256_PRIVATE NAMES("ES256", "a") ",\"key_ops\":[\"verify\"]}", 0, "key_ops"},
		{HS("a") ",{\"kty\":\"AKP\"}", 0, "type (kty)"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct key_set set;
		bool good = open_ring(&set, str_of(rows[i].jwks), false);
		UNIT_ROW(set.n == rows[i].n && good == (set.n > 0) && good == (why.n == 0), rows[i].jwks);
		UNIT_ROW(good || strstr(buf_z(&why), rows[i].why), buf_z(&why));
		for (size_t k = 0; k < set.n; k++)
			CU_ASSERT_TRUE(key_can_sign(set.keys[k]));
		key_set_close(&set);
	}
}

static void options(void)
{
	struct key_set set;
	struct algorithm_set hs256 = {0};
	algorithm_add(&hs256, algorithm_find(STR("HS256"), ALGORITHM_ALL));
	struct str hs = STR("{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS384\",\"k\":\"" SECRET32 "\"}");
	CU_ASSERT_FALSE(open_ring(&set, hs, false));
	CU_ASSERT_TRUE(open_ring(&set, hs, true));
	key_set_close(&set);
	CU_ASSERT_FALSE(key_set_add_ring(&set, hs256, true,
					 STR("{\"keys\":[" HS("a") ",{" P256 P256_PRIVATE NAMES("ES256", "c")
					     "}]}"), &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_z(&why), "key \"c\": ES256 is no allowed algorithm"));
	CU_ASSERT_EQUAL(set.n, 0);
	CU_ASSERT_FALSE(key_set_add_ring(&set, hs256, true, STR("[]"), &why));
	CU_ASSERT_FALSE(key_set_add_ring(&set, hs256, true, STR(""), &why));
	CU_ASSERT_TRUE(key_set_add_ring(&set, hs256, true, STR("{\"keys\":[" HS("a") "]}"), &why));
	key_set_close(&set);
}

/* The first signs, all verify; a kid with quotes comes through. */
static void first_signs(void)
{
	struct arena *arena;
	struct key_set set, second;
	struct token token;
	char memory[512];
	struct buf text = buf_over(memory, sizeof memory);
	CU_ASSERT_FATAL(arena_open(1 << 16, &arena));
	CU_ASSERT_TRUE_FATAL(open_ring(&set, STR(HS("\\\"<\u00e9") "," HS("b")), false));
	CU_ASSERT_TRUE_FATAL(jws_sign(&set, NULL, STR("{}"), &text));
	CU_ASSERT_FATAL(jws_parse(arena, buf_str(&text), &token) == ERR_NONE);
	struct str kid = STR_NONE;
	CU_ASSERT_TRUE(json_string(json_member(token.header, STR("kid")), &kid));
	UNIT_STR_EQ(kid, STR("\"<\xc3\xa9"), "kid");
	CU_ASSERT_EQUAL(jws_verify(&set, NULL, ALGORITHM_ALL, &token), ERR_NONE);
	CU_ASSERT_TRUE_FATAL(open_ring(&second, STR(HS("b")), false));
	CU_ASSERT_EQUAL(jws_verify(&second, NULL, ALGORITHM_ALL, &token), ERR_UNKNOWN_KEY);
	key_set_close(&second);
	key_set_close(&set);
	arena_close(&arena);
}

static void given_kid(void)
{
	static const struct {
		struct str kid;
		bool good;
	} rows[] = {
		{{"2026-01", 7}, true}, {{"\xc3\xa9\"", 3}, true}, {{"", 0}, false},
		{{"a\nb", 3}, false},   {{"\xff", 1}, false},
	};
	char memory[KEY_JWK_MAX];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf jwk = buf_over(memory, sizeof memory);
		struct key_set set;
		UNIT_ROW(key_generate_jwk(algorithm_at(0), rows[i].kid, &jwk) == rows[i].good, rows[i].kid.p);
		if (!rows[i].good)
			continue;
		CU_ASSERT_TRUE_FATAL(open_ring(&set, buf_str(&jwk), false));
		UNIT_STR_EQ(key_kid(set.keys[0]), rows[i].kid, "kid");
		key_set_close(&set);
	}
	for (size_t room = 0; room < 64; room++) {
		struct buf jwk = buf_over(memory, room);
		CU_ASSERT_FALSE(key_generate_jwk(algorithm_at(0), STR_NONE, &jwk));
	}
}

/* RFC 8037 appendices A.1 to A.4: key, thumbprint and signature. */
static void rfc8037(void)
{
	struct key_set set;
	CU_ASSERT_TRUE_FATAL(open_ring(&set,
				       STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"kid\":\"a\","
					   "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
					   "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
				       false));
	unsigned char signature[KEY_SIGNATURE_MAX];
	char memory[KEY_JWK_MAX], pem_memory[512];
	size_t n;
	struct buf text = buf_over(memory, sizeof memory);
	CU_ASSERT_TRUE(key_sign(set.keys[0], NULL, STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
				signature, &n));
	base64url_encode(&text, signature, n);
	UNIT_STR_EQ(buf_str(&text),
		    STR("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
		    "signature");
	key_set_close(&set);
	/* The same key as PKCS #8. */
	static const unsigned char head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
					     0x04, 0x22, 0x04, 0x20};
	unsigned char der[sizeof head + 34];
	struct buf pem = buf_over(pem_memory, sizeof pem_memory);
	memcpy(der, head, sizeof head);
	CU_ASSERT_TRUE(base64url_decode(STR("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), der + sizeof head, &n));
	buf_add(&pem, STR("-----BEGIN PRIVATE KEY-----\n"));
	base64url_encode(&pem, der, sizeof head + n);
	for (size_t i = 0; i < pem.n; i++)
		if (i > 28)
			pem.p[i] = pem.p[i] == '_' ? '/' : pem.p[i] == '-' ? '+' : pem.p[i];
	buf_add(&pem, STR("\n-----END PRIVATE KEY-----\n"));
	text = buf_over(memory, sizeof memory);
	why = buf_over(why_memory, sizeof why_memory);
	CU_ASSERT_TRUE(key_jwk_from_pem(algorithm_find(STR("EdDSA"), ALGORITHM_ALL), buf_str(&pem), STR_NONE, &text,
					&why));
	UNIT_STR_EQ(buf_str(&text),
		    STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\",\"alg\":\"EdDSA\","
			"\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\","
			"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\","
			"\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}"),
		    "JWK");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"every algorithm", every_algorithm},
		{"rings", rings},
		{"options", options},
		{"first signs", first_signs},
		{"given kid", given_kid},
		{"RFC 8037", rfc8037},
		{0},
	};
	return token_start() ? unit_main("key_ring", cases) : 1;
}
