/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers of type better-auth: signed API tokens, the cookie cache in its four
 * forms, and opaque sessions. The cookie says what a token may be: in one whose
 * name ends in "session_data" only a cache is taken, and nowhere else is one. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/compact.h"
#include "token/issuer_derived.h"
#include "token/issuer_keys.h"
#include "token/timestamp.h"

enum { SESSION_TOKEN = 32, COOKIE_SIGNATURE = 44, CACHE_LEEWAY = 15 };

static const struct str cache_typ = {"better-auth.session-cache+jwt", 29};

static const char *const encryptions[] = {"A256CBC-HS512", NULL};

static const struct derivation derivation = {
	.salt = {"better-auth-session", 19},
	.info = {"BetterAuth.js Generated Encryption Key", 38},
	.encryptions = encryptions,
	.kid = DERIVED_KID_SHA256,
};

/* What is made of the secrets, each for one purpose. */
struct better_auth {
	struct derived_keys encrypted; /* cache, strategy jwe */
	struct key_set hs256;	       /* cache, strategy jwt */
	struct digest_hmac secrets[KEY_SECRETS_MAX]; /* cache, strategy compact; the session cookie */
	size_t n_secrets;
};

enum kind {
	API_TOKEN,	 /* signed by the jwt plugin's key */
	SIGNED_CACHE,	 /* the same key; typ and aud tell them apart */
	HS256_CACHE,	 /* signed with the secret */
	ENCRYPTED_CACHE, /* encrypted with a key derived from the secret */
	COMPACT_CACHE,	 /* a form of its own, signed with the secret */
	SESSION,	 /* opaque */
	NOTHING		 /* no such token is made */
};

static struct str alg_of(const struct token *token)
{
	struct str alg = STR_NONE;
	json_string(json_member(token->header, STR("alg")), &alg);
	return alg;
}

static enum kind kind_of(const struct token *token)
{
	bool cache = str_ends(token->cookie, STR("session_data"));
	switch (token->form) {
	case TOKEN_JWS:
		if (!cache)
			return API_TOKEN;
		return str_eq(alg_of(token), STR("HS256")) ? HS256_CACHE : SIGNED_CACHE;
	case TOKEN_JWE:
		return cache ? ENCRYPTED_CACHE : NOTHING;
	default:
		return cache ? COMPACT_CACHE : SESSION;
	}
}

/* Keys ------------------------------------------------------------------- */

static bool fail_short(const struct conf_text *where, struct str secret, const struct algorithm *hs256,
		       struct conf_error *error)
{
	return conf_fail_at(error, where, "secret",
			    "the secret has %zu bytes, HS256 needs at least %zu (RFC 7518 section 3.2); set a longer "
			    "BETTER_AUTH_SECRET, or allow-short-secret = on",
			    secret.n, hs256->key_size);
}

static bool add_secret(const struct conf_text *where, struct str secret, struct issuer *issuer,
		       struct conf_error *error)
{
	struct better_auth *own = issuer->own;
	const struct algorithm *hs256 = algorithm_find(STR("HS256"), ALGORITHM_ALL);
	struct key *key;
	if (!issuer->conf->allow_short_secret && !key_secret_suffices(secret, hs256))
		return fail_short(where, secret, hs256, error);
	if (!digest_hmac_key(DIGEST_SHA256, secret, &own->secrets[own->n_secrets++]) ||
	    !derived_add(&own->encrypted, issuer, &derivation, where, secret) ||
	    !key_open_hmac(hs256, secret, STR_NONE, &key))
		return conf_fail_at(error, where, "secret", "no memory");
	if (key_set_add(&own->hs256, key))
		return true;
	key_close(&key);
	return conf_fail_at(error, where, "secret", "no memory");
}

