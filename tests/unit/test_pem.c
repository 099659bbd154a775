/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files as public keys, and as private ones to import. */
#include <string.h>

#include "pem_texts.h"
#include "token/jws.h"
#include "unit.h"

static char why_memory[512], out_memory[KEY_JWK_MAX];
static struct buf why, out;

static size_t load(const char *text)
{
	struct key_set set;
	why = buf_over(why_memory, sizeof why_memory);
	key_set_begin(&set);
	bool good = key_set_add_public(&set, ALGORITHM_ALL, str_of(text), &why);
	size_t n = set.n;
	CU_ASSERT(good == (n > 0) && good == (why.n == 0));
	CU_ASSERT(n == 0 || !key_kid(set.keys[0]).p);
	key_set_close(&set);
	return n;
}

static bool import(const char *name, const char *text)
{
	why = buf_over(why_memory, sizeof why_memory);
	out = buf_over(out_memory, sizeof out_memory);
	return key_jwk_from_pem(algorithm_find(str_of(name), ALGORITHM_ALL), str_of(text), STR_NONE, &out, &why);
}

static void public_keys(void)
{
	static const struct {
		const char *text;
		size_t n;
		const char *why;
	} rows[] = {
		{ED25519_PUBLIC, 2, NULL},
		{P256_PUBLIC, 1, NULL},
		{RSA_PUBLIC, 6, NULL},
		{"\n \t" ED25519_PUBLIC "\n\n", 2, NULL},
		{BEGIN_PUBLIC "MCow\r\nBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU=\r\n" END_PUBLIC "\r\n",
		 2, NULL},
		{P256_COMPRESSED, 1, NULL},
		{P256_EXPLICIT, 1, NULL}, /* P-256 described: its point is put on the curve of that name */
		/* others */
		{P256_CERTIFICATE, 0, "openssl x509"},
		{RSA_PKCS1, 0, "RSAPublicKey_in"},
		{ED25519_PRIVATE_PEM, 0, "openssl pkey -in FILE -pubout"},
		{P256_SEC1, 0, "openssl pkey -in FILE -pubout"},
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", 0, "private"},
		{"-----BEGIN SSH2 PUBLIC KEY-----\nAAAA\n-----END SSH2 PUBLIC KEY-----\n", 0, "openssl pkey"},
		{"-----BEGIN public key-----\nAAAA\n-----END public key-----\n", 0, "openssl pkey"},
		{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh", 0, "neither PEM"},
		/* of no kind on offer, or too weak */
		{X25519_PUBLIC, 0, "no key of"},
		{ED448_PUBLIC, 0, "no key of"},
		{SECP256K1_PUBLIC, 0, "no key of"},
		{RSA_PSS_PUBLIC, 0, "no key of"},
		{RSA1024_PUBLIC, 0, "RSA of 1024 bits"},
		{RSA_E3_PUBLIC, 0, "exponent"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" END_PUBLIC, 0,
		 "small order"},
		/* exactly one block */
		{ED25519_PUBLIC ED25519_PUBLIC, 0, "exactly one block"},
		{ED25519_PUBLIC "x", 0, "exactly one block"},
		{"x" ED25519_PUBLIC, 0, "neither PEM"},
		{BEGIN_PUBLIC, 0, "exactly one block"},
		{"-----BEGIN PUBLIC KEY", 0, "cut off"},
		{"-----BEGIN ", 0, "neither PEM"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU=\n-----END PRIVATE KEY-----",
		 0,
		 "exactly one block"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU=\n-----END PUBLIC KEY----",
		 0,
		 "exactly one block"},
		/* base64 */
		{BEGIN_PUBLIC END_PUBLIC, 0, "no key of"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU\n" END_PUBLIC, 0, "base64"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU==\n" END_PUBLIC, 0,
		 "base64"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWV=\n" END_PUBLIC, 0, "base64"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU=A\n" END_PUBLIC, 0,
		 "base64"},
		{BEGIN_PUBLIC "MCow!QYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU=\n" END_PUBLIC, 0, "base64"},
		{BEGIN_PUBLIC "Proc-Type: 4,ENCRYPTED\nMCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU=\n"
		 END_PUBLIC,
		 0, "base64"},
		{BEGIN_PUBLIC "====\n" END_PUBLIC, 0, "base64"},
		/* DER: cut off, and a byte too many */
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngk\n" END_PUBLIC, 0, "no key of"},
		{BEGIN_PUBLIC "MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWUA\n" END_PUBLIC, 0,
		 "no key of"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = load(rows[i].text);
		UNIT_ROW(n == rows[i].n, rows[i].text);
		UNIT_ROW(n > 0 || strstr(buf_z(&why), rows[i].why), n ? rows[i].text : buf_z(&why));
	}
}

static void private_keys(void)
{
	static const struct {
		const char *name, *text, *why;
	} rows[] = {
		{"EdDSA", ED25519_PRIVATE_PEM, NULL},
		{"Ed25519", ED25519_PRIVATE_PEM, NULL},
		{"ES256", P256_PRIVATE_PEM, NULL},
		{"RS256", RSA_PRIVATE_PEM, NULL},
		{"PS512", RSA_PRIVATE_PEM, NULL},
		{"ES384", P256_PRIVATE_PEM, "ES384 takes no key of type EC P-256"},
		{"RS256", P256_PRIVATE_PEM, "RS256 takes no key"},
		{"HS256", P256_PRIVATE_PEM, "HS256 takes no key"},
		{"EdDSA", ED25519_PUBLIC, "openssl genpkey"},
		{"ES256", P256_SEC1, "openssl pkcs8"},
		{"ES256", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
		 "encrypted"},
		{"EdDSA", ED25519_PRIVATE_PEM ED25519_PRIVATE_PEM, "exactly one block"},
		{"EdDSA", "{}", "no PEM"},
		{"EdDSA", "", "no PEM"},
		{"EdDSA", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key of"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool good = import(rows[i].name, rows[i].text);
		UNIT_ROW(good == !rows[i].why && good == (why.n == 0) && good == (out.n > 0), rows[i].name);
		UNIT_ROW(good || strstr(buf_z(&why), rows[i].why), buf_z(&why));
	}
	/* The kid is made of the key alone: the same for both names. */
	static char first[KEY_JWK_MAX];
	CU_ASSERT_TRUE(import("EdDSA", ED25519_PRIVATE_PEM));
	memcpy(first, buf_z(&out), out.n + 1);
	const char *kid = strstr(first, "\"kid\":");
	CU_ASSERT_TRUE(import("Ed25519", ED25519_PRIVATE_PEM));
	CU_ASSERT(kid && strncmp(kid, strstr(buf_z(&out), "\"kid\":"), 50) == 0);
}

int main(void)
{
	static const struct unit_case cases[] = {{"public keys", public_keys}, {"private keys", private_keys}, {0}};
	return token_start() ? unit_main("pem", cases) : 1;
}
