/* SPDX-License-Identifier: Apache-2.0 */
/* What all types of issuers have in common: options, claims, making tokens. */
#include "token/issuer.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "token/issuer_internal.h"

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
	 "Signature algorithms that are accepted (HS256, HS384, HS512); the first signs."},
	{"secret", CONF_LINES, offsetof(struct issuer_conf, secret), NULL, NULL,
	 "Where a secret for HS256, HS384, HS512 is: file:PATH, cred:NAME or env:NAME, one a line; the first signs, "
	 "all verify."},
	{"typ", CONF_LIST, offsetof(struct issuer_conf, typ), NULL, NULL,
	 "The header's typ must be one of these, such as JWT or at+jwt."},
	{"leeway", CONF_DURATION, offsetof(struct issuer_conf, leeway), NULL, "0-10m",
	 "How far clocks may differ when exp and nbf are judged; by default what the type's own libraries allow (jwt: "
	 "0)."},
	{"require-exp", CONF_BOOL, offsetof(struct issuer_conf, require_exp), "on", NULL,
	 "Refuse tokens that never expire."},
	{"max-lifetime", CONF_DURATION, offsetof(struct issuer_conf, max_lifetime), "0", "0-",
	 "Refuse tokens that are good for longer than this, from iat to exp; 0 for no limit."},
	{"user-id", CONF_LIST, offsetof(struct issuer_conf, user_id), "sub, user_id", NULL,
	 "Where the user's id is among the claims: paths such as user.id; the first that is there counts."},
	{"cookie", CONF_TEXT, offsetof(struct issuer_conf, cookie), NULL, NULL,
	 "Exact name of the cookie that carries the tokens."},
	{"allow-short-secret", CONF_BOOL, offsetof(struct issuer_conf, allow_short_secret), "off", NULL,
	 "Take secrets that are shorter than their algorithm's hash, which can be guessed."},
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

static bool check_options(const struct conf_section *section, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	if (conf->cookie.value.p && !is_cookie_name(conf->cookie.value))
		return conf_fail(error, section, "cookie", "\"%.*s\" can't be the name of a cookie",
				 STR_ARGS(conf->cookie.value));
	for (size_t i = 0; i < conf->user_id.n; i++)
		if (!json_path_valid(conf->user_id.items[i].value))
			return conf_fail_at(error, &conf->user_id.items[i], "user-id",
					    "\"%.*s\" is no path: write names joined by dots, and put a name that "
					    "has dots or slashes in double quotes",
					    STR_ARGS(conf->user_id.items[i].value));
	return true;
}

/* Said at the start: a token that is meant for another service may be taken. */
static void tell_what_is_open(const struct issuer *issuer)
{
	bool no_iss = issuer->rules.iss.n == 0, no_audience = issuer->rules.audience.n == 0;
	if (no_iss || no_audience)
		log_text(LOG_NOTICE, "config",
			 "issuer \"%.*s\" has no %s%s%s: every token that its keys fit is taken, whoever it is for",
			 STR_ARGS(issuer->name), no_iss ? "iss" : "", no_iss && no_audience ? " and no " : "",
			 no_audience ? "audience" : "");
}

static struct claims_rules rules_of(const struct issuer_conf *conf, const struct issuer_driver *driver)
{
	return (struct claims_rules){
		.typ = conf->typ,
		.iss = conf->iss,
		.audience = conf->audience,
		.authorized_parties = conf->authorized_parties,
		.user_id = conf->user_id,
		.require_exp = conf->require_exp,
		.leeway = conf->leeway < 0 ? driver->leeway : conf->leeway / 1000,
		/* Rounded up: 0 would lift the limit. */
		.max_lifetime = conf->max_lifetime / 1000 + (conf->max_lifetime % 1000 != 0),
	};
}

bool issuer_open(const struct conf_section *section, unsigned slots, struct issuer **out, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	const struct issuer_driver *driver = find_driver(conf->type.value);
	if (!driver)
		return fail_type(section, conf->type.value, error);
	if (!check_options(section, error))
		return false;
	struct issuer *issuer = calloc(1, sizeof *issuer);
	if (!issuer)
		return conf_fail(error, section, "", "no memory");
	issuer->driver = driver;
	issuer->name = section->name;
	issuer->cookie = conf->cookie.value;
	issuer->rules = rules_of(conf, driver);
	issuer->slots = slots;
	if (!driver->open(section, issuer, error)) {
		issuer_close(&issuer);
		return false;
	}
	tell_what_is_open(issuer);
	*out = issuer;
	return true;
}

void issuer_close(struct issuer **issuer)
{
	if (!*issuer)
		return;
	key_set_close(&(*issuer)->keys);
	free(*issuer);
	*issuer = NULL;
}

struct str issuer_name(const struct issuer *issuer)
{
	return issuer->name;
}

struct str issuer_cookie(const struct issuer *issuer)
{
	return issuer->cookie;
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

enum err issuer_verify(const struct issuer *issuer, struct token_thread *thread, const struct token *token,
		       int64_t now, struct claims *out)
{
	enum err err = issuer->driver->verify_signature(issuer, thread, token);
	if (err)
		return err;
	err = claims_check(&issuer->rules, token, now, out);
	if (err == ERR_NONE || err == ERR_TOKEN_EXPIRED)
		out->issuer = issuer->name;
	return err;
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
	buf_add(b, STR(",\"jti\":\""));
	base64url_encode(b, jti, sizeof jti);
	buf_char(b, '"');
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
	if (!issuer->driver->sign || !is_issue_fine(issue))
		return ERR_INTERNAL;
	struct buf claims = arena_buf(arena, TOKEN_MAX);
	struct buf text = arena_buf(arena, TOKEN_MAX);
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
