/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of keys, for the files jwk*.c. */
#ifndef TOKEN_JWK_INTERNAL_H
#define TOKEN_JWK_INTERNAL_H

#include "token/jwk.h"

struct jwk_kind {
	const char *kty, *crv; /* crv NULL: it has none */
	const char *type, *group; /* OpenSSL's names */
	size_t size;	      /* bytes of x, y and d of a curve, exactly */
	/* Members it has, as sets of 1U << enum jwk_number. */
	unsigned public_part, private_part;
};

extern const struct jwk_kind jwk_kinds[];
extern const char *const jwk_number_names[JWK_NUMBERS];

#endif
