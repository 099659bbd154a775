/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, and the set of them that an issuer's tokens are verified with. */
#ifndef TOKEN_KEY_H
#define TOKEN_KEY_H

#include "base/err.h"
#include "token/algorithm.h"

/* A key for exactly one algorithm: immutable, shared by all workers. */
struct key;

/* May the secret be an HMAC key at all? Not when it is empty, blank or a PEM
 * file. false: why says what is wrong and what to do. */
bool key_check_secret(struct str secret, struct buf *why);
/* Is it long enough for the algorithm (RFC 7518 section 3.2)? */
bool key_secret_suffices(struct str secret, const struct algorithm *algorithm);
/* Is it a placeholder or a secret that is known from documentation? */
bool key_is_well_known(struct str secret);

/* Make an HMAC key of a checked secret, which may be wiped afterwards. false: no
 * memory, or the secret is empty. */
bool key_open_hmac(const struct algorithm *algorithm, struct str secret, struct key **out);
/* Wipes the key. */
void key_close(struct key **key);
const struct algorithm *key_algorithm(const struct key *key);

enum { KEY_SIGNATURE_MAX = DIGEST_MAX };

/* Is it the signature of input? ERR_BAD_SIGNATURE, ERR_INTERNAL. */
enum err key_verify(const struct key *key, struct str input, struct str signature);
/* n becomes the size of the signature. */
bool key_sign(const struct key *key, struct str input, unsigned char out[KEY_SIGNATURE_MAX], size_t *n);

/* Trying several keys for one token is bounded by these. */
enum { KEY_SECRETS_MAX = 8, KEY_SET_MAX = 24 };

/* The first key signs. */
struct key_set {
	struct key *keys[KEY_SET_MAX];
	size_t n;
};

/* The set takes the key over. false: it is full. */
bool key_set_add(struct key_set *set, struct key *key);
void key_set_close(struct key_set *set);
/* By one of the keys that are for that algorithm. ERR_UNKNOWN_KEY when none is,
 * ERR_BAD_SIGNATURE, ERR_INTERNAL. */
enum err key_set_verify(const struct key_set *set, const struct algorithm *algorithm, struct str input,
			struct str signature);

#endif
