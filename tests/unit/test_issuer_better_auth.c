/* SPDX-License-Identifier: Apache-2.0 */
/* What of Better Auth is taken where, with tokens made here; and secrets of
 * NextAuth that change. Tokens of the libraries themselves: test_issuer_derived.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "issuer_setup.h"
#include "token/derive.h"
#include "token/jwe.h"
#include "token/jws.h"
#include "unit.h"

enum { ARENA = 1 << 20, NOW = 1795174946 };

#define SECRET "better-auth-unit-secret-0123456789abcdef"
#define OLD "better-auth-unit-secret-that-was-in-use"
#define USER "\"user\":{\"id\":\"u1\",\"name\":\"Ann \\u00e4\"}"
#define BARE "gObhX0giqA2z1NzLaWNiewefTrNNKam0"
#define SESSION                                                                                         \
	"\"session\":{\"token\":\"" BARE "\",\"userId\":\"u1\",\"createdAt\":\"2026-11-20T11:42:21.003Z\"," \
	"\"expiresAt\":\"2026-11-27T11:42:21.002Z\"}"
#define CACHE "{" SESSION "," USER ",\"updatedAt\":1795174941004,\"version\":\"1\"}"
#define DATA "better-auth.session_data"
#define TOKEN "better-auth.session_token"

static struct arena *arena;
static struct token_thread *thread;

static struct str mac_of(const char *secret, struct str text)
{
	struct digest_hmac key;
	struct buf mac = arena_buf(arena, DIGEST_MAX);
	CU_ASSERT_FATAL(digest_hmac_key(DIGEST_SHA256, str_of(secret), &key));
	CU_ASSERT_FATAL(digest_hmac(&key, text, (unsigned char *)mac.p));
	return (struct str){mac.p, DIGEST_SIZE};
}

static struct str encode(struct str bytes)
{
	struct buf out = arena_buf(arena, BASE64URL_ENCODED(bytes.n));
	base64url_encode(&out, (const unsigned char *)bytes.p, bytes.n);
	return buf_str(&out);
}

/* What JSON.stringify({...session, expiresAt}) gives. */
static struct str sign_compact(const char *secret, const char *session, const char *expires)
{
	return encode(mac_of(secret, arena_printf(arena, "%.*s,\"expiresAt\":%s}", (int)strlen(session) - 1, session,
						  expires)));
}

static struct str compact(const char *secret, const char *session, const char *expires)
{
	struct str signature = sign_compact(secret, session, expires);
	return encode(arena_printf(arena, "{\"session\":%s,\"expiresAt\":%s,\"signature\":\"%.*s\"}", session, expires,
				   STR_ARGS(signature)));
}

static struct str hs256(const char *secret, const char *claims)
{
	struct key_set set;
	struct key *key;
	struct buf out = arena_buf(arena, 8192);
	key_set_begin(&set);
	CU_ASSERT_FATAL(key_open_hmac(algorithm_find(STR("HS256"), ALGORITHM_ALL), str_of(secret), STR_NONE, &key));
	CU_ASSERT_FATAL(key_set_add(&set, key) && jws_sign(&set, thread, str_of(claims), &out));
	key_set_close(&set);
	return buf_str(&out);
}

struct recipe {
	const char *salt, *info, *enc;
	bool kid;
};

static const struct recipe better_auth = {"better-auth-session", "BetterAuth.js Generated Encryption Key",
					  "A256CBC-HS512", true};
static const struct recipe nextauth = {"", "NextAuth.js Generated Encryption Key", "A256GCM", false};

static struct str encrypted(const struct recipe *recipe, const char *secret, const char *claims)
{
	const struct encryption *enc = encryption_find(str_of(recipe->enc), ENCRYPTION_ALL);
	unsigned char bytes[ENCRYPTION_KEY_MAX];
	struct buf kid = arena_buf(arena, 64), out = arena_buf(arena, 8192);
	struct jwe_key *key;
	struct str k = {(char *)bytes, enc->key_size};
	CU_ASSERT_FATAL(derive_hkdf(str_of(secret), str_of(recipe->salt), str_of(recipe->info), bytes, k.n));
	derive_oct_thumbprint(DIGEST_SHA256, k, &kid);
	CU_ASSERT_FATAL(jwe_key_open(enc, k, recipe->kid ? buf_str(&kid) : STR_NONE, &key));
	CU_ASSERT_FATAL(jwe_encrypt(key, thread, arena, str_of(claims), &out));
	jwe_key_close(&key);
	return buf_str(&out);
}