static bool load_secrets(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct conf_list *secrets = &issuer->conf->secret;
	struct arena *arena;
	struct str secret;
	bool good = derived_read_encryptions(section, &derivation, issuer, error) &&
		    issuer_check_secrets(section, error);
	if (!arena_open(ISSUER_SECRET_ARENA, &arena))
		return conf_fail(error, section, "secret", "no memory");
	for (size_t i = 0; good && i < secrets->n; i++) {
		arena_reset(arena);
		good = issuer_load_secret(&secrets->items[i], arena, &secret, error) &&
		       add_secret(&secrets->items[i], secret, issuer, error);
	}
	arena_close(&arena);
	return good;
}

/* Cookies of sessions come last: to ask for each of them costs a call. */
static void choose_cookies(struct issuer *issuer)
{
	static const struct conf_text cookies[] = {
		{.value = {"__Secure-better-auth.session_data", 33}},
		{.value = {"better-auth.session_data", 24}},
		{.value = {"__Secure-better-auth.session_token", 34}},
		{.value = {"better-auth.session_token", 25}},
	};
	if (issuer->conf->cookie.n == 0)
		issuer->cookies = (struct conf_list){cookies, issuer->conf->session_url.value.p ? 4 : 2};
}

static bool better_auth_open(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct issuer_conf *conf = issuer->conf;
	bool has_public = conf->jwks.value.p || conf->public_key.n > 0, has_session = conf->session_url.value.p;
	struct better_auth *own = issuer->own = calloc(1, sizeof *own);
	if (!own)
		return conf_fail(error, section, "", "no memory");
	key_set_begin(&own->hs256);
	if (!has_public && !has_session && conf->secret.n == 0)
		return conf_fail(error, section, "",
				 "has no key: write jwks = https://…/api/auth/jwks for API tokens, secret = file:PATH "
				 "for cookie caches, session-url = https://…/api/auth/get-session for sessions");
	if (has_session && !str_starts(conf->session_url.value, STR("http")))
		return conf_fail_at(error, &conf->session_url, "session-url", "\"%.*s\" is no URL (https://…)",
				    STR_ARGS(conf->session_url.value));
	choose_cookies(issuer);
	issuer->forms = (has_public || conf->secret.n > 0 ? TOKEN_FORM(TOKEN_JWS) : 0) |
			(conf->secret.n > 0 ? TOKEN_FORM(TOKEN_JWE) : 0) |
			(has_session || conf->secret.n > 0 ? TOKEN_FORM(TOKEN_OTHER) : 0);
	if (has_public &&
	    (!issuer_read_algorithms(section, issuer, error) || !issuer_load_public(section, issuer, error)))
		return false;
	return conf->secret.n == 0 || load_secrets(section, issuer, error);
}

static void better_auth_close(struct issuer *issuer)
{
	struct better_auth *own = issuer->own;
	if (!own)
		return;
	derived_close(&own->encrypted);
	key_set_close(&own->hs256);
	secret_wipe(own, sizeof *own);
	free(own);
	issuer->own = NULL;
}

static bool better_auth_fits(const struct issuer *issuer, const struct token *token)
{
	const struct better_auth *own = issuer->own;
	switch (kind_of(token)) {
	case API_TOKEN:
	case SIGNED_CACHE:
		return issuer_has_key(issuer, token);
	case ENCRYPTED_CACHE:
		return derived_fit(&own->encrypted, issuer, token);
	case SESSION:
		return issuer->conf->session_url.value.p;
	default:
		return own->n_secrets > 0;
	}
}

/* Cookie caches ---------------------------------------------------------- */

/* Has one of the secrets made the mac over the text? Which one is no secret. */
static bool is_mac(const struct better_auth *own, struct str text, struct str mac)
{
	unsigned char ours[DIGEST_MAX];
	for (size_t i = 0; i < own->n_secrets; i++)
		if (digest_hmac(&own->secrets[i], text, ours) && mac.n == DIGEST_SIZE &&
		    secret_equal(ours, mac.p, DIGEST_SIZE))
			return true;
	return false;
}

/* The claims set: members of an object, and when it ends. A member "exp" of its
 * own would be a second one, which is refused. */
