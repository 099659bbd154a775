/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from text. The first byte says what it is given as: p a public key, s a
 * JWK Set, r a key ring, i a private PEM file to import. Whatever comes out must
 * be a good key that is used, printed and read again. */
#include "fuzz.h"
#include "token/key.h"

static char why_memory[1024], jwk_memory[KEY_JWK_MAX + 64];

static void check_public(const struct key *key)
{
	char note[512];
	struct buf why = buf_over(note, sizeof note), jwk = buf_over(jwk_memory, sizeof jwk_memory);
	const struct algorithm *algorithm = key_algorithm(key);
	struct algorithm_set one = {0};
	struct key_set again = {.n = 0};
	unsigned char zeros[KEY_SIGNATURE_MAX] = {0};
	FUZZ_CHECK(algorithm->family != KEY_HMAC && key_kid(key).n <= KEY_KID_MAX);
	for (size_t n = 0; n <= sizeof zeros; n += 4)
		FUZZ_CHECK(key_verify(key, NULL, STR("x"), (struct str){(char *)zeros, n}) == ERR_BAD_SIGNATURE);
	FUZZ_CHECK(key_print_jwk(key, &jwk));
	algorithm_add(&one, algorithm);
	FUZZ_CHECK(key_set_add_public(&again, one, buf_str(&jwk), &why) && again.n == 1);
	FUZZ_CHECK(str_eq(key_kid(again.keys[0]), key_kid(key)));
	key_set_close(&again);
}

static void check_private(const struct key *key)
{
	unsigned char signature[KEY_SIGNATURE_MAX];
	size_t n;
	FUZZ_CHECK(key_can_sign(key) && key_sign(key, NULL, STR("x"), signature, &n));
	FUZZ_CHECK(key_verify(key, NULL, STR("x"), (struct str){(char *)signature, n}) == ERR_NONE);
	FUZZ_CHECK(key_kid(key).n > 0 && key_kid(key).n <= KEY_KID_MAX);
	if (key_algorithm(key)->family != KEY_HMAC)
		check_public(key);
}

/* Returned as it came, or full of good keys. */
static void check_set(char kind, struct str text)
{
	struct buf why = buf_over(why_memory, sizeof why_memory);
	struct key_set set;
	key_set_begin(&set);
	bool good = kind == 's'	  ? key_set_add_jwks(&set, ALGORITHM_ALL, text, &why)
		    : kind == 'r' ? key_set_add_ring(&set, ALGORITHM_ALL, true, text, &why)
				  : key_set_add_public(&set, ALGORITHM_ALL, text, &why);
	FUZZ_CHECK(good == (set.n > 0) && (good || why.n > 0));
	for (size_t i = 0; i < set.n; i++) {
		if (kind == 'r')
			check_private(set.keys[i]);
		else
			check_public(set.keys[i]);
		FUZZ_CHECK(kind == 'r' || !key_can_sign(set.keys[i]));
	}
	key_set_close(&set);
}

static void check_import(struct str text)
{
	static char ring_memory[KEY_JWK_MAX + 64];
	for (size_t i = 0; algorithm_at(i); i++) {
		struct buf why = buf_over(why_memory, sizeof why_memory), ring = buf_over(ring_memory,
											  sizeof ring_memory);
		struct key_set set = {.n = 0};
		buf_add(&ring, STR("{\"keys\":["));
		if (!key_jwk_from_pem(algorithm_at(i), text, STR_NONE, &ring, &why)) {
			FUZZ_CHECK(why.n > 0);
			continue;
		}
		buf_add(&ring, STR("]}"));
		FUZZ_CHECK(key_set_add_ring(&set, ALGORITHM_ALL, false, buf_str(&ring), &why) && set.n == 1);
		key_set_close(&set);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str text = {(const char *)data + 1, size - 1};
	if (data[0] == 'i')
		check_import(text);
	else
		check_set((char)data[0], text);
	return 0;
}
