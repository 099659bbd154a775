/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of RSA, ECDSA and EdDSA, made by OpenSSL without our code: threats
 * A2, A6, A7, A9 and A10. */
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

#include "token/key.h"
#include "unit.h"

enum { PAIRS = 6 };

static const struct pair_row {
	const char *type, *group;
	const char *names; /* algorithms that it is for */
	size_t size;	   /* of its signatures */
} pair_rows[PAIRS] = {
	{"RSA", NULL, "RS256 RS384 RS512 PS256 PS384 PS512", 256},
	{"RSA", NULL, "RS256 RS384 RS512 PS256 PS384 PS512", 256},
	{"EC", "P-256", "ES256", 64},
	{"EC", "P-384", "ES384", 96},
	{"EC", "P-521", "ES512", 132},
	{"ED25519", NULL, "EdDSA Ed25519", 64},
};

/* One key pair of each row: OpenSSL's, and a set with the public part for all algorithms. */
static EVP_PKEY *pkeys[PAIRS];
static struct key_set sets[PAIRS];

static struct str pem_of(EVP_PKEY *pkey, char memory[8192])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = PEM_write_bio_PUBKEY(bio, pkey) == 1 ? BIO_read(bio, memory, 8192) : 0;
	BIO_free(bio);
	return (struct str){memory, (size_t)n};
}

static bool open_all(void)
{
	for (size_t i = 0; i < PAIRS; i++) {
		char memory[8192], why_memory[256];
		struct buf why = buf_over(why_memory, sizeof why_memory);
		const struct pair_row *row = &pair_rows[i];
		pkeys[i] = row->group	? EVP_PKEY_Q_keygen(NULL, NULL, row->type, row->group)
			   : i < 2	? EVP_PKEY_Q_keygen(NULL, NULL, row->type, (size_t)2048)
					: EVP_PKEY_Q_keygen(NULL, NULL, row->type);
		if (!pkeys[i] || !key_set_add_public(&sets[i], ALGORITHM_ALL, pem_of(pkeys[i], memory), &why))
			return false;
	}
	return true;
}

static void close_all(void)
{
	for (size_t i = 0; i < PAIRS; i++) {
		EVP_PKEY_free(pkeys[i]);
		key_set_close(&sets[i]);
	}
}

static const struct algorithm *algorithm(const char *name)
{
	return algorithm_find(str_of(name), ALGORITHM_ALL);
}

static enum err verify(size_t pair, const char *name, struct str input, struct str signature)
{
	struct key_wanted wanted = {algorithm(name), STR_NONE};
	return key_set_verify(&sets[pair], NULL, wanted, input, signature);
}

/* r and s side by side, each of half the size; a number that needs more is cut. */
static struct str join(const BIGNUM *r, const BIGNUM *s, size_t size, unsigned char *out)
{
	BN_bn2binpad(r, out, (int)size / 2);
	BN_bn2binpad(s, out + size / 2, (int)size / 2);
	return (struct str){(char *)out, size};
}

struct how {
	const char *hash; /* NULL: none */
	bool is_pss;
	int salt;
};

/* As OpenSSL signs: ECDSA in DER. */
static struct str sign_raw(size_t pair, struct how how, struct str input, unsigned char out[1024])
{
	size_t n = 1024;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;
	CU_ASSERT_FATAL(EVP_DigestSignInit_ex(context, &parameters, how.hash, NULL, NULL, pkeys[pair], NULL) == 1);
	if (how.is_pss)
		CU_ASSERT(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
			  EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, how.salt) == 1);
	CU_ASSERT(EVP_DigestSign(context, out, &n, (const unsigned char *)input.p, input.n) == 1);
	EVP_MD_CTX_free(context);
	return (struct str){(char *)out, n};
}

static struct str sign(size_t pair, const char *name, struct str input, unsigned char out[1024])
{
	const struct algorithm *a = algorithm(name);
	static const char *const hashes[] = {"SHA256", "SHA384", "SHA512"};
	struct how how = {a->family == KEY_ED25519 ? NULL : hashes[a->hash], a->family == KEY_RSA_PSS,
			  (int)digest_size(a->hash)};
	unsigned char der[1024];
	if (a->family != KEY_EC)
		return sign_raw(pair, how, input, out);
	struct str raw = sign_raw(pair, how, input, der);
	const unsigned char *p = der;
	ECDSA_SIG *rs = d2i_ECDSA_SIG(NULL, &p, (long)raw.n);
	struct str joined = join(ECDSA_SIG_get0_r(rs), ECDSA_SIG_get0_s(rs), pair_rows[pair].size, out);
	ECDSA_SIG_free(rs);
	return joined;
}

