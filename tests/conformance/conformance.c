/* SPDX-License-Identifier: Apache-2.0 */
/* Run public suites that are kept elsewhere: conformance FOLDER reads json.json
 * (name, expect, b64), jws.json (name, layer, token, jwk, alg, expect,
 * payload_hex, now) and jwe.json (conformance_jwe.c) of that folder, each an
 * array of cases. Prints those whose verdict is "either" with the answer that
 * they got. json-c reads the suites. */
#include "conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "token/claims.h"

enum { ARENA = 1 << 22 };

struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;
	return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

struct str text_of(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return STR_NONE;
	return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

bool is(struct json_object *row, const char *name, const char *want)
{
	return str_eq(text_of(member(row, name)), str_of(want));
}

/* Documents that are JSON, but not as strict as json.h wants it: a name twice,
 * "\\u0000". They must be refused. */
static const char *const stricter[] = {
	"y_object_duplicated_key.json",
	"y_object_duplicated_key_and_value.json",
	"y_object_escaped_null_in_key.json",
	"y_string_null_escape.json",
};

static bool is_owed(struct json_object *row)
{
	for (size_t i = 0; i < sizeof stricter / sizeof stricter[0]; i++)
		if (is(row, "name", stricter[i]))
			return false;
	return is(row, "expect", "accept");
}

/* "either" passes whatever the answer is: it is there to be survived. */
void count(struct run *run, struct json_object *row, bool accepted)
{
	bool either = is(row, "expect", "either");
	if (either)
		printf("either %s: %s\n", json_object_get_string(member(row, "name")),
		       accepted ? "accepted" : "refused");
	if (either || is_owed(row) == accepted) {
		run->passed++;
		return;
	}
	run->failed++;
	printf("FAIL %s: %s\n", json_object_get_string(member(row, "name")), accepted ? "accepted" : "refused");
}

/* The suite's base64 is the common one, padded. */
static bool decode_base64(struct arena *arena, struct str text, struct str *out)
{
	struct buf url = arena_buf(arena, text.n), bytes = arena_buf(arena, BASE64URL_DECODED(text.n));
	for (size_t i = 0; i < text.n && text.p[i] != '='; i++)
		buf_char(&url, text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i]);
	if (!base64url_decode(buf_str(&url), (unsigned char *)bytes.p, &bytes.n))
		return false;
	*out = buf_str(&bytes);
	return true;
}

static void run_json(struct run *run, struct json_object *row)
{
	struct str bytes;
	const struct json *tree;
	if (!decode_base64(run->arena, text_of(member(row, "b64")), &bytes)) {
		run->failed++;
		printf("FAIL %s: the suite's base64\n", json_object_get_string(member(row, "name")));
		return;
	}
	/* A document longer than the arena may be refused for that alone. */
	count(run, row, json_parse(run->arena, bytes, &tree));
}

bool is_payload(struct json_object *row, struct str payload)
{
	char memory[8192];
	struct buf hex = buf_over(memory, sizeof memory);
	buf_hex(&hex, (const unsigned char *)payload.p, payload.n);
	return !member(row, "payload_hex") || str_eq(buf_str(&hex), text_of(member(row, "payload_hex")));
}

/* Those of the case's algorithms that are on offer. */
static struct algorithm_set offered(struct json_object *row)
{
	struct algorithm_set set = {0};
	struct json_object *names = member(row, "alg");
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const struct algorithm *algorithm =
			algorithm_find(text_of(json_object_array_get_idx(names, i)), ALGORITHM_ALL);
		if (algorithm)
			algorithm_add(&set, algorithm);
	}
	return set;
}

/* A secret is a whole JWK here; the product takes those from key rings alone. */
static bool add_secret(struct json_object *jwk, struct algorithm_set set, struct key_set *keys)
{
	unsigned char bytes[1024];
	size_t n;
	struct str k = text_of(member(jwk, "k"));
	if (BASE64URL_DECODED(k.n) > sizeof bytes || !base64url_decode(k, bytes, &n))
		return false;
	for (size_t i = 0; algorithm_at(i); i++) {
		const struct algorithm *algorithm = algorithm_at(i);
		struct key *key;
		if (algorithm->family != KEY_HMAC || !algorithm_has(set, algorithm))
			continue;
		if (!key_open_hmac(algorithm, (struct str){(char *)bytes, n}, STR_NONE, &key) ||
		    !key_set_add(keys, key))
			return false;
	}
	return true;
}

static bool add_keys(struct json_object *row, struct algorithm_set set, struct key_set *keys)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	struct json_object *jwk = member(row, "jwk");
	if (is(jwk, "kty", "oct"))
		return add_secret(jwk, set, keys);
	return key_set_add_public(keys, set, str_of(json_object_to_json_string(jwk)), &why);
}

/* The claims layer of the suite has only times. */
static bool is_in_time(struct json_object *row, struct token *token)
{
	static const struct conf_text iss[] = {{.value = {"iss", 3}}};
	struct claims_rules rules = {.user_id = {iss, 1}, .require_exp = true};
	struct claims claims;
	return claims_check(&rules, token, json_object_get_int64(member(row, "now")), &claims) == ERR_NONE;
}

static void run_jws(struct run *run, struct json_object *row)
{
	struct token token;
	struct key_set keys = {.n = 0};
	struct algorithm_set set = offered(row);
	bool claims = is(row, "layer", "claims");
	/* A key that is refused leaves the set empty, and nothing may pass. */
	bool usable = add_keys(row, set, &keys);
	struct str text = text_of(member(row, "token"));
	enum err err = claims ? jws_parse_claims(run->arena, text, &token) : jws_parse(run->arena, text, &token);
	if (err == ERR_NONE)
		err = jws_verify(&keys, NULL, usable ? set : ALGORITHM_ALL, &token);
	bool accepted = err == ERR_NONE && (!claims || is_in_time(row, &token));
	key_set_close(&keys);
	if (accepted && !is_payload(row, token.payload_bytes)) {
		run->failed++;
		printf("FAIL %s: another payload\n", json_object_get_string(member(row, "name")));
		return;
	}
	count(run, row, accepted);
}

static bool run_suite(struct run *run, const char *folder, const char *file,
		      void (*run_case)(struct run *run, struct json_object *row))
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, file);
	struct json_object *rows = json_object_from_file(path);
	if (!rows || json_object_array_length(rows) == 0) {
		fprintf(stderr, "%s: no suite\n", path);
		json_object_put(rows);
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		run_case(run, json_object_array_get_idx(rows, i));
		arena_reset(run->arena);
	}
	json_object_put(rows);
	return true;
}

int main(int argc, char **argv)
{
	struct run run = {0};
	if (argc != 2) {
		fprintf(stderr, "usage: conformance FOLDER\n");
		return 64;
	}
	if (!token_start() || !arena_open(ARENA, &run.arena))
		return 1;
	bool read = run_suite(&run, argv[1], "json.json", run_json);
	read = run_suite(&run, argv[1], "jws.json", run_jws) && read;
	read = run_suite(&run, argv[1], "jwe.json", run_jwe) && read;
	arena_close(&run.arena);
	if (run.not_offered > 0)
		printf("%u not offered: refused, as they must be\n", run.not_offered);
	printf("%u passed, %u failed\n", run.passed, run.failed);
	return read && run.failed == 0 ? 0 : 1;
}
