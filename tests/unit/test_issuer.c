/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers against tokens that others made (tests/data), their options, and signing. */
#include "token/issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "issuer_setup.h"
#include "unit.h"
#include "vectors.h"

enum { ARENA = 1 << 20 };

static struct arena *arena;
static struct token_thread *thread;

/* What a maker's word for a refusal is in ours; NULL: accepted here, refused by policy. */
static const char *our_reason(const char *theirs)
{
	static const char *const words[][2] = {
		{"alg-not-allowed", "bad_algorithm"},
		{"bad-signature", "bad_signature"},
		{"claim-type", "bad_claim"},
		{"crit", "token_malformed"},
		{"expired", "token_expired"},
		{"forbidden-claim", NULL},
		{"malformed", "token_malformed"},
		{"missing-claim", "bad_claim"},
		{"not-yet-valid", "not_yet_valid"},
		{"revoked", NULL},
		{"unsafe-claim", "bad_claim"},
		{"weak-key", "config"},
		{"wrong-aud", "bad_audience"},
		{"wrong-iss", "bad_issuer"},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i][0], theirs) == 0)
			return words[i][1];
	return theirs;
}

/* Vectors where another good reason comes first. */
static const char *const earlier[][2] = {
	{"exp-negative", "bad_claim"},
};

/* A string or a list of strings. */
static void add_all(struct issuer_setup *setup, struct conf_list *list, struct json_object *values)
{
	if (json_object_is_type(values, json_type_string))
		issuer_setup_add(setup, list, text_of(values));
	for (size_t i = 0; json_object_is_type(values, json_type_array) && i < json_object_array_length(values); i++)
		issuer_setup_add(setup, list, text_of(json_object_array_get_idx(values, i)));
}

static void add_key(struct issuer_setup *setup, struct json_object *key)
{
	unsigned char bytes[512];
	size_t n;
	struct json_object *list = member(key, "values"), *jwk = member(key, "jwk");
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		issuer_setup_secret(setup, text_of(json_object_array_get_idx(list, i)));
	if (member(key, "value"))
		issuer_setup_secret(setup, text_of(member(key, "value")));
	if (jwk && base64url_decode(text_of(member(jwk, "k")), bytes, &n))
		issuer_setup_secret(setup, (struct str){(char *)bytes, n});
}

static void configure(struct issuer_setup *setup, struct json_object *row)
{
	struct json_object *policy = member(row, "policy"), *settings = member(row, "settings");
	struct issuer_conf *conf = &setup->conf;
	issuer_setup(setup);
	add_all(setup, &conf->algorithms, member(policy, "algs"));
	add_all(setup, &conf->iss, member(policy, "iss"));
	add_all(setup, &conf->audience, member(policy, "aud"));
	add_all(setup, &conf->authorized_parties, member(policy, "azp"));
	add_all(setup, &conf->typ, member(policy, "typ"));
	add_all(setup, &conf->user_id, member(policy, "userClaim"));
	if (conf->user_id.n == 0) {
		issuer_setup_add(setup, &conf->user_id, STR("sub"));
		issuer_setup_add(setup, &conf->user_id, STR("user_id"));
	}
	add_key(setup, member(row, "key"));
	conf->leeway = 1000 * json_object_get_int64(member(policy, "leeway"));
	if (member(settings, "require-exp"))
		conf->require_exp = false;
	if (member(settings, "allow-short-secret"))
		conf->allow_short_secret = true;
	conf->max_lifetime = 1000 * json_object_get_int64(member(settings, "max-lifetime"));
}

static const char *verdict(struct json_object *row, struct str *user)
{
	struct issuer_setup setup;
	struct issuer *issuer;
	struct conf_error error;
	struct token token;
	struct claims claims;
	configure(&setup, row);
	if (!issuer_open(&setup.section, 1, &issuer, &error))
		return "config";
	enum err err = token_parse(arena, text_of(member(row, "token")), &token);
	if (err == ERR_NONE)
		err = issuer_verify(
			issuer,
			&(struct verification){thread, arena, json_object_get_int64(member(row, "now"))},
			&token, &claims);
	if (err == ERR_NONE)
		*user = claims.user_id;
	issuer_close(&issuer);
	return err_row(err)->reason;
}

static void check_row(struct json_object *row)
{
	const char *name = json_object_get_string(member(row, "name"));
	const char *want = member(row, "reason") ? our_reason(json_object_get_string(member(row, "reason"))) : NULL;
	for (size_t i = 0; i < sizeof earlier / sizeof earlier[0]; i++)
		if (strcmp(name, earlier[i][0]) == 0)
			want = earlier[i][1];
	struct str user = STR_NONE;
	const char *got = verdict(row, &user);
	char text[256];
	snprintf(text, sizeof text, "%s: got %s, want %s", name, got, want ? want : "ok");
	UNIT_ROW(strcmp(got, want ? want : "ok") == 0, text);
	if (member(row, "user") && !want)
		UNIT_STR_EQ(user, text_of(member(row, "user")), name);
	arena_reset(arena);
}

