/* SPDX-License-Identifier: Apache-2.0 */
#include "core_openssl.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096 };

static const struct row {
	const char *name, *kind, *curve, *hash, *cipher;
} rows[] = {
	{"RS256", "RSA", NULL, "SHA256", NULL},	 {"RS384", "RSA", NULL, "SHA384", NULL},
	{"RS512", "RSA", NULL, "SHA512", NULL},	 {"PS256", "PSS", NULL, "SHA256", NULL},
	{"PS384", "PSS", NULL, "SHA384", NULL},	 {"PS512", "PSS", NULL, "SHA512", NULL},
	{"ES256", "EC", "P-256", "SHA256", NULL}, {"ES384", "EC", "P-384", "SHA384", NULL},
	{"ES512", "EC", "P-521", "SHA512", NULL}, {"EdDSA", "ED25519", NULL, NULL, NULL},
	{"A256GCM", NULL, NULL, NULL, "AES-256-GCM"},
	{"A256CBC-HS512", NULL, NULL, "SHA512", "AES-256-CBC"},
};

struct bare {
	const struct row *row;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verify;
	EVP_MD *hash;
	EVP_MD_CTX *digest;
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac;
	unsigned char iv[16], tag[64], signature[1024], in[TEXT_MAX], out[TEXT_MAX + 16];
	size_t header, text, signature_size;
};

static bool digest(struct bare *bare, unsigned char out[EVP_MAX_MD_SIZE], unsigned *n)
{
	return EVP_DigestInit_ex2(bare->digest, bare->hash, NULL) == 1 &&
	       EVP_DigestUpdate(bare->digest, bare->in, bare->text) == 1 &&
	       EVP_DigestFinal_ex(bare->digest, out, n) == 1;
}

static bool run_verify(struct bare *bare)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n;
	if (!bare->verify)
		return EVP_DigestVerifyInit_ex(bare->digest, NULL, NULL, NULL, NULL, bare->pkey, NULL) == 1 &&
		       EVP_DigestVerify(bare->digest, bare->signature, bare->signature_size, bare->in, bare->text) == 1;
	return digest(bare, hash, &n) &&
	       EVP_PKEY_verify(bare->verify, bare->signature, bare->signature_size, hash, n) == 1;
}

static bool run_mac(struct bare *bare, unsigned char out[64])
{
	static const unsigned char bits[8] = {0};
	size_t n;
	return EVP_MAC_init(bare->mac, NULL, 0, NULL) && EVP_MAC_update(bare->mac, bare->in, bare->header) &&
	       EVP_MAC_update(bare->mac, bare->iv, sizeof bare->iv) &&
	       EVP_MAC_update(bare->mac, bare->out, bare->text) && EVP_MAC_update(bare->mac, bits, sizeof bits) &&
	       EVP_MAC_final(bare->mac, out, &n, 64);
}

static bool run_decrypt(struct bare *bare)
{
	unsigned char mac[64], plain[TEXT_MAX + 16];
	int n = 0, last = 0;
	if (bare->mac && (!run_mac(bare, mac) || memcmp(mac, bare->tag, sizeof mac) != 0))
		return false;
	if (EVP_DecryptInit_ex2(bare->cipher, NULL, NULL, bare->iv, NULL) != 1)
		return false;
	if (!bare->mac && (EVP_DecryptUpdate(bare->cipher, NULL, &n, bare->in, (int)bare->header) != 1 ||
			   EVP_CIPHER_CTX_ctrl(bare->cipher, EVP_CTRL_AEAD_SET_TAG, 16, bare->tag) != 1))
		return false;
	return EVP_DecryptUpdate(bare->cipher, plain, &n, bare->out, (int)bare->text) == 1 &&
	       EVP_DecryptFinal_ex(bare->cipher, plain + n, &last) == 1;
}

bool bare_run(void *context)
{
	struct bare *bare = context;
	return bare->row->cipher ? run_decrypt(bare) : run_verify(bare);
}

static bool set_padding(const struct row *row, EVP_PKEY_CTX *context, const EVP_MD *hash)
{
	if (EVP_PKEY_CTX_set_signature_md(context, hash) <= 0)
		return false;
	return strcmp(row->kind, "PSS") != 0 ||
	       (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0);
}

