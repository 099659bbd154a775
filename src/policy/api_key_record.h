/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an API key, and the text of the record that is kept of it.
 *
 * A key is PREFIX_ID_SECRET and six characters that check all before them: letters
 * and digits with '_' between, so that a double click takes it whole, and of such a
 * form that those who search repositories for secrets can tell it. The secret has
 * 256 random bits, so nobody can try them out, and a plain SHA-256 of it is as good
 * to keep as a slow hash, which is for secrets that people think of.
 *
 * A record is a JSON object on one line with the claims that the key stands for,
 * the hash of its secret, and its rate. */
#ifndef POLICY_API_KEY_RECORD_H
#define POLICY_API_KEY_RECORD_H

#include "store/limiter.h"
#include "token/digest.h"
#include "token/json.h"

enum {
	API_KEY_PREFIX_MAX = 16,
	API_KEY_ID_SIZE = 16,
	API_KEY_SECRET_SIZE = 43,
	API_KEY_CHECK_SIZE = 6,
	API_KEY_MAX = API_KEY_PREFIX_MAX + 1 + API_KEY_ID_SIZE + 1 + API_KEY_SECRET_SIZE + API_KEY_CHECK_SIZE,
	API_KEY_NAME_MAX = 100,
	API_KEY_SCOPE_MAX = 300,
};

/* 1 to API_KEY_PREFIX_MAX letters and digits? */
bool api_key_prefix_valid(struct str prefix);
/* Does the text begin like a key with that prefix? */
bool api_key_is(struct str prefix, struct str text);

/* Slices of the key's text. */
struct api_key {
	struct str id, secret;
};

/* false: it is no key with that prefix, or a character of it is wrong. */
bool api_key_parse(struct str prefix, struct str text, struct api_key *out);
/* A new one, printed into text (of API_KEY_MAX bytes at least). */
void api_key_make(struct str prefix, struct buf *text, struct api_key *out);
/* What is kept of the secret. */
bool api_key_hash(struct str secret, unsigned char out[DIGEST_SIZE]);

struct api_key_record {
	struct str id;
	struct str owner; /* a valid user id */
	struct str name;  /* of the program, or STR_NONE */
	struct str scope; /* words with one blank between, or STR_NONE */
	unsigned char hash[DIGEST_SIZE];
	int64_t iat, exp; /* seconds; exp may be TIME_ABSENT */
	bool has_rate;	  /* else that of [api-keys] holds */
	struct limiter_rate rate;
	struct str rate_text;
	const struct json *all; /* what was read */
};

/* false: no record of an API key, or one that add would not have made. Slices
 * point into text or the arena. */
bool api_key_record_parse(struct arena *arena, struct str text, struct api_key_record *out);
/* Print without line end; out becomes full where it does not fit. */
void api_key_record_print(const struct api_key_record *record, struct buf *out);
/* Characters of a scope (RFC 6749 section 3.3), with one blank between two words? */
bool api_key_scope_valid(struct str scope);
/* 1 to API_KEY_NAME_MAX bytes of UTF-8 without control bytes? */
bool api_key_name_valid(struct str name);

#endif
