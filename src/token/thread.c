/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto of the process and of its worker threads: opened and closed. */
#include "token/thread.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

bool token_start(void)
{
	return digest_start();
}

bool token_thread_open(unsigned slot, struct token_thread **out)
{
	struct token_thread *thread = calloc(1, sizeof *thread);
	if (!thread)
		return false;
	thread->slot = slot;
	thread->signature = EVP_MD_CTX_new();
	if (!thread->signature) {
		free(thread);
		return false;
	}
	*out = thread;
	return true;
}

void token_thread_close(struct token_thread **thread)
{
	if (!*thread)
		return;
	EVP_MD_CTX_free((*thread)->signature);
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++)
		EVP_CIPHER_CTX_free((*thread)->ciphers[i].context);
	free(*thread);
	*thread = NULL;
}

void token_thread_share(struct token_thread *thread, struct token_cache *cache)
{
	thread->cache = cache;
}

unsigned token_thread_slot(const struct token_thread *thread)
{
	return thread->slot;
}

const char *token_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
