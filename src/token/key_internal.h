/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that make keys and those that use them. */
#ifndef TOKEN_KEY_INTERNAL_H
#define TOKEN_KEY_INTERNAL_H

#include "token/key.h"

/* OpenSSL's EVP_PKEY and EVP_MD_CTX */
struct evp_pkey_st;
struct evp_md_ctx_st;

struct key {
	const struct algorithm *algorithm;
	struct str kid; /* own copy */
	size_t bits;
	struct digest_hmac hmac; /* of KEY_HMAC */
	/* Of the others: the key, and contexts that are initialised once and copied
	 * for every use. All of it is read only, by any number of threads. */
	struct evp_pkey_st *pkey;
	struct evp_md_ctx_st *verifying, *signing; /* signing NULL: there is no private part */
	size_t signature_size;
};

/* A key of another family than KEY_HMAC, which the EVP_PKEY fits; it keeps a
 * reference of its own. has_private: it can sign, and is tried out: what it signs
 * must verify. */
bool key_open_pkey(const struct algorithm *algorithm, struct evp_pkey_st *pkey, bool has_private, struct str kid,
		   struct key **out);
/* false: no memory, or OpenSSL has failed; then it is not known. */
bool key_public_verify(const struct key *key, struct token_thread *thread, struct str input, struct str signature,
		       bool *is_good);
bool key_private_sign(const struct key *key, struct token_thread *thread, struct str input,
		      unsigned char out[KEY_SIGNATURE_MAX], size_t *n);
/* An empty key with a copy of the kid, or NULL. */
struct key *key_new(const struct algorithm *algorithm, struct str kid);

#endif
