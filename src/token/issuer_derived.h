/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers of the NextAuth family share: session tokens encrypted (JWE,
 * "dir") with keys that are derived from secrets. */
#ifndef TOKEN_ISSUER_DERIVED_H
#define TOKEN_ISSUER_DERIVED_H

#include "token/issuer_internal.h"

/* How a family makes keys and names them. */
struct derivation {
	struct str salt, info; /* of HKDF */
	const char *const *encryptions; /* names; ends with NULL; KEYS_PER_SECRET at most */
	enum {
		DERIVED_WITHOUT_KID,
		DERIVED_KID_BY_SIZE, /* thumbprint by SHA-512 for keys of 64 bytes, by SHA-256 for others */
		DERIVED_KID_SHA256   /* thumbprint by SHA-256 whatever the size */
	} kid;
};

enum { KEYS_PER_SECRET = 2 };

/* One key for each secret and encryption, those of the first secret first. */
struct derived_keys {
	struct jwe_key *keys[KEY_SECRETS_MAX * KEYS_PER_SECRET];
	size_t n;
};

/* Add the keys of a secret, for the encryptions in issuer->encryptions. false:
 * no memory. A short secret is warned of: it is no HMAC key, but can be guessed. */
bool derived_add(struct derived_keys *keys, const struct issuer *issuer, const struct derivation *how,
		 const struct conf_text *where, struct str secret);
void derived_close(struct derived_keys *keys);
/* issuer->encryptions: those of the family, or of these what the section names. */
bool derived_read_encryptions(const struct conf_section *section, const struct derivation *how,
			      struct issuer *issuer, struct conf_error *error);

/* Is there a key that would be tried for it? */
bool derived_fit(const struct derived_keys *keys, const struct issuer *issuer, const struct token *token);
/* Decrypt, and set the payload: a strict JSON object. The kid chooses the key,
 * and a token without one gets the first secret's. Where keys have no kid all are tried: they are
 * KEY_SECRETS_MAX at most, and the tag tells which one was right.
 * ERR_BAD_ALGORITHM, ERR_UNKNOWN_KEY, ERR_DECRYPT_FAILED, ERR_TOKEN_MALFORMED, ERR_INTERNAL. */
enum err derived_authenticate(const struct derived_keys *keys, const struct issuer *issuer,
			      struct token_thread *thread, struct arena *arena, struct token *token);

/* For each_key. */
void derived_visit(const struct derived_keys *keys, issuer_key_visit *visit, void *context);

/* The whole of a driver that has these keys in issuer->own and nothing else. */
bool derived_open_issuer(const struct conf_section *section, const struct derivation *how, struct issuer *issuer,
			 struct conf_error *error);
void derived_close_issuer(struct issuer *issuer);
void derived_issuer_each_key(const struct issuer *issuer, issuer_key_visit *visit, void *context);
bool derived_issuer_fits(const struct issuer *issuer, const struct token *token);
enum err derived_issuer_authenticate(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
				     struct token *token);

#endif
