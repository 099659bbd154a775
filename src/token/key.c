/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC keys and key sets. Which secrets may become keys is decided in key_secret.c. */
#include "token/key.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/secret.h"

struct key {
	const struct algorithm *algorithm;
	struct str kid;
	struct digest_hmac hmac;
};

bool key_open_hmac(const struct algorithm *algorithm, struct str secret, struct str kid, struct key **out)
{
	struct key *key = calloc(1, sizeof *key);
	if (!key)
		return false;
	key->algorithm = algorithm;
	(void)kid;
	if (!digest_hmac_key(algorithm->hash, secret, &key->hmac)) {
		key_close(&key);
		return false;
	}
	*out = key;
	return true;
}

void key_close(struct key **key)
{
	if (!*key)
		return;
	secret_wipe(*key, sizeof **key);
	free(*key);
	*key = NULL;
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
	return key->algorithm->family == KEY_HMAC;
}

bool key_sign(const struct key *key, struct token_thread *thread, struct str input,
	      unsigned char out[KEY_SIGNATURE_MAX], size_t *n)
{
	(void)thread;
	if (!digest_hmac(&key->hmac, input, out))
		return false;
	*n = digest_size(key->hmac.hash);
	return true;
}

enum err key_verify(const struct key *key, struct token_thread *thread, struct str input, struct str signature)
{
	if (signature.n != digest_size(key->hmac.hash))
		return ERR_BAD_SIGNATURE;
	unsigned char mac[KEY_SIGNATURE_MAX];
	size_t n;
	if (!key_sign(key, thread, input, mac, &n))
		return ERR_INTERNAL;
	return CRYPTO_memcmp(mac, signature.p, n) == 0 ? ERR_NONE : ERR_BAD_SIGNATURE;
}
