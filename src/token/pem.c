/* SPDX-License-Identifier: Apache-2.0 */
/* PEM is taken apart here, strictly; OpenSSL reads the DER inside. */
#include "token/pem.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/codec.h"

static const char begin[] = "-----BEGIN ", end[] = "-----END ", dashes[] = "-----";

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str trim(struct str s)
{
	while (s.n && is_space(s.p[0]))
		s = str_skip(s, 1);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool pem_is(struct str text)
{
	return str_starts(trim(text), str_of(begin));
}

/* Offset of the text in s, or s.n. */
static size_t find(struct str s, struct str what)
{
	for (size_t i = 0; i + what.n <= s.n; i++)
		if (str_starts(str_skip(s, i), what))
			return i;
	return s.n;
}

/* What a block is called, and what stands between its two lines. */
static bool take_apart(struct str text, struct str *label, struct str *body, struct buf *why)
{
	struct str rest = str_skip(trim(text), sizeof begin - 1);
	size_t n = find(rest, str_of(dashes));
	*label = (struct str){rest.p, n};
	if (n == rest.n) {
		buf_add(why, STR("the line -----BEGIN … is cut off"));
		return false;
	}
	rest = str_skip(rest, n + sizeof dashes - 1);
	n = find(rest, str_of(end));
	*body = (struct str){rest.p, n};
	rest = str_skip(rest, n);
	bool good = str_starts(rest, str_of(end));
	if (good) {
		rest = str_skip(rest, sizeof end - 1);
		good = str_starts(rest, *label) && str_eq(str_skip(rest, label->n), str_of(dashes));
	}
	if (!good)
		buf_add(why, STR("it must be exactly one block, from -----BEGIN to -----END, and nothing else"));
	return good;
}

/* Common base64 with its padding, over several lines. */
static bool decode(struct arena *arena, struct str body, struct str *out)
{
	struct buf text = arena_buf(arena, body.n), bytes = arena_buf(arena, BASE64URL_DECODED(body.n));
	size_t padding = 0;
	for (size_t i = 0; i < body.n; i++) {
		char c = body.p[i];
		if (is_space(c))
			continue;
		padding += c == '=';
		if (c == '-' || c == '_' || (padding && c != '='))
			return false;
		if (c != '=')
			buf_char(&text, c == '+' ? '-' : c == '/' ? '_' : c);
	}
	if (text.full || bytes.full || (text.n + padding) % 4 != 0 || padding > 2 ||
	    !base64url_decode(buf_str(&text), (unsigned char *)bytes.p, &bytes.n))
		return false;
	*out = buf_str(&bytes);
	return true;
}

struct label {
	const char *name, *advice;
};

static const struct label public_labels[] = {
	{"PUBLIC KEY", NULL},
	{"RSA PUBLIC KEY", "it is a PKCS #1 key: openssl rsa -RSAPublicKey_in -in FILE -pubout"},
	{"CERTIFICATE", "it is a certificate: openssl x509 -in FILE -noout -pubkey"},
	{"PRIVATE KEY", "it is a private key, which verifying must not have: openssl pkey -in FILE -pubout"},
	{"RSA PRIVATE KEY", "it is a private key, which verifying must not have: openssl pkey -in FILE -pubout"},
	{"EC PRIVATE KEY", "it is a private key, which verifying must not have: openssl pkey -in FILE -pubout"},
	{"ENCRYPTED PRIVATE KEY", "it is a private key, which verifying must not have: openssl pkey -in FILE -pubout"},
	{NULL, "make one: openssl pkey -in PRIVATE -pubout"},
};

static const struct label private_labels[] = {
	{"PRIVATE KEY", NULL},
	{"RSA PRIVATE KEY", "it is a PKCS #1 key: openssl pkcs8 -topk8 -nocrypt -in FILE"},
	{"EC PRIVATE KEY", "it is a SEC 1 key: openssl pkcs8 -topk8 -nocrypt -in FILE"},
	{"ENCRYPTED PRIVATE KEY", "it is encrypted: openssl pkcs8 -topk8 -nocrypt -in FILE"},
	{NULL, "make one: openssl genpkey"},
};

/* The DER of the one block, which must have the first of the labels. */
static bool read_block(struct arena *arena, struct str text, const struct label *labels, struct str *der,
		       struct buf *why)
{
	struct str label, body;
	const struct label *row = labels;
	if (!take_apart(text, &label, &body, why))
		return false;
	while (row->name && !str_eq(str_of(row->name), label))
		row++;
	if (row->advice) {
		buf_printf(why, "-----BEGIN %s----- is needed; %s", labels->name, row->advice);
		return false;
	}
	if (decode(arena, body, der))
		return true;
	buf_add(why, STR("what is inside is no base64"));
	return false;
}

static bool finish(EVP_PKEY *pkey, bool is_private, struct arena *arena, struct jwk *out, struct buf *why)
{
	bool known = pkey && jwk_from_pkey(pkey, is_private, arena, out);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	if (!known)
		buf_add(why, STR("it is no key of RSA, P-256, P-384, P-521 or Ed25519"));
	return known && jwk_check(out, why);
}

bool pem_read_public(struct arena *arena, struct str text, struct jwk *out, struct buf *why)
{
	struct str der;
	if (!read_block(arena, text, public_labels, &der, why))
		return false;
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (pkey && p != (const unsigned char *)der.p + der.n) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return finish(pkey, false, arena, out, why);
}

bool pem_read_private(struct arena *arena, struct str text, struct jwk *out, struct buf *why)
{
	struct str der;
	if (!read_block(arena, text, private_labels, &der, why))
		return false;
	const unsigned char *p = (const unsigned char *)der.p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
	bool whole = info && p == (const unsigned char *)der.p + der.n;
	EVP_PKEY *pkey = whole ? EVP_PKCS82PKEY(info) : NULL;
	PKCS8_PRIV_KEY_INFO_free(info);
	return finish(pkey, true, arena, out, why);
}
