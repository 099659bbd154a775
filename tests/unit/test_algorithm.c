/* SPDX-License-Identifier: Apache-2.0 */
#include "token/thread.h"
#include "unit.h"

static void exact_names(void)
{
	static const char *const wrong[] = {
		"",	 "none",   "None",   "NONE",   "HS",	"HS2",	 "HS25", "HS2566", "hs256",
		"Hs256", " HS256", "HS256 ", "HS-256", "RS",	"ES521", "HMAC", "dir",
		"ES256K", "Ed448", "ed25519", "EDDSA",	"RSA",	"PS",	 "A256GCM",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		UNIT_ROW(algorithm_find(str_of(wrong[i]), ALGORITHM_ALL) == NULL, wrong[i]);
	CU_ASSERT_PTR_NULL(algorithm_find(((struct str){"HS256\0", 6}), ALGORITHM_ALL));
	CU_ASSERT_PTR_NULL(algorithm_find(STR_NONE, ALGORITHM_ALL));
	for (size_t i = 0; algorithm_at(i); i++)
		CU_ASSERT_PTR_EQUAL(algorithm_find(str_of(algorithm_at(i)->name), ALGORITHM_ALL), algorithm_at(i));
}

/* RFC 7518 sections 3.2 (a key of at least the size of the hash) and 3.4, RFC 8037 section 3.1. */
static void rows(void)
{
	static const struct {
		const char *name;
		enum key_family family;
		const char *kty, *crv;
		size_t hash, key, signature;
	} wanted[] = {
		{"HS256", KEY_HMAC, "oct", NULL, 32, 32, 32},	      {"HS384", KEY_HMAC, "oct", NULL, 48, 48, 48},
		{"HS512", KEY_HMAC, "oct", NULL, 64, 64, 64},	      {"RS256", KEY_RSA, "RSA", NULL, 32, 0, 0},
		{"RS384", KEY_RSA, "RSA", NULL, 48, 0, 0},	      {"RS512", KEY_RSA, "RSA", NULL, 64, 0, 0},
		{"PS256", KEY_RSA_PSS, "RSA", NULL, 32, 0, 0},	      {"PS384", KEY_RSA_PSS, "RSA", NULL, 48, 0, 0},
		{"PS512", KEY_RSA_PSS, "RSA", NULL, 64, 0, 0},	      {"ES256", KEY_EC, "EC", "P-256", 32, 0, 64},
		{"ES384", KEY_EC, "EC", "P-384", 48, 0, 96},	      {"ES512", KEY_EC, "EC", "P-521", 64, 0, 132},
		{"EdDSA", KEY_ED25519, "OKP", "Ed25519", 64, 0, 64},
		{"Ed25519", KEY_ED25519, "OKP", "Ed25519", 64, 0, 64},
	};
	size_t n = sizeof wanted / sizeof wanted[0];
	for (size_t i = 0; i < n; i++) {
		const struct algorithm *algorithm = algorithm_find(str_of(wanted[i].name), ALGORITHM_ALL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(algorithm);
		UNIT_ROW(algorithm->family == wanted[i].family, wanted[i].name);
		UNIT_STR_EQ(str_of(algorithm->kty), str_of(wanted[i].kty), wanted[i].name);
		UNIT_STR_EQ(str_of(algorithm->crv), str_of(wanted[i].crv), wanted[i].name);
		UNIT_ROW(digest_size(algorithm->hash) == wanted[i].hash, wanted[i].name);
		UNIT_ROW(algorithm->key_size == wanted[i].key, wanted[i].name);
		UNIT_ROW(algorithm->signature_size == wanted[i].signature, wanted[i].name);
	}
	CU_ASSERT_PTR_NULL(algorithm_at(n));
}

/* EdDSA and Ed25519 are two names; no others are the same. */
static void same(void)
{
	for (size_t i = 0; algorithm_at(i); i++)
		for (size_t j = 0; algorithm_at(j); j++) {
			const struct algorithm *a = algorithm_at(i), *b = algorithm_at(j);
			bool two_names = a->family == KEY_ED25519 && b->family == KEY_ED25519;
			UNIT_ROW(algorithm_is_same(a, b) == (i == j || two_names), a->name);
		}
}

/* An allowed algorithm allows no other of its family. */
static void sets(void)
{
	for (size_t i = 0; algorithm_at(i); i++) {
		struct algorithm_set set = {0};
		CU_ASSERT_PTR_NULL(algorithm_find(str_of(algorithm_at(i)->name), set));
		CU_ASSERT_TRUE(algorithm_add(&set, algorithm_at(i)));
		CU_ASSERT_FALSE(algorithm_add(&set, algorithm_at(i)));
		for (size_t j = 0; algorithm_at(j); j++)
			CU_ASSERT((algorithm_find(str_of(algorithm_at(j)->name), set) != NULL) == (i == j) &&
				  algorithm_has(set, algorithm_at(j)) == (i == j));
	}
}

static void names(void)
{
	char memory[256];
	struct buf b = buf_over(memory, sizeof memory);
	algorithm_print_all(&b);
	UNIT_STR_EQ(buf_str(&b),
		    STR("HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, "
			"Ed25519"),
		    "all");
}

/* OpenSSL has them all, and what is known of each holds. */
static void works(void)
{
	for (size_t i = 0; algorithm_at(i); i++)
		UNIT_ROW(algorithm_works(algorithm_at(i)), algorithm_at(i)->name);
	for (size_t i = 0; encryption_at(i); i++)
		UNIT_ROW(encryption_works(encryption_at(i)), encryption_at(i)->name);
	CU_ASSERT_TRUE(derive_works());
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"exact names", exact_names}, {"rows", rows}, {"same", same}, {"sets", sets},
		{"names", names},	      {"works", works}, {0},
	};
	return unit_main("algorithm", cases);
}
