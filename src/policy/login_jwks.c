/* SPDX-License-Identifier: Apache-2.0 */
/* GET /jwks.json: the public halves of the keys that sign for the login, so that
 * other services can verify its tokens (RFC 7517 section 5). */
#include "base/codec.h"
#include "policy/login_routes.h"

enum { JWKS_MAX = 48 << 10, ETAG_BYTES = 16 };

/* Only what this site has the private half of: it lists who signs here. Shared
 * secrets have no public half. */
static bool print_keys(const struct issuer *issuer, struct buf *out)
{
	const struct key_set *set = issuer_keys(issuer);
	size_t n = 0;
	buf_add(out, STR("{\"keys\":["));
	for (size_t i = 0; i < set->n; i++) {
		size_t before = out->n;
		if (!key_can_sign(set->keys[i]))
			continue;
		if (n)
			buf_char(out, ',');
		if (key_print_jwk(set->keys[i], out))
			n++;
		else
			out->n = before;
	}
	buf_add(out, STR("]}\n"));
	return n > 0;
}

static bool print_etag(const struct call *call, struct str body, struct buf *out)
{
	unsigned char digest[DIGEST_SIZE];
	if (!digest_parts(call->worker->token, &body, 1, digest))
		return false;
	buf_char(out, '"');
	base64url_encode(out, digest, ETAG_BYTES);
	buf_char(out, '"');
	return true;
}

void login_jwks(const struct call *call)
{
	const struct issuer *issuer = call->worker->snapshot->login_issuer;
	char memory[2 + BASE64URL_ENCODED(ETAG_BYTES)];
	struct buf body = arena_buf(call->worker->arena, JWKS_MAX), etag = buf_over(memory, sizeof memory);
	if (!issuer || !issuer_can_sign(issuer) || !print_keys(issuer, &body)) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	if (body.full || !print_etag(call, buf_str(&body), &etag)) {
		call_refuse(call, ERR_INTERNAL);
		return;
	}
	reply_begin(call->reply, 200);
	reply_header(call->reply, "Cache-Control", STR("public, max-age=300"));
	reply_header(call->reply, "ETag", buf_str(&etag));
	reply_header(call->reply, "X-Content-Type-Options", STR("nosniff"));
	reply_body(call->reply, "application/jwk-set+json", buf_str(&body));
}
