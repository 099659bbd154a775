/* SPDX-License-Identifier: Apache-2.0 */
/* What all types of issuers have in common: options, claims, making tokens. */
#include "token/issuer.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "token/issuer_internal.h"
#include "token/issuer_seen.h"

static const struct conf_opt opts[] = {
	{"type", CONF_TEXT, offsetof(struct issuer_conf, type), "jwt", NULL,
	 "What makes the tokens: jwt for any signed JSON Web Token."},
	{"iss", CONF_LIST, offsetof(struct issuer_conf, iss), NULL, NULL,
	 "The claim iss must be one of these, exactly; without the option any iss is taken."},
	{"audience", CONF_LIST, offsetof(struct issuer_conf, audience), NULL, NULL,
	 "The claim aud must have one of these, exactly; without the option tokens for any service are taken."},
	{"authorized-parties", CONF_LIST, offsetof(struct issuer_conf, authorized_parties), NULL, NULL,
	 "The claim azp must be one of these, exactly."},
	{"algorithms", CONF_LIST, offsetof(struct issuer_conf, algorithms), NULL, NULL,
	 "Signature algorithms that are accepted: HS256, HS384, HS512 with a secret; RS256 to 512, PS256 to 512, "
	 "ES256 to 512, EdDSA, Ed25519 with public keys; the first signs; by default what the type has (jwt: none)."},
	{"encryption", CONF_LIST, offsetof(struct issuer_conf, encryption), NULL, NULL,
	 "Content encryptions that are accepted when tokens are encrypted with the secret itself (JWE dir), instead of "
	 "algorithms: A256GCM, A256CBC-HS512, A192GCM, A192CBC-HS384, A128GCM, A128CBC-HS256."},
	{"secret", CONF_LINES, offsetof(struct issuer_conf, secret), NULL, NULL,
	 "Where a shared secret is: file:PATH, cred:NAME or env:NAME, one a line; the first signs, all verify; keys "
	 "come from one of secret, key-ring, public-key and jwks."},
	{"public-key", CONF_LINES, offsetof(struct issuer_conf, public_key), NULL, NULL,
	 "File with a public key that verifies, PEM or JWK, one a line."},
	{"key-ring", CONF_TEXT, offsetof(struct issuer_conf, key_ring), NULL, NULL,
	 "Where a key ring of secrets and private keys is, which authctl keys looks after: file:PATH; its first key "
	 "signs, all verify."},
	{"jwks", CONF_TEXT, offsetof(struct issuer_conf, jwks), NULL, NULL,
	 "Where the JWK Set with the public keys is: a URL, or file:PATH for one that is read at the start."},
	{"jwks-refresh", CONF_DURATION, offsetof(struct issuer_conf, jwks_refresh), "15m", "10s-30d",
	 "How old a fetched JWK Set may get before it is fetched again."},
	{"jwks-cooldown", CONF_DURATION, offsetof(struct issuer_conf, jwks_cooldown), "30s", "1s-1d",
	 "At most one fetch in this time, however many unknown keys tokens name."},
	{"jwks-stale", CONF_DURATION, offsetof(struct issuer_conf, jwks_stale), "24h", "0-365d",
	 "How long the last good JWK Set is used while it cannot be fetched."},
	{"allow-plain-http", CONF_BOOL, offsetof(struct issuer_conf, allow_plain_http), "off", NULL,
	 "Take http: URLs in jwks and session-url for hosts other than this one: who is between can forge tokens."},
	{"typ", CONF_LIST, offsetof(struct issuer_conf, typ), NULL, NULL,
	 "The header's typ must be one of these, such as JWT or at+jwt."},
	{"leeway", CONF_DURATION, offsetof(struct issuer_conf, leeway), NULL, "0-10m",
	 "How far clocks may differ when exp and nbf are judged; by default what the type's own libraries allow (jwt: "
	 "0)."},
	{"require-exp", CONF_BOOL, offsetof(struct issuer_conf, require_exp), "on", NULL,
	 "Refuse tokens that never expire."},
	{"max-lifetime", CONF_DURATION, offsetof(struct issuer_conf, max_lifetime), "0", "0-",
	 "Refuse tokens that are good for longer than this, from iat to exp; 0 for no limit."},
	{"user-id", CONF_LIST, offsetof(struct issuer_conf, user_id), NULL, NULL,
	 "Where the user's id is among the claims: paths such as user.id; the first that is there counts; by default "
	 "what the type has (jwt: sub, user_id)."},
	{"cookie", CONF_LIST, offsetof(struct issuer_conf, cookie), NULL, NULL,
	 "Exact names of the cookies that carry the tokens; by default what the type has (jwt: none)."},
	{"salt", CONF_TEXT, offsetof(struct issuer_conf, salt), NULL, NULL,
	 "Salt of the derived key; by default what the type has (nextauth: none, authjs: the cookie's name)."},
	{"allow-short-secret", CONF_BOOL, offsetof(struct issuer_conf, allow_short_secret), "off", NULL,
	 "Take secrets that are shorter than their algorithm's hash, which can be guessed."},
	{"session-url", CONF_TEXT, offsetof(struct issuer_conf, session_url), NULL, NULL,
	 "Where opaque session tokens are looked up (better-auth: …/api/auth/get-session)."},
	{"session-ttl", CONF_DURATION, offsetof(struct issuer_conf, session_ttl), "1m", "0-1h",
	 "How long such an answer is used again."},
	{"max-token", CONF_SIZE, offsetof(struct issuer_conf, max_token), "16k", "1k-128k",
	 "Longer tokens are refused before they are looked at."},
	{0},
};

