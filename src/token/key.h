/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, and the set of them that an issuer's tokens are verified with. */
#ifndef TOKEN_KEY_H
#define TOKEN_KEY_H

#include "base/err.h"
#include "token/algorithm.h"

/* A key for exactly one algorithm, with the kid that it goes by: immutable,
 * shared by all workers. */
struct key;

/* May the secret be an HMAC key at all? Not when it is empty, blank or a PEM
 * file. false: why says what is wrong and what to do. */
bool key_check_secret(struct str secret, struct buf *why);
/* Is it long enough for the algorithm (RFC 7518 section 3.2)? */
bool key_secret_suffices(struct str secret, const struct algorithm *algorithm);
/* Is it a placeholder or a secret that is known from documentation? */
bool key_is_well_known(struct str secret);

/* Make an HMAC key of a checked secret, which may be wiped afterwards; kid may be
 * STR_NONE. false: no memory, or the secret is empty. */
bool key_open_hmac(const struct algorithm *algorithm, struct str secret, struct str kid, struct key **out);
/* Wipes the key. */
void key_close(struct key **key);
const struct algorithm *key_algorithm(const struct key *key);
/* STR_NONE for a key that has none: it is for tokens with any kid, or none. */
struct str key_kid(const struct key *key);
/* The size of the secret, the modulus or the curve. */
size_t key_bits(const struct key *key);
/* Has it what signing takes, a secret or a private key? */
bool key_can_sign(const struct key *key);

/* The longest signature is that of RSA with KEY_RSA_BITS_MAX bits, and the longest
 * JWK its private key. */
enum { KEY_JWK_MAX = 16384 };
enum { KEY_RSA_BITS_MIN = 2048, KEY_RSA_BITS_MAX = 8192, KEY_SIGNATURE_MAX = KEY_RSA_BITS_MAX / 8 };

/* Is it the signature of input? ERR_BAD_SIGNATURE, ERR_INTERNAL. */
enum err key_verify(const struct key *key, struct token_thread *thread, struct str input, struct str signature);
/* n becomes the size of the signature. */
bool key_sign(const struct key *key, struct token_thread *thread, struct str input,
	      unsigned char out[KEY_SIGNATURE_MAX], size_t *n);
/* The public part as a JWK (RFC 7517) with kid, alg and "use":"sig". false: a secret has none. */
bool key_print_jwk(const struct key *key, struct buf *out);

/* Trying several keys for one token is bounded by these. */
enum { KEY_SECRETS_MAX = 8, KEY_TRIES_MAX = 8, KEY_SET_MAX = 256 };
/* Bytes of a text with keys, and of a kid in it. */
enum { KEY_TEXT_MAX = 256 << 10, KEY_KID_MAX = 255 };

/* The first key signs, when it can. generation is a random number of its own:
 * what was found with another set says nothing. */
struct key_set {
	struct key **keys;
	size_t n, cap;
	uint64_t generation;
};

/* An empty set. */
void key_set_begin(struct key_set *set);
/* The set takes the key over. false: it is full, or no memory; the key stays the caller's. */
bool key_set_add(struct key_set *set, struct key *key);
void key_set_close(struct key_set *set);
/* What the header of a token asks for. */
struct key_wanted {
	const struct algorithm *algorithm;
	struct str kid; /* STR_NONE: it names none */
};

/* Verify by a key that is for that algorithm and that kid (STR_NONE: the token
 * has none). A key without kid fits every token; of those with one, a token
 * without kid may have the only one that is for its algorithm (RFC 7515 section
 * 4.1.4 makes kid optional). KEY_TRIES_MAX keys are tried at most.
 * ERR_UNKNOWN_KEY when none fits, ERR_BAD_SIGNATURE, ERR_INTERNAL. */
enum err key_set_verify(const struct key_set *set, struct token_thread *thread, struct key_wanted wanted,
			struct str input, struct str signature);
/* Would key_set_verify find a key to try? */
bool key_set_has(const struct key_set *set, struct key_wanted wanted);

/* Add a public key: PEM (SubjectPublicKeyInfo) or one JWK, once for each allowed
 * algorithm that it fits (key type, curve, and the JWK's alg, use and key_ops).
 * RSA of fewer than KEY_RSA_BITS_MIN bits, an even or small exponent, small-order
 * Ed25519 points, points off the curve, private keys, secrets: refused.
 * false: why says what is wrong and what to do; nothing was added. */
bool key_set_add_public(struct key_set *set, struct algorithm_set allowed, struct str text, struct buf *why);
/* Add the keys of a JWK Set (RFC 7517 section 5). Left out are those of unknown
 * kty or crv, not for verifying (use, key_ops), or for no allowed algorithm; and,
 * named in why, those that are too weak or wrong. A set with secret or private
 * keys, with more than KEY_SET_MAX keys, with none that fits, or that is no
 * strict JSON (json.h; 1000 values are some 120 keys), is refused as a whole:
 * false, why says it, nothing was added.
 * true: why has notes for the log when n is not 0: keys left out as wrong, and a
 * kid that several keys for one algorithm have. */
bool key_set_add_jwks(struct key_set *set, struct algorithm_set allowed, struct str text, struct buf *why);
/* Add the keys of a key ring: a JWK Set with secret ("oct") and private keys,
 * each with alg and a kid of its own, in order; the first signs. short_too: take
 * secrets that are shorter than their hash. Each private key signs once and must
 * verify that. A key that is wrong, or for no allowed algorithm, is refused.
 * false: why says it, nothing was added. */
bool key_set_add_ring(struct key_set *set, struct algorithm_set allowed, bool short_too, struct str text,
		      struct buf *why);

/* Print a new secret or private key for a key ring, a JWK with alg and kid; the
 * kid is the key's thumbprint (RFC 7638, SHA-256), of a secret a random number,
 * unless one is given. out has room for KEY_JWK_MAX bytes; who called wipes them.
 * false: no memory, or OpenSSL has failed. */
bool key_generate_jwk(const struct algorithm *algorithm, struct str kid, struct buf *out);
/* The same of a private key that is there: PEM (PKCS #8, not encrypted). false:
 * why says what is wrong and what to do. */
bool key_jwk_from_pem(const struct algorithm *algorithm, struct str pem, struct str kid, struct buf *out,
		      struct buf *why);

#endif
