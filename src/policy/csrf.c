/* SPDX-License-Identifier: Apache-2.0 */
/* Making and checking form tokens. */
#include "policy/csrf.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/secret.h"
#include "policy/form_key.h"

enum {
	NONCE_SIZE = 16,
	VALUE_MAX = 20 + 1 + BASE64URL_ENCODED(NONCE_SIZE),
	SIGNATURE_SIZE = BASE64URL_ENCODED(DIGEST_SIZE),
	COOKIE_MAX = VALUE_MAX + 1 + SIGNATURE_SIZE,
	COOKIE_LINE_MAX = 256
};

/* The name with the prefix can't be planted by a sibling site or over plain http. */
static struct str cookie_name(const struct call *call)
{
	return call->request->https ? STR("__Host-auth-csrf") : STR("auth-csrf");
}

/* HMAC over the purpose and the value, base64url. */
static bool sign(struct worker *worker, struct str key, const char *purpose, struct str value, struct buf *out)
{
	char memory[64 + VALUE_MAX];
	unsigned char mac[DIGEST_SIZE];
	struct buf b = buf_over(memory, sizeof memory);
	buf_add(&b, str_of(purpose));
	buf_char(&b, '\0');
	buf_add(&b, value);
	if (b.full || !digest_mac(worker->token, key, buf_str(&b), mac))
		return false;
	base64url_encode(out, mac, sizeof mac);
	return !out->full;
}

static bool is_signed(struct worker *worker, struct str key, const char *purpose, struct str value,
		      struct str signature)
{
	char memory[SIGNATURE_SIZE];
	struct buf want = buf_over(memory, sizeof memory);
	return sign(worker, key, purpose, value, &want) && signature.n == want.n &&
	       secret_equal(signature.p, want.p, want.n);
}

/* The cookie's value without its signature, when that is ours and time is left. */
static bool read_cookie(const struct call *call, struct str key, struct str *cookie, struct str *value, int64_t *expiry)
{
	struct str rest, part, nonce, signature;
	uint64_t seconds;
	if (cookie_find(call->request->cookie, cookie_name(call), cookie) != 1 || cookie->n > COOKIE_MAX)
		return false;
	rest = *cookie;
	if (!str_split(&rest, '.', &part) || !str_to_uint(part, INT64_MAX, &seconds) ||
	    !str_split(&rest, '.', &nonce) || !str_split(&rest, '.', &signature) || rest.p)
		return false;
	*value = (struct str){cookie->p, part.n + 1 + nonce.n};
	*expiry = (int64_t)seconds;
	return is_signed(call->worker, key, "cookie", *value, signature) && *expiry > clock_now();
}

static bool print_field(const struct call *call, struct str key, const char *purpose, struct str value,
			struct csrf *out)
{
	struct buf field = arena_buf(call->worker->arena, SIGNATURE_SIZE);
	if (!sign(call->worker, key, purpose, value, &field))
		return false;
	out->field = buf_str(&field);
	return true;
}

static bool make_cookie(const struct call *call, struct str key, struct csrf *out, struct str *value)
{
	unsigned char nonce[NONCE_SIZE];
	struct buf b = arena_buf(call->worker->arena, COOKIE_MAX);
	random_bytes(nonce, sizeof nonce);
	buf_int(&b, clock_now() + CSRF_SECONDS);
	buf_char(&b, '.');
	base64url_encode(&b, nonce, sizeof nonce);
	*value = buf_str(&b);
	buf_char(&b, '.');
	if (b.full || !sign(call->worker, key, "cookie", *value, &b))
		return false;
	out->cookie = buf_str(&b);
	out->fresh = true;
	return true;
}

static enum err load_key(const struct call *call, char memory[FORM_KEY_SIZE])
{
	return form_key_load(call->worker->snapshot->server->state_dir.value.p, memory);
}

enum err csrf_open(const struct call *call, const char *purpose, struct csrf *out)
{
	char memory[FORM_KEY_SIZE];
	struct str key = {memory, sizeof memory}, value;
	struct csrf csrf = {0};
	int64_t expiry;
	enum err err = load_key(call, memory);
	if (err)
		return err;
	bool reuse = read_cookie(call, key, &csrf.cookie, &value, &expiry) &&
		     expiry - clock_now() >= CSRF_SECONDS / 2 && expiry - clock_now() <= CSRF_SECONDS;
	bool good = (reuse || make_cookie(call, key, &csrf, &value)) && print_field(call, key, purpose, value, &csrf);
	secret_wipe(memory, sizeof memory);
	if (!good)
		return ERR_INTERNAL;
	*out = csrf;
	return ERR_NONE;
}

enum err csrf_check(const struct call *call, const char *purpose, struct str field, struct csrf *out)
{
	char memory[FORM_KEY_SIZE];
	struct str key = {memory, sizeof memory}, value;
	struct csrf csrf = {.field = field};
	int64_t expiry;
	enum err err = load_key(call, memory);
	if (err)
		return err;
	bool good = read_cookie(call, key, &csrf.cookie, &value, &expiry) &&
		    is_signed(call->worker, key, purpose, value, field);
	secret_wipe(memory, sizeof memory);
	if (!good)
		return ERR_CROSS_SITE;
	*out = csrf;
	return ERR_NONE;
}

struct str csrf_cookie_line(const struct call *call, const struct csrf *csrf)
{
	struct buf line = arena_buf(call->worker->arena, COOKIE_LINE_MAX);
	struct cookie_attributes attributes = {
		.path = STR("/"), .same_site = "Lax", .secure = call->request->https, .max_age = CSRF_SECONDS};
	if (!csrf->fresh)
		return STR_NONE;
	cookie_print(&line, cookie_name(call), csrf->cookie, &attributes);
	return line.full ? STR_NONE : buf_str(&line);
}
