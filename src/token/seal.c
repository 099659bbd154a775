/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing. The tag is checked before a byte of the plaintext is given out. */
#include "token/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/secret.h"

enum { AROUND = SEAL_IV_SIZE + SEAL_TAG_SIZE };

/* What goes through the cipher. */
struct pass {
	const unsigned char *key, *iv;
	struct str in;
	unsigned char *out; /* in.n bytes */
	unsigned char *tag; /* written when it encrypts, else compared */
};

static bool run(const struct pass *pass, bool encrypt)
{
	const unsigned char *in = (const unsigned char *)pass->in.p;
	int n = 0, last = 0, size = (int)pass->in.n;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool good = context && pass->in.n <= INT_MAX &&
		    EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, pass->key, pass->iv, encrypt) &&
		    (size == 0 || EVP_CipherUpdate(context, pass->out, &n, in, size)) &&
		    (encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE, pass->tag)) &&
		    EVP_CipherFinal_ex(context, pass->out + n, &last) && n + last == size &&
		    (!encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE, pass->tag));
	EVP_CIPHER_CTX_free(context);
	return good;
}

bool seal_close(struct arena *arena, const unsigned char key[SEAL_KEY_SIZE], struct str plain, struct buf *out)
{
	unsigned char *bytes = arena_alloc(arena, plain.n + AROUND);
	if (!bytes)
		return false;
	random_bytes(bytes, SEAL_IV_SIZE);
	unsigned char *sealed = bytes + SEAL_IV_SIZE;
	if (!run(&(struct pass){key, bytes, plain, sealed, sealed + plain.n}, true))
		return false;
	base64url_encode(out, bytes, plain.n + AROUND);
	return !out->full;
}

bool seal_open(struct arena *arena, const unsigned char key[SEAL_KEY_SIZE], struct str text, struct str *plain)
{
	unsigned char *bytes = arena_alloc(arena, BASE64URL_DECODED(text.n));
	size_t n;
	if (!bytes || !base64url_decode(text, bytes, &n) || n < AROUND)
		return false;
	struct str sealed = {(const char *)bytes + SEAL_IV_SIZE, n - AROUND};
	unsigned char *out = arena_alloc(arena, sealed.n + 1);
	if (!out || !run(&(struct pass){key, bytes, sealed, out, bytes + n - SEAL_TAG_SIZE}, false))
		return false;
	*plain = (struct str){(const char *)out, sealed.n};
	return true;
}
