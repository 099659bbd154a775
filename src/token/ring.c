/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, changing and printing a key ring. Keys are carried as they are
 * written, so that no member is lost that is not understood here. */
#include "token/ring.h"

#include <string.h>

#include "base/codec.h"

static struct str text_of(const struct json *jwk, struct str name)
{
	struct str text = STR_NONE;
	return json_string(json_member(jwk, name), &text) ? text : STR_NONE;
}

static unsigned curve_bits(struct str crv)
{
	static const struct {
		struct str name;
		unsigned bits;
	} rows[] = {{{"P-256", 5}, 256}, {{"P-384", 5}, 384}, {{"P-521", 5}, 521}, {{"Ed25519", 7}, 256}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (str_eq(rows[i].name, crv))
			return rows[i].bits;
	return 0;
}

/* Without the bits that are 0 in front: of a modulus, not of a secret. */
static unsigned bits_of(struct arena *arena, struct str base64url, bool number)
{
	struct buf bytes = arena_buf(arena, BASE64URL_DECODED(base64url.n));
	if (bytes.full || !base64url_decode(base64url, (unsigned char *)bytes.p, &bytes.n))
		return 0;
	unsigned bits = (unsigned)(8 * bytes.n);
	while (number && bits > 0 && !((unsigned char)bytes.p[bytes.n - (bits + 7) / 8] >> (bits - 1) % 8 & 1))
		bits--;
	return bits;
}

static unsigned size_of(struct arena *arena, const struct json *jwk)
{
	struct str kty = text_of(jwk, STR("kty"));
	if (str_eq(kty, STR("RSA")))
		return bits_of(arena, text_of(jwk, STR("n")), true);
	if (str_eq(kty, STR("oct")))
		return bits_of(arena, text_of(jwk, STR("k")), false);
	return curve_bits(text_of(jwk, STR("crv")));
}

static struct ring_key describe(struct arena *arena, const struct json *jwk)
{
	struct ring_key key = {
		.kid = text_of(jwk, STR("kid")),
		.alg = text_of(jwk, STR("alg")),
		.bits = size_of(arena, jwk),
		.jwk = jwk->raw,
	};
	if (!json_date(json_member(jwk, STR("iat")), &key.added))
		key.added = RING_TIME_ABSENT;
	return key;
}

bool ring_key_read(struct arena *arena, struct str jwk, struct ring_key *out)
{
	const struct json *object;
	if (!json_parse(arena, jwk, &object) || object->type != JSON_OBJECT)
		return false;
	*out = describe(arena, object);
	return true;
}

/* Is it a key that can be told from the others by what it says? */
static bool check(const struct ring *ring, const struct json *jwk, const struct ring_key *key, struct buf *why)
{
	size_t number = ring->n + 1;
	if (ring->n == RING_KEYS_MAX)
		buf_printf(why, "the ring has more than %d keys: take some out", RING_KEYS_MAX);
	else if (jwk->type != JSON_OBJECT)
		buf_printf(why, "key %zu of the ring is no JSON object: take it out", number);
	else if (key->kid.n == 0)
		buf_printf(why, "key %zu of the ring has no kid: give it one", number);
	else if (key->alg.n == 0)
		buf_printf(why, "key %.*s of the ring has no alg: write which algorithm it is for",
			   STR_ARGS(key->kid));
	else if (ring_find(ring, key->kid) < ring->n)
		buf_printf(why, "two keys of the ring have the kid %.*s: give one another kid", STR_ARGS(key->kid));
	else
		return true;
	return false;
}

bool ring_read(struct arena *arena, struct str text, struct ring *out, struct buf *why)
{
	const struct json *set, *keys;
	out->n = 0;
	if (text.n == 0)
		return true;
	if (!json_parse(arena, text, &set) || !(keys = json_member(set, STR("keys"))) || keys->type != JSON_ARRAY) {
		buf_add(why, STR("the ring is no JWK Set in strict JSON, {\"keys\":[…]} (RFC 7517 section 5)"));
		return false;
	}
	for (const struct json *jwk = keys->child; jwk; jwk = jwk->next) {
		struct ring_key key = describe(arena, jwk);
		if (!check(out, jwk, &key, why))
			return false;
		out->keys[out->n++] = key;
	}
	return true;
}

size_t ring_find(const struct ring *ring, struct str kid)
{
	size_t rank = 0;
	while (rank < ring->n && !str_eq(ring->keys[rank].kid, kid))
		rank++;
	return rank;
}

static void insert(struct ring *ring, size_t rank, struct ring_key key)
{
	memmove(&ring->keys[rank + 1], &ring->keys[rank], (ring->n - rank) * sizeof key);
	ring->keys[rank] = key;
	ring->n++;
}

bool ring_add(struct ring *ring, struct arena *arena, size_t rank, const struct ring_key *key, struct buf *why)
{
	struct ring_key added = *key;
	if (ring->n == RING_KEYS_MAX) {
		buf_printf(why, "the ring has %d keys already: retire some first", RING_KEYS_MAX);
		return false;
	}
	if (ring_find(ring, key->kid) < ring->n) {
		buf_printf(why, "the ring has a key with the kid %.*s already", STR_ARGS(key->kid));
		return false;
	}
	struct str members = str_skip(key->jwk, 1);
	added.jwk = arena_printf(arena, "{\"iat\":%lld,%.*s", (long long)key->added, STR_ARGS(members));
	if (!added.jwk.p) {
		buf_add(why, STR("no memory"));
		return false;
	}
	insert(ring, rank, added);
	return true;
}

void ring_promote(struct ring *ring, size_t rank)
{
	struct ring_key key = ring->keys[rank];
	ring_retire(ring, rank);
	insert(ring, 0, key);
}

void ring_retire(struct ring *ring, size_t rank)
{
	ring->n--;
	memmove(&ring->keys[rank], &ring->keys[rank + 1], (ring->n - rank) * sizeof *ring->keys);
}

void ring_print(const struct ring *ring, struct buf *out)
{
	buf_add(out, STR("{\"keys\":["));
	for (size_t i = 0; i < ring->n; i++) {
		buf_add(out, i ? STR(",\n") : STR("\n"));
		buf_add(out, ring->keys[i].jwk);
	}
	buf_add(out, STR("\n]}\n"));
}
