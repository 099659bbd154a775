/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of a token against the rules of its issuer. */
#include "token/claims.h"

#include "token/logout_token.h"

static bool is_listed(const struct conf_list *list, struct str value)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->items[i].value, value))
			return true;
	return false;
}

/* The text of a claim, or STR_NONE when it is absent, empty or no string. */
static struct str text_of(const struct json *all, struct str name)
{
	struct str text;
	return json_string(json_member(all, name), &text) && text.n > 0 ? text : STR_NONE;
}

/* A media type's short form: "application/" may be left out (RFC 7515 section 4.1.9). */
static struct str short_type(struct str type)
{
	struct str prefix = STR("application/");
	bool has = type.n > prefix.n && str_eq_nocase((struct str){type.p, prefix.n}, prefix);
	return has ? str_skip(type, prefix.n) : type;
}

static enum err check_typ(const struct claims_rules *rules, const struct token *token, struct claims *c)
{
	c->kid = text_of(token->header, STR("kid"));
	if (logout_token_is_event(token))
		return ERR_BAD_CLAIM;
	if (rules->typ.n == 0)
		return ERR_NONE;
	struct str typ = short_type(text_of(token->header, STR("typ")));
	for (size_t i = 0; i < rules->typ.n; i++)
		if (str_eq_nocase(short_type(rules->typ.items[i].value), typ))
			return ERR_NONE;
	return ERR_BAD_CLAIM;
}

static enum err check_iss(const struct claims_rules *rules, const struct token *token, struct claims *c)
{
	c->iss = text_of(token->payload, STR("iss"));
	if (rules->iss.n > 0)
		return is_listed(&rules->iss, c->iss) ? ERR_NONE : ERR_BAD_ISSUER;
	const struct json *iss = json_member(token->payload, STR("iss"));
	return !iss || iss->type == JSON_STRING ? ERR_NONE : ERR_BAD_ISSUER;
}

/* A string, or an array that has one of ours among its strings (RFC 7519 section 4.1.3). */
static enum err check_aud(const struct claims_rules *rules, const struct token *token, struct claims *c)
{
	(void)c;
	if (rules->audience.n == 0)
		return ERR_NONE;
	const struct json *aud = json_member(token->payload, STR("aud"));
	const struct json *value = aud && aud->type == JSON_ARRAY ? aud->child : aud;
	struct str text;
	for (; value; value = value == aud ? NULL : value->next)
		if (json_string(value, &text) && is_listed(&rules->audience, text))
			return ERR_NONE;
	return ERR_BAD_AUDIENCE;
}

static enum err check_azp(const struct claims_rules *rules, const struct token *token, struct claims *c)
{
	(void)c;
	bool good = rules->authorized_parties.n == 0 ||
		    is_listed(&rules->authorized_parties, text_of(token->payload, STR("azp")));
	return good ? ERR_NONE : ERR_BAD_PARTY;
}

bool claims_user_id_valid(struct str id)
{
	return id.n > 0 && id.n <= USER_ID_MAX && str_trim(id).n == id.n && !str_has_control(id) && str_is_utf8(id);
}

/* A whole number printed as it is written: no fraction, exponent or "-0". */
static bool is_whole(struct str number)
{
	struct str digits = str_starts(number, STR("-")) ? str_skip(number, 1) : number;
	for (size_t i = 0; i < digits.n; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
	return !str_eq(number, STR("-0"));
}

static enum err check_user(const struct claims_rules *rules, const struct token *token, struct claims *c)
{
	const struct json *value = NULL;
	for (size_t i = 0; !value && i < rules->user_id.n; i++)
		value = json_path(token->payload, rules->user_id.items[i].value);
	if (!value)
		return ERR_BAD_CLAIM;
	bool is_id = value->type == JSON_STRING || (value->type == JSON_NUMBER && is_whole(value->text));
	if (!is_id || !claims_user_id_valid(value->text))
		return ERR_BAD_CLAIM;
	c->user_id = value->text;
	c->user_id_is_number = value->type == JSON_NUMBER;
	c->jti = text_of(token->payload, STR("jti"));
	c->sid = text_of(token->payload, STR("sid"));
	return ERR_NONE;
}

static bool read_time(const struct json *all, struct str name, int64_t *out)
{
	const struct json *value = json_member(all, name);
	*out = TIME_ABSENT;
	return !value || json_date(value, out);
}

static enum err check_lifetime(const struct claims_rules *rules, const struct token *token, struct claims *c)
{
	const struct json *all = token->payload;
	if (!read_time(all, STR("exp"), &c->exp) || !read_time(all, STR("nbf"), &c->nbf) ||
	    !read_time(all, STR("iat"), &c->iat))
		return ERR_BAD_CLAIM;
	if (rules->require_exp && c->exp == TIME_ABSENT)
		return ERR_BAD_CLAIM;
	if (rules->max_lifetime == 0)
		return ERR_NONE;
	bool bounded = c->exp != TIME_ABSENT && c->iat != TIME_ABSENT && c->exp - c->iat <= rules->max_lifetime;
	return bounded ? ERR_NONE : ERR_BAD_CLAIM;
}

bool claims_expired(const struct claims *claims, int64_t now)
{
	return claims->exp != TIME_ABSENT && claims->exp <= now - claims->leeway;
}

/* RFC 7519 sections 4.1.4 and 4.1.5. Written so that no side can overflow: times
 * of claims are never negative. */
static enum err check_now(const struct claims_rules *rules, const struct claims *c, int64_t now)
{
	if (rules->check_iat && c->iat != TIME_ABSENT && c->iat - c->leeway > now)
		return ERR_NOT_YET_VALID;
	if (c->nbf != TIME_ABSENT && c->nbf - c->leeway > now)
		return ERR_NOT_YET_VALID;
	return claims_expired(c, now) ? ERR_TOKEN_EXPIRED : ERR_NONE;
}

enum err claims_check(const struct claims_rules *rules, const struct token *token, int64_t now, struct claims *out)
{
	static enum err (*const checks[])(const struct claims_rules *rules, const struct token *token,
					  struct claims *c) = {
		check_typ, check_iss, check_aud, check_azp, check_user, check_lifetime,
	};
	struct claims c = {.all = token->payload, .leeway = rules->leeway};
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		enum err err = checks[i](rules, token, &c);
		if (err)
			return err;
	}
	enum err err = check_now(rules, &c, now);
	if (err == ERR_NONE || err == ERR_TOKEN_EXPIRED)
		*out = c;
	return err;
}

int64_t claims_since(const struct claims *claims)
{
	bool renewed = claims->auth_time > 0 && claims->iat != TIME_ABSENT && claims->auth_time < claims->iat;
	return renewed ? claims->auth_time : claims->iat;
}
