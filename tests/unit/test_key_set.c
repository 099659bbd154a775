/* SPDX-License-Identifier: Apache-2.0 */
/* JWK Sets, and which of their keys are tried for a token: threats A15, A16 and L12. */
#include <stdio.h>
#include <string.h>

#include "jwk_texts.h"
#include "token/key.h"
#include "unit.h"

static char why_memory[2048];
static struct buf why;

static struct algorithm_set only(const char *names)
{
	struct algorithm_set set = {0};
	struct str rest = str_of(names), name;
	while (str_split(&rest, ' ', &name))
		algorithm_add(&set, algorithm_find(name, ALGORITHM_ALL));
	return set;
}

static bool load(struct key_set *set, const char *names, struct str text)
{
	why = buf_over(why_memory, sizeof why_memory);
	key_set_begin(set);
	return key_set_add_jwks(set, only(names), text, &why);
}

static void sets(void)
{
	static const struct {
		const char *names, *text;
		size_t n;
		const char *why; /* "" none */
	} rows[] = {
		{"RS256", "{\"keys\":[{" RSA ",\"kid\":\"a\"}]}", 1, ""},
		{"RS256 PS256 ES256", "{\"keys\":[{" RSA "},{" P256 "}]}", 3, ""},
		{"RS256", "{\"keys\":[{" RSA "}],\"other\":{\"x\":[1]}}", 1, ""},
		/* left out without a word (RFC 7517 section 5) */
		{"RS256", "{\"keys\":[{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AAAA\"},{" SECP256K1 "},{"
		 RSA "}]}", 1, ""},
		{"RS256", "{\"keys\":[{" RSA ",\"use\":\"enc\"},{" RSA ",\"key_ops\":[\"encrypt\"]},{" RSA "}]}", 1,
		 ""},
		{"RS256", "{\"keys\":[{" P256 "},{" RSA ",\"alg\":\"RSA-OAEP\"},{" RSA ",\"alg\":\"PS256\"},{"
		 RSA "}]}", 1, ""},
		/* left out, and said */
		{"RS256", "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"w\",\"e\":\"AQAB\",\"n\":\"__8\"},{" RSA "}]}", 1,
		 "key \"w\": RSA of 16 bits"},
		{"RS256", "{\"keys\":[7,{" RSA "}]}", 1, "key number 1: it is no object"},
		{"RS256", "{\"keys\":[{" RSA "},{},null]}", 1,
		 "key number 2: kty is missing or no string; key number 3: it is no object"},
		{"ES256", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"<\\\"\\n\",\"x\":\"" P256_Y
		 "\",\"y\":\"" P256_X
			  "\"},{" P256 "}]}",
		 1, "key \"\\u003c\\\"\\n\": the point is not on its curve"},
		/* A16: said, and both are tried */
		{"RS256", "{\"keys\":[{" RSA ",\"kid\":\"a\"},{" RSA ",\"kid\":\"a\"}]}", 2,
		 "kid \"a\" names several keys for RS256"},
		{"RS256 ES256", "{\"keys\":[{" RSA ",\"kid\":\"a\"},{" P256 ",\"kid\":\"a\"}]}", 2, ""},
		{"RS256", "{\"keys\":[{" RSA "},{" RSA "}]}", 2, ""},
		/* refused as a whole */
		{"RS256", "{\"keys\":[]}", 0, "none of its 0 keys"},
		{"RS256", "{\"keys\":[{" P256 "}]}", 0, "none of its 1 keys"},
		{"RS256", "{\"keys\":[{" RSA ",\"alg\":\"none\"}]}", 0, "none of its 1 keys"},
		{"RS256", "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"__8\"}]}", 0, "RSA of 16 bits"},
		{"RS256", "{\"keys\":[{" RSA "},{\"kty\":\"oct\",\"kid\":\"sym\",\"k\":\"AAAA\"}]}", 0,
		 "key \"sym\": it is a secret"},
		{"RS256 HS256", "{\"keys\":[{" RSA "},{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", 0,
		 "key number 2: it is a secret"},
		{"RS256", "{\"keys\":[{" RSA "},{" P256 P256_PRIVATE "}]}", 0, "private key"},
		{"RS256", "{\"keys\":[{" RSA RSA_PRIVATE "}]}", 0, "private key"},
		{"RS256", "{\"keys\":{}}", 0, "keys"},
		{"RS256", "{\"keys\":null}", 0, "keys"},
		{"RS256", "{}", 0, "keys"},
		{"RS256", "[{" RSA "}]", 0, "keys"},
		{"RS256", "{" RSA "}", 0, "keys"},
		{"RS256", "", 0, "strict JSON"},
		{"RS256", "<html>", 0, "strict JSON"},
		{"RS256", "{\"keys\":[{" RSA "}],\"keys\":[{" RSA "}]}", 0, "strict JSON"},
		{"RS256", "{\"keys\":[{" RSA "}]}}", 0, "strict JSON"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct key_set set;
		bool good = load(&set, rows[i].names, str_of(rows[i].text));
		UNIT_ROW(set.n == rows[i].n && good == (set.n > 0), rows[i].text);
		UNIT_ROW(rows[i].why[0] ? strstr(buf_z(&why), rows[i].why) != NULL : why.n == 0, buf_z(&why));
		key_set_close(&set);
	}
}

/* A set that is refused leaves the keys that were there. */
static void all_or_nothing(void)
{
	struct key_set set;
	CU_ASSERT_TRUE_FATAL(load(&set, "RS256", STR("{\"keys\":[{" RSA "}]}")));
	CU_ASSERT_FALSE(key_set_add_jwks(&set, ALGORITHM_ALL,
					 STR("{\"keys\":[{" P256 "},{" ED25519 "},{\"kty\":\"oct\"}]}"), &why));
	CU_ASSERT_EQUAL(set.n, 1);
	CU_ASSERT_TRUE(key_set_add_jwks(&set, only("ES256"), STR("{\"keys\":[{" P256 "}]}"), &why));
	CU_ASSERT_EQUAL(set.n, 2);
	key_set_close(&set);
}

/* The JWKs n times in one set. */
static struct str repeat(const char *jwk, size_t n)
{
	static char memory[KEY_TEXT_MAX];
	struct buf text = buf_over(memory, sizeof memory);
	buf_add(&text, STR("{\"keys\":["));
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%s", i ? "," : "", jwk);
	buf_add(&text, STR("]}"));
	CU_ASSERT_FALSE(text.full);
	return buf_str(&text);
}

/* L12: counted before anything is computed. */
static void limits(void)
{
	static const struct {
		const char *names, *jwk;
		size_t times, n;
	} rows[] = {
		{"RS256", "{\"kty\":\"x\"}", KEY_SET_MAX, 0},
		{"RS256", "{\"kty\":\"x\"}", KEY_SET_MAX + 1, 0},
		{"ES256", "{" P256 "}", 120, 120},
		{"RS256 RS384 RS512 PS256 PS384 PS512", "{" RSA "}", 42, 252},
		{"RS256 RS384 RS512 PS256 PS384 PS512", "{" RSA "}", 43, 0},
		{"RS256", "{\"kty\":\"RSA\"}", 10000, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct key_set set;
		load(&set, rows[i].names, repeat(rows[i].jwk, rows[i].times));
		UNIT_ROW(set.n == rows[i].n, rows[i].jwk);
		UNIT_ROW(set.n > 0 || why.n > 0, rows[i].jwk);
		key_set_close(&set);
	}
}

/* An HMAC key whose secret is as its number. */
static void add(struct key_set *set, const char *name, const char *kid, int number)
{
	struct key *key;
	char secret[64];
	int n = snprintf(secret, sizeof secret, "number %d", number);
	const struct algorithm *algorithm = algorithm_find(str_of(name), ALGORITHM_ALL);
	CU_ASSERT_TRUE_FATAL(key_open_hmac(algorithm, (struct str){secret, (size_t)n}, str_of(kid), &key));
	CU_ASSERT_TRUE_FATAL(key_set_add(set, key));
}

/* What is said of a token that was signed by key n of the set. */
static enum err ask(const struct key_set *set, const char *name, const char *kid, size_t n)
{
	unsigned char out[KEY_SIGNATURE_MAX];
	size_t size;
	struct key_wanted wanted = {algorithm_find(str_of(name), ALGORITHM_ALL), str_of(kid)};
	CU_ASSERT_TRUE(key_sign(set->keys[n], NULL, STR("x"), out, &size));
	enum err err = key_set_verify(set, NULL, wanted, STR("x"), (struct str){(char *)out, size});
	CU_ASSERT(key_set_has(set, wanted) == (err != ERR_UNKNOWN_KEY));
	return err;
}

static void choice(void)
{
	struct key_set set = {.n = 0};
	add(&set, "HS256", "a", 0);
	add(&set, "HS256", "b", 1);
	add(&set, "HS384", "a", 2);
	add(&set, "HS256", "b", 3); /* the same kid again */
	static const struct {
		const char *name, *kid;
		size_t signer;
		enum err want;
	} rows[] = {
		{"HS256", "a", 0, ERR_NONE},
		{"HS256", "a", 1, ERR_BAD_SIGNATURE}, /* b's, under a's name */
		{"HS256", "b", 1, ERR_NONE},
		{"HS256", "b", 3, ERR_NONE},
		{"HS256", "b", 0, ERR_BAD_SIGNATURE},
		{"HS256", "c", 0, ERR_UNKNOWN_KEY},
		{"HS256", "", 0, ERR_UNKNOWN_KEY},
		{"HS256", "A", 0, ERR_UNKNOWN_KEY},
		{"HS256", "aa", 0, ERR_UNKNOWN_KEY},
		{"HS256", "../../dev/null", 0, ERR_UNKNOWN_KEY}, /* A15 */
		{"HS256", "' OR 1=1", 0, ERR_UNKNOWN_KEY},
		{"HS256", NULL, 0, ERR_UNKNOWN_KEY}, /* A16: two kids to choose from */
		{"HS384", "a", 2, ERR_NONE},
		{"HS384", "b", 2, ERR_UNKNOWN_KEY},
		{"HS384", NULL, 2, ERR_NONE}, /* the only one */
		{"HS512", "a", 0, ERR_UNKNOWN_KEY},
		{"HS512", NULL, 0, ERR_UNKNOWN_KEY},
		{"RS256", "a", 0, ERR_UNKNOWN_KEY},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		UNIT_ROW(ask(&set, rows[i].name, rows[i].kid, rows[i].signer) == rows[i].want,
			 rows[i].kid ? rows[i].kid : rows[i].name);
	/* A key without kid is for every token; with kids there are still two. */
	add(&set, "HS256", NULL, 4);
	CU_ASSERT_EQUAL(ask(&set, "HS256", "c", 4), ERR_NONE);
	CU_ASSERT_EQUAL(ask(&set, "HS256", "a", 4), ERR_NONE);
	CU_ASSERT_EQUAL(ask(&set, "HS256", "a", 0), ERR_NONE);
	CU_ASSERT_EQUAL(ask(&set, "HS256", NULL, 4), ERR_NONE);
	CU_ASSERT_EQUAL(ask(&set, "HS256", NULL, 0), ERR_BAD_SIGNATURE);
	CU_ASSERT_EQUAL(ask(&set, "HS256", "c", 0), ERR_BAD_SIGNATURE);
	/* With an empty kid it is another than without. */
	add(&set, "HS512", "", 5);
	CU_ASSERT_EQUAL(ask(&set, "HS512", "", 5), ERR_NONE);
	CU_ASSERT_EQUAL(ask(&set, "HS512", "x", 5), ERR_UNKNOWN_KEY);
	key_set_close(&set);
}

/* No token is tried against more. */
static void tries(void)
{
	struct key_set set = {.n = 0};
	for (int i = 0; i <= KEY_TRIES_MAX; i++)
		add(&set, "HS256", NULL, i);
	CU_ASSERT_EQUAL(ask(&set, "HS256", NULL, KEY_TRIES_MAX - 1), ERR_NONE);
	CU_ASSERT_EQUAL(ask(&set, "HS256", NULL, KEY_TRIES_MAX), ERR_BAD_SIGNATURE);
	key_set_close(&set);
}

static void generations(void)
{
	struct key_set a, b;
	key_set_begin(&a);
	key_set_begin(&b);
	CU_ASSERT_NOT_EQUAL(a.generation, b.generation);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"sets", sets},	    {"all or nothing", all_or_nothing},
		{"limits", limits}, {"choice", choice},
		{"tries", tries},   {"generations", generations},
		{0},
	};
	return token_start() ? unit_main("key_set", cases) : 1;
}
