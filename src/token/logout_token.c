/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of a logout token, in the order of the specification. */
#include "token/logout_token.h"

static const struct str event_name = {"http://schemas.openid.net/event/backchannel-logout", 50};

/* Clocks of two machines differ. */
enum { SKEW = 60 };

static struct str text_of(const struct json *all, struct str name)
{
	struct str text;
	return json_string(json_member(all, name), &text) && text.n > 0 ? text : STR_NONE;
}

static bool is_listed(const struct conf_list *list, struct str value)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->items[i].value, value))
			return true;
	return false;
}

/* "application/" may be left out (RFC 7515 section 4.1.9). */
static bool is_type(struct str typ, struct str wanted)
{
	struct str prefix = STR("application/");
	if (typ.n > prefix.n && str_eq_nocase((struct str){typ.p, prefix.n}, prefix))
		typ = str_skip(typ, prefix.n);
	return str_eq_nocase(typ, wanted);
}

bool logout_token_is_event(const struct token *token)
{
	struct str typ = text_of(token->header, STR("typ"));
	return is_type(typ, STR("logout+jwt")) || is_type(typ, STR("secevent+jwt")) ||
	       json_member(json_member(token->payload, STR("events")), event_name);
}

/* One that says what it is must say this. "JWT" says nothing. */
static bool check_type(const struct token *token)
{
	const struct json *typ = json_member(token->header, STR("typ"));
	struct str text = text_of(token->header, STR("typ"));
	return !typ || is_type(text, STR("logout+jwt")) || is_type(text, STR("JWT"));
}

static bool check_audience(const struct claims_rules *rules, const struct token *token)
{
	const struct json *aud = json_member(token->payload, STR("aud"));
	const struct json *value = aud && aud->type == JSON_ARRAY ? aud->child : aud;
	struct str text;
	for (; value; value = value == aud ? NULL : value->next)
		if (json_string(value, &text) &&
		    (is_listed(&rules->audience, text) || is_listed(&rules->authorized_parties, text)))
			return true;
	return false;
}

static const char *check_times(const struct claims_rules *rules, const struct token *token, int64_t now, int64_t *exp)
{
	int64_t iat;
	if (!json_date(json_member(token->payload, STR("iat")), &iat) ||
	    !json_date(json_member(token->payload, STR("exp")), exp))
		return "iat or exp is missing or no time";
	if (iat - rules->leeway - SKEW > now)
		return "iat is in the future";
	return *exp <= now - rules->leeway ? "exp is over" : NULL;
}

static const char *check_event(const struct json *all)
{
	const struct json *event = json_member(json_member(all, STR("events")), event_name);
	if (!event || event->type != JSON_OBJECT)
		return "events has no member http://schemas.openid.net/event/backchannel-logout that is an object";
	return json_member(all, STR("nonce")) ? "nonce is not allowed" : NULL;
}

/* The first path that is there names the user, as in a token for access. */
static struct str find_user(const struct claims_rules *rules, const struct json *all)
{
	const struct json *value = NULL;
	struct str text;
	for (size_t i = 0; !value && i < rules->user_id.n; i++)
		value = json_path(all, rules->user_id.items[i].value);
	return json_string(value, &text) && claims_user_id_valid(text) ? text : STR_NONE;
}

static const char *check_subject(const struct claims_rules *rules, const struct json *all, struct logout_token *out)
{
	out->sid = text_of(all, STR("sid"));
	out->user_id = find_user(rules, all);
	if (out->sid.p || out->user_id.p)
		return NULL;
	return json_member(all, STR("sub")) ? "sub is no user id of this site, which goes by another claim"
					    : "neither sid nor sub says what has ended";
}

bool logout_token_check(const struct claims_rules *rules, const struct token *token, int64_t now,
			struct logout_token *out, const char **why)
{
	const struct json *all = token->payload;
	struct logout_token found = {.iss = text_of(all, STR("iss")), .jti = text_of(all, STR("jti")),
				     .leeway = rules->leeway};
	const char *wrong = NULL;
	if (!check_type(token))
		wrong = "typ is not logout+jwt";
	else if (!is_listed(&rules->iss, found.iss))
		wrong = "iss is not known here";
	else if (!check_audience(rules, token))
		wrong = "aud is not known here";
	else if (!found.jti.p)
		wrong = "jti is missing";
	if (!wrong)
		wrong = check_times(rules, token, now, &found.exp);
	if (!wrong)
		wrong = check_event(all);
	if (!wrong)
		wrong = check_subject(rules, all, &found);
	if (wrong)
		*why = wrong;
	else
		*out = found;
	return !wrong;
}
