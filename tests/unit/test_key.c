/* SPDX-License-Identifier: Apache-2.0 */
#include "token/key.h"

#include <pthread.h>
#include <string.h>

#include "unit.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static const struct algorithm *algorithm(const char *name)
{
	return algorithm_find(str_of(name), ALGORITHM_ALL);
}

/* RFC 7518 section 3.2 */
static void lengths(void)
{
	static const struct {
		const char *name;
		size_t n;
		bool good;
	} rows[] = {
		{"HS256", 32, true}, {"HS256", 31, false}, {"HS384", 48, true},	 {"HS384", 47, false},
		{"HS512", 64, true}, {"HS512", 63, false}, {"HS256", 64, true}, {"HS256", 0, false},
	};
	static const char bytes[64];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		UNIT_ROW(key_secret_suffices((struct str){bytes, rows[i].n}, algorithm(rows[i].name)) == rows[i].good,
			 rows[i].name);
}

static void secrets(void)
{
	static const struct {
		struct str secret;
		bool good;
	} rows[] = {
		{{SECRET, 32}, true},
		{{"k", 1}, true},
		{{"\0\0", 2}, true},
		{{" secret ", 8}, true},
		{{NULL, 0}, false},
		{{"", 0}, false},
		{{" ", 1}, false},
		{{"                                                                ", 64}, false},
		{{"\t\n\v\f\r \t\n\v\f\r \t\n\v\f\r \t\n\v\f\r \t\n\v\f\r \t\n", 32}, false},
		{{"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----", 69}, false},
		{{"-----BEGIN RSA PRIVATE KEY-----", 31}, false},
	};
	char memory[512];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf why = buf_over(memory, sizeof memory);
		bool good = key_check_secret(rows[i].secret, &why);
		UNIT_ROW(good == rows[i].good && good == (why.n == 0), rows[i].secret.p ? rows[i].secret.p : "none");
	}
}

