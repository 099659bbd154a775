/* SPDX-License-Identifier: Apache-2.0 */
/* The choice as a row of filters. */
#include "policy/issuer_choice.h"

#include <string.h>

typedef bool test(const struct issuer *issuer, const struct token *token);

/* Keep those that pass. false: none does, and all stay. */
static bool keep(struct issuer_set *left, const struct token *token, test *passes)
{
	size_t kept = 0;
	for (size_t i = 0; i < left->n; i++)
		if (passes(left->items[i], token))
			left->items[kept++] = left->items[i];
	if (kept == 0)
		return false;
	left->n = kept;
	return true;
}

static bool owns_cookie(const struct issuer *issuer, const struct token *token)
{
	struct conf_list names = issuer_cookies(issuer);
	for (size_t i = 0; token->cookie.p && i < names.n; i++)
		if (str_eq(names.items[i].value, token->cookie))
			return true;
	return false;
}

static bool takes_form(const struct issuer *issuer, const struct token *token)
{
	return issuer_takes(issuer, token->form);
}

static bool lists_iss(const struct issuer *issuer, const struct token *token)
{
	struct str iss;
	bool has_list;
	return json_string(json_member(token->payload, STR("iss")), &iss) &&
	       issuer_claims_iss(issuer, iss, &has_list);
}

static bool has_no_list(const struct issuer *issuer, const struct token *token)
{
	(void)token;
	bool has_list;
	issuer_claims_iss(issuer, STR(""), &has_list);
	return !has_list;
}

/* Nobody knows the key: it may be a new one of an issuer whose keys are fetched. */
static bool may_learn_key(const struct issuer *issuer, const struct token *token)
{
	struct issuer_jwks jwks = issuer_jwks(issuer);
	struct str alg;
	return jwks.url.p && json_string(json_member(token->header, STR("alg")), &alg) &&
	       algorithm_find(alg, jwks.algorithms);
}

enum err issuer_choose(struct arena *arena, const struct issuer_set *issuers, const struct token *token,
		       struct issuer **out)
{
	if (issuers->n == 1) {
		*out = issuers->items[0];
		return ERR_NONE;
	}
	struct issuer_set left = {arena_array(arena, issuers->n, sizeof(struct issuer *)), issuers->n};
	if (!left.items)
		return ERR_INTERNAL;
	memcpy(left.items, issuers->items, issuers->n * sizeof(struct issuer *));
	keep(&left, token, owns_cookie);
	if (!keep(&left, token, takes_form))
		return token->form == TOKEN_OTHER ? ERR_TOKEN_MALFORMED : ERR_BAD_ALGORITHM;
	/* Of the only one left, its own check says what is wrong: not all kinds of its tokens may have an iss. */
	if (left.n > 1 && token->form == TOKEN_JWS && !keep(&left, token, lists_iss) &&
	    !keep(&left, token, has_no_list))
		return ERR_BAD_ISSUER;
	if (left.n > 1 && !keep(&left, token, issuer_fits))
		keep(&left, token, may_learn_key);
	if (left.n != 1)
		return ERR_BAD_ISSUER;
	*out = left.items[0];
	return ERR_NONE;
}

size_t issuer_longest_token(const struct issuer_set *issuers)
{
	size_t longest = 0;
	for (size_t i = 0; i < issuers->n; i++)
		if (issuer_max_token(issuers->items[i]) > longest)
			longest = issuer_max_token(issuers->items[i]);
	return longest;
}

enum err issuer_check_size(const struct issuer_set *issuers, struct str text)
{
	return text.n <= issuer_longest_token(issuers) ? ERR_NONE : ERR_TOKEN_MALFORMED;
}
