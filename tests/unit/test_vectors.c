/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of other libraries, signed with public-key algorithms, from their key and
 * text to the claims (tests/data/vectors-jws.json). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token/claims.h"
#include "unit.h"
#include "vectors.h"

enum { ARENA = 1 << 20, LIST_MAX = 16 };

static struct arena *arena;

/* What a maker's word for a refusal is in ours: "keys" where no key is left, NULL
 * where it is found after the claims. */
static const char *our_reason(const char *theirs)
{
	static const char *const words[][2] = {
		{"alg-not-allowed", "bad_algorithm"},
		{"bad-signature", "bad_signature"},
		{"crit", "token_malformed"},
		{"expired", "token_expired"},
		{"forbidden-claim", NULL},
		{"iat-in-future", "not_yet_valid"},
		{"insufficient-scope", NULL},
		{"jwk-alg-mismatch", "unknown_key"},
		{"key-type-mismatch", "unknown_key"},
		{"key-use", "keys"},
		{"malformed", "token_malformed"},
		{"missing-claim", "bad_claim"},
		{"missing-kid", "unknown_key"},
		{"not-yet-valid", "not_yet_valid"},
		{"unknown-kid", "unknown_key"},
		{"weak-key", "keys"},
		{"wrong-aud", "bad_audience"},
		{"wrong-azp", "bad_party"},
		{"wrong-category", NULL},
		{"wrong-iss", "bad_issuer"},
		{"wrong-typ", "bad_claim"},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i][0], theirs) == 0)
			return words[i][1];
	return theirs;
}

/* Vectors where another good reason comes first: the set is refused whole, the header is. */
static const char *const earlier[][2] = {
	{"jwks-empty", "keys"},
	{"jwks-oct-key-in-set-HS256-policy-RS256", "keys"},
	{"kid-nul", "token_malformed"},
	{"kid-number", "token_malformed"},
};

/* A string or a list of strings. */
static struct conf_list list_of(struct json_object *values)
{
	struct conf_text *items = arena_array(arena, LIST_MAX, sizeof *items);
	size_t n = 0;
	CU_ASSERT_FATAL(items != NULL);
	if (json_object_is_type(values, json_type_string))
		items[n++].value = text_of(values);
	for (size_t i = 0; json_object_is_type(values, json_type_array) && i < json_object_array_length(values); i++)
		if (n < LIST_MAX)
			items[n++].value = text_of(json_object_array_get_idx(values, i));
	return (struct conf_list){items, n};
}

static bool load(struct json_object *key, struct algorithm_set allowed, struct key_set *set)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct json_object *jwks = member(key, "jwks"), *jwk = member(key, "jwk");
	if (jwks)
		return key_set_add_jwks(set, allowed, str_of(json_object_to_json_string(jwks)), &why);
	return key_set_add_public(set, allowed, jwk ? str_of(json_object_to_json_string(jwk)) : text_of(member(key,
													       "pem")),
				  &why);
}

static enum err judge(struct json_object *policy, const struct token *token, int64_t now, struct claims *claims)
{
	static const struct conf_text ids[] = {{.value = {"sub", 3}}, {.value = {"user_id", 7}}};
	struct claims_rules rules = {
		.typ = list_of(member(policy, "typ")),
		.iss = list_of(member(policy, "iss")),
		.audience = list_of(member(policy, "aud")),
		.authorized_parties = list_of(member(policy, "azp")),
		.user_id = list_of(member(policy, "userClaim")),
		.require_exp = true,
		.check_iat = json_object_get_boolean(member(policy, "checkIat")),
		.leeway = json_object_get_int64(member(policy, "leeway")),
	};
	if (rules.user_id.n == 0)
		rules.user_id = (struct conf_list){ids, 2};
	return claims_check(&rules, token, now, claims);
}

static const char *verdict(struct json_object *row, struct claims *claims)
{
	struct json_object *policy = member(row, "policy"), *names = member(policy, "algs");
	struct algorithm_set allowed = {0};
	struct key_set set = {.n = 0};
	struct token token;
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const struct algorithm *algorithm =
			algorithm_find(text_of(json_object_array_get_idx(names, i)), ALGORITHM_ALL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(algorithm);
		algorithm_add(&allowed, algorithm);
	}
	if (!load(member(row, "key"), allowed, &set)) {
		key_set_close(&set);
		return "keys";
	}
	enum err err = token_parse(arena, text_of(member(row, "token")), &token);
	if (err == ERR_NONE && token.form != TOKEN_JWS)
		err = ERR_TOKEN_MALFORMED;
	if (err == ERR_NONE)
		err = jws_verify(&set, NULL, allowed, &token);
	if (err == ERR_NONE)
		err = judge(policy, &token, json_object_get_int64(member(row, "now")), claims);
	key_set_close(&set);
	return err_row(err)->reason;
}

static void check_row(struct json_object *row)
{
	const char *name = json_object_get_string(member(row, "name"));
	const char *want = member(row, "reason") ? our_reason(json_object_get_string(member(row, "reason"))) : NULL;
	for (size_t i = 0; i < sizeof earlier / sizeof earlier[0]; i++)
		if (strcmp(name, earlier[i][0]) == 0)
			want = earlier[i][1];
	struct claims claims = {.all = NULL};
	char text[256];
	const char *got = verdict(row, &claims);
	snprintf(text, sizeof text, "%s: got %s, want %s", name, got, want ? want : "ok");
	UNIT_ROW(strcmp(got, want ? want : "ok") == 0, text);
	if (member(row, "user") && !want)
		UNIT_STR_EQ(claims.user_id, text_of(member(row, "user")), name);
	arena_reset(arena);
}

static void vectors(void)
{
	struct json_object *rows = vectors_open("vectors-jws.json", 150);
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		check_row(json_object_array_get_idx(rows, i));
	json_object_put(rows);
}

int main(void)
{
	static const struct unit_case cases[] = {{"vectors", vectors}, {0}};
	if (!token_start() || !arena_open(ARENA, &arena))
		return 1;
	int status = unit_main("vectors", cases);
	arena_close(&arena);
	return status;
}
