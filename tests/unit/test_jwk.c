/* SPDX-License-Identifier: Apache-2.0 */
/* Which JSON Web Keys are taken, one by one: threats A8 to A11 and A3. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "jwk_texts.h"
#include "token/jwk.h"
#include "token/key.h"
#include "unit.h"

static char why_memory[512];
static struct buf why;

/* How many keys the text gives for all algorithms. */
static size_t load(struct str text)
{
	struct key_set set;
	why = buf_over(why_memory, sizeof why_memory);
	key_set_begin(&set);
	bool good = key_set_add_public(&set, ALGORITHM_ALL, text, &why);
	size_t n = set.n;
	CU_ASSERT(good == (n > 0) && good == (why.n == 0));
	key_set_close(&set);
	return n;
}

struct row {
	const char *text;
	size_t n; /* keys: one for each algorithm */
	const char *why;
};

static void check(const struct row *row)
{
	size_t n = load(str_of(row->text));
	UNIT_ROW(n == row->n, row->text);
	UNIT_ROW(n > 0 || strstr(buf_z(&why), row->why), row->text);
}

#define CHECK(rows)                                                 \
	do {                                                        \
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) \
			check(&rows[i]);                            \
	} while (0)

/* A11: what a key says about itself binds. */
static void names(void)
{
	static const struct row rows[] = {
		{"{" RSA "}", 6, NULL},
		{"{" P256 "}", 1, NULL},
		{"{" P384 "}", 1, NULL},
		{"{" P521 "}", 1, NULL},
		{"{" ED25519 "}", 2, NULL},
		{" \n{" ED25519 "}\n", 2, NULL},
		{"{" RSA ",\"alg\":\"RS256\"}", 1, NULL},
		{"{" RSA ",\"alg\":\"PS512\"}", 1, NULL},
		{"{" P256 ",\"alg\":\"ES256\"}", 1, NULL},
		{"{" ED25519 ",\"alg\":\"EdDSA\"}", 2, NULL},
		{"{" ED25519 ",\"alg\":\"Ed25519\"}", 2, NULL},
		{"{" RSA ",\"alg\":\"rs256\"}", 0, "none that is known"},
		{"{" RSA ",\"alg\":\"none\"}", 0, "none that is known"},
		{"{" RSA ",\"alg\":\"\"}", 0, "none that is known"},
		{"{" RSA ",\"alg\":\"RSA-OAEP\"}", 0, "none that is known"},
		{"{" P521 ",\"alg\":\"ES521\"}", 0, "none that is known"},
		{"{" RSA ",\"alg\":\"HS256\"}", 0, "another type of key"},
		{"{" RSA ",\"alg\":\"ES256\"}", 0, "another type of key"},
		{"{" P256 ",\"alg\":\"ES384\"}", 0, "another type of key"},
		{"{" P256 ",\"alg\":\"EdDSA\"}", 0, "another type of key"},
		{"{" RSA ",\"alg\":null}", 0, "alg is no string"},
		{"{" RSA ",\"alg\":[\"RS256\"]}", 0, "alg is no string"},
		{"{" RSA ",\"use\":\"sig\"}", 6, NULL},
		{"{" RSA ",\"use\":\"enc\"}", 0, "use"},
		{"{" RSA ",\"use\":\"SIG\"}", 0, "use"},
		{"{" RSA ",\"use\":1}", 0, "use is no string"},
		{"{" RSA ",\"key_ops\":[\"verify\"]}", 6, NULL},
		{"{" RSA ",\"key_ops\":[\"encrypt\",\"verify\"]}", 6, NULL},
		{"{" RSA ",\"key_ops\":[]}", 0, "key_ops"},
		{"{" RSA ",\"key_ops\":[\"encrypt\"]}", 0, "key_ops"},
		{"{" RSA ",\"key_ops\":[\"sign\"]}", 0, "key_ops"},
		{"{" RSA ",\"key_ops\":[\"verify\",\"verify\"]}", 0, "twice"},
		{"{" RSA ",\"key_ops\":[\"verify\",7]}", 0, "strings"},
		{"{" RSA ",\"key_ops\":\"verify\"}", 0, "no list"},
		{"{" RSA ",\"use\":\"enc\",\"key_ops\":[\"verify\"]}", 0, "use"},
		{"{" RSA ",\"kid\":\"k\",\"x5t\":\"x\",\"x5c\":[\"x\"],\"ext\":true}", 6, NULL},
		{"{" RSA ",\"kid\":7}", 0, "kid is no string"},
		{"{" RSA ",\"kid\":null}", 0, "kid is no string"},
	};
	CHECK(rows);
}