static bool set_claims(struct arena *arena, struct str object, int64_t exp, struct token *token)
{
	struct buf text = arena_buf(arena, object.n + sizeof "\"exp\":-9223372036854775808,");
	buf_add(&text, STR("{\"exp\":"));
	buf_int(&text, exp);
	buf_char(&text, ',');
	buf_add(&text, str_skip(object, 1));
	return !text.full && compact_object(arena, buf_str(&text), &token->payload);
}

/* base64url of {"session":{…},"expiresAt":…,"signature":"…"}. Signed are the
 * members of session followed by expiresAt, printed by JSON.stringify: the very
 * bytes of session, never printed again. They are the canonical text too,
 * because what is around them can be written in many ways. */
static enum err authenticate_compact(const struct better_auth *own, struct arena *arena, struct token *token)
{
	struct str bytes, signature, mac;
	const struct json *outer;
	int64_t expires_at;
	if (!compact_decode(arena, token->text, &bytes) || !compact_object(arena, bytes, &outer))
		return ERR_TOKEN_MALFORMED;
	const struct json *session = json_member(outer, STR("session"));
	const struct json *expires = json_member(outer, STR("expiresAt"));
	if (!session || session->type != JSON_OBJECT || !json_integer(expires, &expires_at) || expires_at < 0 ||
	    !json_string(json_member(outer, STR("signature")), &signature) || !compact_decode(arena, signature, &mac))
		return ERR_TOKEN_MALFORMED;
	if (own->n_secrets == 0)
		return ERR_UNKNOWN_KEY;
	token->canonical = arena_printf(arena, "%.*s,\"expiresAt\":%.*s}", (int)session->raw.n - 1, session->raw.p,
					STR_ARGS(expires->raw));
	if (!token->canonical.p)
		return ERR_INTERNAL;
	if (!is_mac(own, token->canonical, mac))
		return ERR_BAD_SIGNATURE;
	return set_claims(arena, session->raw, expires_at / 1000, token) ? ERR_NONE : ERR_TOKEN_MALFORMED;
}

static enum err authenticate_hs256(const struct better_auth *own, struct token_thread *thread,
				   const struct token *token)
{
	struct algorithm_set hs256 = {0};
	algorithm_add(&hs256, algorithm_find(STR("HS256"), ALGORITHM_ALL));
	return jws_verify(&own->hs256, thread, hs256, token);
}

static enum err better_auth_authenticate(const struct issuer *issuer, struct token_thread *thread,
					 struct arena *arena, struct token *token)
{
	const struct better_auth *own = issuer->own;
	switch (kind_of(token)) {
	case API_TOKEN:
	case SIGNED_CACHE:
		return issuer_verify_signature(issuer, thread, token);
	case HS256_CACHE:
		return authenticate_hs256(own, thread, token);
	case ENCRYPTED_CACHE:
		return derived_authenticate(&own->encrypted, issuer, thread, arena, token);
	case COMPACT_CACHE:
		return authenticate_compact(own, arena, token);
	case SESSION:
		return ERR_TOKEN_MALFORMED;
	default:
		return ERR_BAD_ALGORITHM;
	}
}

/* Claims ----------------------------------------------------------------- */

/* Caches and sessions have neither iss nor aud, and the user's id is at user.id;
 * the cache that is signed by the API's key says in typ and aud that it is one. */
static void better_auth_adapt(const struct issuer *issuer, const struct token *token, struct claims_rules *rules)
{
	static const struct conf_text typ = {.value = {"better-auth.session-cache+jwt", 29}};
	static const struct conf_text audience = {.value = {"better-auth:session-cache", 25}};
	static const struct conf_text user_id = {.value = {"user.id", 7}};
	enum kind kind = kind_of(token);
	if (kind == API_TOKEN)
		return;
	rules->typ = kind == SIGNED_CACHE ? (struct conf_list){&typ, 1} : (struct conf_list){0};
	rules->audience = kind == SIGNED_CACHE ? (struct conf_list){&audience, 1} : (struct conf_list){0};
	if (kind != SIGNED_CACHE)
		rules->iss = (struct conf_list){0};
	rules->authorized_parties = (struct conf_list){0};
	if (issuer->conf->user_id.n == 0)
		rules->user_id = (struct conf_list){&user_id, 1};
	bool jose = kind == SIGNED_CACHE || kind == HS256_CACHE || kind == ENCRYPTED_CACHE;
	if (issuer->conf->leeway < 0 && jose)
		rules->leeway = CACHE_LEEWAY;
}