static void well_known(void)
{
	static const char *const known[] = {
		"secret",
		"Secret",
		"changeme",
		"CHANGEME-please-before-production",
		"change-this-to-a-long-random-string",
		"change_me",
		"your-256-bit-secret",
		"your_jwt_secret_key_here_please_change",
		"a-string-secret-at-least-256-bits-long",
		"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"<put a secret here>",
	};
	static const char *const fine[] = {
		"first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo",
		"secrets-are-many",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
		"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e8",
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		UNIT_ROW(key_is_well_known(str_of(known[i])), known[i]);
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
		UNIT_ROW(!key_is_well_known(str_of(fine[i])), fine[i]);
}

/* RFC 4231 section 4.7; HMAC-SHA-384 and -512 of the same by Python's hmac. */
static void known_answers(void)
{
	static const char *const rows[][2] = {
		{"HS256", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"HS384", "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
			  "0c2ef6ab4030fe8296248df163f44952"},
		{"HS512", "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
			  "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
	};
	char secret[131], text[2 * KEY_SIGNATURE_MAX + 1];
	memset(secret, 0xaa, sizeof secret);
	struct str input = STR("Test Using Larger Than Block-Size Key - Hash Key First");
	for (size_t i = 0; i < 3; i++) {
		struct key *key;
		unsigned char out[KEY_SIGNATURE_MAX];
		size_t n = 0;
		struct str whole = {secret, sizeof secret};
		CU_ASSERT_FATAL(key_open_hmac(algorithm(rows[i][0]), whole, STR_NONE, &key));
		for (int again = 0; again < 3; again++) {
			CU_ASSERT_TRUE(key_sign(key, NULL, input, out, &n));
			struct buf b = buf_over(text, sizeof text);
			buf_hex(&b, out, n);
			UNIT_STR_EQ(buf_str(&b), str_of(rows[i][1]), rows[i][0]);
			struct str signature = {(const char *)out, n};
			CU_ASSERT_EQUAL(key_verify(key, NULL, input, signature), ERR_NONE);
		}
		key_close(&key);
		CU_ASSERT_PTR_NULL(key);
	}
}

/* Each bit counts, and so does the length. */
static void wrong_signatures(void)
{
	struct key *key;
	unsigned char out[KEY_SIGNATURE_MAX + 1] = {0};
	size_t n = 0;
	CU_ASSERT_FATAL(key_open_hmac(algorithm("HS256"), STR(SECRET), STR_NONE, &key));
	CU_ASSERT_TRUE(key_sign(key, NULL, STR("x"), out, &n));
	for (size_t bit = 0; bit < 8 * n; bit++) {
		out[bit / 8] ^= (unsigned char)(1U << bit % 8);
		CU_ASSERT_EQUAL(key_verify(key, NULL, STR("x"), (struct str){(char *)out, n}), ERR_BAD_SIGNATURE);
		out[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	for (size_t size = 0; size <= KEY_SIGNATURE_MAX; size++)
		CU_ASSERT_EQUAL(key_verify(key, NULL, STR("x"), (struct str){(char *)out, size}),
				size == n ? ERR_NONE : ERR_BAD_SIGNATURE);
	CU_ASSERT_EQUAL(key_verify(key, NULL, STR("x"), STR_NONE), ERR_BAD_SIGNATURE);
	CU_ASSERT_EQUAL(key_verify(key, NULL, STR("y"), (struct str){(char *)out, n}), ERR_BAD_SIGNATURE);
	CU_ASSERT_EQUAL(key_verify(key, NULL, STR_NONE, (struct str){(char *)out, n}), ERR_BAD_SIGNATURE);
	key_close(&key);
	CU_ASSERT_FALSE(key_open_hmac(algorithm("HS256"), STR(""), STR_NONE, &key));
	CU_ASSERT_FALSE(key_open_hmac(algorithm("HS256"), STR_NONE, STR_NONE, &key));
}

static struct key *shared;

static void *sign_often(void *argument)
{
	unsigned char first[KEY_SIGNATURE_MAX], out[KEY_SIGNATURE_MAX];
	size_t n;
	bool good = key_sign(shared, NULL, STR("x"), first, &n);
	for (int i = 0; good && i < 2000; i++)
		good = key_sign(shared, NULL, STR("x"), out, &n) && memcmp(first, out, n) == 0;
	return good ? argument : NULL;
}

/* All workers use one key at once. */
static void many_threads(void)
{
	enum { N = 4 };
	pthread_t threads[N];
	unsigned numbers[N];
	CU_ASSERT_FATAL(key_open_hmac(algorithm("HS256"), STR(SECRET), STR_NONE, &shared));
	for (unsigned i = 0; i < N; i++) {
		numbers[i] = i;
		CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, sign_often, &numbers[i]) == 0);
	}
	for (unsigned i = 0; i < N; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_EQUAL(result, &numbers[i]);
	}
	key_close(&shared);
}

static enum err verify(const struct key_set *set, const char *name, const char *input, struct str signature)
{
	struct key_wanted wanted = {algorithm(name), STR_NONE};
	return key_set_verify(set, NULL, wanted, str_of(input), signature);
}

static void sets(void)
{
	struct key_set set = {.n = 0}, other = {.n = 0};
	struct key *key;
	unsigned char out[KEY_SIGNATURE_MAX];
	size_t n;
	CU_ASSERT_EQUAL(verify(&set, "HS256", "x", STR("y")), ERR_UNKNOWN_KEY);
	static const char *const secrets[] = {"1-" SECRET, "2-" SECRET, "3-" SECRET};
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_FATAL(key_open_hmac(algorithm("HS256"), str_of(secrets[i]), STR_NONE, &key));
		CU_ASSERT_TRUE(key_set_add(&set, key));
	}
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(key_sign(set.keys[i], NULL, STR("x"), out, &n));
		struct str signature = {(char *)out, n};
		CU_ASSERT_EQUAL(verify(&set, "HS256", "x", signature), ERR_NONE);
		CU_ASSERT_EQUAL(verify(&set, "HS256", "y", signature), ERR_BAD_SIGNATURE);
		CU_ASSERT_EQUAL(verify(&set, "HS512", "x", signature), ERR_UNKNOWN_KEY);
	}
	for (size_t i = 0; i <= KEY_SET_MAX; i++) {
		CU_ASSERT_FATAL(key_open_hmac(algorithm("HS256"), STR(SECRET), STR_NONE, &key));
		CU_ASSERT(key_set_add(&other, key) == (i < KEY_SET_MAX));
	}
	key_close(&key);
	key_set_close(&set);
	key_set_close(&other);
	CU_ASSERT_EQUAL(set.n, 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"secrets", secrets},
		{"lengths", lengths},
		{"well-known secrets", well_known},
		{"known answers", known_answers},
		{"wrong signatures", wrong_signatures},
		{"many threads", many_threads},
		{"sets", sets},
		{0},
	};
	return token_start() ? unit_main("key", cases) : 1;
}
