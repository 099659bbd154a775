/* SPDX-License-Identifier: Apache-2.0 */
/* Session cookies of NextAuth, Auth.js and Better Auth that these libraries made,
 * from the Cookie header to the user; and the API tokens of Better Auth. */
#include "token/issuer_derived.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "issuer_setup.h"
#include "policy/credentials.h"
#include "unit.h"
#include "vectors.h"

enum { ARENA = 2 << 20 };

static struct arena *arena;
static struct token_thread *thread;

static const struct {
	const char *theirs, *ours;
} words[] = {
	{"alg-not-allowed", "bad_algorithm"}, {"bad-signature", "bad_signature"},
	{"decrypt-failed", "decrypt_failed"}, {"enc-not-allowed", "bad_algorithm"},
	{"expired", "token_expired"},	      {"malformed", "token_malformed"},
	{"missing-claim", "bad_claim"},	      {"unknown-kid", "unknown_key"},
	{"wrong-aud", "bad_audience"},	      {"wrong-typ", "bad_claim"},
	{"zip-not-supported", "token_malformed"},
};

/* Vectors where another good reason comes first. */
static const struct {
	const char *name, *ours;
} earlier[] = {
	{"nextauth4-cookie-chunk-missing", "token_malformed"},
	{"nextauth4-12-cookie-chunk-missing", "token_malformed"},
	{"authjs5-cookie-chunk-missing", "token_malformed"},
	{"better-auth-REAL-compact-cache-wrong-secret", "config"},
	/* HS256 is for nothing but a cache, and no cookie is named here */
	{"better-auth-jwt-session_data-HS256-sub-policy", "bad_algorithm"},
};

static const char *our_reason(const char *name, const char *theirs)
{
	for (size_t i = 0; i < sizeof earlier / sizeof *earlier; i++)
		if (strcmp(earlier[i].name, name) == 0)
			return earlier[i].ours;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].theirs, theirs) == 0)
			return words[i].ours;
	return theirs;
}

static void add_all(struct issuer_setup *setup, struct conf_list *list, struct json_object *values)
{
	if (json_object_is_type(values, json_type_string))
		issuer_setup_add(setup, list, text_of(values));
	for (size_t i = 0; json_object_is_type(values, json_type_array) && i < json_object_array_length(values); i++)
		issuer_setup_add(setup, list, text_of(json_object_array_get_idx(values, i)));
}

static struct str type_of(struct json_object *row)
{
	struct str kind = text_of(member(row, "kind"));
	return str_eq(kind, STR("nextauth-v4")) ? STR("nextauth")
	       : str_eq(kind, STR("authjs-v5")) ? STR("authjs")
						: STR("better-auth");
}

/* The JWK Set goes into a file, whose spec is in text. */
static void add_jwks(struct issuer_setup *setup, struct json_object *jwks, char text[64])
{
	snprintf(text, 64, "file:/tmp/test_issuer_derived.XXXXXX");
	int fd = mkstemp(text + 5);
	CU_ASSERT_FATAL(fd >= 0);
	dprintf(fd, "%s", json_object_to_json_string_ext(jwks, JSON_C_TO_STRING_PLAIN));
	close(fd);
	setup->conf.jwks.value = str_of(text);
}

static void configure(struct issuer_setup *setup, struct json_object *row, char jwks[64])
{
	struct json_object *policy = member(row, "policy"), *key = member(row, "key");
	struct issuer_conf *conf = &setup->conf;
	issuer_setup(setup);
	conf->type.value = type_of(row);
	conf->max_token = TOKEN_MAX;
	conf->leeway = -1;
	add_all(setup, &conf->iss, member(policy, "iss"));
	add_all(setup, &conf->audience, member(policy, "aud"));
	add_all(setup, &conf->user_id, member(policy, "userClaim"));
	if (member(row, "cookieName"))
		issuer_setup_add(setup, &conf->cookie, text_of(member(row, "cookieName")));
	if (member(key, "salt") && str_eq(conf->type.value, STR("nextauth")))
		conf->salt.value = text_of(member(key, "salt"));
	struct json_object *secrets = member(key, "secrets");
	for (size_t i = 0; secrets && i < json_object_array_length(secrets); i++)
		issuer_setup_secret(setup, text_of(json_object_array_get_idx(secrets, i)));
	if (member(key, "value"))
		issuer_setup_secret(setup, text_of(member(key, "value")));
	jwks[0] = '\0';
	if (member(key, "jwks"))
		add_jwks(setup, member(key, "jwks"), jwks);
	if (str_eq(text_of(member(row, "kind")), STR("better-auth-cookie")))
		conf->session_url.value = STR("http://127.0.0.1/get-session");
}

