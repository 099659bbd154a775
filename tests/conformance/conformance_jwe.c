/* SPDX-License-Identifier: Apache-2.0 */
/* jwe.json: name, token, jwk, requires (what must be on offer for an accept to be
 * owed: "dir" and one encryption here), expect, payload_hex. */
#include <stdio.h>

#include "base/codec.h"
#include "conformance.h"
#include "token/jwe.h"

/* The encryption that the case requires, when nothing else but "dir" is required. */
static const struct encryption *find_offered(struct json_object *row)
{
	struct json_object *names = member(row, "requires");
	const struct encryption *found = NULL;
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		struct str name = text_of(json_object_array_get_idx(names, i));
		const struct encryption *encryption = encryption_find(name, ENCRYPTION_ALL);
		if (!encryption && !str_eq(name, STR("dir")))
			return NULL;
		if (encryption)
			found = encryption;
	}
	return found;
}

/* Tried with every encryption that the key would fit. */
static bool decrypts(struct run *run, const struct token *token, struct str secret, struct str *plaintext)
{
	bool good = false;
	for (size_t i = 0; !good && encryption_at(i); i++) {
		const struct encryption *encryption;
		struct encryption_set set = {0};
		struct jwe_key *key;
		encryption_add(&set, encryption_at(i));
		if (!jwe_key_open(encryption_at(i), secret, STR_NONE, &key))
			continue;
		good = jwe_check_header(token, set, &encryption) == ERR_NONE &&
		       jwe_decrypt(key, NULL, run->arena, token, plaintext) == ERR_NONE;
		jwe_key_close(&key);
	}
	return good;
}

void run_jwe(struct run *run, struct json_object *row)
{
	struct token token;
	struct str plaintext, k = text_of(member(member(row, "jwk"), "k"));
	struct buf secret = arena_buf(run->arena, BASE64URL_DECODED(k.n));
	bool accepted = base64url_decode(k, (unsigned char *)secret.p, &secret.n) &&
			token_parse(run->arena, text_of(member(row, "token")), &token) == ERR_NONE &&
			token.form == TOKEN_JWE && decrypts(run, &token, buf_str(&secret), &plaintext);
	if (!accepted && !find_offered(row) && is(row, "expect", "accept")) {
		run->not_offered++;
		return;
	}
	if (accepted && (!find_offered(row) || !is_payload(row, plaintext))) {
		run->failed++;
		printf("FAIL %s: accepted, or another payload\n", json_object_get_string(member(row, "name")));
		return;
	}
	count(run, row, accepted);
}
