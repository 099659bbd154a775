/* SPDX-License-Identifier: Apache-2.0 */
/* The table of encryptions. */
#include "token/encryption.h"

static const struct encryption rows[ENCRYPTION_ROWS] = {
	{"A128GCM", 16, 12, 16, "AES-128-GCM", false, DIGEST_SHA256},
	{"A192GCM", 24, 12, 16, "AES-192-GCM", false, DIGEST_SHA256},
	{"A256GCM", 32, 12, 16, "AES-256-GCM", false, DIGEST_SHA256},
	{"A128CBC-HS256", 32, 16, 16, "AES-128-CBC", true, DIGEST_SHA256},
	{"A192CBC-HS384", 48, 16, 24, "AES-192-CBC", true, DIGEST_SHA384},
	{"A256CBC-HS512", 64, 16, 32, "AES-256-CBC", true, DIGEST_SHA512},
};

const struct encryption *encryption_at(size_t n)
{
	return n < ENCRYPTION_ROWS ? &rows[n] : NULL;
}

size_t encryption_row(const struct encryption *encryption)
{
	return (size_t)(encryption - rows);
}

static unsigned bit(const struct encryption *encryption)
{
	return 1U << encryption_row(encryption);
}

const struct encryption *encryption_find(struct str name, struct encryption_set allowed)
{
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++)
		if ((allowed.bits & bit(&rows[i])) && str_eq(name, str_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

bool encryption_add(struct encryption_set *set, const struct encryption *encryption)
{
	if (set->bits & bit(encryption))
		return false;
	set->bits |= bit(encryption);
	return true;
}

void encryption_print_all(struct buf *out)
{
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++)
		buf_printf(out, "%s%s", i ? ", " : "", rows[i].name);
}
