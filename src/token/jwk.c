/* SPDX-License-Identifier: Apache-2.0 */
/* Which JSON Web Keys are keys for verifying or signing, and good ones. OpenSSL
 * takes RSA keys of any size and exponent and every Ed25519 point: sizes,
 * exponents and points of small order are judged here. */
#include "token/jwk.h"

#include <string.h>

#include "base/codec.h"
#include "token/jwk_internal.h"
#include "token/key.h"

#define BIT(number) (1U << (number))

const struct jwk_kind jwk_kinds[] = {
	{"RSA", NULL, "RSA", NULL, 0, BIT(JWK_N) | BIT(JWK_E),
	 BIT(JWK_D) | BIT(JWK_P) | BIT(JWK_Q) | BIT(JWK_DP) | BIT(JWK_DQ) | BIT(JWK_QI)},
	{"EC", "P-256", "EC", "prime256v1", 32, BIT(JWK_X) | BIT(JWK_Y), BIT(JWK_D)},
	{"EC", "P-384", "EC", "secp384r1", 48, BIT(JWK_X) | BIT(JWK_Y), BIT(JWK_D)},
	{"EC", "P-521", "EC", "secp521r1", 66, BIT(JWK_X) | BIT(JWK_Y), BIT(JWK_D)},
	{"OKP", "Ed25519", "ED25519", NULL, 32, BIT(JWK_X), BIT(JWK_D)},
	{"oct", NULL, NULL, NULL, 0, 0, BIT(JWK_K)},
	{0},
};

const char *const jwk_number_names[JWK_NUMBERS] = {"n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi", "k"};

static enum jwk_verdict say(enum jwk_verdict verdict, struct buf *why, const char *text)
{
	buf_add(why, str_of(text));
	return verdict;
}

static bool fail(struct buf *why, const char *text)
{
	buf_add(why, str_of(text));
	return false;
}

static enum jwk_verdict find_kind(const struct json *object, const struct jwk_kind **out, struct buf *why)
{
	struct str kty, crv;
	bool known = false;
	if (!json_string(json_member(object, STR("kty")), &kty))
		return say(JWK_WRONG, why, "kty is missing or no string");
	for (const struct jwk_kind *kind = jwk_kinds; kind->kty; kind++) {
		if (!str_eq(kty, str_of(kind->kty)))
			continue;
		known = true;
		*out = kind;
		if (!kind->crv ||
		    (json_string(json_member(object, STR("crv")), &crv) && str_eq(crv, str_of(kind->crv))))
			return JWK_GOOD;
	}
	if (known && !json_string(json_member(object, STR("crv")), &crv))
		return say(JWK_WRONG, why, "crv is missing or no string");
	return say(JWK_OTHER, why, known ? "its curve (crv) is none of P-256, P-384, P-521, Ed25519"
					 : "its type (kty) is none of RSA, EC, OKP");
}

/* A private or secret part is one whatever the rest of the key is. */
static bool has_secret(const struct json *object)
{
	static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
	struct str kty;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (json_member(object, str_of(names[i])))
			return true;
	return json_string(json_member(object, STR("kty")), &kty) && str_eq(kty, STR("oct"));
}

/* key_ops: strings, none twice (RFC 7517 section 4.3); is the wanted one there? */
static enum jwk_verdict check_operations(const struct json *list, struct str wanted, struct buf *why)
{
	bool found = false;
	struct str one, other;
	if (list->type != JSON_ARRAY)
		return say(JWK_WRONG, why, "key_ops is no list");
	for (const struct json *i = list->child; i; i = i->next) {
		if (!json_string(i, &one))
			return say(JWK_WRONG, why, "key_ops has something else than strings");
		for (const struct json *j = list->child; j != i; j = j->next)
			if (json_string(j, &other) && str_eq(one, other))
				return say(JWK_WRONG, why, "key_ops has the same twice");
		found |= str_eq(one, wanted);
	}
	return found ? JWK_GOOD : say(JWK_OTHER, why, "its key_ops are others");
}

static enum jwk_verdict check_use(const struct json *object, enum jwk_purpose purpose, struct buf *why)
{
	const struct json *use = json_member(object, STR("use")), *operations = json_member(object, STR("key_ops"));
	struct str text;
	if (use && !json_string(use, &text))
		return say(JWK_WRONG, why, "use is no string");
	if (use && !str_eq(text, STR("sig")))
		return say(JWK_OTHER, why, "its use is not sig");
	if (!operations)
		return JWK_GOOD;
	return check_operations(operations, purpose == JWK_SIGN ? STR("sign") : STR("verify"), why);
}

static enum jwk_verdict read_names(const struct json *object, struct jwk *out, struct buf *why)
{
	const struct json *alg = json_member(object, STR("alg")), *kid = json_member(object, STR("kid"));
	struct str name;
	if (kid && !json_string(kid, &out->kid))
		return say(JWK_WRONG, why, "kid is no string");
	if (out->kid.n > KEY_KID_MAX)
		return say(JWK_WRONG, why, "kid has more than 255 bytes");
	if (!alg)
		return JWK_GOOD;
	if (!json_string(alg, &name))
		return say(JWK_WRONG, why, "alg is no string");
	out->only = algorithm_find(name, ALGORITHM_ALL);
	if (!out->only)
		return say(JWK_OTHER, why, "its alg is none that is known");
	return jwk_fits(out, out->only) ? JWK_GOOD : say(JWK_WRONG, why, "its alg is for another type of key");
}