const struct conf_kind issuer_kind = {
	.name = "issuer",
	.named = true,
	.size = sizeof(struct issuer_conf),
	.opts = opts,
	.help = "Who signs tokens, with which keys, and what the tokens must say.",
};

static const struct issuer_driver *find_driver(struct str type)
{
	for (size_t i = 0; issuer_drivers[i]; i++)
		if (str_eq(str_of(issuer_drivers[i]->name), type))
			return issuer_drivers[i];
	return NULL;
}

static bool fail_type(const struct conf_section *section, struct str type, struct conf_error *error)
{
	char memory[256];
	struct buf known = buf_over(memory, sizeof memory);
	for (size_t i = 0; issuer_drivers[i]; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", issuer_drivers[i]->name);
	return conf_fail(error, section, "type", "\"%.*s\" is not known; types are %s", STR_ARGS(type), buf_z(&known));
}

/* A token of RFC 9110 section 5.6.2, which a cookie's name is (RFC 6265 section 4.1.1). */
static bool is_cookie_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || strchr("()<>@,;:\\\"/[]?={}", name.p[i]))
			return false;
	return name.n > 0;
}

static bool has_word(const char *const *words, const char *word)
{
	for (size_t i = 0; words && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

/* What would be ignored was meant to do something. */
static bool check_type(const struct conf_section *section, const struct issuer_driver *driver,
		       struct conf_error *error)
{
	static const char *const common[] = {"type",	   "iss",	   "audience", "authorized-parties",
					     "typ",	   "leeway",	   "user-id",  "require-exp",
					     "max-lifetime", "max-token", "cookie",   NULL};
	for (size_t i = 0; opts[i].key; i++)
		if (conf_is_given(section, opts[i].key) && !has_word(common, opts[i].key) &&
		    !has_word(driver->options, opts[i].key))
			return conf_fail(error, section, opts[i].key, "means nothing for type %s: remove it",
					 driver->name);
	return true;
}

/* What is for fetching alone. */
static bool check_fetching(const struct conf_section *section, struct conf_error *error)
{
	static const char *const fetching[] = {"jwks-refresh", "jwks-cooldown", "jwks-stale", NULL};
	const struct issuer_conf *conf = section->values;
	bool url = conf->jwks.value.p && !str_starts(conf->jwks.value, STR("file:"));
	for (size_t i = 0; fetching[i] && !url; i++)
		if (conf_is_given(section, fetching[i]))
			return conf_fail(error, section, fetching[i], "is for a jwks that is a URL: remove it");
	return true;
}

static bool check_options(const struct conf_section *section, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	for (size_t i = 0; i < conf->cookie.n; i++)
		if (!is_cookie_name(conf->cookie.items[i].value))
			return conf_fail_at(error, &conf->cookie.items[i], "cookie",
					    "\"%.*s\" can't be the name of a cookie",
					    STR_ARGS(conf->cookie.items[i].value));
	for (size_t i = 0; i < conf->user_id.n; i++)
		if (!json_path_valid(conf->user_id.items[i].value))
			return conf_fail_at(error, &conf->user_id.items[i], "user-id",
					    "\"%.*s\" is no path: write names joined by dots, and put a name that "
					    "has dots or slashes in double quotes; or a JSON pointer, as /user/id",
					    STR_ARGS(conf->user_id.items[i].value));
	return true;
}

/* Said at the start: a token that is meant for another service may be taken. A
 * party that it was issued to (azp) says as much as its audience. */
static void tell_what_is_open(const struct issuer *issuer)
{
	const struct claims_rules *rules = &issuer->rules;
	bool no_iss = rules->iss.n == 0, no_audience = rules->audience.n == 0 && rules->authorized_parties.n == 0;
	if ((no_iss || no_audience) && !issuer->driver->defaults.anonymous)
		log_text(LOG_NOTICE, "config",
			 "issuer \"%.*s\" has no %s%s%s: every token that its keys fit is taken, whoever it is for",
			 STR_ARGS(issuer->name), no_iss ? "iss" : "", no_iss && no_audience ? " and no " : "",
			 no_audience ? "audience" : "");
}

/* The list of the configuration, else the type's as one. */
static bool list_of(const struct conf_list *given, const char *const *own, struct issuer *issuer, struct conf_list *out)
{
	size_t n = 0;
	*out = *given;
	if (given->n > 0 || !own)
		return true;
	while (own[n])
		n++;
	struct conf_text *items = calloc(n, sizeof *items);
	if (!items)
		return false;
	for (size_t i = 0; i < n; i++)
		items[i].value = str_of(own[i]);
	issuer->own_lists[issuer->n_own_lists++] = items;
	*out = (struct conf_list){items, n};
	return true;
}

static bool set_rules(struct issuer *issuer)
{
	const struct issuer_conf *conf = issuer->conf;
	const struct issuer_defaults *own = &issuer->driver->defaults;
	issuer->rules = (struct claims_rules){
		.iss = conf->iss,
		.audience = conf->audience,
		.authorized_parties = conf->authorized_parties,
		.require_exp = conf->require_exp,
		.check_iat = own->check_iat,
		.leeway = conf->leeway < 0 ? own->leeway : conf->leeway / 1000,
		/* Rounded up: 0 would lift the limit. */
		.max_lifetime = conf->max_lifetime / 1000 + (conf->max_lifetime % 1000 != 0),
	};
	return list_of(&conf->typ, own->typ, issuer, &issuer->rules.typ) &&
	       list_of(&conf->user_id, own->user_id, issuer, &issuer->rules.user_id) &&
	       list_of(&conf->cookie, own->cookies, issuer, &issuer->cookies) &&
	       list_of(&conf->algorithms, own->algorithms, issuer, &issuer->algorithm_names);
}

bool issuer_open(const struct conf_section *section, unsigned slots, struct issuer **out, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	const struct issuer_driver *driver = find_driver(conf->type.value);
	if (!driver)
		return fail_type(section, conf->type.value, error);
	if (!check_type(section, driver, error) || !check_fetching(section, error) || !check_options(section, error))
		return false;
	struct issuer *issuer = calloc(1, sizeof *issuer);
	if (!issuer)
		return conf_fail(error, section, "", "no memory");
	issuer->driver = driver;
	issuer->forms = driver->forms;
	issuer->conf = conf;
	issuer->name = section->name;
	issuer->slots = slots;
	key_set_begin(&issuer->keys);
	random_bytes(&issuer->generation, sizeof issuer->generation);
	bool good = set_rules(issuer) ? driver->open(section, issuer, error)
				      : conf_fail(error, section, "", "no memory");
	if (!good) {
		issuer_close(&issuer);
		return false;
	}
	tell_what_is_open(issuer);
	*out = issuer;
	return true;
}

void issuer_close(struct issuer **issuer)
{
	struct issuer *i = *issuer;
	if (!i)
		return;
	if (i->driver->close)
		i->driver->close(i);
	key_source_close(&i->source);
	key_set_close(&i->keys);
	while (i->n_own_lists > 0)
		free(i->own_lists[--i->n_own_lists]);
	free(i);
	*issuer = NULL;
}

struct str issuer_name(const struct issuer *issuer)
{
	return issuer->name;
}

struct conf_list issuer_cookies(const struct issuer *issuer)
{
	return issuer->cookies;
}

bool issuer_claims_iss(const struct issuer *issuer, struct str iss, bool *has_list)
{
	const struct conf_list *list = &issuer->rules.iss;
	*has_list = list->n > 0;
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->items[i].value, iss))
			return true;
	return false;
}

