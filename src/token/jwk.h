/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON Web Key (RFC 7517; RFC 7518 section 6; RFC 8037): read and judged,
 * made an EVP_PKEY, printed. PEM files come the same way, so that whatever a key
 * was written in, it is judged once and alike. */
#ifndef TOKEN_JWK_H
#define TOKEN_JWK_H

#include "token/algorithm.h"
#include "token/json.h"

/* The members that are numbers or bytes. */
enum jwk_number {
	JWK_N,
	JWK_E,
	JWK_X,
	JWK_Y,
	JWK_D,
	JWK_P,
	JWK_Q,
	JWK_DP,
	JWK_DQ,
	JWK_QI,
	JWK_K,
	JWK_NUMBERS
};

/* A kty with its crv: which numbers it has. */
struct jwk_kind;
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

struct jwk {
	const struct jwk_kind *kind;
	struct str kid;			/* STR_NONE: it has none */
	const struct algorithm *only;	/* alg; NULL: it has none */
	struct str numbers[JWK_NUMBERS]; /* decoded, big-endian */
	bool is_private;
};

/* What reading a JWK came to. */
enum jwk_verdict {
	JWK_GOOD,
	JWK_OTHER,  /* none for verifying that is known here: left out of sets */
	JWK_WRONG,  /* broken, or too weak */
	JWK_SECRET, /* a secret or private key where public ones are expected */
};

enum jwk_purpose { JWK_VERIFY, JWK_SIGN };

/* Read an object and judge it. JWK_SIGN: secrets and private keys, and no
 * others. Slices point into the arena. Unless JWK_GOOD, why says what is wrong. */
enum jwk_verdict jwk_read(struct arena *arena, const struct json *object, enum jwk_purpose purpose, struct jwk *out,
			  struct buf *why);
/* Judge the numbers alone; jwk_read has. */
bool jwk_check(const struct jwk *jwk, struct buf *why);
/* Is it a key for that algorithm, by kind and by its alg? */
bool jwk_fits(const struct jwk *jwk, const struct algorithm *algorithm);

/* Its EVP_PKEY, which the caller frees; NULL: it is none (a point off its curve,
 * say), or no memory. Not for secrets. */
struct evp_pkey_st *jwk_open_pkey(const struct jwk *jwk, struct arena *arena);
/* Kind and numbers of an EVP_PKEY; false: it is of no kind known here, or no memory. */
bool jwk_from_pkey(struct evp_pkey_st *pkey, bool with_private, struct arena *arena, struct jwk *out);

/* The whole key with kid, alg and "use":"sig"; with_private: its private part too. */
void jwk_print(const struct jwk *jwk, const struct algorithm *algorithm, bool with_private, struct buf *out);
/* base64url of its thumbprint (RFC 7638, SHA-256); not for secrets. */
bool jwk_print_thumbprint(const struct jwk *jwk, struct buf *out);

#endif
