/* SPDX-License-Identifier: Apache-2.0 */
/* Key rings: made, imported, read, used; and the public part that is published. */
#include <string.h>

#include "token/jws.h"
#include "unit.h"

static char why_memory[1024];
static struct buf why;

/* A ring of the JWKs, parted by commas, into an empty set. */
static bool open_ring(struct key_set *set, struct str jwks, bool short_too)
{
	static char memory[1 << 16];
	struct buf text = buf_over(memory, sizeof memory);
	buf_printf(&text, "{\"keys\":[%.*s]}", STR_ARGS(jwks));
	why = buf_over(why_memory, sizeof why_memory);
	key_set_begin(set);
	return key_set_add_ring(set, ALGORITHM_ALL, short_too, buf_str(&text), &why);
}

static void check_published(const struct key_set *ring, const struct algorithm *algorithm, struct str text,
			    const struct token *token)
{
	char memory[KEY_JWK_MAX];
	struct buf jwk = buf_over(memory, sizeof memory);
	struct key_set set;
	bool is_secret = algorithm->family == KEY_HMAC;
	CU_ASSERT_EQUAL(key_print_jwk(ring->keys[0], &jwk), !is_secret);
	if (is_secret)
		return;
	why = buf_over(why_memory, sizeof why_memory);
	key_set_begin(&set);
	UNIT_ROW(key_set_add_public(&set, ALGORITHM_ALL, buf_str(&jwk), &why), algorithm->name);
	UNIT_ROW(set.n >= 1 && !key_can_sign(set.keys[0]), algorithm->name);
	UNIT_STR_EQ(key_kid(set.keys[0]), key_kid(ring->keys[0]), "kid");
	UNIT_ROW(jws_verify(&set, NULL, ALGORITHM_ALL, token) == ERR_NONE, algorithm->name);
	struct buf again = buf_over(memory, sizeof memory);
	UNIT_ROW(!jws_sign(&set, NULL, text, &again), algorithm->name);
	key_set_close(&set);
	UNIT_ROW(!open_ring(&set, buf_str(&jwk), false), "a public key is no ring");
}

/* Made, read, signed with, published, verified: for each algorithm. */
static void every_algorithm(void)
{
	struct arena *arena;
	CU_ASSERT_FATAL(arena_open(1 << 16, &arena));
	for (size_t i = 0; algorithm_at(i); i++) {
		const struct algorithm *algorithm = algorithm_at(i);
		char memory[KEY_JWK_MAX], text_memory[4096];
		struct buf jwk = buf_over(memory, sizeof memory), text = buf_over(text_memory, sizeof text_memory);
		struct key_set ring;
		struct token token;
		CU_ASSERT_FATAL(key_generate_jwk(algorithm, STR_NONE, &jwk));
		CU_ASSERT_FATAL(open_ring(&ring, buf_str(&jwk), false));
		UNIT_ROW(ring.n == 1 && key_can_sign(ring.keys[0]), algorithm->name);
		UNIT_ROW(key_algorithm(ring.keys[0]) == algorithm, algorithm->name);
		UNIT_ROW(key_kid(ring.keys[0]).n == (algorithm->family == KEY_HMAC ? 22 : 43), algorithm->name);
		CU_ASSERT_FATAL(jws_sign(&ring, NULL, STR("{\"sub\":\"ann\"}"), &text));
		CU_ASSERT_FATAL(jws_parse_claims(arena, buf_str(&text), &token) == ERR_NONE);
		struct str kid = STR_NONE, alg = STR_NONE;
		json_string(json_member(token.header, STR("kid")), &kid);
		json_string(json_member(token.header, STR("alg")), &alg);
		UNIT_STR_EQ(kid, key_kid(ring.keys[0]), "kid");
		UNIT_STR_EQ(alg, str_of(algorithm->name), "alg");
		UNIT_ROW(jws_verify(&ring, NULL, ALGORITHM_ALL, &token) == ERR_NONE, algorithm->name);
		if (algorithm->signature_size)
			UNIT_ROW(token.signature.n == algorithm->signature_size, algorithm->name);
		check_published(&ring, algorithm, STR("{}"), &token);
		key_set_close(&ring);
		arena_reset(arena);
	}
	arena_close(&arena);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"every algorithm", every_algorithm},
		{0},
	};
	return token_start() ? unit_main("key_ring", cases) : 1;
}
