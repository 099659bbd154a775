/* SPDX-License-Identifier: Apache-2.0 */
/* The signature algorithms (RFC 7518 section 3.1): one table, one comparison. */
#ifndef TOKEN_ALGORITHM_H
#define TOKEN_ALGORITHM_H

#include "token/digest.h"

/* What kind of key an algorithm takes. A key is made for one algorithm, so that
 * the header of a token never decides how a key is used. */
enum key_family { KEY_HMAC };

struct algorithm {
	const char *name; /* value of the header's "alg", exactly */
	enum key_family family;
	enum digest_hash hash;
	size_t key_size; /* least bytes of a key (RFC 7518 section 3.2) */
};

/* A set of algorithms: bit n stands for row n of the table. */
struct algorithm_set {
	unsigned bits;
};

#define ALGORITHM_ALL ((struct algorithm_set){~0U})

/* Row n of the table, NULL after the last. */
const struct algorithm *algorithm_at(size_t n);
/* The one of that exact name that is in the set, or NULL. */
const struct algorithm *algorithm_find(struct str name, struct algorithm_set allowed);
/* Put the algorithm into the set; false: it is in already. */
bool algorithm_add(struct algorithm_set *set, const struct algorithm *algorithm);
/* "HS256, HS384, HS512": all names, for messages. */
void algorithm_print_all(struct buf *out);

#endif
