/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers of type clerk: session tokens of Clerk, by its public keys. */
#include "token/clerk_claims.h"
#include "token/issuer_keys.h"

/* Header "cat": what a token is for; older session tokens have none. */
#define CATEGORY_SESSION "cl_B7d4PD111AAA"
#define CATEGORY_TEMPLATE "cl_B7d4PD222AAA"

static bool clerk_open(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct conf_list *algorithms = &issuer->conf->algorithms;
	if (issuer->conf->iss.n == 0)
		return conf_fail(error, section, "iss",
				 "is missing: write the Frontend API URL of the Clerk instance, iss = "
				 "https://clerk.YOUR-DOMAIN or iss = https://NAME.clerk.accounts.dev");
	if (!issuer_read_algorithms(section, issuer, error))
		return false;
	for (size_t i = 0; i < algorithms->n; i++)
		if (!str_starts(algorithms->items[i].value, STR("RS")))
			return conf_fail_at(error, &algorithms->items[i], "algorithms",
					    "Clerk does not sign with %.*s, but with RS256, RS384 or RS512",
					    STR_ARGS(algorithms->items[i].value));
	return issuer_load_keys(section, issuer, error);
}

static enum err clerk_authenticate(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
				   struct token *token)
{
	(void)arena;
	return issuer_verify_signature(issuer, thread, token);
}

/* Machine tokens are signed with the same keys: they are no user's session. */
static bool is_session(const struct token *token)
{
	const struct json *cat = json_member(token->header, STR("cat"));
	struct str category;
	return !cat || (json_string(cat, &category) &&
			(str_eq(category, STR(CATEGORY_SESSION)) || str_eq(category, STR(CATEGORY_TEMPLATE))));
}

static enum err clerk_check(const struct issuer *issuer, struct arena *arena, const struct token *token,
			    struct claims *claims)
{
	(void)issuer;
	struct str sub;
	if (!json_string(json_member(token->payload, STR("sub")), &sub) || str_starts(sub, STR("mch_")) ||
	    !is_session(token))
		return ERR_BAD_CLAIM;
	claims->all = clerk_claims(arena, token->payload);
	return ERR_NONE;
}

static const char *const cookies[] = {"__session", NULL};
static const char *const user_id[] = {"sub", NULL};
static const char *const typ[] = {"JWT", NULL};
static const char *const algorithms[] = {"RS256", NULL};
static const char *const options[] = {"algorithms",    "public-key", "jwks",		 "jwks-refresh",
				      "jwks-cooldown", "jwks-stale", "allow-plain-http", NULL};
static const struct issuer_header headers[] = {
	{"cat", "none, " CATEGORY_SESSION " or " CATEGORY_TEMPLATE},
	{0},
};

const struct issuer_driver issuer_clerk = {
	.name = "clerk",
	.options = options,
	.forms = TOKEN_FORM(TOKEN_JWS),
	.headers = headers,
	.defaults = {.cookies = cookies,
		     .user_id = user_id,
		     .typ = typ,
		     .algorithms = algorithms,
		     .leeway = 5,
		     .check_iat = true},
	.open = clerk_open,
	.fits = issuer_has_key,
	.authenticate = clerk_authenticate,
	.check = clerk_check,
};
