/* SPDX-License-Identifier: Apache-2.0 */
/* The signature algorithms (RFC 7518 section 3.1; EdDSA: RFC 8037; Ed25519: RFC
 * 9864): one table, one comparison. */
#ifndef TOKEN_ALGORITHM_H
#define TOKEN_ALGORITHM_H

#include "token/digest.h"

/* How an algorithm signs. A key is made for one algorithm, so that the header of
 * a token never decides how a key is used. */
enum key_family { KEY_HMAC, KEY_RSA, KEY_RSA_PSS, KEY_EC, KEY_ED25519 };

struct algorithm {
	const char *name; /* value of the header's "alg", exactly */
	enum key_family family;
	const char *kty, *crv; /* of its keys in JWK (RFC 7517); crv NULL: none */
	enum digest_hash hash; /* not of KEY_ED25519, which has its own */
	size_t key_size;       /* KEY_HMAC: least bytes of a key (RFC 7518 section 3.2) */
	size_t signature_size; /* bytes, exactly; 0: as long as the key's modulus */
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
bool algorithm_has(struct algorithm_set set, const struct algorithm *algorithm);
/* Put the algorithm into the set; false: it is in already. */
bool algorithm_add(struct algorithm_set *set, const struct algorithm *algorithm);
/* Two names of the same: EdDSA with the curve Ed25519, and Ed25519. */
bool algorithm_is_same(const struct algorithm *a, const struct algorithm *b);
/* "HS256, HS384, …": all names, for messages. */
void algorithm_print_all(struct buf *out);

#endif
