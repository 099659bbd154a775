/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC keys with a keyed context for each worker, and key sets. Which secrets
 * may become keys is decided in key_secret.c. */
#include "token/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct key {
	const struct algorithm *algorithm;
	EVP_MAC_CTX *keyed; /* never computes: the workers' contexts are copies of it */
	unsigned n_slots;
	EVP_MAC_CTX **slots; /* made by the worker that the slot belongs to, at its first use */
};

_Static_assert(KEY_SIGNATURE_MAX == EVP_MAX_MD_SIZE, "room for every hash");

static EVP_MAC_CTX *keyed_context(const struct algorithm *algorithm, struct str secret)
{
	char name[16]; /* OSSL_PARAM has no const */
	struct buf b = buf_over(name, sizeof name);
	buf_add(&b, str_of(algorithm->digest));
	buf_z(&b);
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_END};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	if (ctx && !EVP_MAC_init(ctx, (const unsigned char *)secret.p, secret.n, params)) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_MAC_free(hmac); /* the context holds it */
	return ctx;
}

bool key_open_hmac(const struct algorithm *algorithm, struct str secret, unsigned slots, struct key **out)
{
	struct key *key = secret.n > 0 ? calloc(1, sizeof *key) : NULL;
	if (!key)
		return false;
	key->algorithm = algorithm;
	key->n_slots = slots;
	key->slots = calloc(slots ? slots : 1, sizeof(EVP_MAC_CTX *));
	key->keyed = keyed_context(algorithm, secret);
	if (!key->slots || !key->keyed) {
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
	for (unsigned i = 0; (*key)->slots && i < (*key)->n_slots; i++)
		EVP_MAC_CTX_free((*key)->slots[i]);
	/* Freeing a context wipes the key that it holds. */
	EVP_MAC_CTX_free((*key)->keyed);
	free((*key)->slots);
	free(*key);
	*key = NULL;
}

const struct algorithm *key_algorithm(const struct key *key)
{
	return key->algorithm;
}

/* The context of the thread's slot, ready to compute. */
static EVP_MAC_CTX *start(const struct key *key, const struct token_thread *thread)
{
	unsigned slot = token_thread_slot(thread);
	if (slot >= key->n_slots)
		return NULL;
	if (!key->slots[slot])
		key->slots[slot] = EVP_MAC_CTX_dup(key->keyed);
	EVP_MAC_CTX *ctx = key->slots[slot];
	return ctx && EVP_MAC_init(ctx, NULL, 0, NULL) ? ctx : NULL;
}

bool key_sign(const struct key *key, struct token_thread *thread, struct str input,
	      unsigned char out[KEY_SIGNATURE_MAX], size_t *n)
{
	EVP_MAC_CTX *ctx = start(key, thread);
	size_t size = 0;
	if (!ctx || !EVP_MAC_update(ctx, (const unsigned char *)input.p, input.n) ||
	    !EVP_MAC_final(ctx, out, &size, KEY_SIGNATURE_MAX) || size != key->algorithm->signature_size)
		return false;
	*n = size;
	return true;
}

enum err key_verify(const struct key *key, struct token_thread *thread, struct str input, struct str signature)
{
	if (signature.n != key->algorithm->signature_size)
		return ERR_BAD_SIGNATURE;
	unsigned char mac[KEY_SIGNATURE_MAX];
	size_t n;
	if (!key_sign(key, thread, input, mac, &n))
		return ERR_INTERNAL;
	return CRYPTO_memcmp(mac, signature.p, n) == 0 ? ERR_NONE : ERR_BAD_SIGNATURE;
}

bool key_set_add(struct key_set *set, struct key *key)
{
	if (set->n == KEY_SET_MAX)
		return false;
	set->keys[set->n++] = key;
	return true;
}

void key_set_close(struct key_set *set)
{
	while (set->n > 0)
		key_close(&set->keys[--set->n]);
}

enum err key_set_verify(const struct key_set *set, const struct algorithm *algorithm, struct token_thread *thread,
			struct str input, struct str signature)
{
	enum err result = ERR_UNKNOWN_KEY;
	for (size_t i = 0; i < set->n; i++) {
		if (set->keys[i]->algorithm != algorithm)
			continue;
		result = key_verify(set->keys[i], thread, input, signature);
		if (result != ERR_BAD_SIGNATURE)
			break;
	}
	return result;
}
