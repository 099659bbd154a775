/* SPDX-License-Identifier: Apache-2.0 */
/* RSA, ECDSA and EdDSA. Each key has contexts that were initialised once; a use
 * copies one into the thread's own context, which costs a fifth less than to
 * initialise that anew for RSA, and leaves the shared one untouched. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "token/ecdsa.h"
#include "token/key_internal.h"
#include "token/thread.h"

static const char *const hash_names[] = {
	[DIGEST_SHA256] = "SHA256",
	[DIGEST_SHA384] = "SHA384",
	[DIGEST_SHA512] = "SHA512",
};

/* RFC 7518 section 3.5: MGF1 with the same hash, a salt as long as the hash. */
static bool set_pss(EVP_PKEY_CTX *context, const struct algorithm *algorithm)
{
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, hash_names[algorithm->hash], NULL) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, (int)digest_size(algorithm->hash)) > 0;
}

static EVP_MD_CTX *new_template(const struct algorithm *algorithm, EVP_PKEY *pkey, bool sign)
{
	EVP_MD_CTX *template = EVP_MD_CTX_new();
	EVP_PKEY_CTX *context; /* the template's */
	const char *hash = algorithm->family == KEY_ED25519 ? NULL : hash_names[algorithm->hash];
	bool good = template && (sign ? EVP_DigestSignInit_ex(template, &context, hash, NULL, NULL, pkey, NULL)
				      : EVP_DigestVerifyInit_ex(template, &context, hash, NULL, NULL, pkey, NULL)) == 1;
	if (good && (algorithm->family != KEY_RSA_PSS || set_pss(context, algorithm)))
		return template;
	EVP_MD_CTX_free(template);
	return NULL;
}

/* Does OpenSSL say that the signature is wrong, and not that it could not tell? It
 * answers 0 to both, when memory runs out as well; then the first error in its
 * queue is none of RSA's or the curves' own. */
static bool is_refusal(int verdict, enum key_family family)
{
	unsigned long error = ERR_peek_error();
	if (verdict != 0)
		return false;
	if (error == 0)
		return family == KEY_EC || family == KEY_ED25519;
	return (ERR_GET_LIB(error) == ERR_LIB_RSA || ERR_GET_LIB(error) == ERR_LIB_EC) && !ERR_COMMON_ERROR(error);
}

/* A copy of the template, in the thread's context or in one of its own. */
static EVP_MD_CTX *begin(struct token_thread *thread, const EVP_MD_CTX *template)
{
	EVP_MD_CTX *context = thread ? thread->signature : EVP_MD_CTX_new();
	if (context && EVP_MD_CTX_copy_ex(context, template) == 1) {
		/* Used once: OpenSSL need not keep a copy for more to come. */
		EVP_MD_CTX_set_flags(context, EVP_MD_CTX_FLAG_FINALISE);
		return context;
	}
	if (!thread)
		EVP_MD_CTX_free(context);
	return NULL;
}

static void end(struct token_thread *thread, EVP_MD_CTX *context)
{
	if (thread)
		EVP_MD_CTX_reset(context);
	else
		EVP_MD_CTX_free(context);
}

bool key_public_verify(const struct key *key, struct token_thread *thread, struct str input, struct str signature,
		       bool *is_good)
{
	unsigned char der[ECDSA_DER_MAX];
	const unsigned char *bytes = (const unsigned char *)signature.p;
	size_t n = signature.n;
	if (key->algorithm->family == KEY_EC) {
		*is_good = ecdsa_to_der(signature, der, &n);
		if (!*is_good)
			return true;
		bytes = der;
	}
	ERR_clear_error();
	EVP_MD_CTX *context = begin(thread, key->verifying);
	int verdict = context ? EVP_DigestVerify(context, bytes, n, (const unsigned char *)input.p, input.n) : -1;
	end(thread, context);
	*is_good = verdict == 1;
	bool known = *is_good || is_refusal(verdict, key->algorithm->family);
	ERR_clear_error();
	return known;
}

bool key_private_sign(const struct key *key, struct token_thread *thread, struct str input,
		      unsigned char out[KEY_SIGNATURE_MAX], size_t *n)
{
	unsigned char der[KEY_SIGNATURE_MAX];
	bool is_ec = key->algorithm->family == KEY_EC;
	size_t size = KEY_SIGNATURE_MAX;
	if (!key->signing)
		return false;
	EVP_MD_CTX *context = begin(thread, key->signing);
	bool good = context && EVP_DigestSign(context, is_ec ? der : out, &size, (const unsigned char *)input.p,
					      input.n) == 1;
	end(thread, context);
	good = good && (is_ec ? ecdsa_from_der(der, size, out, key->signature_size) : size == key->signature_size);
	ERR_clear_error();
	*n = key->signature_size;
	return good;
}

static bool verifies_itself(const struct key *key)
{
	unsigned char signature[KEY_SIGNATURE_MAX];
	size_t n;
	bool is_good = false;
	struct str input = STR("do the two parts belong together?");
	return key_private_sign(key, NULL, input, signature, &n) &&
	       key_public_verify(key, NULL, input, (struct str){(char *)signature, n}, &is_good) && is_good;
}

bool key_open_pkey(const struct algorithm *algorithm, EVP_PKEY *pkey, bool has_private, struct str kid,
		   struct key **out)
{
	struct key *key = key_new(algorithm, kid);
	if (!key)
		return false;
	key->bits = (size_t)EVP_PKEY_get_bits(pkey);
	if (algorithm->signature_size == 0)
		key->signature_size = (size_t)EVP_PKEY_get_size(pkey);
	if (EVP_PKEY_up_ref(pkey) == 1)
		key->pkey = pkey;
	key->verifying = key->pkey ? new_template(algorithm, pkey, false) : NULL;
	key->signing = key->verifying && has_private ? new_template(algorithm, pkey, true) : NULL;
	if (!key->verifying || (has_private && (!key->signing || !verifies_itself(key)))) {
		ERR_clear_error();
		key_close(&key);
		return false;
	}
	*out = key;
	return true;
}