static struct issuer *open_issuer(struct issuer_setup *setup, const char *type)
{
	struct issuer *issuer = NULL;
	struct conf_error error = {""};
	issuer_setup(setup);
	setup->conf.type.value = str_of(type);
	setup->conf.leeway = -1;
	setup->conf.session_url.value = STR("http://127.0.0.1/get-session");
	setup->conf.session_ttl = 60000;
	issuer_setup_secret(setup, STR(SECRET));
	issuer_setup_secret(setup, STR(OLD));
	if (strcmp(type, "better-auth") != 0)
		setup->conf.session_url.value = STR_NONE;
	UNIT_ROW(issuer_open(&setup->section, 1, &issuer, &error), error.text);
	return issuer;
}

static enum err verify(const struct issuer *issuer, struct str text, const char *cookie, struct claims *claims,
		       struct token *token)
{
	enum err err = token_parse(arena, text, token);
	token->cookie = str_of(cookie);
	return err ? err : issuer_verify(issuer, &(struct verification){thread, arena, NOW}, token, claims);
}

#define TIMES ",\"iat\":1795174941,\"exp\":1795175241}"
#define CLAIMS "{" SESSION "," USER TIMES

/* Each kind of token in each carrier. */
static void kinds(void)
{
	struct issuer_setup setup;
	struct issuer *issuer = open_issuer(&setup, "better-auth");
	const struct {
		const char *what;
		struct str text;
		const char *cookie;
		enum err want;
	} rows[] = {
		{"compact", compact(SECRET, CACHE, "1795175241004"), DATA, ERR_NONE},
		{"compact, old secret", compact(OLD, CACHE, "1795175241004"), DATA, ERR_NONE},
		{"compact, other secret", compact("x" SECRET, CACHE, "1795175241004"), DATA, ERR_BAD_SIGNATURE},
		{"compact, __Secure-", compact(SECRET, CACHE, "1795175241004"), "__Secure-" DATA, ERR_NONE},
		{"compact as bearer", compact(SECRET, CACHE, "1795175241004"), NULL, ERR_TOKEN_MALFORMED},
		{"compact as session", compact(SECRET, CACHE, "1795175241004"), TOKEN, ERR_TOKEN_MALFORMED},
		{"compact, over", compact(SECRET, CACHE, "1795174946999"), DATA, ERR_TOKEN_EXPIRED},
		{"compact, last second", compact(SECRET, CACHE, "1795174947000"), DATA, ERR_NONE},
		{"compact, exponent", compact(SECRET, CACHE, "1.8e12"), DATA, ERR_TOKEN_MALFORMED},
		{"compact, negative", compact(SECRET, CACHE, "-1"), DATA, ERR_TOKEN_MALFORMED},
		{"compact, exp inside", compact(SECRET, "{\"exp\":9," SESSION "," USER "}", "1795175241004"), DATA,
		 ERR_TOKEN_MALFORMED},
		{"compact, no user", compact(SECRET, "{" SESSION "}", "1795175241004"), DATA, ERR_BAD_CLAIM},
		{"compact, no session", compact(SECRET, "{" USER "}", "1795175241004"), DATA, ERR_BAD_CLAIM},
		{"compact, empty", compact(SECRET, "{}", "1795175241004"), DATA, ERR_TOKEN_MALFORMED},
		{"jwt", hs256(SECRET, CLAIMS), DATA, ERR_NONE},
		{"jwt, old secret", hs256(OLD, CLAIMS), DATA, ERR_NONE},
		{"jwt, other secret", hs256("x" SECRET, CLAIMS), DATA, ERR_BAD_SIGNATURE},
		{"jwt as bearer", hs256(SECRET, CLAIMS), NULL, ERR_BAD_ALGORITHM},
		{"jwt as session", hs256(SECRET, CLAIMS), TOKEN, ERR_BAD_ALGORITHM},
		{"jwt of an application", hs256(SECRET, "{\"sub\":\"u1\",\"exp\":4102444800}"), DATA, ERR_BAD_CLAIM},
		{"jwt, sub and user", hs256(SECRET, "{\"sub\":\"u1\"," USER ",\"exp\":4102444800}"), DATA,
		 ERR_BAD_CLAIM},
		{"jwt, within 15 s", hs256(SECRET, "{" SESSION "," USER ",\"exp\":1795174932}"), DATA, ERR_NONE},
		{"jwt, 15 s over", hs256(SECRET, "{" SESSION "," USER ",\"exp\":1795174931}"), DATA,
		 ERR_TOKEN_EXPIRED},
		{"jwt, no exp", hs256(SECRET, "{" SESSION "," USER "}"), DATA, ERR_BAD_CLAIM},
		{"jwt, session is over",
		 hs256(SECRET, "{\"session\":{\"expiresAt\":\"2026-11-20T11:42:00.000Z\"}," USER TIMES), DATA,
		 ERR_TOKEN_EXPIRED},
		{"jwe", encrypted(&better_auth, SECRET, CLAIMS), DATA, ERR_NONE},
		{"jwe, old secret", encrypted(&better_auth, OLD, CLAIMS), DATA, ERR_NONE},
		{"jwe, other secret", encrypted(&better_auth, "x" SECRET, CLAIMS), DATA, ERR_UNKNOWN_KEY},
		{"jwe as bearer", encrypted(&better_auth, SECRET, CLAIMS), NULL, ERR_BAD_ALGORITHM},
		{"jwe as session", encrypted(&better_auth, SECRET, CLAIMS), TOKEN, ERR_BAD_ALGORITHM},
		{"jwe of NextAuth", encrypted(&nextauth, SECRET, CLAIMS), DATA, ERR_BAD_ALGORITHM},
		{"jwe, no object", encrypted(&better_auth, SECRET, "[1]"), DATA, ERR_TOKEN_MALFORMED},
		{"session, not looked up", STR(BARE), NULL, ERR_TOKEN_MALFORMED},
		{"session as cache", STR(BARE), DATA, ERR_TOKEN_MALFORMED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct claims claims = {0};
		struct token token;
		enum err err = verify(issuer, rows[i].text, rows[i].cookie, &claims, &token);
		UNIT_ROW(err == rows[i].want, rows[i].what);
		if (err)
			continue;
		UNIT_STR_EQ(claims.user_id, STR("u1"), rows[i].what);
		/* one session, whatever the form */
		UNIT_STR_EQ(claims.jti, STR(BARE), rows[i].what);
		UNIT_ROW(claims.renewable, rows[i].what);
		UNIT_ROW(claims.iat == 1795174941, rows[i].what);
	}
	issuer_close(&issuer);
	arena_reset(arena);
}

/* The bytes around what is signed may change, those of it may not. */
static void compact_again(void)
{
	struct issuer_setup setup;
	struct issuer *issuer = open_issuer(&setup, "better-auth");
	struct str signature = sign_compact(SECRET, CACHE, "1795175241004");
	struct token first, token;
	struct claims claims;
	static const struct {
		const char *format; /* of the signature */
		enum err want;
	} rows[] = {
		{"{\"session\":" CACHE ",\"expiresAt\":1795175241004,\"signature\":\"%.*s\"}", ERR_NONE},
		{"{\"signature\":\"%.*s\",\"expiresAt\":1795175241004,\"session\":" CACHE "}", ERR_NONE},
		{" { \"more\":[1], \"expiresAt\" : 1795175241004 ,\"s\\u0069gnature\":\"%.*s\","
		 " \"session\": " CACHE " } ",
		 ERR_NONE},
		{"{\"session\":" CACHE ",\"expiresAt\":1795175241005,\"signature\":\"%.*s\"}", ERR_BAD_SIGNATURE},
		{"{\"session\":{" SESSION "," USER ",\"updatedAt\":1795174941004,\"version\":\"1\" },"
		 "\"expiresAt\":1795175241004,\"signature\":\"%.*s\"}",
		 ERR_BAD_SIGNATURE},
		{"{\"session\":{" USER "," SESSION ",\"updatedAt\":1795174941004,\"version\":\"1\"},"
		 "\"expiresAt\":1795175241004,\"signature\":\"%.*s\"}",
		 ERR_BAD_SIGNATURE},
		{"{\"session\":" CACHE ",\"expiresAt\":1795175241004,\"signature\":\"%.*s=\"}", ERR_TOKEN_MALFORMED},
		{"{\"session\":" CACHE ",\"expiresAt\":\"1795175241004\",\"signature\":\"%.*s\"}", ERR_TOKEN_MALFORMED},
		{"{\"session\":" CACHE ",\"session\":" CACHE ",\"expiresAt\":1795175241004,\"signature\":\"%.*s\"}",
		 ERR_TOKEN_MALFORMED},
		{"{\"session\":[" CACHE "],\"expiresAt\":1795175241004,\"signature\":\"%.*s\"}", ERR_TOKEN_MALFORMED},
		{"{\"session\":" CACHE ",\"expiresAt\":1795175241004,\"signature\":\"\",\"x\":\"%.*s\"}",
		 ERR_BAD_SIGNATURE},
		{"{\"session\":" CACHE ",\"expiresAt\":1795175241004,\"x\":\"%.*s\"}", ERR_TOKEN_MALFORMED},
		{"[{\"session\":" CACHE ",\"expiresAt\":1795175241004,\"signature\":\"%.*s\"}]", ERR_TOKEN_MALFORMED},
	};
	CU_ASSERT_EQUAL(verify(issuer, compact(SECRET, CACHE, "1795175241004"), DATA, &claims, &first), ERR_NONE);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		struct str text = encode(arena_printf(arena, rows[i].format, STR_ARGS(signature)));
#pragma GCC diagnostic pop
		enum err err = verify(issuer, text, DATA, &claims, &token);
		UNIT_ROW(err == rows[i].want, rows[i].format);
		if (err == ERR_NONE)
			UNIT_STR_EQ(token.canonical, first.canonical, rows[i].format);
	}
	CU_ASSERT_EQUAL(verify(issuer, STR("e30"), DATA, &claims, &token), ERR_TOKEN_MALFORMED);
	CU_ASSERT_EQUAL(verify(issuer, STR("e30="), DATA, &claims, &token), ERR_TOKEN_MALFORMED);
	/* 33 bytes that begin with the right ones */
	struct buf longer = arena_buf(arena, 64);
	buf_add(&longer, mac_of(SECRET, first.canonical));
	buf_char(&longer, 'x');
	struct str text = arena_printf(arena,
				       "{\"session\":" CACHE ",\"expiresAt\":1795175241004,\"signature\":\"%.*s\"}",
				       STR_ARGS(encode(buf_str(&longer))));
	CU_ASSERT_EQUAL(verify(issuer, encode(text), DATA, &claims, &token), ERR_BAD_SIGNATURE);
	issuer_close(&issuer);
	arena_reset(arena);
}

