/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's contexts, and the digests that need no key of an issuer. */
#include "token/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "token/key.h"

struct token_thread {
	unsigned slot;
	EVP_MD *sha256;
	EVP_MD_CTX *md;
	EVP_MAC_CTX *mac; /* HMAC-SHA-256, keyed at each use */
};

static EVP_MAC_CTX *hmac_sha256(void)
{
	char digest[] = "SHA256"; /* OSSL_PARAM has no const */
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	if (ctx && !EVP_MAC_CTX_set_params(ctx, params)) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_MAC_free(hmac); /* the context holds it */
	return ctx;
}

/* Signs an algorithm twice the same? Early versions of OpenSSL 3.0 don't start
 * anew when a context is initialised without a key, as key.c does. */
static bool try_algorithm(const struct algorithm *algorithm, struct token_thread *thread)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	unsigned char signature[KEY_SIGNATURE_MAX];
	struct key *key;
	size_t n;
	if (!key_open_hmac(algorithm, STR(secret), 1, &key))
		return false;
	bool good = key_sign(key, thread, STR("try"), signature, &n) &&
		    key_verify(key, thread, STR("try"), (struct str){(const char *)signature, n}) == ERR_NONE;
	key_close(&key);
	return good;
}

bool token_start(void)
{
	struct token_thread *thread;
	if (!token_thread_open(0, &thread))
		return false;
	unsigned char out[DIGEST_SIZE];
	bool good = digest_parts(thread, &STR("try"), 1, out);
	for (size_t i = 0; good && algorithm_at(i); i++)
		good = try_algorithm(algorithm_at(i), thread);
	token_thread_close(&thread);
	return good;
}

bool token_thread_open(unsigned slot, struct token_thread **out)
{
	struct token_thread *thread = calloc(1, sizeof *thread);
	if (!thread)
		return false;
	thread->slot = slot;
	thread->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	thread->md = EVP_MD_CTX_new();
	thread->mac = hmac_sha256();
	if (!thread->sha256 || !thread->md || !thread->mac) {
		token_thread_close(&thread);
		return false;
	}
	*out = thread;
	return true;
}

void token_thread_close(struct token_thread **thread)
{
	if (!*thread)
		return;
	EVP_MAC_CTX_free((*thread)->mac);
	EVP_MD_CTX_free((*thread)->md);
	EVP_MD_free((*thread)->sha256);
	free(*thread);
	*thread = NULL;
}

unsigned token_thread_slot(const struct token_thread *thread)
{
	return thread->slot;
}

bool digest_parts(struct token_thread *thread, const struct str *parts, size_t n, unsigned char out[DIGEST_SIZE])
{
	if (!EVP_DigestInit_ex2(thread->md, thread->sha256, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!EVP_DigestUpdate(thread->md, parts[i].p, parts[i].n) || !EVP_DigestUpdate(thread->md, "", 1))
			return false;
	unsigned size;
	return EVP_DigestFinal_ex(thread->md, out, &size);
}

bool digest_mac(struct token_thread *thread, struct str key, struct str bytes, unsigned char out[DIGEST_SIZE])
{
	size_t n;
	return key.n >= DIGEST_SIZE && EVP_MAC_init(thread->mac, (const unsigned char *)key.p, key.n, NULL) &&
	       EVP_MAC_update(thread->mac, (const unsigned char *)bytes.p, bytes.n) &&
	       EVP_MAC_final(thread->mac, out, &n, DIGEST_SIZE);
}

const char *token_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