static struct str text_at(const struct json *object, struct str path)
{
	struct str text;
	return json_string(json_path(object, path), &text) && text.n > 0 ? text : STR_NONE;
}

/* Every form of one session counts as one token, so that ending one form ends
 * the others: jti is the session's token, iat its beginning. A cache is renewed
 * every few minutes, and use makes the session itself longer. */
static enum err check_session(const struct issuer *issuer, struct claims *claims)
{
	const struct json *session = json_member(claims->all, STR("session"));
	struct str token = text_at(claims->all, STR("session.token"));
	int64_t begin, end;
	if (!text_at(claims->all, STR("user.id")).p || !session || session->type != JSON_OBJECT)
		return ERR_BAD_CLAIM;
	if (token.p) {
		claims->jti = token;
		claims->renewable = true;
	}
	if (timestamp_parse(text_at(session, STR("createdAt")), &begin))
		claims->iat = begin;
	if (timestamp_parse(text_at(session, STR("expiresAt")), &end) && end < claims->exp)
		claims->exp = end;
	if (issuer->rules.iss.n > 0 && !claims->iss.p)
		claims->iss = issuer->rules.iss.items[0].value;
	return ERR_NONE;
}

static enum err better_auth_check(const struct issuer *issuer, struct arena *arena, const struct token *token,
				  struct claims *claims)
{
	(void)arena;
	enum kind kind = kind_of(token);
	if (kind == API_TOKEN)
		return str_eq_nocase(text_at(token->header, STR("typ")), cache_typ) ? ERR_BAD_CLAIM : ERR_NONE;
	if (kind == SIGNED_CACHE && !str_eq(text_at(claims->all, STR("sub")), text_at(claims->all, STR("user.id"))))
		return ERR_BAD_CLAIM;
	return check_session(issuer, claims);
}

/* Opaque sessions -------------------------------------------------------- */

static bool is_session_token(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'))
			return false;
	}
	return text.n == SESSION_TOKEN;
}

/* The signature is base64 with padding: '+', '/', '=' are put back for comparing. */
static enum err check_signature(const struct better_auth *own, struct arena *arena, struct str token,
				struct str signature)
{
	struct buf plain = arena_buf(arena, COOKIE_SIGNATURE);
	struct str mac;
	if (signature.n != COOKIE_SIGNATURE || signature.p[COOKIE_SIGNATURE - 1] != '=')
		return ERR_TOKEN_MALFORMED;
	for (size_t i = 0; i + 1 < signature.n; i++) {
		char c = signature.p[i];
		if (c == '-' || c == '_')
			return ERR_TOKEN_MALFORMED;
		buf_char(&plain, c == '+' ? '-' : c == '/' ? '_' : c);
	}
	if (!compact_decode(arena, buf_str(&plain), &mac))
		return ERR_TOKEN_MALFORMED;
	/* Without a secret here, the server that is asked checks it. */
	return own->n_secrets == 0 || is_mac(own, token, mac) ? ERR_NONE : ERR_BAD_SIGNATURE;
}

/* As the bearer plugin takes it, or as the cookie that it came in. */
static struct str print_header(struct arena *arena, struct str cookie, struct str token, struct str signature)
{
	struct buf line = arena_buf(arena, cookie.n + sizeof "Authorization: Bearer ." + SESSION_TOKEN +
						   3 * COOKIE_SIGNATURE);
	if (cookie.p)
		buf_printf(&line, "Cookie: %.*s=", STR_ARGS(cookie));
	else
		buf_add(&line, STR("Authorization: Bearer "));
	buf_add(&line, token);
	if (signature.p) {
		buf_char(&line, '.');
		percent_encode(&line, signature, "");
	}
	return line.full ? STR_NONE : buf_str(&line);
}

