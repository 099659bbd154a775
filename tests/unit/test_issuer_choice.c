/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a policy's issuers a token belongs to. */
#include "policy/issuer_choice.h"

#include <string.h>

#include "folder.h"
#include "policy/runtime.h"
#include "unit.h"

#define SECRET "secret = text:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
#define JWT(name, options) "[issuer \"" name "\"]\n" SECRET options
#define POLICY "[policy \"site\"]\npath = /**\n"

static struct folder folder;

static bool load(const char *text, struct snapshot **out, struct conf_error *error)
{
	folder_write(&folder, "conf", str_of(text));
	error->text[0] = '\0';
	return snapshot_open(folder_file(&folder, "conf"), 1, out, error);
}

struct row {
	const char *header, *payload, *cookie; /* no header: a token of no known form */
	const char *want;		       /* issuer, or NULL */
	enum err err;
};

static void check_rows(const char *text, const struct row *rows)
{
	struct snapshot *snapshot;
	struct conf_error error;
	CU_ASSERT_FATAL(load(text, &snapshot, &error));
	for (; rows->header || rows->cookie || rows->err; rows++) {
		struct token token = {.form = TOKEN_OTHER, .cookie = str_of(rows->cookie)};
		struct issuer *issuer = NULL;
		if (rows->header) {
			CU_ASSERT_FATAL(json_parse(snapshot->arena, str_of(rows->header), &token.header));
			token.form = json_member(token.header, STR("enc")) ? TOKEN_JWE : TOKEN_JWS;
		}
		if (rows->payload)
			CU_ASSERT_FATAL(json_parse(snapshot->arena, str_of(rows->payload), &token.payload));
		enum err err = issuer_choose(snapshot->arena, &snapshot->policies[0].issuers, &token, &issuer);
		UNIT_ROW(err == rows->err, rows->header ? rows->header : "other form");
		UNIT_STR_EQ(issuer ? issuer_name(issuer) : STR_NONE, str_of(rows->want), rows->payload);
	}
	snapshot_close(&snapshot);
}

/* Its own check says what is wrong. */
static void the_only_one(void)
{
	static const struct row rows[] = {
		{"{\"alg\":\"RS256\"}", "{\"iss\":\"x\"}", NULL, "a", ERR_NONE},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", NULL, "c", "a", ERR_NONE},
		{NULL, NULL, "c", "a", ERR_NONE},
		{0},
	};
	check_rows(JWT("a", "algorithms = HS256\niss = a\n") POLICY, rows);
}