static void check_file(const char *name, size_t least)
{
	struct json_object *rows = vectors_open(name, least);
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		check_row(json_object_array_get_idx(rows, i));
	json_object_put(rows);
}

static void minted_tokens(void)
{
	check_file("tokens.json", 200);
}

static void foreign_tokens(void)
{
	check_file("vectors-hs.json", 100);
}

#define GOOD "algorithms = HS256\nsecret = text:first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo\n"

/* Read a configuration with that one section and open its issuer. error stays
 * empty when it opens. */
static bool opens(const char *options, struct conf_error *error)
{
	static const struct conf_kind *const kinds[] = {&issuer_kind, NULL};
	char path[] = "/tmp/test_issuer.XXXXXX";
	struct conf *conf;
	struct issuer *issuer;
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	dprintf(fd, "[issuer \"main\"]\n%s", options);
	close(fd);
	error->text[0] = '\0';
	bool read = conf_open(path, kinds, &conf, error);
	bool opened = read && issuer_open(conf->sections, 1, &issuer, error);
	if (opened) {
		UNIT_STR_EQ(issuer_name(issuer), STR("main"), "name");
		issuer_close(&issuer);
	}
	if (read)
		conf_close(&conf);
	unlink(path);
	return opened;
}

/* An error names the line and what to do. */
static void options(void)
{
	static const struct {
		const char *options, *error; /* NULL: opens */
	} rows[] = {
		{GOOD, NULL},
		{GOOD "type = jwt\niss = https://a.test\naudience = a, b\nleeway = 5s\nmax-lifetime = 8h\n"
		      "user-id = user.id, \"https://a.test/id\"\ncookie = __Host-auth\ntyp = at+jwt\n",
		 NULL},
		{GOOD "secret = text:second-Kp4Wn8Rt1Yx6Bq3Mv9Lz2Cd5Fh7Gj0Sa4Eu\n", NULL},
		{GOOD "type = jwtt\n", ":4: type: \"jwtt\" is not known; types are "},
		{"secret = text:x\n", "algorithms: is missing"},
		{"algorithms = HS256\n", "secret: is missing"},
		{"algorithms = RS256\nsecret = text:x\n", ":2: algorithms: RS256 is not for a secret"},
		{"algorithms = HS256, none\nsecret = text:x\n", "\"none\" is not known"},
		{"algorithms = hs256\nsecret = text:x\n", "\"hs256\" is not known"},
		{"algorithms = HS256, HS256\nsecret = text:x\n", "named twice"},
		{"algorithms = HS256\nsecret = text:0123456789012345678901234567890\n",
		 "has 31 bytes, HS256 needs at least 32"},
		{"algorithms = HS256\nsecret = text:0123456789012345678901234567890\nallow-short-secret = on\n", NULL},
		{"algorithms = HS256, HS512\nsecret = text:first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo\n", NULL},
		{"algorithms = HS512\nsecret = text:first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo\n",
		 ":3: secret: the secret has 43 bytes, HS512 needs at least 64"},
		{"algorithms = HS256\nsecret = text:-----BEGIN PUBLIC KEY-----\nallow-short-secret = on\n", "PEM file"},
		{"algorithms = HS256\nsecret = text:\nallow-short-secret = on\n", ":3: secret: the secret is empty"},
		{GOOD "secret = text:short\n", ":4: secret: the secret has 5 bytes"},
		{GOOD "secret = file:/nonexistent/secret\n", ":4: secret: /nonexistent/secret"},
		{GOOD "secret = env:FCGI_AUTH_TEST_UNSET\n", "FCGI_AUTH_TEST_UNSET"},
		{GOOD "secret = sesame\n", "file:PATH"},
		{GOOD "cookie = a b\n", ":4: cookie: \"a b\" can't be the name"},
		{GOOD "cookie = a=b\n", "can't be the name"},
		{GOOD "cookie = s\xc3\xa9\n", "can't be the name"},
		{GOOD "user-id = sub, user..id\n", ":4: user-id: \"user..id\" is no path"},
		{GOOD "user-id = https://a.test/id\n", "is no path"},
		{GOOD "leeway = 1h\n", "out of range"},
		{GOOD "secret = text:a\nsecret = text:a\nsecret = text:a\nsecret = text:a\nsecret = text:a\n"
		      "secret = text:a\nsecret = text:a\nsecret = text:a\nallow-short-secret = on\n",
		 ":11: secret: more than 8 secrets"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct conf_error error;
		UNIT_ROW(opens(rows[i].options, &error) == !rows[i].error, error.text);
		UNIT_ROW(!rows[i].error || strstr(error.text, rows[i].error) != NULL, error.text);
		UNIT_ROW(!strstr(error.text, "Dw8fQm2LrXk5"), "an error shows a secret");
	}
}

static struct issuer *open_issuer(struct issuer_setup *setup)
{
	struct issuer *issuer = NULL;
	struct conf_error error;
	issuer_setup_add(setup, &setup->conf.algorithms, STR("HS256"));
	issuer_setup_add(setup, &setup->conf.user_id, STR("sub"));
	issuer_setup_secret(setup, STR("first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo"));
	CU_ASSERT_FATAL(issuer_open(&setup->section, 1, &issuer, &error));
	return issuer;
}

/* json-c reads what was signed. */
static void signed_claims(struct str token, const char *want)
{
	struct str rest = token, part;
	unsigned char bytes[2048];
	size_t n = 0;
	str_split(&rest, '.', &part);
	UNIT_STR_EQ(part, STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"), "header");
	str_split(&rest, '.', &part);
	CU_ASSERT_FATAL(BASE64URL_DECODED(part.n) < sizeof bytes && base64url_decode(part, bytes, &n));
	bytes[n] = '\0';
	struct json_object *claims = json_tokener_parse((char *)bytes);
	CU_ASSERT_FATAL(claims != NULL);
	CU_ASSERT_EQUAL(json_object_get_string_len(member(claims, "jti")), 22);
	json_object_object_del(claims, "jti");
	int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	UNIT_STR_EQ(str_of(json_object_to_json_string_ext(claims, flags)), str_of(want), "claims");
	json_object_put(claims);
}

static void signing(void)
{
	struct issuer_setup setup;
	issuer_setup(&setup);
	issuer_setup_add(&setup, &setup.conf.iss, STR("https://a.test"));
	issuer_setup_add(&setup, &setup.conf.iss, STR("https://old.test"));
	issuer_setup_add(&setup, &setup.conf.audience, STR("app"));
	struct issuer *issuer = open_issuer(&setup);
	struct issue issue = {STR("bj\xc3\xb6rn \"b\""),
			      STR("\"email\":\"b@a.test\",\"roles\":[\"x\"]"), 1000, 600, STR_NONE};
	struct str text, again;
	struct token token;
	struct claims c;
	CU_ASSERT_EQUAL_FATAL(issuer_sign(issuer, thread, arena, &issue, &text), ERR_NONE);
	signed_claims(text, "{\"sub\":\"bj\xc3\xb6rn \\\"b\\\"\",\"iat\":1000,\"exp\":1600,\"iss\":\"https://a.test\","
			    "\"aud\":\"app\",\"email\":\"b@a.test\",\"roles\":[\"x\"]}");
	CU_ASSERT_EQUAL_FATAL(token_parse(arena, text, &token), ERR_NONE);
	CU_ASSERT_EQUAL(issuer_verify(issuer, &(struct verification){thread, arena, 1599}, &token, &c), ERR_NONE);
	UNIT_STR_EQ(c.user_id, issue.user_id, "user");
	UNIT_STR_EQ(c.issuer, STR("main"), "issuer");
	CU_ASSERT_EQUAL(issuer_verify(issuer, &(struct verification){thread, arena, 1600}, &token, &c),
			ERR_TOKEN_EXPIRED);
	CU_ASSERT_EQUAL(c.exp, 1600);
	UNIT_STR_EQ(c.issuer, STR("main"), "issuer of an expired token");
	/* The same person in the same second: another token. */
	CU_ASSERT_EQUAL(issuer_sign(issuer, thread, arena, &issue, &again), ERR_NONE);
	CU_ASSERT_FALSE(str_eq(text, again));
	issuer_close(&issuer);
	arena_reset(arena);
}

static void what_is_not_signed(void)
{
	static char large[ISSUED_MAX];
	memset(large, 'x', sizeof large);
	memcpy(large, "\"a\":\"", 5);
	large[sizeof large - 1] = '"';
	const struct issue rows[] = {
		{STR(""), STR_NONE, 1000, 600, STR_NONE},
		{STR("a\nb"), STR_NONE, 1000, 600, STR_NONE},
		{STR(" a"), STR_NONE, 1000, 600, STR_NONE},
		{STR("\xff"), STR_NONE, 1000, 600, STR_NONE},
		{STR("a"), STR_NONE, 1000, 0, STR_NONE},
		{STR("a"), STR_NONE, 1000, -1, STR_NONE},
		{STR("a"), STR_NONE, -1, 600, STR_NONE},
		{STR("a"), STR_NONE, INT64_MAX, 1, STR_NONE},
		{STR("a"), STR("\"sub\":\"b\""), 1000, 600, STR_NONE},
		{STR("a"), STR("\"s\\u0075b\":\"b\""), 1000, 600, STR_NONE},
		{STR("a"), STR("\"exp\":9999999999"), 1000, 600, STR_NONE},
		{STR("a"), STR("x"), 1000, 600, STR_NONE},
		{STR("a"), STR("\"x\":1}"), 1000, 600, STR_NONE},
		{STR("a"), STR("\"x\":1,"), 1000, 600, STR_NONE},
		{STR("a"), {large, sizeof large}, 1000, 600, STR_NONE},
		{STR("a"), {large + sizeof large / 4, 1}, 1000, 600, STR_NONE},
	};
	struct issuer_setup setup;
	issuer_setup(&setup);
	struct issuer *issuer = open_issuer(&setup);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct str text = STR("untouched");
		CU_ASSERT_EQUAL(issuer_sign(issuer, thread, arena, &rows[i], &text), ERR_INTERNAL);
		UNIT_STR_EQ(text, STR("untouched"), "token");
		arena_reset(arena);
	}
	issuer_close(&issuer);
}

static void own_iss(void)
{
	struct issuer_setup setup;
	bool has_list = true;
	issuer_setup(&setup);
	struct issuer *issuer = open_issuer(&setup);
	CU_ASSERT_FALSE(issuer_claims_iss(issuer, STR("https://a.test"), &has_list));
	CU_ASSERT_FALSE(has_list);
	CU_ASSERT_EQUAL(issuer_cookies(issuer).n, 0);
	issuer_close(&issuer);
	issuer_setup(&setup);
	issuer_setup_add(&setup, &setup.conf.iss, STR("https://a.test"));
	issuer_setup_add(&setup, &setup.conf.iss, STR("https://b.test"));
	issuer_setup_add(&setup, &setup.conf.cookie, STR("sso"));
	issuer = open_issuer(&setup);
	CU_ASSERT_TRUE(issuer_claims_iss(issuer, STR("https://b.test"), &has_list));
	CU_ASSERT_TRUE(has_list);
	CU_ASSERT_FALSE(issuer_claims_iss(issuer, STR("https://a.test/"), &has_list));
	CU_ASSERT_FALSE(issuer_claims_iss(issuer, STR_NONE, &has_list));
	CU_ASSERT_EQUAL_FATAL(issuer_cookies(issuer).n, 1);
	UNIT_STR_EQ(issuer_cookies(issuer).items[0].value, STR("sso"), "cookie");
	issuer_close(&issuer);
	CU_ASSERT_PTR_NULL(issuer);
}

/* A negative leeway means the type's own. */
static void leeway(void)
{
	static const struct {
		int64_t milliseconds;
		enum err at_10;
	} rows[] = {{-1, ERR_TOKEN_EXPIRED}, {0, ERR_TOKEN_EXPIRED}, {10000, ERR_TOKEN_EXPIRED}, {11000, ERR_NONE}};
	for (size_t i = 0; i < 4; i++) {
		struct issuer_setup setup;
		struct str text;
		struct token token;
		struct claims c;
		issuer_setup(&setup);
		setup.conf.leeway = rows[i].milliseconds;
		struct issuer *issuer = open_issuer(&setup);
		struct issue issue = {STR("a"), STR_NONE, 1000, 100, STR_NONE};
		CU_ASSERT_EQUAL(issuer_sign(issuer, thread, arena, &issue, &text), ERR_NONE);
		CU_ASSERT_EQUAL_FATAL(token_parse(arena, text, &token), ERR_NONE);
		CU_ASSERT_EQUAL(issuer_verify(issuer, &(struct verification){thread, arena, 1110}, &token, &c),
				rows[i].at_10);
		issuer_close(&issuer);
		arena_reset(arena);
	}
}

/* Contract of every driver: a name of its own, and what issuer.c calls. */
static void drivers(void)
{
	for (size_t i = 0; issuer_drivers[i]; i++) {
		CU_ASSERT(issuer_drivers[i]->name && issuer_drivers[i]->open && issuer_drivers[i]->authenticate &&
			  issuer_drivers[i]->fits);
		CU_ASSERT(issuer_drivers[i]->defaults.leeway >= 0 && issuer_drivers[i]->forms);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(issuer_drivers[i]->name, issuer_drivers[j]->name);
	}
	CU_ASSERT_PTR_NOT_NULL(issuer_drivers[0]);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"tokens of PyJWT and jwcrypto", minted_tokens},
		{"tokens of other libraries", foreign_tokens},
		{"options", options},
		{"signing", signing},
		{"what is not signed", what_is_not_signed},
		{"own iss", own_iss},
		{"leeway", leeway},
		{"drivers", drivers},
		{0},
	};
	if (!token_start() || !arena_open(ARENA, &arena) || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("issuer", cases);
	token_thread_close(&thread);
	arena_close(&arena);
	return status;
}
