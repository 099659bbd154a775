/* SPDX-License-Identifier: Apache-2.0 */
/* A key ring as text, for those who look after it: a JWK Set (RFC 7517 section 5)
 * of secrets and private keys, each with "kid" and "alg". Their order is their
 * rank: the first signs, all verify. key_set_add_ring() makes keys of it. */
#ifndef TOKEN_RING_H
#define TOKEN_RING_H

#include "token/json.h"

/* With the private members of RSA keys that many stay within JSON_NODES_MAX. */
enum { RING_KEYS_MAX = 32, RING_TIME_ABSENT = -1 };

/* What a JWK says of itself; nothing of it is secret but jwk. Absent: STR_NONE. */
struct ring_key {
	struct str kid, alg;
	unsigned bits;	/* of the modulus, the curve, the secret; 0: unknown */
	int64_t added;	/* "iat" (OpenID Federation 1.0 section 8.3): seconds, or RING_TIME_ABSENT */
	struct str jwk; /* the object as it is written, with its secrets */
};

struct ring {
	struct ring_key keys[RING_KEYS_MAX];
	size_t n;
};

/* Describe one JWK, public or private. Slices point into jwk or the arena. false: it is no JSON object. */
bool ring_key_read(struct arena *arena, struct str jwk, struct ring_key *out);
/* Read a ring; an empty text is a ring without keys. Slices point into text or
 * the arena. Whether the keys are any good is not looked at: a ring with a bad
 * one can be mended. false: it is no JWK Set, or a key has no kid or alg, or two
 * have the same kid; why says which and what to do. */
bool ring_read(struct arena *arena, struct str text, struct ring *out, struct buf *why);
/* The rank of the key with that kid, from 0; n when there is none. */
size_t ring_find(const struct ring *ring, struct str kid);
/* Put a key with its kid and alg at that rank, marked with the time key->added: "iat"
 * goes in front of its members, of which it must not be one. false: why says that
 * the ring is full or has that kid already. */
bool ring_add(struct ring *ring, struct arena *arena, size_t rank, const struct ring_key *key, struct buf *why);
/* Make the key at that rank the first; the others keep their order. */
void ring_promote(struct ring *ring, size_t rank);
void ring_retire(struct ring *ring, size_t rank);
/* Print the ring, a key a line. */
void ring_print(const struct ring *ring, struct buf *out);

#endif