/* With the key of RFC 8037 appendix A. */
static struct str eddsa(const struct key_set *ring, const char *header, const char *claims)
{
	unsigned char signature[KEY_SIGNATURE_MAX];
	size_t n;
	struct str input = arena_printf(arena, "%.*s.%.*s", STR_ARGS(encode(str_of(header))),
					STR_ARGS(encode(str_of(claims))));
	CU_ASSERT_FATAL(key_sign(ring->keys[0], thread, input, signature, &n));
	return arena_printf(arena, "%.*s.%.*s", STR_ARGS(input), STR_ARGS(encode((struct str){(char *)signature, n})));
}

#define PUBLIC                                                                  \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"alg\":\"EdDSA\"," \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define CACHE_TYP "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"better-auth.session-cache+jwt\"}"
#define API_TYP "{\"alg\":\"EdDSA\",\"kid\":\"k\"}"
#define FOR_CACHE "{" SESSION "," USER ",\"sub\":\"u1\",\"aud\":\"better-auth:session-cache\"" TIMES
#define FOR_API "{\"sub\":\"u1\",\"aud\":\"https://a.test\"" TIMES

/* One key, two purposes: with no iss and no audience configured, too. */
static void signed_with_one_key(void)
{
	static const char ring_text[] =
		"{\"keys\":[{" PUBLIC ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}]}";
	static const struct {
		const char *what, *header, *claims, *cookie;
		enum err want;
	} rows[] = {
		{"API", API_TYP, FOR_API, NULL, ERR_NONE},
		{"API in a cookie", API_TYP, FOR_API, "api", ERR_NONE},
		{"API as cache", API_TYP, FOR_API, DATA, ERR_BAD_CLAIM},
		{"API with the aud as cache", API_TYP, FOR_CACHE, DATA, ERR_BAD_CLAIM},
		{"API with the typ as cache", CACHE_TYP, FOR_API, DATA, ERR_BAD_AUDIENCE},
		{"cache", CACHE_TYP, FOR_CACHE, DATA, ERR_NONE},
		{"cache as API", CACHE_TYP, FOR_CACHE, NULL, ERR_BAD_CLAIM},
		{"cache of another", CACHE_TYP,
		 "{" SESSION "," USER ",\"sub\":\"u2\",\"aud\":\"better-auth:session-cache\"" TIMES, DATA,
		 ERR_BAD_CLAIM},
	};
	struct issuer_setup setup;
	struct issuer *issuer = NULL;
	struct conf_error error = {""};
	struct key_set ring;
	char memory[256], path[] = "/tmp/test_issuer_better_auth.XXXXXX";
	struct buf why = buf_over(memory, sizeof memory);
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	dprintf(fd, "{\"keys\":[{" PUBLIC "}]}");
	close(fd);
	key_set_begin(&ring);
	CU_ASSERT_FATAL(key_set_add_ring(&ring, ALGORITHM_ALL, false, STR(ring_text), &why));
	issuer_setup(&setup);
	setup.conf.type.value = STR("better-auth");
	setup.conf.leeway = -1;
	setup.conf.jwks.value = arena_printf(arena, "file:%s", path);
	UNIT_ROW(issuer_open(&setup.section, 1, &issuer, &error), error.text);
	unlink(path);
	for (size_t i = 0; issuer && i < sizeof rows / sizeof *rows; i++) {
		struct claims claims;
		struct token token;
		struct str text = eddsa(&ring, rows[i].header, rows[i].claims);
		UNIT_ROW(verify(issuer, text, rows[i].cookie, &claims, &token) == rows[i].want, rows[i].what);
	}
	issuer_close(&issuer);
	key_set_close(&ring);
	arena_reset(arena);
}

