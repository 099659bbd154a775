/* SPDX-License-Identifier: Apache-2.0 */
/* $apr1$ (the MD5 scheme of crypt(3) with Apache's name in place of $1$) and {SHA}. */
#include "token/apache_hash.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"

enum { MD5_SIZE = 16, SHA1_SIZE = 20, SALT_MAX = 8, APR1_ROUNDS = 1000 };
enum { APR1_TEXT = 22, SHA_TEXT = 28 };

#define APR1 STR("$apr1$")
#define SHA STR("{SHA}")

/* crypt(3)'s alphabet, in its own order. */
static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool split_apr1(struct str hash, struct str *salt, struct str *text)
{
	if (!str_starts(hash, APR1))
		return false;
	struct str rest = str_skip(hash, APR1.n);
	size_t end = str_find(rest, '$');
	if (end > SALT_MAX || end == rest.n)
		return false;
	*salt = (struct str){rest.p, end};
	*text = str_skip(rest, end + 1);
	if (text->n != APR1_TEXT)
		return false;
	for (size_t i = 0; i < text->n; i++)
		if (!memchr(alphabet, text->p[i], sizeof alphabet - 1))
			return false;
	return true;
}

static bool is_sha(struct str hash)
{
	unsigned char bytes[SHA_TEXT];
	return str_starts(hash, SHA) && hash.n == SHA.n + SHA_TEXT && hash.p[hash.n - 1] == '=' &&
	       EVP_DecodeBlock(bytes, (const unsigned char *)hash.p + SHA.n, SHA_TEXT) == SHA1_SIZE + 1;
}

bool apache_hash_is(struct str hash)
{
	struct str salt, text;
	return split_apr1(hash, &salt, &text) || is_sha(hash);
}

/* A digest under way; ok turns false at the first failure and stays so. */
struct digest {
	EVP_MD_CTX *context;
	EVP_MD *md;
	bool ok;
};

static void start(struct digest *d)
{
	d->ok = d->ok && EVP_DigestInit_ex2(d->context, d->md, NULL) == 1;
}

static void add(struct digest *d, const void *bytes, size_t n)
{
	d->ok = d->ok && EVP_DigestUpdate(d->context, bytes, n) == 1;
}

static void finish(struct digest *d, unsigned char *out)
{
	unsigned n;
	d->ok = d->ok && EVP_DigestFinal_ex(d->context, out, &n) == 1;
}

static struct digest digest_open(const char *algorithm)
{
	struct digest d = {EVP_MD_CTX_new(), EVP_MD_fetch(NULL, algorithm, NULL), true};
	d.ok = d.context && d.md;
	return d;
}

static bool digest_close(struct digest *d, const char *algorithm)
{
	EVP_MD_CTX_free(d->context);
	EVP_MD_free(d->md);
	if (!d->ok) {
		ERR_clear_error();
		log_text(LOG_ERR, "password",
			 "OpenSSL does not offer %s, so that a hash made with it cannot be checked", algorithm);
	}
	return d->ok;
}

/* The first digest mixes in as many bytes of another digest as the password is
 * long, and for each bit of that length a NUL or the password's first byte. */
static void mix_once(struct digest *d, struct str password, struct str salt, unsigned char state[MD5_SIZE])
{
	start(d);
	add(d, password.p, password.n);
	add(d, salt.p, salt.n);
	add(d, password.p, password.n);
	finish(d, state);
	start(d);
	add(d, password.p, password.n);
	add(d, APR1.p, APR1.n);
	add(d, salt.p, salt.n);
	for (size_t left = password.n; left > 0; left -= left < MD5_SIZE ? left : MD5_SIZE)
		add(d, state, left < MD5_SIZE ? left : MD5_SIZE);
	for (size_t bits = password.n; bits > 0; bits >>= 1)
		add(d, bits & 1 ? "" : password.p, 1);
	finish(d, state);
}

static void mix_again(struct digest *d, struct str password, struct str salt, unsigned char state[MD5_SIZE])
{
	for (unsigned round = 0; round < APR1_ROUNDS; round++) {
		start(d);
		if (round % 2)
			add(d, password.p, password.n);
		else
			add(d, state, MD5_SIZE);
		if (round % 3)
			add(d, salt.p, salt.n);
		if (round % 7)
			add(d, password.p, password.n);
		if (round % 2)
			add(d, state, MD5_SIZE);
		else
			add(d, password.p, password.n);
		finish(d, state);
	}
}

static void print_apr1(const unsigned char state[MD5_SIZE], char text[APR1_TEXT])
{
	static const unsigned char order[][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
	char *out = text;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		const unsigned char *from = order[i];
		unsigned value = (unsigned)state[from[0]] << 16 | (unsigned)state[from[1]] << 8 | state[from[2]];
		for (unsigned j = 0; j < 4; j++, value >>= 6)
			*out++ = alphabet[value & 63];
	}
	*out++ = alphabet[state[11] & 63];
	*out = alphabet[state[11] >> 6];
}

static bool verify_apr1(struct str password, struct str salt, struct str want)
{
	unsigned char state[MD5_SIZE] = {0};
	char text[APR1_TEXT];
	struct digest d = digest_open("MD5");
	mix_once(&d, password, salt, state);
	mix_again(&d, password, salt, state);
	print_apr1(state, text);
	bool same = digest_close(&d, "MD5") && secret_equal(text, want.p, APR1_TEXT);
	secret_wipe(state, sizeof state);
	secret_wipe(text, sizeof text);
	return same;
}

static bool verify_sha(struct str password, struct str hash)
{
	unsigned char state[SHA1_SIZE] = {0};
	unsigned char text[SHA_TEXT + 1];
	struct digest d = digest_open("SHA1");
	start(&d);
	add(&d, password.p, password.n);
	finish(&d, state);
	EVP_EncodeBlock(text, state, SHA1_SIZE);
	bool same = digest_close(&d, "SHA1") && secret_equal(text, hash.p + SHA.n, SHA_TEXT);
	secret_wipe(state, sizeof state);
	secret_wipe(text, sizeof text);
	return same;
}

bool apache_hash_verify(struct str password, struct str hash)
{
	struct str salt, text;
	if (split_apr1(hash, &salt, &text))
		return verify_apr1(password, salt, text);
	return is_sha(hash) && verify_sha(password, hash);
}