static bool sign(struct bare *bare, EVP_PKEY_CTX *context)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n;
	return context && EVP_PKEY_sign_init(context) > 0 && set_padding(bare->row, context, bare->hash) &&
	       digest(bare, hash, &n) &&
	       EVP_PKEY_sign(context, bare->signature, &bare->signature_size, hash, n) > 0;
}

static bool open_signature(struct bare *bare)
{
	const struct row *row = bare->row;
	bare->digest = EVP_MD_CTX_new();
	bare->signature_size = sizeof bare->signature;
	if (row->curve)
		bare->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", row->curve);
	else if (row->hash)
		bare->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	else
		bare->pkey = EVP_PKEY_Q_keygen(NULL, NULL, row->kind);
	if (!bare->pkey || !bare->digest)
		return false;
	if (!row->hash)
		return EVP_DigestSignInit_ex(bare->digest, NULL, NULL, NULL, NULL, bare->pkey, NULL) == 1 &&
		       EVP_DigestSign(bare->digest, bare->signature, &bare->signature_size, bare->in, bare->text) == 1;
	bare->hash = EVP_MD_fetch(NULL, row->hash, NULL);
	EVP_PKEY_CTX *signing = EVP_PKEY_CTX_new_from_pkey(NULL, bare->pkey, NULL);
	bool good = bare->hash && sign(bare, signing);
	EVP_PKEY_CTX_free(signing);
	bare->verify = EVP_PKEY_CTX_new_from_pkey(NULL, bare->pkey, NULL);
	return good && bare->verify && EVP_PKEY_verify_init(bare->verify) > 0 &&
	       set_padding(row, bare->verify, bare->hash);
}

static bool open_mac(struct bare *bare, const unsigned char key[32])
{
	char hash[] = "SHA512";
	OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
				   OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	bare->mac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	return bare->mac && EVP_MAC_init(bare->mac, key, 32, parameters) && run_mac(bare, bare->tag);
}

static bool open_cipher(struct bare *bare)
{
	static const unsigned char key[32] = {1};
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, bare->row->cipher, NULL);
	int n = 0, last = 0;
	bool gcm = !bare->row->hash;
	bare->cipher = EVP_CIPHER_CTX_new();
	bool good = cipher && bare->cipher && EVP_EncryptInit_ex2(bare->cipher, cipher, key, bare->iv, NULL) == 1 &&
		    (!gcm || EVP_EncryptUpdate(bare->cipher, NULL, &n, bare->in, (int)bare->header) == 1) &&
		    EVP_EncryptUpdate(bare->cipher, bare->out, &n, bare->in, (int)bare->text) == 1 &&
		    EVP_EncryptFinal_ex(bare->cipher, bare->out + n, &last) == 1 &&
		    (!gcm || EVP_CIPHER_CTX_ctrl(bare->cipher, EVP_CTRL_AEAD_GET_TAG, 16, bare->tag) == 1);
	bare->text = (size_t)n + (size_t)last;
	good = good && EVP_DecryptInit_ex2(bare->cipher, cipher, key, bare->iv, NULL) == 1;
	EVP_CIPHER_free(cipher);
	return good && (gcm || open_mac(bare, key));
}

bool bare_open(const char *name, size_t header, size_t text, struct bare **out)
{
	struct bare *bare = calloc(1, sizeof *bare);
	if (!bare || header > TEXT_MAX || text > TEXT_MAX)
		abort();
	bare->header = header;
	bare->text = text;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, name) == 0)
			bare->row = &rows[i];
	*out = bare;
	return bare->row && (bare->row->cipher ? open_cipher(bare) : open_signature(bare)) && bare_run(bare);
}

void bare_close(struct bare **bare)
{
	EVP_PKEY_CTX_free((*bare)->verify);
	EVP_PKEY_free((*bare)->pkey);
	EVP_MD_free((*bare)->hash);
	EVP_MD_CTX_free((*bare)->digest);
	EVP_CIPHER_CTX_free((*bare)->cipher);
	EVP_MAC_CTX_free((*bare)->mac);
	free(*bare);
	*bare = NULL;
}