/* Base64 with the standard alphabet and padding. */
static struct str cookie_signature(const char *secret)
{
	struct str url = encode(mac_of(secret, STR(BARE)));
	struct buf out = arena_buf(arena, 64);
	for (size_t i = 0; i < url.n; i++)
		buf_char(&out, url.p[i] == '-' ? '+' : url.p[i] == '_' ? '/' : url.p[i]);
	buf_char(&out, '=');
	return buf_str(&out);
}

static void asks_for_sessions(void)
{
	struct issuer_setup setup;
	struct issuer *issuer = open_issuer(&setup, "better-auth");
	struct str right = cookie_signature(SECRET), wrong = cookie_signature("x" SECRET);
	struct buf quoted = arena_buf(arena, 256);
	percent_encode(&quoted, right, "");
	struct str q = buf_str(&quoted);
	const struct {
		const char *what;
		struct str text;
		const char *cookie;
		enum err want;
		struct str header;
	} rows[] = {
		{"raw", STR(BARE), NULL, ERR_NONE, STR("Authorization: Bearer " BARE)},
		{"raw in a cookie", STR(BARE), TOKEN, ERR_TOKEN_MALFORMED, STR_NONE},
		{"raw, short", STR("gObhX0giqA2z1NzLaWNiewefTrNNKam"), NULL, ERR_TOKEN_MALFORMED, STR_NONE},
		{"raw, long", STR(BARE "0"), NULL, ERR_TOKEN_MALFORMED, STR_NONE},
		{"raw, other letter", STR("gObhX0giqA2z1NzLaWNiewefTrNNKam-"), NULL, ERR_TOKEN_MALFORMED, STR_NONE},
		{"raw, line", STR("gObhX0giqA2z1NzLaWNiewefTrNNK%0D%0A"), NULL, ERR_TOKEN_MALFORMED, STR_NONE},
		{"cookie", arena_printf(arena, BARE ".%.*s", STR_ARGS(q)), TOKEN, ERR_NONE,
		 arena_printf(arena, "Cookie: " TOKEN "=" BARE ".%.*s", STR_ARGS(q))},
		{"cookie, not encoded", arena_printf(arena, BARE ".%.*s", STR_ARGS(right)), TOKEN, ERR_NONE,
		 arena_printf(arena, "Cookie: " TOKEN "=" BARE ".%.*s", STR_ARGS(q))},
		{"cookie, old secret", arena_printf(arena, BARE ".%.*s", STR_ARGS(cookie_signature(OLD))), TOKEN,
		 ERR_NONE, STR_NONE},
		{"signed bearer", arena_printf(arena, BARE ".%.*s", STR_ARGS(right)), NULL, ERR_NONE,
		 arena_printf(arena, "Authorization: Bearer " BARE ".%.*s", STR_ARGS(q))},
		{"wrong", arena_printf(arena, BARE ".%.*s", STR_ARGS(wrong)), TOKEN, ERR_BAD_SIGNATURE, STR_NONE},
		{"wrong bearer", arena_printf(arena, BARE ".%.*s", STR_ARGS(wrong)), NULL, ERR_BAD_SIGNATURE, STR_NONE},
		{"other token", arena_printf(arena, "A%.*s.%.*s", 31, BARE, STR_ARGS(right)), TOKEN, ERR_BAD_SIGNATURE,
		 STR_NONE},
		{"no padding", arena_printf(arena, BARE ".%.*s", (int)right.n - 1, right.p), TOKEN, ERR_TOKEN_MALFORMED,
		 STR_NONE},
		{"other alphabet", arena_printf(arena, BARE ".%.*s=", STR_ARGS(encode(mac_of(OLD, STR(BARE))))), TOKEN,
		 ERR_TOKEN_MALFORMED, STR_NONE},
		{"empty signature", STR(BARE "."), TOKEN, ERR_TOKEN_MALFORMED, STR_NONE},
		{"broken percent", STR(BARE ".%2"), TOKEN, ERR_TOKEN_MALFORMED, STR_NONE},
		{"in the cache's cookie", arena_printf(arena, BARE ".%.*s", STR_ARGS(right)), DATA, ERR_NOT_FOUND,
		 STR_NONE},
		{"a signed token", hs256(SECRET, CLAIMS), NULL, ERR_NOT_FOUND, STR_NONE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct token token;
		struct issuer_session session;
		CU_ASSERT_EQUAL_FATAL(token_parse(arena, rows[i].text, &token), ERR_NONE);
		token.cookie = str_of(rows[i].cookie);
		enum err err = issuer_session(issuer, arena, &token, &session);
		UNIT_ROW(err == rows[i].want, rows[i].what);
		if (err)
			continue;
		UNIT_STR_EQ(token.canonical, STR(BARE), rows[i].what);
		UNIT_STR_EQ(session.url, STR("http://127.0.0.1/get-session"), rows[i].what);
		UNIT_ROW(session.ttl == 60, rows[i].what);
		if (rows[i].header.p)
			UNIT_STR_EQ(session.header, rows[i].header, rows[i].what);
	}
	issuer_close(&issuer);
	arena_reset(arena);
}

static void reads_answers(void)
{
	struct issuer_setup setup;
	struct issuer *issuer = open_issuer(&setup, "better-auth");
	static const struct {
		const char *answer;
		enum err want;
	} rows[] = {
		{"{" SESSION "," USER "}", ERR_NONE},
		{"{\"user\":{\"id\":\"u1\"},\"session\":{\"expiresAt\":\"2026-11-27T11:42:21.002Z\"}}", ERR_NONE},
		{"null", ERR_TOKEN_EXPIRED},
		{" null\n", ERR_TOKEN_EXPIRED},
		{"{\"user\":{\"id\":\"u1\"},\"session\":{\"expiresAt\":\"2026-11-20T11:42:26.999Z\"}}",
		 ERR_TOKEN_EXPIRED},
		{"", ERR_PROFILE},
		{"{}", ERR_PROFILE},
		{"[]", ERR_PROFILE},
		{"nul", ERR_PROFILE},
		{"true", ERR_PROFILE},
		{"<html>", ERR_PROFILE},
		{"{" SESSION "}", ERR_PROFILE},
		{"{" USER "}", ERR_PROFILE},
		{"{" SESSION "," USER, ERR_PROFILE},
		{"{" SESSION "," USER "}{}", ERR_PROFILE},
		{"{\"exp\":9999999999," SESSION "," USER "}", ERR_PROFILE},
		{"{" SESSION ",\"user\":null}", ERR_PROFILE},
		{"{" SESSION ",\"user\":{\"id\":\"\"}}", ERR_PROFILE},
		{"{" SESSION ",\"user\":{\"id\":1}}", ERR_PROFILE},
		{"{" SESSION ",\"user\":{\"id\":\"u2\"}}", ERR_PROFILE},
		{"{" SESSION "," USER "," USER "}", ERR_PROFILE},
		{"{\"user\":{\"id\":\"u1\"},\"session\":{\"token\":\"other\","
		 "\"expiresAt\":\"2026-11-27T11:42:21.002Z\"}}",
		 ERR_PROFILE},
		{"{\"user\":{\"id\":\"u1\"},\"session\":{\"expiresAt\":\"tomorrow\"}}", ERR_PROFILE},
		{"{\"user\":{\"id\":\"u1\"},\"session\":{\"expiresAt\":4102444800000}}", ERR_PROFILE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct token token;
		struct issuer_session session;
		struct claims claims = {0};
		CU_ASSERT_EQUAL_FATAL(token_parse(arena, STR(BARE), &token), ERR_NONE);
		token.cookie = STR_NONE;
		CU_ASSERT_EQUAL(issuer_session(issuer, arena, &token, &session), ERR_NONE);
		enum err err = issuer_verify_session(issuer, &(struct verification){NULL, arena, NOW},
						     str_of(rows[i].answer), &token, &claims);
		UNIT_ROW(err == rows[i].want, rows[i].answer);
		if (err == ERR_NONE) {
			UNIT_STR_EQ(claims.user_id, STR("u1"), rows[i].answer);
			UNIT_ROW(claims.exp == 1795779741 && claims.leeway == 0, rows[i].answer);
		}
	}
	issuer_close(&issuer);
	arena_reset(arena);
}

/* Both secrets are good while one replaces the other; a third is not. */
static void secrets_of_nextauth(void)
{
	struct issuer_setup setup;
	struct issuer *issuer = open_issuer(&setup, "nextauth");
	static const struct recipe salted = {"x", "NextAuth.js Generated Encryption Key (x)", "A256GCM", false};
	const char *claims_json = "{\"sub\":\"u1\",\"exp\":1795175241}";
	const struct {
		const char *what;
		struct str text;
		enum err want;
	} rows[] = {
		{"first", encrypted(&nextauth, SECRET, claims_json), ERR_NONE},
		{"second", encrypted(&nextauth, OLD, claims_json), ERR_NONE},
		{"third", encrypted(&nextauth, "x" SECRET, claims_json), ERR_DECRYPT_FAILED},
		{"salted", encrypted(&salted, SECRET, claims_json), ERR_DECRYPT_FAILED},
		{"Better Auth", encrypted(&better_auth, SECRET, claims_json), ERR_BAD_ALGORITHM},
		{"signed", hs256(SECRET, claims_json), ERR_BAD_ALGORITHM},
		{"no exp", encrypted(&nextauth, SECRET, "{\"sub\":\"u1\"}"), ERR_BAD_CLAIM},
		{"not yet", encrypted(&nextauth, SECRET, "{\"sub\":\"u1\",\"exp\":1795175241,\"nbf\":1795174962}"),
		 ERR_NOT_YET_VALID},
		{"within leeway", encrypted(&nextauth, SECRET, "{\"sub\":\"u1\",\"exp\":1795174932}"), ERR_NONE},
		{"over", encrypted(&nextauth, SECRET, "{\"sub\":\"u1\",\"exp\":1795174931}"), ERR_TOKEN_EXPIRED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct claims claims;
		struct token token;
		UNIT_ROW(verify(issuer, rows[i].text, NULL, &claims, &token) == rows[i].want, rows[i].what);
	}
	issuer_close(&issuer);
	arena_reset(arena);
}

int main(void)
{
	static const struct unit_case cases[] = {{"kinds", kinds},
						 {"compact again", compact_again},
						 {"signed with one key", signed_with_one_key},
						 {"asks for sessions", asks_for_sessions},
						 {"reads answers", reads_answers},
						 {"secrets of NextAuth", secrets_of_nextauth},
						 {0}};
	if (!token_start() || !arena_open(ARENA, &arena) || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("issuer_better_auth", cases);
	token_thread_close(&thread);
	arena_close(&arena);
	return status;
}
