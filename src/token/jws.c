/* SPDX-License-Identifier: Apache-2.0 */
/* The compact serialisation: bytes to token and back. */
#include "token/jws.h"

#include "base/codec.h"
#include "token/compact.h"

enum err jws_parse(struct arena *arena, struct str text, struct token *out)
{
	struct str rest = text, header, payload;
	if (!str_split(&rest, '.', &header) || !str_split(&rest, '.', &payload) || !rest.p)
		return ERR_TOKEN_MALFORMED;
	struct token token = {
		.form = TOKEN_JWS,
		.text = text,
		.canonical = {text.p, header.n + 1 + payload.n},
	};
	/* A further dot is outside the alphabet: more than three parts end here. */
	if (!compact_header(arena, header, &token.header) || json_member(token.header, STR("enc")) ||
	    !compact_decode(arena, payload, &token.payload_bytes) || !compact_decode(arena, rest, &token.signature))
		return ERR_TOKEN_MALFORMED;
	*out = token;
	return ERR_NONE;
}

enum err jws_parse_claims(struct arena *arena, struct str text, struct token *out)
{
	struct token token;
	enum err err = jws_parse(arena, text, &token);
	if (err)
		return err;
	if (!compact_object(arena, token.payload_bytes, &token.payload))
		return ERR_TOKEN_MALFORMED;
	*out = token;
	return ERR_NONE;
}

enum err jws_verify(const struct key_set *keys, struct token_thread *thread, struct algorithm_set allowed,
		    const struct token *token)
{
	struct key_wanted wanted = {.algorithm = NULL};
	struct str name;
	if (json_string(json_member(token->header, STR("alg")), &name))
		wanted.algorithm = algorithm_find(name, allowed);
	if (!wanted.algorithm)
		return ERR_BAD_ALGORITHM;
	json_string(json_member(token->header, STR("kid")), &wanted.kid);
	return key_set_verify(keys, thread, wanted, token->canonical, token->signature);
}

bool jws_sign(const struct key_set *keys, struct token_thread *thread, struct str payload, struct buf *out)
{
	if (keys->n == 0)
		return false;
	const struct key *key = keys->keys[0];
	/* Every byte of the kid may become an escape. */
	char memory[64 + 6 * KEY_KID_MAX];
	struct buf header = buf_over(memory, sizeof memory);
	buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\"", key_algorithm(key)->name);
	if (key_kid(key).p) {
		buf_add(&header, STR(",\"kid\":"));
		buf_json(&header, key_kid(key));
	}
	buf_char(&header, '}');
	size_t begin = out->n;
	base64url_encode(out, (const unsigned char *)header.p, header.n);
	buf_char(out, '.');
	base64url_encode(out, (const unsigned char *)payload.p, payload.n);
	if (header.full || out->full)
		return false;
	unsigned char signature[KEY_SIGNATURE_MAX];
	size_t n;
	if (!key_sign(key, thread, (struct str){out->p + begin, out->n - begin}, signature, &n))
		return false;
	buf_char(out, '.');
	base64url_encode(out, signature, n);
	return !out->full;
}
