/* SPDX-License-Identifier: Apache-2.0 */
/* The table of algorithms. A new one is a row here; a new family has its verifying
 * in key_public.c and its kind of key in jwk.c. */
#include "token/algorithm.h"

static const struct algorithm rows[] = {
	{"HS256", KEY_HMAC, "oct", NULL, DIGEST_SHA256, 32, 32},
	{"HS384", KEY_HMAC, "oct", NULL, DIGEST_SHA384, 48, 48},
	{"HS512", KEY_HMAC, "oct", NULL, DIGEST_SHA512, 64, 64},
	{"RS256", KEY_RSA, "RSA", NULL, DIGEST_SHA256, 0, 0},
	{"RS384", KEY_RSA, "RSA", NULL, DIGEST_SHA384, 0, 0},
	{"RS512", KEY_RSA, "RSA", NULL, DIGEST_SHA512, 0, 0},
	{"PS256", KEY_RSA_PSS, "RSA", NULL, DIGEST_SHA256, 0, 0},
	{"PS384", KEY_RSA_PSS, "RSA", NULL, DIGEST_SHA384, 0, 0},
	{"PS512", KEY_RSA_PSS, "RSA", NULL, DIGEST_SHA512, 0, 0},
	{"ES256", KEY_EC, "EC", "P-256", DIGEST_SHA256, 0, 64},
	{"ES384", KEY_EC, "EC", "P-384", DIGEST_SHA384, 0, 96},
	{"ES512", KEY_EC, "EC", "P-521", DIGEST_SHA512, 0, 132},
	{"EdDSA", KEY_ED25519, "OKP", "Ed25519", DIGEST_SHA512, 0, 64},
	{"Ed25519", KEY_ED25519, "OKP", "Ed25519", DIGEST_SHA512, 0, 64},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

const struct algorithm *algorithm_at(size_t n)
{
	return n < ROWS ? &rows[n] : NULL;
}

static unsigned bit(const struct algorithm *algorithm)
{
	return 1U << (algorithm - rows);
}

const struct algorithm *algorithm_find(struct str name, struct algorithm_set allowed)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((allowed.bits & bit(&rows[i])) && str_eq(name, str_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

bool algorithm_has(struct algorithm_set set, const struct algorithm *algorithm)
{
	return set.bits & bit(algorithm);
}

bool algorithm_add(struct algorithm_set *set, const struct algorithm *algorithm)
{
	if (algorithm_has(*set, algorithm))
		return false;
	set->bits |= bit(algorithm);
	return true;
}

bool algorithm_is_same(const struct algorithm *a, const struct algorithm *b)
{
	return a == b || (a->family == KEY_ED25519 && b->family == KEY_ED25519);
}

void algorithm_print_all(struct buf *out)
{
	for (size_t i = 0; i < ROWS; i++)
		buf_printf(out, "%s%s", i ? ", " : "", rows[i].name);
}
