/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys when memory runs out inside OpenSSL: each allocation fails in turn,
 * once and from then on. A good signature is then not called a bad one. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "jwk_texts.h"
#include "token/key.h"
#include "unit.h"

enum { NEVER = -1, POINTS_MAX = 2000 };

/* Allocations until one fails; once: only that one does. */
static long left = NEVER;
static bool once;

static bool fails(void)
{
	if (left == NEVER)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	if (once)
		left = NEVER;
	return true;
}

static void *failing_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(n);
}

static void *failing_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(p, n);
}

static void plain_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static const struct row {
	const char *algorithm, *ring;
} rows[] = {
#define RING(jwk, alg) "{\"keys\":[{" jwk ",\"kid\":\"a\",\"alg\":\"" alg "\"}]}"
	{"RS256", RING(RSA RSA_PRIVATE, "RS256")},	    {"PS256", RING(RSA RSA_PRIVATE, "PS256")},
	{"ES256", RING(P256 P256_PRIVATE, "ES256")},	    {"ES384", RING(P384 P384_PRIVATE, "ES384")},
	{"EdDSA", RING(ED25519 ED25519_PRIVATE, "EdDSA")},
};

static char why_memory[512];

static bool open_ring(const struct row *row, struct key_set *set)
{
	struct buf why = buf_over(why_memory, sizeof why_memory);
	*set = (struct key_set){.n = 0};
	return key_set_add_ring(set, ALGORITHM_ALL, false, str_of(row->ring), &why);
}

/* Every point until one run had no failure. */
static void each_point(const struct row *row, bool (*run)(const struct row *row))
{
	for (int i = 0; i < 2; i++) {
		long point = 0;
		bool was_reached = true;
		for (; point < POINTS_MAX && was_reached; point++) {
			once = i == 0;
			left = point;
			bool good = run(row);
			was_reached = once ? left == NEVER : left == 0;
			left = NEVER;
			UNIT_ROW(good, row->algorithm);
		}
		UNIT_ROW(point > 1 && point < POINTS_MAX, row->algorithm);
	}
}

static struct key_set keys;
static struct str good_signature, bad_signature;

static bool verify(const struct row *row)
{
	/* OpenSSL's Ed25519 says nothing when its hash has no memory: refused all the same. */
	bool is_mute = algorithm_find(str_of(row->algorithm), ALGORITHM_ALL)->family == KEY_ED25519;
	enum err good = key_verify(keys.keys[0], NULL, STR("x"), good_signature);
	enum err bad = key_verify(keys.keys[0], NULL, STR("x"), bad_signature);
	return (good == ERR_NONE || good == ERR_INTERNAL || (is_mute &&
							     good == ERR_BAD_SIGNATURE)) && (bad == ERR_BAD_SIGNATURE ||
											     bad == ERR_INTERNAL);
}

static void verifying(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned char good[KEY_SIGNATURE_MAX], bad[KEY_SIGNATURE_MAX];
		size_t n = 0, m = 0;
		CU_ASSERT_TRUE_FATAL(open_ring(&rows[i], &keys));
		CU_ASSERT_TRUE(key_sign(keys.keys[0], NULL, STR("x"), good, &n));
		CU_ASSERT_TRUE(key_sign(keys.keys[0], NULL, STR("y"), bad, &m));
		good_signature = (struct str){(char *)good, n};
		bad_signature = (struct str){(char *)bad, m};
		each_point(&rows[i], verify);
		CU_ASSERT_EQUAL(key_verify(keys.keys[0], NULL, STR("x"), good_signature), ERR_NONE);
		key_set_close(&keys);
	}
}

/* All or nothing. */
static bool load(const struct row *row)
{
	struct key_set set;
	bool good = open_ring(row, &set), whole = good ? set.n == 1 : set.n == 0;
	key_set_close(&set);
	return whole;
}

static void loading(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CU_ASSERT_TRUE(load(&rows[i]));
		each_point(&rows[i], load);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {{"verifying", verifying}, {"loading", loading}, {0}};
	if (!CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free))
		return 1;
	return token_start() ? unit_main("key_memory", cases) : 1;
}
