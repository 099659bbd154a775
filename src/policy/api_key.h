/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: credentials of programs, checked against records that all hosts know,
 * or that stand in a file. What a key is made of: api_key_record.h. */
#ifndef POLICY_API_KEY_H
#define POLICY_API_KEY_H

#include "base/conf.h"
#include "policy/api_key_record.h"
#include "store/store.h"
#include "token/claims.h"

struct snapshot;
struct worker;

/* The iss of the claims that an API key makes: with the key's id as jti it names the
 * revocation of one key, and with the owner that of all of an owner's. */
#define API_KEY_ISS "urn:fcgi-auth:api-key"

/* The seconds that a revocation of a key without end holds: no token lives as long. */
#define API_KEY_FOR_EVER (INT64_C(100) * 365 * 86400)

/* [api-keys] */
struct api_keys_conf {
	struct conf_text header, prefix, rate, file;
	struct conf_list secret;
};

extern const struct conf_kind api_keys_kind;

/* What a snapshot has made of it. */
struct api_key_settings {
	struct str prefix;
	struct str header;    /* as it is written */
	struct str parameter; /* the CGI name of the header: HTTP_X_API_KEY */
	struct limiter_rate rate;	/* of keys that have none of their own */
	const struct api_key_line *lines; /* the records of the file, by their ids */
	size_t n_lines;
	const struct str *secrets; /* the first signs records, all verify */
	size_t n_secrets;
	bool needs_secret; /* hosts share servers, and there is none */
};

struct api_key_line {
	struct str id, text;
};

/* Check the section and read its file. */
bool api_keys_compile(struct snapshot *snapshot, struct conf_error *error);
/* The record that the file has for the id, or STR_NONE. */
struct str api_keys_find(const struct api_key_settings *settings, struct str id);

/* Sign the record that was printed. false: it does not fit any more. */
bool api_key_seal(struct token_thread *thread, const struct api_key_settings *settings, struct buf *record);
/* Is the store's record one of this site? Without a secret each is. */
bool api_key_is_sealed(struct token_thread *thread, const struct api_key_settings *settings, struct str record);

/* The process's: who has been here how often. */
struct api_keys;

bool api_keys_open(struct api_keys **out);
void api_keys_close(struct api_keys **keys);

/* The uses of all processes of this host, in state_dir. */
bool api_keys_open_uses(const char *state_dir, struct limiter **out, struct buf *why);
/* What a key is counted and stored under. */
bool api_key_store_key(struct token_thread *thread, struct str id, struct store_key *out);

/* The claims of a key: user_id is the owner, jti the id, scope its scopes, exp its
 * end; `all` has what the record says but its hash and rate. false: no memory. */
bool api_key_claims(struct arena *arena, const struct api_key_record *record, struct claims *out);
/* Check a key, make its claims and count it: in tools it is not counted. Not the
 * revocation: that is a step of its own, as for a token.
 * ERR_TOKEN_MALFORMED, ERR_UNKNOWN_KEY, ERR_BAD_SIGNATURE (the secret is wrong),
 * ERR_TOKEN_EXPIRED (then claims are made as well), ERR_STORE; ERR_RATE_LIMITED:
 * *retry_after is in how many seconds it will be good again. */
enum err api_key_verify(struct worker *worker, struct str text, struct claims *out, int64_t *retry_after);
/* What the client is told in place of that error: an id that is not there and a
 * secret that is wrong look the same. */
enum err api_key_public_error(enum err err);

#endif