static enum err better_auth_session(const struct issuer *issuer, struct arena *arena, struct token *token,
				    struct issuer_session *out)
{
	const struct issuer_conf *conf = issuer->conf;
	struct str signature = STR_NONE, bare;
	if (kind_of(token) != SESSION || !conf->session_url.value.p)
		return ERR_NOT_FOUND;
	/* Percent-encoded in the cookie, and in set-auth-token, which clients send back. */
	struct buf text = arena_buf(arena, token->text.n);
	if (text.full || !percent_decode(token->text, false, text.p, &text.n))
		return ERR_TOKEN_MALFORMED;
	struct str rest = buf_str(&text);
	str_split(&rest, '.', &bare);
	signature = rest;
	if (!is_session_token(bare) || (token->cookie.p && !signature.p))
		return ERR_TOKEN_MALFORMED;
	enum err err = signature.p ? check_signature(issuer->own, arena, bare, signature) : ERR_NONE;
	if (err)
		return err;
	out->url = conf->session_url.value;
	out->ttl = conf->session_ttl / 1000;
	out->header = print_header(arena, token->cookie, bare, signature);
	token->canonical = bare;
	return out->header.p ? ERR_NONE : ERR_INTERNAL;
}

/* Where it is said, it is what was asked for. */
static bool agrees(struct str said, struct str asked)
{
	return !said.p || str_eq(said, asked);
}

static enum err better_auth_read_session(const struct issuer *issuer, struct arena *arena, struct str answer,
					 struct token *token)
{
	(void)issuer;
	const struct json *all;
	int64_t exp;
	if (!json_parse(arena, answer, &all))
		return ERR_PROFILE;
	if (all->type == JSON_NULL)
		return ERR_TOKEN_EXPIRED;
	struct str user_id = text_at(all, STR("user.id"));
	if (!user_id.p || !timestamp_parse(text_at(all, STR("session.expiresAt")), &exp) ||
	    !agrees(text_at(all, STR("session.token")), token->canonical) ||
	    !agrees(text_at(all, STR("session.userId")), user_id))
		return ERR_PROFILE;
	return set_claims(arena, all->raw, exp, token) ? ERR_NONE : ERR_PROFILE;
}

static void better_auth_each_key(const struct issuer *issuer, issuer_key_visit *visit, void *context)
{
	const struct better_auth *own = issuer->own;
	issuer_visit_set(&own->hs256, visit, context);
	derived_visit(&own->encrypted, visit, context);
}

/* Driver ----------------------------------------------------------------- */

static const char *const algorithms[] = {"EdDSA", "ES256", "ES512", "PS256", "RS256", NULL};
static const char *const user_id[] = {"sub", NULL};
static const char *const options[] = {"algorithms",   "secret",		"public-key",	  "jwks",
				      "jwks-refresh", "jwks-cooldown",	"jwks-stale",	  "allow-plain-http",
				      "session-url",  "session-ttl",	"allow-short-secret", NULL};

const struct issuer_driver issuer_better_auth = {
	.name = "better-auth",
	.options = options,
	.forms = TOKEN_FORM(TOKEN_JWS) | TOKEN_FORM(TOKEN_JWE) | TOKEN_FORM(TOKEN_OTHER),
	.defaults = {.user_id = user_id, .algorithms = algorithms},
	.open = better_auth_open,
	.close = better_auth_close,
	.each_key = better_auth_each_key,
	.fits = better_auth_fits,
	.authenticate = better_auth_authenticate,
	.adapt = better_auth_adapt,
	.check = better_auth_check,
	.session = better_auth_session,
	.read_session = better_auth_read_session,
};