static bool read_numbers(struct arena *arena, const struct json *object, struct jwk *out, struct buf *why)
{
	unsigned wanted = out->kind->public_part | (out->is_private ? out->kind->private_part : 0);
	for (unsigned i = 0; i < JWK_NUMBERS; i++) {
		struct str text;
		if (!(wanted & BIT(i)))
			continue;
		if (!json_string(json_member(object, str_of(jwk_number_names[i])), &text)) {
			buf_printf(why, "%s is missing or no string", jwk_number_names[i]);
			return false;
		}
		struct buf bytes = arena_buf(arena, BASE64URL_DECODED(text.n));
		if (bytes.full || !base64url_decode(text, (unsigned char *)bytes.p, &bytes.n)) {
			buf_printf(why, "%s is no base64url", jwk_number_names[i]);
			return false;
		}
		out->numbers[i] = buf_str(&bytes);
	}
	return true;
}

static size_t bits(struct str number)
{
	size_t n = 8 * number.n;
	for (unsigned first = number.n ? (unsigned char)number.p[0] : 0x80; !(first & 0x80); first <<= 1)
		n--;
	return n;
}

static bool is_odd(struct str number)
{
	return number.n && (number.p[number.n - 1] & 1);
}

static bool check_rsa(const struct jwk *jwk, struct buf *why)
{
	struct str n = jwk->numbers[JWK_N], e = jwk->numbers[JWK_E];
	/* RFC 7518 section 2, Base64urlUInt: as few bytes as it takes. */
	for (size_t i = 0; i < JWK_K; i++)
		if (jwk->numbers[i].p && (jwk->numbers[i].n == 0 || jwk->numbers[i].p[0] == 0)) {
			buf_printf(why, "%s has leading zero bytes, or none", jwk_number_names[i]);
			return false;
		}
	/* Before anything computes with it: the time grows with the square of the size. */
	if (bits(n) < KEY_RSA_BITS_MIN || bits(n) > KEY_RSA_BITS_MAX) {
		buf_printf(why, "RSA of %zu bits, needed are %d to %d", bits(n), KEY_RSA_BITS_MIN, KEY_RSA_BITS_MAX);
		return false;
	}
	if (!is_odd(n))
		return fail(why, "the RSA modulus is even");
	if (!is_odd(e) || bits(e) < 17 || bits(e) > 32)
		return fail(why, "the RSA exponent (e) is even, below 65537 or above 2^32");
	for (size_t i = JWK_D; i < JWK_K; i++)
		if (jwk->numbers[i].n > n.n)
			return fail(why, "a private number is longer than the modulus");
	return true;
}

/* The encodings of y of the points whose order divides 8, without the sign of x,
 * and p: what is not below it is no canonical y (RFC 8032 section 5.1.3). With
 * such a key there are signatures that hold for every message. */
static bool is_weak_point(struct str x)
{
	static const unsigned char small[][32] = {
		{0x00},
		{0x01},
		{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
		{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	};
	unsigned char y[32];
	memcpy(y, x.p, sizeof y);
	y[31] &= 0x7f;
	for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
		if (memcmp(y, small[i], sizeof y) == 0)
			return true;
	/* p is edff…ff7f, and nothing above it is shorter. */
	for (size_t i = 1; i < 31; i++)
		if (y[i] != 0xff)
			return false;
	return y[31] == 0x7f && y[0] >= 0xed;
}

static bool check_curve(const struct jwk *jwk, struct buf *why)
{
	static const enum jwk_number members[] = {JWK_X, JWK_Y, JWK_D};
	for (size_t i = 0; i < 3; i++)
		if (jwk->numbers[members[i]].p && jwk->numbers[members[i]].n != jwk->kind->size) {
			buf_printf(why, "%s has %zu bytes, %s has %zu", jwk_number_names[members[i]],
				   jwk->numbers[members[i]].n, jwk->kind->crv, jwk->kind->size);
			return false;
		}
	if (!jwk->kind->group && is_weak_point(jwk->numbers[JWK_X]))
		return fail(why, "the Ed25519 point has a small order or is not canonical: anybody could sign");
	return true;
}

bool jwk_check(const struct jwk *jwk, struct buf *why)
{
	if (jwk->kind->size)
		return check_curve(jwk, why);
	if (jwk->kind->type)
		return check_rsa(jwk, why);
	return jwk->numbers[JWK_K].n > 0 || fail(why, "the secret (k) is empty");
}

bool jwk_fits(const struct jwk *jwk, const struct algorithm *algorithm)
{
	return str_eq(str_of(jwk->kind->kty), str_of(algorithm->kty)) &&
	       str_eq(str_of(jwk->kind->crv), str_of(algorithm->crv)) &&
	       (!jwk->only || algorithm_is_same(jwk->only, algorithm));
}

enum jwk_verdict jwk_read(struct arena *arena, const struct json *object, enum jwk_purpose purpose, struct jwk *out,
			  struct buf *why)
{
	*out = (struct jwk){.is_private = purpose == JWK_SIGN};
	if (object->type != JSON_OBJECT)
		return say(JWK_WRONG, why, "it is no object");
	if (purpose == JWK_VERIFY && has_secret(object))
		return say(JWK_SECRET, why, "it is a secret or private key: who reads this could sign; give the public "
					    "part alone, without d, p, q, dp, dq, qi and k");
	enum jwk_verdict verdict = find_kind(object, &out->kind, why);
	if (verdict == JWK_GOOD)
		verdict = check_use(object, purpose, why);
	if (verdict == JWK_GOOD)
		verdict = read_names(object, out, why);
	if (verdict != JWK_GOOD)
		return verdict;
	if (json_member(object, STR("oth")))
		return say(JWK_WRONG, why, "RSA with more than two primes (oth)");
	return read_numbers(arena, object, out, why) && jwk_check(out, why) ? JWK_GOOD : JWK_WRONG;
}
