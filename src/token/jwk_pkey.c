/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a JWK and OpenSSL's EVP_PKEY, there and back. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "token/jwk_internal.h"

/* OpenSSL's names, where a number is a number there; NULL: it is a string of bytes. */
static const char *const rsa_names[JWK_NUMBERS] = {
	[JWK_N] = OSSL_PKEY_PARAM_RSA_N,
	[JWK_E] = OSSL_PKEY_PARAM_RSA_E,
	[JWK_D] = OSSL_PKEY_PARAM_RSA_D,
	[JWK_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
	[JWK_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
	[JWK_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
	[JWK_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
	[JWK_QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

static const char *const ec_names[JWK_NUMBERS] = {
	[JWK_X] = OSSL_PKEY_PARAM_EC_PUB_X,
	[JWK_Y] = OSSL_PKEY_PARAM_EC_PUB_Y,
	[JWK_D] = OSSL_PKEY_PARAM_PRIV_KEY,
};

static const char *const ed25519_names[JWK_NUMBERS] = {
	[JWK_X] = OSSL_PKEY_PARAM_PUB_KEY,
	[JWK_D] = OSSL_PKEY_PARAM_PRIV_KEY,
};

/* Parameters over memory of the arena, which is wiped, unlike OSSL_PARAM_BLD's. */
struct params {
	struct arena *arena;
	OSSL_PARAM list[10];
	size_t n;
	bool full;
};

static void add_number(struct params *params, const char *name, struct str number)
{
	struct buf native = arena_buf(params->arena, number.n);
	for (size_t i = 0; i < number.n; i++)
		buf_char(&native, number.p[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? number.n - 1 - i : i]);
	params->full |= native.full;
	params->list[params->n++] = OSSL_PARAM_construct_BN(name, (unsigned char *)native.p, native.n);
}

static void add_bytes(struct params *params, const char *name, struct str bytes)
{
	struct str copy = arena_copy(params->arena, bytes);
	params->full |= !copy.p;
	params->list[params->n++] = OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)copy.p, copy.n);
}

static void add_ec(struct params *params, const struct jwk *jwk)
{
	struct buf point = arena_buf(params->arena, 1 + 2 * jwk->kind->size);
	buf_char(&point, 4); /* not compressed (SEC 1 section 2.3.3) */
	buf_add(&point, jwk->numbers[JWK_X]);
	buf_add(&point, jwk->numbers[JWK_Y]);
	params->full |= point.full;
	params->list[params->n++] =
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)jwk->kind->group, 0);
	add_bytes(params, OSSL_PKEY_PARAM_PUB_KEY, buf_str(&point));
	if (jwk->is_private)
		add_number(params, OSSL_PKEY_PARAM_PRIV_KEY, jwk->numbers[JWK_D]);
}

static void add_all(struct params *params, const struct jwk *jwk)
{
	if (jwk->kind->group) {
		add_ec(params, jwk);
	} else if (jwk->kind->crv) {
		add_bytes(params, OSSL_PKEY_PARAM_PUB_KEY, jwk->numbers[JWK_X]);
		if (jwk->is_private)
			add_bytes(params, OSSL_PKEY_PARAM_PRIV_KEY, jwk->numbers[JWK_D]);
	} else {
		for (size_t i = 0; i < JWK_NUMBERS; i++)
			if (jwk->numbers[i].p)
				add_number(params, rsa_names[i], jwk->numbers[i]);
	}
	params->list[params->n] = OSSL_PARAM_construct_end();
}

EVP_PKEY *jwk_open_pkey(const struct jwk *jwk, struct arena *arena)
{
	struct params params = {.arena = arena};
	EVP_PKEY *pkey = NULL;
	add_all(&params, jwk);
	EVP_PKEY_CTX *context = params.full ? NULL : EVP_PKEY_CTX_new_from_name(NULL, jwk->kind->type, NULL);
	if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &pkey, jwk->is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
			      params.list) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return pkey;
}

static const struct jwk_kind *kind_of(EVP_PKEY *pkey)
{
	for (const struct jwk_kind *kind = jwk_kinds; kind->type; kind++) {
		char group[32] = "";
		if (!EVP_PKEY_is_a(pkey, kind->type))
			continue;
		if (!kind->group || (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
				     str_eq(str_of(group), str_of(kind->group))))
			return kind;
	}
	return NULL;
}

/* size 0: as few bytes as it takes. */
static struct str get_number(EVP_PKEY *pkey, const char *name, size_t size, struct arena *arena)
{
	BIGNUM *number = NULL;
	struct str out = STR_NONE;
	if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
		return out;
	size_t n = size ? size : (size_t)BN_num_bytes(number);
	struct buf bytes = arena_buf(arena, n + 1);
	if (!bytes.full && BN_bn2binpad(number, (unsigned char *)bytes.p, (int)n) == (int)n)
		out = (struct str){bytes.p, n};
	BN_clear_free(number);
	return out;
}

static struct str get_bytes(EVP_PKEY *pkey, const char *name, size_t size, struct arena *arena)
{
	struct buf bytes = arena_buf(arena, size);
	bool good = !bytes.full &&
		    EVP_PKEY_get_octet_string_param(pkey, name, (unsigned char *)bytes.p, size, &bytes.n) == 1;
	return good ? buf_str(&bytes) : STR_NONE;
}

bool jwk_from_pkey(EVP_PKEY *pkey, bool with_private, struct arena *arena, struct jwk *out)
{
	const struct jwk_kind *kind = kind_of(pkey);
	*out = (struct jwk){.kind = kind, .is_private = with_private};
	if (!kind)
		return false;
	unsigned wanted = kind->public_part | (with_private ? kind->private_part : 0);
	bool good = true;
	for (size_t i = 0; i < JWK_NUMBERS; i++) {
		if (!(wanted & 1U << i))
			continue;
		out->numbers[i] = kind->group ? get_number(pkey, ec_names[i], kind->size, arena)
				: kind->crv   ? get_bytes(pkey, ed25519_names[i], kind->size, arena)
					      : get_number(pkey, rsa_names[i], 0, arena);
		good = good && out->numbers[i].p;
	}
	ERR_clear_error();
	return good;
}