static void by_iss(void)
{
	static const struct row rows[] = {
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://a\"}", NULL, "a", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://a.old\"}", NULL, "a", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://b\"}", NULL, "b", ERR_NONE},
		/* The algorithm is not b's, and not looked at: b says so. */
		{"{\"alg\":\"HS512\"}", "{\"iss\":\"https://b\"}", NULL, "b", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://a/\"}", NULL, "open", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{\"iss\":[\"https://a\"]}", NULL, "open", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{}", NULL, "open", ERR_NONE},
		{NULL, NULL, NULL, NULL, ERR_TOKEN_MALFORMED},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", NULL, NULL, NULL, ERR_BAD_ALGORITHM},
		{0},
	};
	check_rows(JWT("a", "algorithms = HS256\niss = https://a, https://a.old\n")
			   JWT("b", "algorithms = HS256\niss = https://b\n") JWT("open", "algorithms = HS256\n")
				   POLICY,
		   rows);
}

static void by_iss_alone(void)
{
	static const struct row rows[] = {
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://b\"}", NULL, "b", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://c\"}", NULL, NULL, ERR_BAD_ISSUER},
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"\"}", NULL, NULL, ERR_BAD_ISSUER},
		{"{\"alg\":\"HS256\"}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{0},
	};
	check_rows(JWT("a", "algorithms = HS256\niss = https://a\n") JWT("b", "algorithms = HS256\niss = https://b\n")
			   POLICY,
		   rows);
}

static void by_cookie(void)
{
	static const struct row rows[] = {
		{"{\"alg\":\"HS256\"}", "{}", "a", "a", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{}", "a.old", "a", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{}", "b", "b", ERR_NONE},
		/* A bearer token, or the login's cookie, says nothing. */
		{"{\"alg\":\"HS256\"}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{"{\"alg\":\"HS256\"}", "{}", "A", NULL, ERR_BAD_ISSUER},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", NULL, "a", NULL, ERR_BAD_ALGORITHM},
		{0},
	};
	check_rows(JWT("a", "algorithms = HS256\ncookie = a, a.old\n") JWT("b", "algorithms = HS256\ncookie = b\n")
			   POLICY,
		   rows);
}

/* The cookie goes before iss: what came in it is no one else's, and its issuer
 * says what is wrong with it. */
static void by_cookie_before_iss(void)
{
	static const struct row rows[] = {
		/* a says that it is not its own. */
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://b\"}", "a", "a", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://a\"}", "a", "a", ERR_NONE},
		{"{\"alg\":\"HS256\"}", "{\"iss\":\"https://b\"}", "other", "b", ERR_NONE},
		{0},
	};
	check_rows(JWT("a", "algorithms = HS256\niss = https://a\ncookie = a\n")
			   JWT("b", "algorithms = HS256\niss = https://b\n") POLICY,
		   rows);
}

static void by_algorithm(void)
{
	static const struct row rows[] = {
		{"{\"alg\":\"HS256\"}", "{}", NULL, "a", ERR_NONE},
		{"{\"alg\":\"HS384\"}", "{\"iss\":\"x\"}", NULL, "b", ERR_NONE},
		{"{\"alg\":\"HS512\"}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{"{\"alg\":\"none\"}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{"{}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{0},
	};
	check_rows(JWT("a", "algorithms = HS256\n") JWT("b", "algorithms = HS384\n") POLICY, rows);
}

#define EC(kid)                                                                                                        \
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","          \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"kid\":\"" kid "\"}]}"

/* Fetched keys may be anything: what no other key is for may be a new one of theirs. */
static void by_kid(void)
{
	static const struct row rows[] = {
		{"{\"alg\":\"ES256\",\"kid\":\"k1\"}", "{}", NULL, "a", ERR_NONE},
		{"{\"alg\":\"ES256\",\"kid\":\"k2\"}", "{}", NULL, "b", ERR_NONE},
		{"{\"alg\":\"ES256\",\"kid\":\"k3\"}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{"{\"alg\":\"ES256\"}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{"{\"alg\":\"ES384\",\"kid\":\"k1\"}", "{}", NULL, NULL, ERR_BAD_ISSUER},
		{0},
	};
	char text[2048];
	struct buf b = buf_over(text, sizeof text);
	folder_write(&folder, "a.jwks", STR(EC("k1")));
	folder_write(&folder, "b.jwks", STR(EC("k2")));
	buf_printf(&b, "[issuer \"a\"]\nalgorithms = ES256\njwks = file:%s/a.jwks\n", folder.path);
	buf_printf(&b, "[issuer \"b\"]\nalgorithms = ES256\njwks = file:%s/b.jwks\n" POLICY, folder.path);
	check_rows(buf_z(&b), rows);
}

/* With fetched keys: known, not yet, and one that nobody knows. */
static void by_fetched_kid(void)
{
	static const struct {
		const char *kid, *want;
	} rows[] = {{"k1", "fetched"}, {"k2", "b"}, {"k3", "fetched"}};
	struct snapshot *snapshot;
	struct conf_error error;
	struct key_source *source;
	struct key_set set;
	char text[2048];
	struct buf b = buf_over(text, sizeof text), why = buf_over(text, sizeof text);
	folder_write(&folder, "b.jwks", STR(EC("k2")));
	buf_printf(&b,
		   "[issuer \"fetched\"]\nalgorithms = ES256\njwks = https://a.test/\n"
		   "[issuer \"b\"]\nalgorithms = ES256\njwks = file:%s/b.jwks\n" POLICY,
		   folder.path);
	CU_ASSERT_FATAL(load(buf_z(&b), &snapshot, &error));
	key_set_begin(&set);
	CU_ASSERT_FATAL(key_set_add_jwks(&set, ALGORITHM_ALL, STR(EC("k1")), &why));
	CU_ASSERT_FATAL(key_source_open(&source) && key_source_put(source, &set));
	issuer_set_source(snapshot_issuer(snapshot, STR("fetched")), source);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct token token = {.form = TOKEN_JWS};
		struct issuer *issuer = NULL;
		struct str header = arena_printf(snapshot->arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", rows[i].kid);
		CU_ASSERT_FATAL(json_parse(snapshot->arena, header, &token.header));
		CU_ASSERT_EQUAL(
			issuer_choose(snapshot->arena, &snapshot->policies[0].issuers, &token, &issuer), ERR_NONE);
		UNIT_STR_EQ(issuer ? issuer_name(issuer) : STR_NONE, str_of(rows[i].want), rows[i].kid);
	}
	snapshot_close(&snapshot);
	key_source_close(&source);
}

static void by_form(void)
{
	static const struct row rows[] = {
		{"{\"alg\":\"HS256\"}", "{}", NULL, "signed", ERR_NONE},
		{"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", NULL, NULL, "gcm", ERR_NONE},
		{"{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}", NULL, NULL, "cbc", ERR_NONE},
		{"{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", NULL, NULL, NULL, ERR_BAD_ISSUER},
		{NULL, NULL, NULL, NULL, ERR_TOKEN_MALFORMED},
		{0},
	};
	check_rows(JWT("signed", "algorithms = HS256\n") JWT("cbc", "encryption = A256CBC-HS512\n")
			   "[issuer \"gcm\"]\nencryption = A256GCM\n"
			   "secret = text:0123456789abcdef0123456789abcdef\n" POLICY,
		   rows);
}

static void what_cannot_be_told_apart(void)
{
	static const struct {
		const char *a, *b; /* options of two issuers */
		bool good;
	} rows[] = {
		{"algorithms = HS256\n", "algorithms = HS256\n", false},
		{"algorithms = HS256\n", "algorithms = HS512, HS256\n", false},
		{"algorithms = HS256\n", "algorithms = HS512\n", true},
		{"algorithms = HS256\niss = a\n", "algorithms = HS256\n", true},
		{"algorithms = HS256\niss = a\n", "algorithms = HS256\niss = b\n", true},
		{"algorithms = HS256\niss = a, b\n", "algorithms = HS256\niss = b\n", false},
		{"algorithms = HS256\niss = a, b\n", "algorithms = HS384\niss = b\n", true},
		{"algorithms = HS256\ncookie = a\n", "algorithms = HS256\ncookie = b\n", true},
		{"algorithms = HS256\ncookie = a\n", "algorithms = HS256\n", false},
		{"algorithms = HS256\ncookie = a, b\n", "algorithms = HS256\ncookie = b, c\n", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[1024];
		struct buf b = buf_over(text, sizeof text);
		struct snapshot *snapshot = NULL;
		struct conf_error error;
		buf_printf(&b, "[issuer \"a\"]\n" SECRET "%s[issuer \"b\"]\n" SECRET "%s" POLICY, rows[i].a, rows[i].b);
		bool good = load(buf_z(&b), &snapshot, &error);
		UNIT_ROW(good == rows[i].good, buf_z(&b));
		UNIT_ROW(good || strstr(error.text, "[issuer \"a\"] and [issuer \"b\"] cannot be told apart"),
			 error.text);
		snapshot_close(&snapshot);
	}
}

static void longest_token(void)
{
	struct snapshot *snapshot;
	struct conf_error error;
	CU_ASSERT_FATAL(load(JWT("a", "algorithms = HS256\nmax-token = 1k\n")
				     JWT("b", "algorithms = HS384\nmax-token = 20k\n") POLICY,
			     &snapshot, &error));
	CU_ASSERT_EQUAL(issuer_longest_token(&snapshot->policies[0].issuers), 20480);
	CU_ASSERT_EQUAL(issuer_longest_token(&(struct issuer_set){0}), 0);
	CU_ASSERT_EQUAL(issuer_check_size(&snapshot->policies[0].issuers, (struct str){"", 20480}), ERR_NONE);
	CU_ASSERT_EQUAL(issuer_check_size(&snapshot->policies[0].issuers, (struct str){"", 20481}),
			ERR_TOKEN_MALFORMED);
	snapshot_close(&snapshot);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"the only one", the_only_one},
		{"by iss", by_iss},
		{"by iss alone", by_iss_alone},
		{"by cookie", by_cookie},
		{"by cookie before iss", by_cookie_before_iss},
		{"by algorithm", by_algorithm},
		{"by kid", by_kid},
		{"by fetched kid", by_fetched_kid},
		{"by form", by_form},
		{"what cannot be told apart", what_cannot_be_told_apart},
		{"longest token", longest_token},
		{NULL, NULL},
	};
	folder_open(&folder);
	int status = token_start() ? unit_main("issuer_choice", cases) : 1;
	folder_close(&folder);
	return status;
}