/* The token of the Cookie header, when the row has one. */
static enum err find_token(struct json_object *row, struct str *text, struct str *cookie)
{
	*text = text_of(member(row, "token"));
	*cookie = member(row, "cookieName") ? text_of(member(row, "cookieName")) : STR_NONE;
	if (!member(row, "cookieHeader"))
		return ERR_NONE;
	struct token_sources sources = {.carriers = {CARRIER_COOKIE}, .n_carriers = 1,
		.cookies = cookie, .n_cookies = 1};
	struct request request = {.cookie = text_of(member(row, "cookieHeader"))};
	struct credentials found;
	enum err err = credentials_find(&sources, arena, &request, &found);
	if (err == ERR_NONE)
		*text = found.token;
	return err;
}

static enum err verify(const struct issuer *issuer, struct json_object *row, struct claims *claims)
{
	struct str text, cookie;
	struct token token;
	struct issuer_session session;
	enum err err = find_token(row, &text, &cookie);
	if (err == ERR_NONE)
		err = token_parse(arena, text, &token);
	if (err)
		return err;
	token.cookie = cookie;
	err = issuer_session(issuer, arena, &token, &session);
	if (err != ERR_NOT_FOUND)
		return err;
	const struct verification with = {thread, arena, json_object_get_int64(member(row, "now"))};
	return issuer_verify(issuer, &with, &token, claims);
}

static const char *verdict(struct json_object *row, struct claims *claims)
{
	struct issuer_setup setup;
	struct issuer *issuer;
	struct conf_error error;
	char jwks[64];
	configure(&setup, row, jwks);
	bool opened = issuer_open(&setup.section, 1, &issuer, &error);
	if (jwks[0])
		unlink(jwks + 5);
	if (!opened)
		return "config";
	enum err err = verify(issuer, row, claims);
	issuer_close(&issuer);
	return err_row(err)->reason;
}

static void check_row(struct json_object *row)
{
	struct claims claims = {0};
	const char *name = json_object_get_string(member(row, "name")), *want = "ok";
	if (member(row, "reason"))
		want = our_reason(name, json_object_get_string(member(row, "reason")));
	const char *got = verdict(row, &claims);
	char text[256];
	snprintf(text, sizeof text, "%s: got %s, want %s", name, got, want);
	UNIT_ROW(strcmp(got, want) == 0, text);
	if (member(row, "user") && strcmp(want, "ok") == 0)
		UNIT_STR_EQ(claims.user_id, text_of(member(row, "user")), name);
	arena_reset(arena);
}

/* How many rows were there to check? */
static size_t check_file(const char *name)
{
	size_t checked = 0;
	struct json_object *rows = vectors_open(name, 1);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		if (str_eq(text_of(member(row, "kind")), STR("jwe-dir")))
			continue;
		check_row(row);
		checked++;
	}
	json_object_put(rows);
	return checked;
}

static void cookies(void)
{
	CU_ASSERT_EQUAL(check_file("vectors-jwe.json"), 57);
}

static void signed_by_better_auth(void)
{
	CU_ASSERT_EQUAL(check_file("vectors-better-auth.json"), 20);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"cookies", cookies}, {"signed by Better Auth", signed_by_better_auth}, {0}};
	if (!token_start() || !arena_open(ARENA, &arena) || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("issuer_derived", cases);
	token_thread_close(&thread);
	arena_close(&arena);
	return status;
}
