/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 and HMAC over OpenSSL's hash states, which are plain structs. EVP's are
 * not: until OpenSSL 3.5 each use of an EVP_MAC or EVP_MD context takes memory of
 * the heap (two and one allocations in 3.0.22), and may fail there. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "token/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/secret.h"
#include "token/thread.h"

union state {
	SHA256_CTX sha256;
	SHA512_CTX sha512; /* SHA-384 too */
};

_Static_assert(sizeof(union state) <= sizeof((struct digest_hmac){0}).inner, "room for every hash");

struct hash {
	const char *name; /* OpenSSL's */
	size_t size, block;
	bool (*begin)(union state *state);
	bool (*add)(union state *state, const void *bytes, size_t n);
	bool (*end)(union state *state, unsigned char *out);
};

static bool begin256(union state *state)
{
	return SHA256_Init(&state->sha256);
}

static bool add256(union state *state, const void *bytes, size_t n)
{
	return SHA256_Update(&state->sha256, bytes, n);
}

static bool end256(union state *state, unsigned char *out)
{
	return SHA256_Final(out, &state->sha256);
}

static bool begin384(union state *state)
{
	return SHA384_Init(&state->sha512);
}

static bool end384(union state *state, unsigned char *out)
{
	return SHA384_Final(out, &state->sha512);
}

static bool begin512(union state *state)
{
	return SHA512_Init(&state->sha512);
}

static bool add512(union state *state, const void *bytes, size_t n)
{
	return SHA512_Update(&state->sha512, bytes, n);
}

static bool end512(union state *state, unsigned char *out)
{
	return SHA512_Final(out, &state->sha512);
}

static const struct hash hashes[] = {
	[DIGEST_SHA256] = {"SHA256", 32, 64, begin256, add256, end256},
	[DIGEST_SHA384] = {"SHA384", 48, 128, begin384, add512, end384},
	[DIGEST_SHA512] = {"SHA512", 64, 128, begin512, add512, end512},
};

size_t digest_size(enum digest_hash hash)
{
	return hashes[hash].size;
}

bool digest_bytes(enum digest_hash which, struct str bytes, unsigned char out[DIGEST_MAX])
{
	const struct hash *hash = &hashes[which];
	union state state;
	return hash->begin(&state) && (bytes.n == 0 || hash->add(&state, bytes.p, bytes.n)) && hash->end(&state, out);
}

/* The state of the hash behind a block of the key, each byte changed by pad. */
static bool behind_pad(const struct hash *hash, const unsigned char *block, unsigned char pad, unsigned char *out)
{
	unsigned char padded[128];
	union state state;
	for (size_t i = 0; i < hash->block; i++)
		padded[i] = block[i] ^ pad;
	bool good = hash->begin(&state) && hash->add(&state, padded, hash->block);
	memcpy(out, &state, sizeof state);
	secret_wipe(padded, sizeof padded);
	secret_wipe(&state, sizeof state);
	return good;
}

bool digest_hmac_key(enum digest_hash which, struct str key, struct digest_hmac *out)
{
	const struct hash *hash = &hashes[which];
	unsigned char block[128] = {0};
	union state state;
	bool good = key.n > 0;
	if (key.n > hash->block)
		good = hash->begin(&state) && hash->add(&state, key.p, key.n) && hash->end(&state, block);
	else if (good)
		memcpy(block, key.p, key.n);
	out->hash = which;
	good = good && behind_pad(hash, block, 0x36, out->inner) && behind_pad(hash, block, 0x5c, out->outer);
	secret_wipe(block, sizeof block);
	return good;
}

bool digest_hmac_parts(const struct digest_hmac *key, const struct str *parts, size_t n,
		       unsigned char out[DIGEST_MAX])
{
	const struct hash *hash = &hashes[key->hash];
	union state state;
	memcpy(&state, key->inner, sizeof state);
	for (size_t i = 0; i < n; i++)
		if (parts[i].n && !hash->add(&state, parts[i].p, parts[i].n))
			return false;
	if (!hash->end(&state, out))
		return false;
	memcpy(&state, key->outer, sizeof state);
	return hash->add(&state, out, hash->size) && hash->end(&state, out);
}

bool digest_hmac(const struct digest_hmac *key, struct str bytes, unsigned char out[DIGEST_MAX])
{
	return digest_hmac_parts(key, &bytes, 1, out);
}

bool digest_parts(struct token_thread *thread, const struct str *parts, size_t n, unsigned char out[DIGEST_SIZE])
{
	(void)thread;
	SHA256_CTX state;
	if (!SHA256_Init(&state))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((parts[i].n && !SHA256_Update(&state, parts[i].p, parts[i].n)) || !SHA256_Update(&state, "", 1))
			return false;
	return SHA256_Final(out, &state);
}

bool digest_sha256(struct str bytes, unsigned char out[DIGEST_SIZE])
{
	SHA256_CTX state;
	return SHA256_Init(&state) && (bytes.n == 0 || SHA256_Update(&state, bytes.p, bytes.n)) &&
	       SHA256_Final(out, &state);
}

bool digest_sha1(struct str bytes, unsigned char out[DIGEST_SHA1_SIZE])
{
	SHA_CTX state;
	return SHA1_Init(&state) && (bytes.n == 0 || SHA1_Update(&state, bytes.p, bytes.n)) && SHA1_Final(out, &state);
}

bool digest_mac(struct token_thread *thread, struct str key, struct str bytes, unsigned char out[DIGEST_SIZE])
{
	(void)thread;
	struct digest_hmac hmac;
	unsigned char mac[DIGEST_MAX];
	bool good = key.n >= DIGEST_SIZE && digest_hmac_key(DIGEST_SHA256, key, &hmac) &&
		    digest_hmac(&hmac, bytes, mac);
	if (good)
		memcpy(out, mac, DIGEST_SIZE);
	secret_wipe(&hmac, sizeof hmac);
	return good;
}

/* Is ours what OpenSSL's HMAC gives, for keys shorter and longer than a block? */
static bool agrees(enum digest_hash which)
{
	static const char text[] = "what is signed has to be longer than one block of the hash, and as it happens "
				   "this sentence is: it does not fit into the 128 bytes of SHA-512";
	static const size_t sizes[] = {1, sizeof text - 1};
	for (size_t i = 0; i < 2; i++) {
		struct digest_hmac key;
		unsigned char ours[DIGEST_MAX], theirs[DIGEST_MAX];
		size_t n = 0;
		if (!digest_hmac_key(which, (struct str){text, sizes[i]}, &key) || !digest_hmac(&key, STR(text), ours))
			return false;
		if (!EVP_Q_mac(NULL, "HMAC", NULL, hashes[which].name, NULL, text, sizes[i],
			       (const unsigned char *)text, sizeof text - 1, theirs, sizeof theirs, &n))
			return false;
		if (n != hashes[which].size || memcmp(ours, theirs, n) != 0)
			return false;
	}
	return true;
}

bool digest_start(void)
{
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
		if (!agrees((enum digest_hash)i))
			return false;
	return true;
}
