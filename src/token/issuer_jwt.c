/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers of type jwt: any maker of signed tokens, with the algorithms and keys
 * that the configuration names, or of encrypted ones, by a key that both sides have. */
#include <stdlib.h>

#include "base/secret.h"
#include "token/issuer_derived.h"
#include "token/issuer_keys.h"
#include "token/jws.h"

/* The secret is the key, nothing is derived: one for each encryption that wants
 * exactly so many bytes, which two at most do. */
static bool add_keys(const struct conf_text *where, struct str secret, struct issuer *issuer, struct conf_error *error)
{
	struct derived_keys *keys = issuer->own;
	size_t before = keys->n;
	const struct encryption *encryption;
	char memory[256];
	struct buf wanted = buf_over(memory, sizeof memory);
	for (size_t i = 0; (encryption = encryption_at(i)); i++) {
		if (!encryption_find(str_of(encryption->name), issuer->encryptions))
			continue;
		buf_printf(&wanted, "%s%zu for %s", wanted.n ? ", " : "", encryption->key_size, encryption->name);
		if (secret.n != encryption->key_size)
			continue;
		if (!jwe_key_open(encryption, secret, STR_NONE, &keys->keys[keys->n]))
			return conf_fail_at(error, where, "secret", "no memory");
		keys->n++;
	}
	return keys->n > before || conf_fail_at(error, where, "secret",
					       "the key has %zu bytes, but it must have exactly %s; it is taken as it "
					       "stands, neither hex nor base64 is decoded",
					       secret.n, buf_z(&wanted));
}

static bool load_secret(const struct conf_text *where, struct issuer *issuer, struct conf_error *error)
{
	struct arena *arena;
	struct str secret;
	if (!arena_open(ISSUER_SECRET_ARENA, &arena))
		return conf_fail_at(error, where, "secret", "no memory");
	bool good = issuer_load_secret(where, arena, &secret, error) && add_keys(where, secret, issuer, error);
	arena_close(&arena);
	return good;
}

static bool open_encrypted(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	static const char *const unfit[] = {"algorithms", "public-key", "jwks", "key-ring", NULL};
	const struct conf_list *secrets = &issuer->conf->secret;
	for (size_t i = 0; unfit[i]; i++)
		if (conf_is_given(section, unfit[i]))
			return conf_fail(error, section, unfit[i],
					 "is for signed tokens, and encryption for encrypted ones: remove one of them, "
					 "or make it a second [issuer]");
	issuer->own = calloc(1, sizeof(struct derived_keys));
	if (!issuer->own)
		return conf_fail(error, section, "", "no memory");
	issuer->forms = TOKEN_FORM(TOKEN_JWE);
	if (!issuer_read_encryptions(section, issuer, error) || !issuer_check_secrets(section, error))
		return false;
	for (size_t i = 0; i < secrets->n; i++)
		if (!load_secret(&secrets->items[i], issuer, error))
			return false;
	return true;
}

static bool jwt_open(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	if (issuer->conf->encryption.n > 0)
		return open_encrypted(section, issuer, error);
	issuer->forms = TOKEN_FORM(TOKEN_JWS);
	return issuer_read_algorithms(section, issuer, error) && issuer_load_keys(section, issuer, error);
}

static bool jwt_fits(const struct issuer *issuer, const struct token *token)
{
	return token->form == TOKEN_JWE ? derived_issuer_fits(issuer, token) : issuer_has_key(issuer, token);
}

static enum err jwt_authenticate(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
				 struct token *token)
{
	return token->form == TOKEN_JWE ? derived_issuer_authenticate(issuer, thread, arena, token)
					: issuer_verify_signature(issuer, thread, token);
}

static bool jwt_sign(const struct issuer *issuer, struct token_thread *thread, struct str claims_json,
		     struct buf *token)
{
	return jws_sign(&issuer->keys, thread, claims_json, token);
}

static const char *const user_id[] = {"sub", "user_id", NULL};
static const char *const options[] = {
	"algorithms",	"encryption",	 "secret",     "public-key",	   "key-ring",		 "jwks",
	"jwks-refresh", "jwks-cooldown", "jwks-stale", "allow-plain-http", "allow-short-secret", NULL};

const struct issuer_driver issuer_jwt = {
	.name = "jwt",
	.options = options,
	.forms = TOKEN_FORM(TOKEN_JWS) | TOKEN_FORM(TOKEN_JWE),
	.defaults = {.user_id = user_id},
	.open = jwt_open,
	.close = derived_close_issuer,
	.each_key = derived_issuer_each_key,
	.fits = jwt_fits,
	.authenticate = jwt_authenticate,
	.sign = jwt_sign,
};
