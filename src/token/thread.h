/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this folder that use OpenSSL: what each of them keeps
 * per worker thread, and what each of them tries at the start. */
#ifndef TOKEN_THREAD_H
#define TOKEN_THREAD_H

#include "token/algorithm.h"
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

/* Does OpenSSL give the known answers? Tried when a configuration wants them,
 * before the first thread: a failed allocation inside the first use can end the
 * process, a later one is an error. A CGI program pays for what it uses alone. */
bool digest_start(void);
bool algorithm_works(const struct algorithm *algorithm);
bool encryption_works(const struct encryption *encryption);
bool derive_works(void);

#endif
