/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as text: new ones, imported ones, and the public part of those in use. */
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/jwk_internal.h"
#include "token/key_internal.h"
#include "token/pem.h"

/* The numbers of a key of 8192 bits, in OpenSSL's form and in ours. */
enum { ARENA = 32 << 10 };

/* The kid that is printed: the one given, else one made of the key. memory has
 * room for a thumbprint. */
static bool choose_kid(struct jwk *jwk, struct str given, struct buf *memory)
{
	if (given.p) {
		jwk->kid = given;
		return given.n > 0 && given.n <= KEY_KID_MAX && str_is_utf8(given) && !str_has_control(given);
	}
	if (jwk->kind->type) {
		if (!jwk_print_thumbprint(jwk, memory))
			return false;
	} else {
		unsigned char number[16];
		random_bytes(number, sizeof number);
		base64url_encode(memory, number, sizeof number);
	}
	jwk->kid = buf_str(memory);
	return true;
}

static bool print_private(struct jwk *jwk, const struct algorithm *algorithm, struct str kid, struct buf *out)
{
	char memory[BASE64URL_ENCODED(DIGEST_SIZE)];
	struct buf own = buf_over(memory, sizeof memory);
	if (!choose_kid(jwk, kid, &own))
		return false;
	jwk_print(jwk, algorithm, true, out);
	return !out->full;
}

static const struct jwk_kind *kind_for(const struct algorithm *algorithm)
{
	const struct jwk_kind *kind = jwk_kinds;
	while (!jwk_fits(&(struct jwk){.kind = kind}, algorithm))
		kind++;
	return kind;
}

static EVP_PKEY *generate(const struct jwk_kind *kind)
{
	if (kind->group)
		return EVP_PKEY_Q_keygen(NULL, NULL, kind->type, kind->group);
	if (kind->crv)
		return EVP_PKEY_Q_keygen(NULL, NULL, kind->type);
	return EVP_PKEY_Q_keygen(NULL, NULL, kind->type, (size_t)KEY_RSA_BITS_MIN);
}

static bool generate_secret(const struct algorithm *algorithm, struct arena *arena, struct jwk *out)
{
	unsigned char *secret = arena_alloc(arena, algorithm->key_size);
	if (!secret)
		return false;
	random_bytes(secret, algorithm->key_size);
	out->numbers[JWK_K] = (struct str){(char *)secret, algorithm->key_size};
	return true;
}

bool key_generate_jwk(const struct algorithm *algorithm, struct str kid, struct buf *out)
{
	struct jwk jwk = {.kind = kind_for(algorithm), .is_private = true};
	struct arena *arena;
	if (!arena_open(ARENA, &arena))
		return false;
	bool good;
	if (jwk.kind->type) {
		EVP_PKEY *pkey = generate(jwk.kind);
		good = pkey && jwk_from_pkey(pkey, true, arena, &jwk);
		EVP_PKEY_free(pkey);
		ERR_clear_error();
	} else {
		good = generate_secret(algorithm, arena, &jwk);
	}
	good = good && print_private(&jwk, algorithm, kid, out);
	arena_close(&arena);
	return good;
}

/* What it signs must verify. */
static bool works(const struct jwk *jwk, const struct algorithm *algorithm, struct arena *arena)
{
	EVP_PKEY *pkey = jwk_open_pkey(jwk, arena);
	struct key *key = NULL;
	bool good = pkey && key_open_pkey(algorithm, pkey, true, STR_NONE, &key);
	key_close(&key);
	EVP_PKEY_free(pkey);
	return good;
}

static bool import(struct arena *arena, const struct algorithm *algorithm, struct str pem, struct jwk *jwk,
		   struct buf *why)
{
	if (!pem_is(pem)) {
		buf_add(why, STR("it is no PEM file"));
		return false;
	}
	if (!pem_read_private(arena, pem, jwk, why))
		return false;
	if (!jwk_fits(jwk, algorithm)) {
		buf_printf(why, "%s takes no key of type %s %s", algorithm->name, jwk->kind->kty,
			   jwk->kind->crv ? jwk->kind->crv : "");
		return false;
	}
	if (works(jwk, algorithm, arena))
		return true;
	buf_add(why, STR("what it signs does not verify: its private and public parts don't belong together"));
	return false;
}

bool key_jwk_from_pem(const struct algorithm *algorithm, struct str pem, struct str kid, struct buf *out,
		      struct buf *why)
{
	struct jwk jwk;
	struct arena *arena;
	if (pem.n > SECRET_MAX || !arena_open(ARENA + 4 * pem.n, &arena)) {
		buf_add(why, STR("it is too large, or no memory"));
		return false;
	}
	bool good = import(arena, algorithm, pem, &jwk, why);
	if (good && !print_private(&jwk, algorithm, kid, out)) {
		buf_printf(why, "the kid is empty, has control characters or more than %d bytes, or no memory",
			   KEY_KID_MAX);
		good = false;
	}
	arena_close(&arena);
	return good;
}

bool key_print_jwk(const struct key *key, struct buf *out)
{
	struct jwk jwk;
	struct arena *arena;
	if (!key->pkey || !arena_open(ARENA, &arena))
		return false;
	bool good = jwk_from_pkey(key->pkey, false, arena, &jwk);
	if (good) {
		jwk.kid = key->kid;
		jwk_print(&jwk, key->algorithm, false, out);
	}
	arena_close(&arena);
	return good && !out->full;
}