const struct key_set *issuer_keys(const struct issuer *issuer)
{
	return &issuer->keys;
}

bool issuer_can_sign(const struct issuer *issuer)
{
	return issuer->driver->sign && issuer->keys.n > 0 && key_can_sign(issuer->keys.keys[0]);
}

bool issuer_takes(const struct issuer *issuer, enum token_form form)
{
	return issuer->forms & TOKEN_FORM(form);
}

bool issuer_fits(const struct issuer *issuer, const struct token *token)
{
	return issuer_takes(issuer, token->form) && issuer->driver->fits(issuer, token);
}

size_t issuer_max_token(const struct issuer *issuer)
{
	return (size_t)issuer->conf->max_token;
}

struct issuer_jwks issuer_jwks(const struct issuer *issuer)
{
	const struct issuer_conf *conf = issuer->conf;
	struct str url = conf->jwks.value;
	return (struct issuer_jwks){
		.url = str_starts(url, STR("file:")) ? STR_NONE : url,
		.refresh = conf->jwks_refresh,
		.cooldown = conf->jwks_cooldown,
		.stale = conf->jwks_stale,
		.algorithms = issuer->algorithms,
		.allow_plain_http = conf->allow_plain_http,
	};
}

void issuer_set_source(struct issuer *issuer, struct key_source *source)
{
	key_source_close(&issuer->source);
	issuer->source = key_source_hold(source);
}

