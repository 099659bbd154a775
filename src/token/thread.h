/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this folder that use OpenSSL: what each of them keeps
 * per worker thread, and what each of them tries at the start. */
#ifndef TOKEN_THREAD_H
#define TOKEN_THREAD_H

#include "token/cache.h"
#include "token/encryption.h"

struct evp_cipher_ctx_st; /* OpenSSL's EVP_CIPHER_CTX */
struct evp_md_ctx_st;	  /* EVP_MD_CTX */

/* A cipher and what it was last used with: the same key has not to be expanded again. */
struct token_cipher {
	struct evp_cipher_ctx_st *context; /* NULL until its first use */
	uint64_t key;			   /* its random number; 0: none */
	bool encrypts;
};

struct token_thread {
	unsigned slot;
	/* One for each row of the table of encryptions: to change the cipher of a
	 * context takes memory on each request. */
	struct token_cipher ciphers[ENCRYPTION_ROWS];
	/* Empty between two uses: a key's template is copied into it. */
	struct evp_md_ctx_st *signature;
	struct token_cache *cache; /* the process's, or NULL */
};

/* Known answers, tried by token_start(). */
bool digest_start(void);
bool derive_start(void);
bool jwe_start(void);
/* Does OpenSSL verify as it should? Each algorithm of public keys, once. */
bool known_answers_hold(void);

#endif
