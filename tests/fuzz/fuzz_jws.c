/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, from text to claims. The input is tried as it is, and as header and
 * payload of a token that is signed here: so that the claims are reached. */
#include "base/codec.h"
#include "../unit/jwk_texts.h"
#include "fuzz.h"
#include "token/claims.h"

enum { NOW = 1767225600, ARENA = 1 << 20 };

static struct arena *arena;
static struct key_set keys;
/* Public ones, for every algorithm of their kind: what their private parts have
 * signed are seeds with one payload. */
static struct key_set public_keys;
#define SIGNED_PAYLOAD "{\"sub\":\"ann\",\"exp\":4102444800}"

static void open_all(void)
{
	struct key *key;
	FUZZ_CHECK(arena_open(ARENA, &arena));
	FUZZ_CHECK(key_open_hmac(algorithm_at(0), STR("fuzz-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo"), STR_NONE, &key));
	FUZZ_CHECK(key_set_add(&keys, key));
	static const char *const jwks[] = {"{" RSA "}", "{" P256 "}", "{" P384 "}", "{" P521 "}", "{" ED25519 "}"};
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	for (size_t i = 0; i < sizeof jwks / sizeof jwks[0]; i++)
		FUZZ_CHECK(key_set_add_public(&public_keys, ALGORITHM_ALL, str_of(jwks[i]), &why));
}

/* No signature comes from nowhere. */
static void check_public(const struct token *token)
{
	if (jws_verify(&public_keys, NULL, ALGORITHM_ALL, token) == ERR_NONE)
		FUZZ_CHECK(str_eq(token->payload_bytes, STR(SIGNED_PAYLOAD)));
}

/* true: the signature is right. */
static bool check_token(struct str text)
{
	static const struct conf_text paths[] = {{.value = {"sub", 3}}, {.value = {"user.id", 7}}};
	static const struct conf_text audience[] = {{.value = {"app", 3}}};
	struct claims_rules rules = {.user_id = {paths, 2}, .leeway = 15, .require_exp = true};
	struct token token;
	struct claims c;
	struct algorithm_set set = {0};
	algorithm_add(&set, algorithm_at(0));
	enum err err = jws_parse_claims(arena, text, &token);
	FUZZ_CHECK(err == ERR_NONE || err == ERR_TOKEN_MALFORMED);
	if (err == ERR_NONE)
		check_public(&token);
	if (err || jws_verify(&keys, NULL, set, &token) != ERR_NONE)
		return false;
	FUZZ_CHECK(token.header->type == JSON_OBJECT && token.payload->type == JSON_OBJECT && token.signature.n == 32);
	FUZZ_CHECK(!json_member(token.header, STR("crit")));
	err = claims_check(&rules, &token, NOW, &c);
	if (err == ERR_NONE || err == ERR_TOKEN_EXPIRED) {
		FUZZ_CHECK(claims_user_id_valid(c.user_id) && c.exp >= 0);
		FUZZ_CHECK((err == ERR_NONE) == (c.exp > NOW - 15));
	}
	rules.audience = (struct conf_list){audience, 1};
	rules.max_lifetime = 60;
	err = claims_check(&rules, &token, NOW, &c);
	FUZZ_CHECK(err || (c.exp - c.iat <= 60 && json_member(c.all, STR("aud"))));
	return true;
}

/* The text signed as a token: header and payload are parted by a line end. */
static void check_signed(struct str input)
{
	struct str payload = input, header;
	str_split(&payload, '\n', &header);
	struct buf text = arena_buf(arena, TOKEN_MAX);
	base64url_encode(&text, (const unsigned char *)header.p, header.n);
	buf_char(&text, '.');
	base64url_encode(&text, (const unsigned char *)payload.p, payload.n);
	unsigned char signature[KEY_SIGNATURE_MAX];
	size_t n;
	if (text.full)
		return;
	FUZZ_CHECK(key_sign(keys.keys[0], NULL, buf_str(&text), signature, &n));
	buf_char(&text, '.');
	base64url_encode(&text, signature, n);
	if (!text.full)
		check_token(buf_str(&text));
}

/* A payload under our own header always verifies. */
static void check_payload(struct str payload)
{
	struct buf text = arena_buf(arena, TOKEN_MAX);
	const struct json *tree;
	bool object = json_parse(arena, payload, &tree) && tree->type == JSON_OBJECT;
	if (jws_sign(&keys, NULL, payload, &text))
		FUZZ_CHECK(check_token(buf_str(&text)) == object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size};
	if (!arena)
		open_all();
	arena_reset(arena);
	if (size == 0)
		return 0;
	check_token(input);
	check_signed(input);
	check_payload(input);
	return 0;
}
