/* SPDX-License-Identifier: Apache-2.0 */
/* What drivers share: from options to algorithms and keys. Each function reads the
 * options of the section, fills the issuer, and says in error what is wrong, where,
 * and what to do. */
#ifndef TOKEN_ISSUER_KEYS_H
#define TOKEN_ISSUER_KEYS_H

#include "token/issuer_internal.h"

/* Of the arena that issuer_load_secret needs: what the loader reads into, its copy, and a path. */
enum { ISSUER_SECRET_ARENA = 3 * 65536 };

/* issuer->algorithms, by `algorithms`, else by what the type has. */
bool issuer_read_algorithms(const struct conf_section *section, struct issuer *issuer, struct conf_error *error);
/* issuer->encryptions, by `encryption`. */
bool issuer_read_encryptions(const struct conf_section *section, struct issuer *issuer, struct conf_error *error);

/* Load one of `secret`, which may be for HMAC or to derive a key from: not empty,
 * blank or a PEM file. Warns when everybody knows it. */
bool issuer_load_secret(const struct conf_text *where, struct arena *arena, struct str *out, struct conf_error *error);
/* Are there too many secrets to try? */
bool issuer_check_secrets(const struct conf_section *section, struct conf_error *error);

/* issuer->keys and has_kids, from where the section says: one of `secret` (HS*),
 * `public-key`, `jwks` and `key-ring`. A jwks with a URL gives no keys: they
 * come by issuer->source. */
bool issuer_load_keys(const struct conf_section *section, struct issuer *issuer, struct conf_error *error);
/* The part of it for public keys alone: `public-key`, `jwks` or none of them. */
bool issuer_load_public(const struct conf_section *section, struct issuer *issuer, struct conf_error *error);

/* Verify a signed token by issuer->keys, or by those that were fetched. As
 * jws_verify; ERR_KEYS when none have been fetched yet. */
enum err issuer_verify_signature(const struct issuer *issuer, struct token_thread *thread, const struct token *token);
/* Is the token's algorithm allowed, and is there a key for it? true as well while
 * the keys have not been fetched. */
bool issuer_has_key(const struct issuer *issuer, const struct token *token);

#endif