static enum err judge(const struct issuer *issuer, const struct verification *with, struct token *token,
		      struct claims *out)
{
	struct claims claims;
	struct claims_rules rules = issuer->rules;
	if (issuer->driver->adapt)
		issuer->driver->adapt(issuer, token, &rules);
	enum err expired = claims_check(&rules, token, with->now, &claims);
	if (expired != ERR_NONE && expired != ERR_TOKEN_EXPIRED)
		return expired;
	enum err err = issuer->driver->check ? issuer->driver->check(issuer, with->arena, token, &claims) : ERR_NONE;
	if (err)
		return err;
	claims.issuer = issuer->name;
	*out = claims;
	return claims_expired(&claims, with->now) ? ERR_TOKEN_EXPIRED : expired;
}

enum err issuer_authenticate(const struct issuer *issuer, const struct verification *with, struct token *token)
{
	if (!issuer_takes(issuer, token->form))
		return token->form == TOKEN_OTHER ? ERR_TOKEN_MALFORMED : ERR_BAD_ALGORITHM;
	return issuer->driver->authenticate(issuer, with->thread, with->arena, token);
}

enum err issuer_verify(const struct issuer *issuer, const struct verification *with, struct token *token,
		       struct claims *out)
{
	if (!issuer_takes(issuer, token->form))
		return token->form == TOKEN_OTHER ? ERR_TOKEN_MALFORMED : ERR_BAD_ALGORITHM;
	const struct seen_key key = seen_key(issuer, with->thread, token);
	if (seen_find(&key, with->thread, with->arena, with->now, token))
		return judge(issuer, with, token, out);
	enum err err = issuer->driver->authenticate(issuer, with->thread, with->arena, token);
	if (err == ERR_NONE)
		err = judge(issuer, with, token, out);
	if (err == ERR_NONE)
		seen_put(&key, with->thread, token, out);
	return err;
}