/* What the rows name verifies with its own key, its own algorithm and its own text alone. */
static void own_alone(void)
{
	for (size_t pair = 0; pair < PAIRS; pair++) {
		struct str names = str_of(pair_rows[pair].names), name;
		while (str_split(&names, ' ', &name)) {
			unsigned char out[1024];
			const char *own = algorithm_find(name, ALGORITHM_ALL)->name;
			struct str signature = sign(pair, own, STR("text"), out);
			UNIT_ROW(signature.n == pair_rows[pair].size, own);
			UNIT_ROW(verify(pair, own, STR("text"), signature) == ERR_NONE, own);
			UNIT_ROW(verify(pair, own, STR("texT"), signature) == ERR_BAD_SIGNATURE, own);
			UNIT_ROW(verify(pair, own, STR(""), signature) == ERR_BAD_SIGNATURE, own);
			for (size_t other = 0; other < PAIRS; other++)
				for (size_t i = 0; algorithm_at(i); i++) {
					const char *as = algorithm_at(i)->name;
					bool is_own = other == pair && algorithm_is_same(algorithm_at(i),
											 algorithm(own));
					UNIT_ROW((verify(other, as, STR("text"), signature) == ERR_NONE) == is_own, as);
				}
		}
	}
}

/* A7, and each bit counts. */
static void changed(void)
{
	for (size_t pair = 1; pair < PAIRS; pair++) {
		unsigned char out[1024] = {0};
		struct str all = str_of(pair_rows[pair].names), name;
		str_split(&all, ' ', &name);
		const char *own = algorithm_find(name, ALGORITHM_ALL)->name;
		struct str signature = sign(pair, own, STR("text"), out);
		for (size_t n = 0; n <= KEY_SIGNATURE_MAX; n++)
			if (n != signature.n)
				UNIT_ROW(verify(pair, own, STR("text"),
						(struct str){(char *)out, n}) == ERR_BAD_SIGNATURE, own);
		CU_ASSERT_EQUAL(verify(pair, own, STR("text"), STR_NONE), ERR_BAD_SIGNATURE);
		for (size_t bit = 0; bit < 8 * signature.n; bit += 5) {
			out[bit / 8] ^= (unsigned char)(1U << bit % 8);
			UNIT_ROW(verify(pair, own, STR("text"), signature) == ERR_BAD_SIGNATURE, own);
			out[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		/* A zero byte in front, and one of the end gone. */
		unsigned char moved[1024] = {0};
		memcpy(moved + 1, out, signature.n);
		CU_ASSERT_EQUAL(verify(pair, own, STR("text"), (struct str){(char *)moved, signature.n + 1}),
				ERR_BAD_SIGNATURE);
		CU_ASSERT_EQUAL(verify(pair, own, STR("text"), (struct str){(char *)moved, signature.n}),
				ERR_BAD_SIGNATURE);
		static const unsigned char bytes[] = {0x00, 0xff};
		for (size_t i = 0; i < 2; i++) {
			memset(moved, bytes[i], sizeof moved);
			CU_ASSERT_EQUAL(verify(pair, own, STR("text"), (struct str){(char *)moved, signature.n}),
					ERR_BAD_SIGNATURE);
		}
		CU_ASSERT_EQUAL(verify(pair, own, STR("text"), signature), ERR_NONE);
	}
}

/* A6: r and s of 0, 1, n - 1 and n. */
static void psychic(void)
{
	for (size_t pair = 2; pair <= 4; pair++) {
		BIGNUM *order = NULL, *less = BN_new();
		CU_ASSERT_FATAL(EVP_PKEY_get_bn_param(pkeys[pair], "order", &order) == 1 && less);
		CU_ASSERT(BN_sub(less, order, BN_value_one()) == 1);
		BIGNUM *zero = BN_new();
		const BIGNUM *values[] = {zero, BN_value_one(), less, order};
		for (size_t i = 0; i < 16; i++) {
			unsigned char out[1024];
			struct str signature = join(values[i / 4], values[i % 4], pair_rows[pair].size, out);
			UNIT_ROW(verify(pair, pair_rows[pair].names, STR("text"), signature) == ERR_BAD_SIGNATURE,
				 pair_rows[pair].names);
		}
		BN_free(zero);
		BN_free(less);
		BN_free(order);
	}
}

/* s and n - s are both right in ECDSA (RFC 7518 does not choose): the same token has two texts, and
 * canonical leaves the signature out for that. s + n is refused where there is room for it. */
static void two_signatures(void)
{
	unsigned char out[1024], other[1024];
	struct str signature = sign(2, "ES256", STR("text"), out);
	BIGNUM *order = NULL, *r = BN_bin2bn(out, 32, NULL), *s = BN_bin2bn(out + 32, 32, NULL), *t = BN_new();
	CU_ASSERT_FATAL(EVP_PKEY_get_bn_param(pkeys[2], "order", &order) == 1 && r && s && t);
	CU_ASSERT(BN_sub(t, order, s) == 1);
	CU_ASSERT_EQUAL(verify(2, "ES256", STR("text"), join(r, t, signature.n, other)), ERR_NONE);
	BN_free(order);
	order = NULL;
	signature = sign(4, "ES512", STR("text"), out);
	CU_ASSERT_FATAL(EVP_PKEY_get_bn_param(pkeys[4], "order", &order) == 1);
	BN_bin2bn(out, 66, r);
	BN_bin2bn(out + 66, 66, s);
	CU_ASSERT(BN_add(t, order, s) == 1);
	CU_ASSERT_EQUAL(verify(4, "ES512", STR("text"), join(r, t, signature.n, other)), ERR_BAD_SIGNATURE);
	CU_ASSERT(BN_add(t, order, r) == 1);
	CU_ASSERT_EQUAL(verify(4, "ES512", STR("text"), join(t, s, signature.n, other)), ERR_BAD_SIGNATURE);
	BN_free(order);
	BN_free(r);
	BN_free(s);
	BN_free(t);
}

/* A7: the form of everywhere else. */
static void der(void)
{
	for (size_t pair = 2; pair <= 4; pair++) {
		static const char *const hashes[] = {"SHA256", "SHA384", "SHA512"};
		unsigned char out[1024];
		struct str signature = sign_raw(pair, (struct how){.hash = hashes[pair - 2]}, STR("text"), out);
		CU_ASSERT_EQUAL(verify(pair, pair_rows[pair].names, STR("text"), signature), ERR_BAD_SIGNATURE);
	}
}

/* A10: the salt is as long as the hash. */
static void salts(void)
{
	static const int lengths[] = {0, 20, 31, 33, 48, 64, RSA_PSS_SALTLEN_MAX};
	unsigned char out[1024];
	CU_ASSERT_EQUAL(verify(0, "PS256", STR("text"), sign_raw(0, (struct how){"SHA256", true, 32}, STR("text"),
								 out)),
			ERR_NONE);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct str signature = sign_raw(0, (struct how){"SHA256", true, lengths[i]}, STR("text"), out);
		CU_ASSERT_EQUAL(verify(0, "PS256", STR("text"), signature), ERR_BAD_SIGNATURE);
	}
}

/* A9: s and s + L are the same to a verifier that does not look (RFC 8032 section 5.1.7). */
static void ed25519_order(void)
{
	static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
						0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	unsigned char out[1024];
	struct str signature = sign(5, "EdDSA", STR("text"), out);
	for (int times = 1; times <= 7; times++) {
		unsigned carry = 0;
		for (size_t i = 0; i < 32; i++) {
			carry += out[32 + i] + order[i];
			out[32 + i] = (unsigned char)carry;
			carry >>= 8;
		}
		CU_ASSERT_EQUAL(carry, 0);
		CU_ASSERT_EQUAL(verify(5, "EdDSA", STR("text"), signature), ERR_BAD_SIGNATURE);
	}
}

/* A2: nothing of a public key is ever a secret. */
static void no_hmac(void)
{
	for (size_t pair = 0; pair < PAIRS; pair++)
		for (size_t i = 0; i < sets[pair].n; i++)
			CU_ASSERT_NOT_EQUAL(key_algorithm(sets[pair].keys[i])->family, KEY_HMAC);
	struct key *key;
	for (size_t i = 0; algorithm_at(i); i++)
		if (algorithm_at(i)->family != KEY_HMAC)
			CU_ASSERT_FALSE(key_open_hmac(algorithm_at(i), STR("0123456789abcdef0123456789abcdef"),
						      STR_NONE, &key));
}

static void *verify_often(void *argument)
{
	struct token_thread *thread;
	bool good = token_thread_open(0, &thread);
	for (int i = 0; good && i < 20; i++)
		for (size_t pair = 0; pair < PAIRS; pair++) {
			unsigned char out[1024];
			struct key_wanted wanted = {key_algorithm(sets[pair].keys[0]), STR_NONE};
			struct str signature = sign(pair, wanted.algorithm->name, STR("text"), out);
			good = good && key_set_verify(&sets[pair], thread, wanted, STR("text"), signature) == ERR_NONE;
			out[9] ^= 1;
			good = good && key_set_verify(&sets[pair], thread, wanted, STR("text"),
						      signature) == ERR_BAD_SIGNATURE;
		}
	token_thread_close(&thread);
	return good ? argument : NULL;
}

static void many_threads(void)
{
	enum { N = 4 };
	pthread_t threads[N];
	for (size_t i = 0; i < N; i++)
		CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, verify_often, &pkeys) == 0);
	for (size_t i = 0; i < N; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_NOT_NULL(result);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"own alone", own_alone}, {"changed", changed}, {"psychic", psychic},
		{"two signatures", two_signatures}, {"DER", der}, {"salts", salts},
		{"order of Ed25519", ed25519_order}, {"no HMAC", no_hmac}, {"many threads", many_threads},
		{0},
	};
	if (!token_start() || !open_all())
		return 1;
	int status = unit_main("key_public", cases);
	close_all();
	return status;
}
