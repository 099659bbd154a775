/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: what all families have in common, and HMAC. Which secrets may become keys
 * is decided in key_secret.c. */
#include "token/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "token/key_internal.h"

struct key *key_new(const struct algorithm *algorithm, struct str kid)
{
	struct key *key = calloc(1, sizeof *key + kid.n);
	if (!key)
		return NULL;
	key->algorithm = algorithm;
	key->signature_size = algorithm->signature_size;
	if (kid.p) {
		char *copy = (char *)(key + 1);
		if (kid.n)
			memcpy(copy, kid.p, kid.n);
		key->kid = (struct str){copy, kid.n};
	}
	return key;
}

bool key_open_hmac(const struct algorithm *algorithm, struct str secret, struct str kid, struct key **out)
{
	if (algorithm->family != KEY_HMAC)
		return false;
	struct key *key = key_new(algorithm, kid);
	if (!key)
		return false;
	if (!digest_hmac_key(algorithm->hash, secret, &key->hmac)) {
		key_close(&key);
		return false;
	}
	key->bits = 8 * secret.n;
	*out = key;
	return true;
}

void key_close(struct key **key)
{
	if (!*key)
		return;
	EVP_MD_CTX_free((*key)->verifying);
	EVP_MD_CTX_free((*key)->signing);
	EVP_PKEY_free((*key)->pkey);
	secret_wipe(*key, sizeof **key);
	free(*key);
	*key = NULL;
}

size_t key_bits(const struct key *key)
{
	return key->bits;
}

const struct algorithm *key_algorithm(const struct key *key)
{
	return key->algorithm;
}

struct str key_kid(const struct key *key)
{
	return key->kid;
}

bool key_can_sign(const struct key *key)
{
	return key->algorithm->family == KEY_HMAC || key->signing;
}

bool key_sign(const struct key *key, struct token_thread *thread, struct str input,
	      unsigned char out[KEY_SIGNATURE_MAX], size_t *n)
{
	if (key->algorithm->family != KEY_HMAC)
		return key_private_sign(key, thread, input, out, n);
	if (!digest_hmac(&key->hmac, input, out))
		return false;
	*n = key->signature_size;
	return true;
}

enum err key_verify(const struct key *key, struct token_thread *thread, struct str input, struct str signature)
{
	unsigned char mac[DIGEST_MAX];
	bool is_good = signature.n == key->signature_size;
	if (is_good && key->algorithm->family != KEY_HMAC) {
		if (!key_public_verify(key, thread, input, signature, &is_good))
			return ERR_INTERNAL;
	} else if (is_good) {
		if (!digest_hmac(&key->hmac, input, mac))
			return ERR_INTERNAL;
		is_good = CRYPTO_memcmp(mac, signature.p, signature.n) == 0;
	}
	return is_good ? ERR_NONE : ERR_BAD_SIGNATURE;
}
