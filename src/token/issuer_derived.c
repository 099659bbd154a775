/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets to keys when the configuration is read; by a request only chosen and used. */
#include "token/issuer_derived.h"

#include <stdlib.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "token/compact.h"
#include "token/derive.h"
#include "token/issuer_keys.h"
#include "token/thread.h"

enum { SHORT_SECRET = 32 };

static bool open_key(const struct derivation *how, const struct encryption *encryption, struct str secret,
		     struct jwe_key **out)
{
	char memory[BASE64URL_ENCODED(DIGEST_MAX)];
	unsigned char bytes[ENCRYPTION_KEY_MAX];
	struct buf kid = buf_over(memory, sizeof memory);
	struct str key = {(const char *)bytes, encryption->key_size};
	bool sha512 = how->kid == DERIVED_KID_BY_SIZE && encryption->key_size == 64;
	bool good = derive_hkdf(secret, how->salt, how->info, bytes, encryption->key_size);
	if (good && how->kid != DERIVED_WITHOUT_KID)
		derive_oct_thumbprint(sha512 ? DIGEST_SHA512 : DIGEST_SHA256, key, &kid);
	good = good && !kid.full && jwe_key_open(encryption, key, kid.n ? buf_str(&kid) : STR_NONE, out);
	secret_wipe(bytes, sizeof bytes);
	return good;
}

bool derived_add(struct derived_keys *keys, const struct issuer *issuer, const struct derivation *how,
		 const struct conf_text *where, struct str secret)
{
	if (secret.n < SHORT_SECRET)
		log_text(LOG_WARNING, "config",
			 "%s:%u: secret: has %zu bytes: with fewer than %d it can be guessed; make one: authctl "
			 "secret generate",
			 where->file, where->line, secret.n, SHORT_SECRET);
	for (size_t i = 0; how->encryptions[i]; i++) {
		const struct encryption *encryption =
			encryption_find(str_of(how->encryptions[i]), issuer->encryptions);
		if (!encryption)
			continue;
		if (!open_key(how, encryption, secret, &keys->keys[keys->n]))
			return false;
		keys->n++;
	}
	return true;
}

void derived_close(struct derived_keys *keys)
{
	while (keys->n > 0)
		jwe_key_close(&keys->keys[--keys->n]);
}

bool derived_read_encryptions(const struct conf_section *section, const struct derivation *how,
			      struct issuer *issuer, struct conf_error *error)
{
	struct encryption_set known = {0};
	char memory[128];
	struct buf names = buf_over(memory, sizeof memory);
	bool works = derive_works();
	for (size_t i = 0; how->encryptions[i]; i++) {
		const struct encryption *encryption = encryption_find(str_of(how->encryptions[i]), ENCRYPTION_ALL);
		encryption_add(&known, encryption);
		works = works && encryption_works(encryption);
		buf_printf(&names, "%s%s", i ? ", " : "", encryption->name);
	}
	if (!works)
		return conf_fail(error, section, "type", "HKDF, or one of %s, does not work in this %s", buf_z(&names),
				 token_library());
	if (!issuer_read_encryptions(section, issuer, error))
		return false;
	if (issuer->encryptions.bits & ~known.bits)
		return conf_fail(error, section, "encryption", "tokens of type %s are encrypted with %s",
				 issuer->driver->name, buf_z(&names));
	if (issuer->encryptions.bits == 0)
		issuer->encryptions = known;
	return true;
}

/* Would this key be tried for a token of that kid? */
static bool is_meant(const struct jwe_key *key, const struct encryption *encryption, struct str kid)
{
	struct str own = jwe_key_kid(key);
	return jwe_key_encryption(key) == encryption && (!own.p || !kid.p || str_eq(own, kid));
}

static struct str kid_of(const struct token *token)
{
	struct str kid = STR_NONE;
	json_string(json_member(token->header, STR("kid")), &kid);
	return kid;
}

bool derived_fit(const struct derived_keys *keys, const struct issuer *issuer, const struct token *token)
{
	const struct encryption *encryption;
	if (jwe_check_header(token, issuer->encryptions, &encryption) != ERR_NONE)
		return false;
	for (size_t i = 0; i < keys->n; i++)
		if (is_meant(keys->keys[i], encryption, kid_of(token)))
			return true;
	return false;
}

enum err derived_authenticate(const struct derived_keys *keys, const struct issuer *issuer,
			      struct token_thread *thread, struct arena *arena, struct token *token)
{
	const struct encryption *encryption;
	struct str kid = kid_of(token), plaintext;
	enum err err = jwe_check_header(token, issuer->encryptions, &encryption);
	if (err)
		return err;
	err = ERR_UNKNOWN_KEY;
	for (size_t i = 0; i < keys->n; i++) {
		if (!is_meant(keys->keys[i], encryption, kid))
			continue;
		err = jwe_decrypt(keys->keys[i], thread, arena, token, &plaintext);
		if (err != ERR_DECRYPT_FAILED || jwe_key_kid(keys->keys[i]).p)
			break;
	}
	if (err)
		return err;
	return compact_object(arena, plaintext, &token->payload) ? ERR_NONE : ERR_TOKEN_MALFORMED;
}

void derived_visit(const struct derived_keys *keys, issuer_key_visit *visit, void *context)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct encryption *encryption = jwe_key_encryption(keys->keys[i]);
		visit(context, &(struct issuer_key){encryption->name, jwe_key_kid(keys->keys[i]),
						    8 * encryption->key_size});
	}
}

bool derived_open_issuer(const struct conf_section *section, const struct derivation *how, struct issuer *issuer,
			 struct conf_error *error)
{
	const struct conf_list *secrets = &issuer->conf->secret;
	struct derived_keys *keys = issuer->own = calloc(1, sizeof *keys);
	struct arena *arena;
	struct str secret;
	if (!keys || !arena_open(ISSUER_SECRET_ARENA, &arena))
		return conf_fail(error, section, "", "no memory");
	bool good = derived_read_encryptions(section, how, issuer, error) && issuer_check_secrets(section, error);
	for (size_t i = 0; good && i < secrets->n; i++) {
		arena_reset(arena);
		good = issuer_load_secret(&secrets->items[i], arena, &secret, error) &&
		       (derived_add(keys, issuer, how, &secrets->items[i], secret) ||
			conf_fail_at(error, &secrets->items[i], "secret", "no memory"));
	}
	issuer->has_kids = how->kid != DERIVED_WITHOUT_KID;
	arena_close(&arena);
	return good;
}

void derived_close_issuer(struct issuer *issuer)
{
	if (!issuer->own)
		return;
	derived_close(issuer->own);
	free(issuer->own);
	issuer->own = NULL;
}

void derived_issuer_each_key(const struct issuer *issuer, issuer_key_visit *visit, void *context)
{
	if (issuer->own)
		derived_visit(issuer->own, visit, context);
}

bool derived_issuer_fits(const struct issuer *issuer, const struct token *token)
{
	return derived_fit(issuer->own, issuer, token);
}

enum err derived_issuer_authenticate(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
				     struct token *token)
{
	return derived_authenticate(issuer->own, issuer, thread, arena, token);
}