enum err issuer_session(const struct issuer *issuer, struct arena *arena, struct token *token,
			struct issuer_session *out)
{
	out->allow_plain_http = issuer->conf->allow_plain_http;
	return issuer->driver->session ? issuer->driver->session(issuer, arena, token, out) : ERR_NOT_FOUND;
}

enum err issuer_verify_session(const struct issuer *issuer, const struct verification *with, struct str answer,
			       struct token *token, struct claims *out)
{
	enum err err = issuer->driver->read_session(issuer, with->arena, answer, token);
	return err ? err : judge(issuer, with, token, out);
}

static void add_member(struct buf *b, const char *name, const struct conf_list *list)
{
	if (list->n == 0)
		return;
	buf_printf(b, ",\"%s\":", name);
	buf_json(b, list->items[0].value);
}

static void print_claims(struct buf *b, const struct issuer *issuer, const struct issue *issue)
{
	unsigned char jti[16];
	random_bytes(jti, sizeof jti);
	buf_add(b, STR("{\"sub\":"));
	buf_json(b, issue->user_id);
	buf_add(b, STR(",\"iat\":"));
	buf_int(b, issue->now);
	buf_add(b, STR(",\"exp\":"));
	buf_int(b, issue->now + issue->lifetime);
	buf_add(b, STR(",\"jti\":"));
	if (issue->jti.n) {
		buf_json(b, issue->jti);
	} else {
		buf_char(b, '"');
		base64url_encode(b, jti, sizeof jti);
		buf_char(b, '"');
	}
	add_member(b, "iss", &issuer->rules.iss);
	add_member(b, "aud", &issuer->rules.audience);
	if (issue->members.n > 0)
		buf_char(b, ',');
	buf_add(b, issue->members);
	buf_char(b, '}');
}

static bool is_issue_fine(const struct issue *issue)
{
	int64_t exp;
	return claims_user_id_valid(issue->user_id) && issue->now >= 0 && issue->lifetime > 0 &&
	       !__builtin_add_overflow(issue->now, issue->lifetime, &exp);
}

enum err issuer_sign(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
		     const struct issue *issue, struct str *token)
{
	if (!issuer_can_sign(issuer) || !is_issue_fine(issue))
		return ERR_INTERNAL;
	struct buf claims = arena_buf(arena, ISSUED_MAX);
	struct buf text = arena_buf(arena, ISSUED_MAX);
	print_claims(&claims, issuer, issue);
	/* Read what was printed: members may be no JSON, or have a name of ours. */
	const struct json *parsed;
	if (claims.full || !json_parse(arena, buf_str(&claims), &parsed))
		return ERR_INTERNAL;
	if (!issuer->driver->sign(issuer, thread, buf_str(&claims), &text))
		return ERR_INTERNAL;
	*token = buf_str(&text);
	return ERR_NONE;
}