/* L12, A2: a key that could sign isn't taken where public ones are expected. */
static void secrets(void)
{
	static const struct row rows[] = {
		{"{" RSA RSA_PRIVATE "}", 0, "private"},
		{"{" P256 P256_PRIVATE "}", 0, "private"},
		{"{" ED25519 ED25519_PRIVATE "}", 0, "private"},
		{"{" RSA ",\"d\":\"AQ\"}", 0, "private"},
		{"{" RSA ",\"p\":\"AQ\"}", 0, "private"},
		{"{" RSA ",\"q\":1}", 0, "private"},
		{"{" RSA ",\"dp\":null}", 0, "private"},
		{"{" RSA ",\"dq\":\"\"}", 0, "private"},
		{"{" RSA ",\"qi\":\"AQ\"}", 0, "private"},
		{"{" RSA ",\"k\":\"AQ\"}", 0, "private"},
		{"{" RSA ",\"oth\":[]}", 0, "private"},
		{"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i\"}", 0,
		 "secret"},
		{"{\"kty\":\"oct\",\"k\":\"\"}", 0, "secret"},
		{"{\"kty\":\"oct\"}", 0, "secret"},
		{"{\"kty\":\"AKP\",\"d\":\"\"}", 0, "private"},
	};
	CHECK(rows);
}

