/* SPDX-License-Identifier: Apache-2.0 */
/* The table of algorithms. A new one is a row here and, for a new family, its keys in key.c. */
#include "token/algorithm.h"

static const struct algorithm rows[] = {
	{"HS256", KEY_HMAC, DIGEST_SHA256, 32},
	{"HS384", KEY_HMAC, DIGEST_SHA384, 48},
	{"HS512", KEY_HMAC, DIGEST_SHA512, 64},
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

bool algorithm_add(struct algorithm_set *set, const struct algorithm *algorithm)
{
	if (set->bits & bit(algorithm))
		return false;
	set->bits |= bit(algorithm);
	return true;
}

void algorithm_print_all(struct buf *out)
{
	for (size_t i = 0; i < ROWS; i++)
		buf_printf(out, "%s%s", i ? ", " : "", rows[i].name);
}
