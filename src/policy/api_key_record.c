/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and printing of keys and records. */
#include "policy/api_key_record.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/claims.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum { BASE = 62 };

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool all_digits(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_digit(text.p[i]))
			return false;
	return true;
}

/* Keys --------------------------------------------------------------------- */

bool api_key_prefix_valid(struct str prefix)
{
	return prefix.n > 0 && prefix.n <= API_KEY_PREFIX_MAX && all_digits(prefix);
}

bool api_key_is(struct str prefix, struct str text)
{
	return str_starts(text, prefix) && text.n > prefix.n && text.p[prefix.n] == '_';
}

/* CRC-32 (ISO 3309), as six digits: against typing errors, it protects nothing. */
static void print_check(struct str text, char out[API_KEY_CHECK_SIZE])
{
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < text.n; i++) {
		crc ^= (unsigned char)text.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	crc = ~crc;
	for (size_t i = API_KEY_CHECK_SIZE; i-- > 0; crc /= BASE)
		out[i] = digits[crc % BASE];
}

bool api_key_parse(struct str prefix, struct str text, struct api_key *out)
{
	char check[API_KEY_CHECK_SIZE];
	size_t id = prefix.n + 1, secret = id + API_KEY_ID_SIZE + 1, end = secret + API_KEY_SECRET_SIZE;
	if (!api_key_is(prefix, text) || text.n != end + API_KEY_CHECK_SIZE || text.p[secret - 1] != '_')
		return false;
	struct api_key key = {{text.p + id, API_KEY_ID_SIZE}, {text.p + secret, API_KEY_SECRET_SIZE}};
	print_check((struct str){text.p, end}, check);
	if (!all_digits(key.id) || !all_digits(key.secret) ||
	    !str_eq((struct str){text.p + end, API_KEY_CHECK_SIZE}, (struct str){check, sizeof check}))
		return false;
	*out = key;
	return true;
}

/* Each digit as likely as any other: a byte beyond the last multiple is drawn again. */
static void add_random(struct buf *text, size_t n)
{
	unsigned char bytes[64];
	size_t left = 0;
	while (n > 0) {
		if (left == 0) {
			random_bytes(bytes, sizeof bytes);
			left = sizeof bytes;
		}
		unsigned char byte = bytes[--left];
		if (byte >= 256 / BASE * BASE)
			continue;
		buf_char(text, digits[byte % BASE]);
		n--;
	}
	secret_wipe(bytes, sizeof bytes);
}

void api_key_make(struct str prefix, struct buf *text, struct api_key *out)
{
	char check[API_KEY_CHECK_SIZE];
	buf_add(text, prefix);
	buf_char(text, '_');
	add_random(text, API_KEY_ID_SIZE);
	buf_char(text, '_');
	add_random(text, API_KEY_SECRET_SIZE);
	print_check(buf_str(text), check);
	buf_add(text, (struct str){check, sizeof check});
	struct str id = str_skip(buf_str(text), prefix.n + 1);
	out->id = (struct str){id.p, API_KEY_ID_SIZE};
	out->secret = (struct str){id.p + API_KEY_ID_SIZE + 1, API_KEY_SECRET_SIZE};
}

bool api_key_hash(struct str secret, unsigned char out[DIGEST_SIZE])
{
	return digest_sha256(secret, out);
}

/* Records ------------------------------------------------------------------ */

bool api_key_scope_valid(struct str scope)
{
	for (size_t i = 0; i < scope.n; i++) {
		char c = scope.p[i];
		bool between = i > 0 && i + 1 < scope.n && scope.p[i - 1] != ' ';
		if (c == ' ' ? !between : (c < '!' || c > '~' || c == '"' || c == '\\'))
			return false;
	}
	return scope.n > 0 && scope.n <= API_KEY_SCOPE_MAX;
}

bool api_key_name_valid(struct str name)
{
	return name.n > 0 && name.n <= API_KEY_NAME_MAX && str_is_utf8(name) && !str_has_control(name);
}

/* A string, or STR_NONE when there is no such member. */
static bool read_text(const struct json *all, struct str name, struct str *out)
{
	const struct json *value = json_member(all, name);
	*out = STR_NONE;
	return !value || json_string(value, out);
}

static bool read_hash(const struct json *all, unsigned char out[DIGEST_SIZE])
{
	unsigned char bytes[BASE64URL_DECODED(BASE64URL_ENCODED(DIGEST_SIZE))];
	struct str text;
	size_t n = 0;
	bool good = json_string(json_member(all, STR("sha256")), &text) && text.n <= BASE64URL_ENCODED(DIGEST_SIZE) &&
		    base64url_decode(text, bytes, &n) && n == DIGEST_SIZE;
	if (good)
		memcpy(out, bytes, DIGEST_SIZE);
	return good;
}

static bool read_times(const struct json *all, struct api_key_record *out)
{
	const struct json *exp = json_member(all, STR("exp"));
	out->exp = TIME_ABSENT;
	return json_integer(json_member(all, STR("iat")), &out->iat) && out->iat >= 0 &&
	       (!exp || (json_integer(exp, &out->exp) && out->exp >= 0));
}

bool api_key_record_parse(struct arena *arena, struct str text, struct api_key_record *out)
{
	struct api_key_record r = {0};
	if (text.n > STORE_RECORD_MAX || !json_parse(arena, text, &r.all) || r.all->type != JSON_OBJECT)
		return false;
	if (!read_text(r.all, STR("api_key_id"), &r.id) || !read_text(r.all, STR("sub"), &r.owner) ||
	    !read_text(r.all, STR("client_name"), &r.name) || !read_text(r.all, STR("scope"), &r.scope) ||
	    !read_text(r.all, STR("rate"), &r.rate_text) || !read_hash(r.all, r.hash) || !read_times(r.all, &r))
		return false;
	r.has_rate = r.rate_text.p != NULL;
	if (r.id.n != API_KEY_ID_SIZE || !all_digits(r.id) || !claims_user_id_valid(r.owner) ||
	    (r.name.p && !api_key_name_valid(r.name)) || (r.scope.p && !api_key_scope_valid(r.scope)) ||
	    (r.has_rate && !limiter_rate_parse(r.rate_text, &r.rate)))
		return false;
	*out = r;
	return true;
}

static void print_text(struct buf *out, const char *name, struct str value)
{
	if (!value.p)
		return;
	buf_printf(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", name);
	buf_json(out, value);
}

void api_key_record_print(const struct api_key_record *record, struct buf *out)
{
	char memory[BASE64URL_ENCODED(DIGEST_SIZE)];
	struct buf hash = buf_over(memory, sizeof memory);
	base64url_encode(&hash, record->hash, DIGEST_SIZE);
	buf_char(out, '{');
	print_text(out, "api_key_id", record->id);
	print_text(out, "sha256", buf_str(&hash));
	print_text(out, "sub", record->owner);
	print_text(out, "client_name", record->name);
	print_text(out, "scope", record->scope);
	buf_printf(out, ",\"iat\":%lld", (long long)record->iat);
	if (record->exp != TIME_ABSENT)
		buf_printf(out, ",\"exp\":%lld", (long long)record->exp);
	print_text(out, "rate", record->has_rate ? record->rate_text : STR_NONE);
	buf_char(out, '}');
}
