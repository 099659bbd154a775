/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Keys printed, and their thumbprints. */
#include "base/codec.h"
#include "token/jwk_internal.h"

static void print_number(const struct jwk *jwk, size_t i, struct buf *out)
{
	buf_printf(out, ",\"%s\":\"", jwk_number_names[i]);
	base64url_encode(out, (const unsigned char *)jwk->numbers[i].p, jwk->numbers[i].n);
	buf_char(out, '"');
}

void jwk_print(const struct jwk *jwk, const struct algorithm *algorithm, bool with_private, struct buf *out)
{
	unsigned wanted = jwk->kind->public_part | (with_private ? jwk->kind->private_part : 0);
	buf_printf(out, "{\"kty\":\"%s\"", jwk->kind->kty);
	if (jwk->kind->crv)
		buf_printf(out, ",\"crv\":\"%s\"", jwk->kind->crv);
	buf_printf(out, ",\"use\":\"sig\",\"alg\":\"%s\"", algorithm->name);
	if (jwk->kid.p) {
		buf_add(out, STR(",\"kid\":"));
		buf_json(out, jwk->kid);
	}
	for (size_t i = 0; i < JWK_NUMBERS; i++)
		if (wanted & 1U << i)
			print_number(jwk, i, out);
	buf_char(out, '}');
}

/* RFC 7638 section 3.2: the required members alone, in the order of their names. */
bool jwk_print_thumbprint(const struct jwk *jwk, struct buf *out)
{
	char memory[2048];
	unsigned char hash[DIGEST_SIZE];
	struct buf text = buf_over(memory, sizeof memory);
	if (jwk->kind->crv) {
		buf_printf(&text, "{\"crv\":\"%s\",\"kty\":\"%s\"", jwk->kind->crv, jwk->kind->kty);
		print_number(jwk, JWK_X, &text);
		if (jwk->numbers[JWK_Y].p)
			print_number(jwk, JWK_Y, &text);
	} else {
		buf_add(&text, STR("{\"e\":\""));
		base64url_encode(&text, (const unsigned char *)jwk->numbers[JWK_E].p, jwk->numbers[JWK_E].n);
		buf_printf(&text, "\",\"kty\":\"%s\"", jwk->kind->kty);
		print_number(jwk, JWK_N, &text);
	}
	buf_char(&text, '}');
	if (text.full || !digest_sha256(buf_str(&text), hash))
		return false;
	base64url_encode(out, hash, sizeof hash);
	return true;
}