static void texts(void)
{
	static const struct row rows[] = {
		{"", 0, "neither PEM nor strict JSON"},
		{" ", 0, "neither"},
		{"null", 0, "no object"},
		{"[]", 0, "no object"},
		{"[{" RSA "}]", 0, "no object"},
		{"\"RSA\"", 0, "no object"},
		{"{}", 0, "kty is missing"},
		{"{\"kty\":\"RSA\"}", 0, "n is missing"},
		{"{\"kty\":null}", 0, "kty is missing or no string"},
		{"{\"kty\":\"rsa\"}", 0, "type (kty)"},
		{"{\"kty\":\"AKP\"}", 0, "type (kty)"},
		{"{\"keys\":[{" RSA "}]}", 0, "JWK Set"},
		{"{" RSA ",\"kty\":\"RSA\"}", 0, "strict JSON"},
		{"{" RSA ",\"\\u006b\\u0074y\":\"RSA\"}", 0, "strict JSON"},
		{"{" RSA ",}", 0, "strict JSON"},
		{"{" RSA "} x", 0, "strict JSON"},
		{"\xef\xbb\xbf{" RSA "}", 0, "strict JSON"},
		{"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":7}", 0, "n is missing or no string"},
		{"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RSA_N "=\"}", 0, "n is no base64url"},
		{"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"+" RSA_N "\"}", 0, "n is no base64url"},
		{"{\"kty\":\"RSA\",\"e\":\"AQAB \",\"n\":\"" RSA_N "\"}", 0, "e is no base64url"},
	};
	CHECK(rows);
	char *large = malloc(KEY_TEXT_MAX + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(large);
	memset(large, ' ', KEY_TEXT_MAX + 1);
	memcpy(large, "{" ED25519 "}", sizeof "{" ED25519 "}" - 1);
	CU_ASSERT_EQUAL(load((struct str){large, KEY_TEXT_MAX}), 2);
	CU_ASSERT_EQUAL(load((struct str){large, KEY_TEXT_MAX + 1}), 0);
	free(large);
}

/* A10: modulus of n bytes with that first and last one. */
static size_t load_rsa(size_t n, unsigned char first, unsigned char last, const char *e)
{
	static unsigned char modulus[2048];
	static char memory[4096];
	memset(modulus, 0x5b, sizeof modulus);
	modulus[0] = first;
	modulus[n - 1] = last;
	struct buf text = buf_over(memory, sizeof memory);
	buf_printf(&text, "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"e\":\"%s\",\"n\":\"", e);
	base64url_encode(&text, modulus, n);
	buf_add(&text, STR("\"}"));
	return load(buf_str(&text));
}

static void rsa(void)
{
	static const struct {
		size_t n;
		unsigned char first, last;
		const char *e;
		bool good;
	} rows[] = {
		{256, 0xff, 0xff, "AQAB", true},
		{256, 0x80, 0x01, "AQAB", true},
		{256, 0x7f, 0xff, "AQAB", false}, /* 2047 bits */
		{128, 0xff, 0xff, "AQAB", false},
		{32, 0xff, 0xff, "AQAB", false},
		{257, 0x00, 0xff, "AQAB", false}, /* a leading zero byte */
		{384, 0xff, 0xff, "AQAB", true},
		{1024, 0xff, 0xff, "AQAB", true}, /* 8192 bits */
		{1025, 0x01, 0xff, "AQAB", false},
		{2048, 0xff, 0xff, "AQAB", false}, /* 16384 bits */
		{256, 0xff, 0xfe, "AQAB", false},  /* even */
		{256, 0xff, 0xff, "AQ", false},	   /* e = 1 */
		{256, 0xff, 0xff, "Aw", false},	   /* 3 */
		{256, 0xff, 0xff, "__8", false},   /* 65535 */
		{256, 0xff, 0xff, "AQAA", false},  /* 65536 */
		{256, 0xff, 0xff, "AQAD", true},   /* 65539 */
		{256, 0xff, 0xff, "_____w", true}, /* 2^32 - 1 */
		{256, 0xff, 0xff, "AQAAAAA", false},
		{256, 0xff, 0xff, "AQAAAAE", false}, /* 2^32 + 1 */
		{256, 0xff, 0xff, "AAEAAQ", false},  /* a leading zero byte */
		{256, 0xff, 0xff, "", false},
		{256, 0xff, 0xff, "AA", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		UNIT_ROW(load_rsa(rows[i].n, rows[i].first, rows[i].last, rows[i].e) == rows[i].good, rows[i].e);
}

/* A8 */
static void curves(void)
{
	static const struct row rows[] = {
		{"{" SECP256K1 "}", 0, "curve"},
		{"{\"kty\":\"EC\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", 0, "crv is missing"},
		{"{\"kty\":\"EC\",\"crv\":7,\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", 0,
		 "crv is missing or no string"},
		{"{\"kty\":\"EC\",\"crv\":\"p-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", 0, "curve"},
		{"{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", 0, "curve"},
		{"{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", 0, "curve"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" P256_X "\"}", 0, "curve"},
		{"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" P256_X "\"}", 0, "curve"},
		{"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", 0,
		 "x has 32 bytes, P-384 has 48"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\"}", 0, "y is missing"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"\"}", 0, "y has 0 bytes"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"AQ\"}", 0, "y has 1 bytes"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"" P256_Y "\"}", 0, "x has 3 bytes"},
		/* off the curve: x and y exchanged, all zero, not below p */
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_Y "\",\"y\":\"" P256_X "\"}", 0, "not on its curve"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		 "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		 0, "not on its curve"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"__________________________________________8\",\"y\":\""
		 P256_Y "\"}",
		 0, "not on its curve"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}", 0, "x has 1 bytes"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\"}", 0, "x has 0 bytes"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", 0, "x is missing"},
	};
	CHECK(rows);
}

/* A9: the eight points whose order divides 8 (RFC 8032 section 5.1.7), and y not below p = 2^255 - 19. */
static void weak_points(void)
{
	static const struct {
		const char *hex;
		bool good;
	} rows[] = {
		{"0100000000000000000000000000000000000000000000000000000000000000", false},
		{"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
		{"0000000000000000000000000000000000000000000000000000000000000000", false},
		{"0000000000000000000000000000000000000000000000000000000000000080", false},
		{"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", false},
		{"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", false},
		{"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", false},
		{"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", false},
		/* the same with the other sign where x is 0, and not canonical */
		{"0100000000000000000000000000000000000000000000000000000000000080", false},
		{"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
		{"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
		{"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
		{"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
		{"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
		/* y = 3 + p, which is a point, not canonical; y = 3 */
		{"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
		{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
		{"0300000000000000000000000000000000000000000000000000000000000000", true},
		{"ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
		{"edfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe7f", true},
		/* RFC 8037 appendix A.2 */
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned char x[32];
		char memory[256];
		struct buf text = buf_over(memory, sizeof memory);
		for (size_t j = 0; j < 32; j++) {
			char pair[3] = {rows[i].hex[2 * j], rows[i].hex[2 * j + 1], '\0'};
			x[j] = (unsigned char)strtoul(pair, NULL, 16);
		}
		buf_add(&text, STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"x\":\""));
		base64url_encode(&text, x, sizeof x);
		buf_add(&text, STR("\"}"));
		UNIT_ROW((load(buf_str(&text)) > 0) == rows[i].good, rows[i].hex);
	}
}

/* A3: only algorithms of its own kind, and of these the allowed. */
static void allowed(void)
{
	static const char *const jwks[] = {"{" RSA "}", "{" P256 "}", "{" ED25519 "}"};
	for (size_t i = 0; algorithm_at(i); i++) {
		struct algorithm_set one = {0};
		algorithm_add(&one, algorithm_at(i));
		for (size_t k = 0; k < 3; k++) {
			static const char *const types[] = {"RSA", "EC", "OKP"};
			struct key_set set;
			why = buf_over(why_memory, sizeof why_memory);
			key_set_begin(&set);
			bool fits = strcmp(algorithm_at(i)->kty, types[k]) == 0 &&
				    (k != 1 || strcmp(algorithm_at(i)->crv, "P-256") == 0);
			UNIT_ROW(key_set_add_public(&set, one, str_of(jwks[k]), &why) == fits, algorithm_at(i)->name);
			UNIT_ROW(set.n == fits, algorithm_at(i)->name);
			UNIT_ROW(set.n == 0 || key_algorithm(set.keys[0]) == algorithm_at(i), algorithm_at(i)->name);
			key_set_close(&set);
		}
	}
}

static void kid_length(void)
{
	char memory[1024], kid[KEY_KID_MAX + 1];
	memset(kid, 'k', sizeof kid);
	for (int n = KEY_KID_MAX; n <= KEY_KID_MAX + 1; n++) {
		struct buf text = buf_over(memory, sizeof memory);
		buf_printf(&text, "{" ED25519 ",\"kid\":\"%.*s\"}", n, kid);
		CU_ASSERT_EQUAL(load(buf_str(&text)), n == KEY_KID_MAX ? 2 : 0);
	}
}

/* RFC 7638 section 3.1 */
static void thumbprint(void)
{
	struct arena *arena;
	const struct json *object;
	struct jwk jwk;
	char memory[64];
	struct buf out = buf_over(memory, sizeof memory);
	CU_ASSERT_FATAL(arena_open(1 << 16, &arena));
	struct str text = STR(
		"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7a"
		"PFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-6"
		"5YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI"
		"4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\""
		",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}");
	CU_ASSERT_TRUE_FATAL(json_parse(arena, text, &object));
	why = buf_over(why_memory, sizeof why_memory);
	CU_ASSERT_EQUAL_FATAL(jwk_read(arena, object, JWK_VERIFY, &jwk, &why), JWK_GOOD);
	CU_ASSERT_TRUE(jwk_print_thumbprint(&jwk, &out));
	UNIT_STR_EQ(buf_str(&out), STR("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"), "thumbprint");
	arena_close(&arena);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"names", names},
		{"secrets", secrets},
		{"texts", texts},
		{"RSA", rsa},
		{"curves", curves},
		{"weak points", weak_points},
		{"allowed algorithms", allowed},
		{"length of a kid", kid_length},
		{"thumbprint", thumbprint},
		{0},
	};
	return token_start() ? unit_main("jwk", cases) : 1;
}
