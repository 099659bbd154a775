/* SPDX-License-Identifier: Apache-2.0 */
/* HKDF over our own HMAC, and thumbprints over our own hashes: nothing here takes memory. */
#include "token/derive.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/encryption.h"
#include "token/thread.h"

enum { HASH = 32, BLOCKS_MAX = 255 };

/* Section 2.2: a salt that is not there is a hash full of zeros. */
static bool extract(struct str secret, struct str salt, unsigned char out[DIGEST_MAX])
{
	static const char zeros[HASH];
	struct digest_hmac key;
	struct str salt_or_zeros = salt.n > 0 ? salt : (struct str){zeros, sizeof zeros};
	bool good = digest_hmac_key(DIGEST_SHA256, salt_or_zeros, &key) && digest_hmac(&key, secret, out);
	secret_wipe(&key, sizeof key);
	return good;
}

/* Section 2.3: each block is made of the one before it. */
static bool expand(const struct digest_hmac *key, struct str info, unsigned char *out, size_t n)
{
	unsigned char block[DIGEST_MAX];
	bool good = true;
	for (size_t at = 0; good && at < n; at += HASH) {
		unsigned char number = (unsigned char)(at / HASH + 1);
		const struct str parts[] = {{(char *)block, at > 0 ? HASH : 0}, info, {(char *)&number, 1}};
		good = digest_hmac_parts(key, parts, 3, block);
		if (good)
			memcpy(out + at, block, n - at < HASH ? n - at : HASH);
	}
	secret_wipe(block, sizeof block);
	return good;
}

bool derive_hkdf(struct str secret, struct str salt, struct str info, unsigned char *out, size_t n)
{
	unsigned char extracted[DIGEST_MAX];
	struct digest_hmac key;
	if (secret.n == 0 || n > (size_t)BLOCKS_MAX * HASH)
		return false;
	bool good = extract(secret, salt, extracted) &&
		    digest_hmac_key(DIGEST_SHA256, (struct str){(char *)extracted, HASH}, &key) &&
		    expand(&key, info, out, n);
	secret_wipe(extracted, sizeof extracted);
	secret_wipe(&key, sizeof key);
	return good;
}

void derive_oct_thumbprint(enum digest_hash hash, struct str key, struct buf *out)
{
	char memory[BASE64URL_ENCODED(ENCRYPTION_KEY_MAX) + 32];
	struct buf text = buf_over(memory, sizeof memory);
	unsigned char digest[DIGEST_MAX];
	buf_add(&text, STR("{\"k\":\""));
	base64url_encode(&text, (const unsigned char *)key.p, key.n);
	buf_add(&text, STR("\",\"kty\":\"oct\"}"));
	if (text.full || !digest_bytes(hash, buf_str(&text), digest))
		out->full = true;
	else
		base64url_encode(out, digest, digest_size(hash));
	secret_wipe(memory, sizeof memory);
}

/* RFC 5869 appendix A.3: neither salt nor info. */
bool derive_works(void)
{
	static const unsigned char secret[22] = {11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
						 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11};
	static const unsigned char known[] = {0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80,
					      0x2a, 0x06, 0x3c, 0x5a, 0x31, 0xb8, 0xa1, 0x1f, 0x5c, 0x5e, 0xe1,
					      0x87, 0x9e, 0xc3, 0x45, 0x4e, 0x5f, 0x3c, 0x73, 0x8d, 0x2d, 0x9d,
					      0x20, 0x13, 0x95, 0xfa, 0xa4, 0xb6, 0x1a, 0x96, 0xc8};
	unsigned char out[sizeof known];
	return derive_hkdf((struct str){(const char *)secret, sizeof secret}, STR_NONE, STR_NONE, out, sizeof out) &&
	       secret_equal(out, known, sizeof known);
}
