/* SPDX-License-Identifier: Apache-2.0 */
/* Loading keys from where the options say, and the rules about what may stand
 * together: one place for all keys of an issuer, and no secret next to public
 * keys, so that no header can make one the other. */
#include "token/issuer_keys.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "token/jws.h"

enum { WHY_SIZE = 512 };

static bool is_url(struct str jwks)
{
	return str_starts(jwks, STR("https://")) || str_starts(jwks, STR("http://"));
}

/* Secrets ---------------------------------------------------------------- */

bool issuer_load_secret(const struct conf_text *where, struct arena *arena, struct str *out, struct conf_error *error)
{
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	if (!secret_load(arena, where->value, out, &why) || !key_check_secret(*out, &why))
		return conf_fail_at(error, where, "secret", "%s", buf_z(&why));
	if (key_is_well_known(*out))
		log_text(LOG_WARNING, "config",
			 "%s:%u: secret: this is a placeholder that everybody knows; make one: authctl secret generate",
			 where->file, where->line);
	return true;
}

bool issuer_check_secrets(const struct conf_section *section, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	if (conf->secret.n == 0)
		return conf_fail(error, section, "secret",
				 "is missing: write secret = file:PATH; make one: authctl secret generate > PATH");
	if (conf->secret.n > KEY_SECRETS_MAX)
		return conf_fail_at(error, &conf->secret.items[KEY_SECRETS_MAX], "secret",
				    "more than %d secrets: each one costs an unknown token a try", KEY_SECRETS_MAX);
	return true;
}

static bool add_hmac(const struct conf_text *where, const struct algorithm *algorithm, struct str secret,
		     struct issuer *issuer, struct conf_error *error)
{
	struct key *key;
	if (!key_open_hmac(algorithm, secret, STR_NONE, &key))
		return conf_fail_at(error, where, "secret", "no memory");
	if (key_set_add(&issuer->keys, key))
		return true;
	key_close(&key);
	return conf_fail_at(error, where, "secret", "more than %d keys, or no memory", KEY_SET_MAX);
}

static bool fail_short(const struct conf_text *where, const struct algorithm *algorithm, struct str secret,
		       struct conf_error *error)
{
	return conf_fail_at(error, where, "secret",
			    "the secret has %zu bytes, %s needs at least %zu (RFC 7518 section 3.2); make one: authctl "
			    "secret generate, or, when the maker of the tokens can't change it, set "
			    "allow-short-secret = on",
			    secret.n, algorithm->name, algorithm->key_size);
}

/* One key for each algorithm that the secret is long enough for, in their order. */
static bool add_secret(const struct conf_text *where, struct str secret, struct issuer *issuer,
		       struct conf_error *error)
{
	const struct algorithm *unfit = NULL;
	size_t before = issuer->keys.n;
	for (size_t i = 0; i < issuer->algorithm_names.n; i++) {
		const struct algorithm *algorithm =
			algorithm_find(issuer->algorithm_names.items[i].value, issuer->algorithms);
		if (!issuer->conf->allow_short_secret && !key_secret_suffices(secret, algorithm))
			unfit = algorithm;
		else if (!add_hmac(where, algorithm, secret, issuer, error))
			return false;
	}
	if (unfit && issuer->keys.n == before)
		return fail_short(where, unfit, secret, error);
	if (unfit)
		log_text(LOG_WARNING, "config", "%s:%u: secret: has %zu bytes, too short for %s: not used for it",
			 where->file, where->line, secret.n, unfit->name);
	return true;
}

static bool load_secrets(const struct conf_section *section, struct arena *arena, struct issuer *issuer,
			 struct conf_error *error)
{
	const struct conf_list *secrets = &issuer->conf->secret;
	struct str secret;
	bool good = issuer_check_secrets(section, error);
	for (size_t i = 0; good && i < secrets->n; i++) {
		arena_reset(arena);
		good = issuer_load_secret(&secrets->items[i], arena, &secret, error) &&
		       add_secret(&secrets->items[i], secret, issuer, error);
	}
	return good;
}

/* Public keys and rings -------------------------------------------------- */

static bool load_public_keys(const struct conf_section *section, struct arena *arena, struct issuer *issuer,
			     struct conf_error *error)
{
	(void)section;
	const struct conf_list *files = &issuer->conf->public_key;
	for (size_t i = 0; i < files->n; i++) {
		const struct conf_text *where = &files->items[i];
		char memory[WHY_SIZE];
		struct buf why = buf_over(memory, sizeof memory);
		struct str text;
		arena_reset(arena);
		if (where->value.p[0] != '/')
			return conf_fail_at(error, where, "public-key", "\"%.*s\" is no path: write it from / on",
					    STR_ARGS(where->value));
		if (!file_load(arena, where->value.p, KEY_TEXT_MAX, &text, &why) ||
		    !key_set_add_public(&issuer->keys, issuer->algorithms, text, &why))
			return conf_fail_at(error, where, "public-key", "%s", buf_z(&why));
	}
	return true;
}

static bool load_jwks(const struct conf_section *section, struct arena *arena, struct issuer *issuer,
		      struct conf_error *error)
{
	(void)section;
	const struct conf_text *where = &issuer->conf->jwks;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	struct str text, path = where->value;
	if (is_url(path))
		return true;
	if (!str_starts(path, STR("file:/")))
		return conf_fail_at(error, where, "jwks", "\"%.*s\" is neither a URL (https://…) nor file:/PATH",
				    STR_ARGS(path));
	if (!file_load(arena, path.p + 5, KEY_TEXT_MAX, &text, &why) ||
	    !key_set_add_jwks(&issuer->keys, issuer->algorithms, text, &why))
		return conf_fail_at(error, where, "jwks", "%s", buf_z(&why));
	if (why.n)
		log_text(LOG_WARNING, "config", "%s:%u: jwks: %s", where->file, where->line, buf_z(&why));
	return true;
}

/* Said here, as what secret_load would have one make is a secret. */
static bool has_ring_file(struct arena *arena, struct str spec, struct buf *why)
{
	struct str path = secret_path(arena, spec);
	if (!path.p || access(path.p, F_OK) == 0 || errno != ENOENT)
		return true;
	buf_printf(why, "%.*s is not there; make one: authctl keys add", STR_ARGS(path));
	return false;
}

static bool load_ring(const struct conf_section *section, struct arena *arena, struct issuer *issuer,
		      struct conf_error *error)
{
	(void)section;
	const struct issuer_conf *conf = issuer->conf;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	struct str text;
	if (!has_ring_file(arena, conf->key_ring.value, &why) ||
	    !secret_load(arena, conf->key_ring.value, &text, &why) ||
	    !key_set_add_ring(&issuer->keys, issuer->algorithms, conf->allow_short_secret, text, &why))
		return conf_fail_at(error, &conf->key_ring, "key-ring", "%s", buf_z(&why));
	return true;
}

/* Which one -------------------------------------------------------------- */

static bool has_secret(const struct issuer_conf *conf)
{
	return conf->secret.n > 0;
}

static bool has_ring(const struct issuer_conf *conf)
{
	return conf->key_ring.value.p != NULL;
}

static bool has_public_key(const struct issuer_conf *conf)
{
	return conf->public_key.n > 0;
}

static bool has_jwks(const struct issuer_conf *conf)
{
	return conf->jwks.value.p != NULL;
}

/* Where keys come from. A ring says of each key what it is for; what is read from
 * the others is a secret, or public. */
static const struct source {
	const char *key;
	enum { KEYS_OF_BOTH_KINDS, KEYS_SECRET, KEYS_PUBLIC } kind;
	bool (*is_given)(const struct issuer_conf *conf);
	bool (*load)(const struct conf_section *section, struct arena *arena, struct issuer *issuer,
		     struct conf_error *error);
} sources[] = {
	{"secret", KEYS_SECRET, has_secret, load_secrets},
	{"key-ring", KEYS_OF_BOTH_KINDS, has_ring, load_ring},
	{"public-key", KEYS_PUBLIC, has_public_key, load_public_keys},
	{"jwks", KEYS_PUBLIC, has_jwks, load_jwks},
};

enum { SOURCES = sizeof sources / sizeof sources[0], FIRST_PUBLIC = 2 };

static bool is_hmac(const struct conf_text *name)
{
	const struct algorithm *algorithm = algorithm_find(name->value, ALGORITHM_ALL);
	return algorithm && algorithm->family == KEY_HMAC;
}

/* Is each algorithm one for such keys? */
static bool check_kind(const struct source *source, const struct issuer *issuer, struct conf_error *error)
{
	for (size_t i = 0; source->kind != KEYS_OF_BOTH_KINDS && i < issuer->algorithm_names.n; i++) {
		const struct conf_text *name = &issuer->algorithm_names.items[i];
		if (source->kind == KEYS_SECRET && !is_hmac(name))
			return conf_fail_at(error, name, "algorithms",
					    "%.*s is not for a secret: remove it, or give its public-key or jwks an "
					    "[issuer] of its own",
					    STR_ARGS(name->value));
		if (source->kind == KEYS_PUBLIC && is_hmac(name))
			return conf_fail_at(error, name, "algorithms",
					    "%.*s is not for a %s: with a public key as the secret everybody could "
					    "sign; remove it, or give its secret an [issuer] of its own",
					    STR_ARGS(name->value), source->key);
	}
	return true;
}

/* The one source that is given, from row `first` on. false: there are two. *out is NULL when there is none. */
static bool find_source(const struct conf_section *section, size_t first, const struct source **out,
			struct conf_error *error)
{
	*out = NULL;
	for (size_t i = first; i < SOURCES; i++) {
		if (!sources[i].is_given(section->values))
			continue;
		if (*out)
			return conf_fail(error, section, sources[i].key,
					 "stands next to %s: the keys of an issuer come from one place; remove one of "
					 "them, or make it a second [issuer]",
					 (*out)->key);
		*out = &sources[i];
	}
	return true;
}

static bool all_have_kids(const struct key_set *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!key_kid(keys->keys[i]).p)
			return false;
	return true;
}

/* What no key is for is refused, whoever signs it. */
static void tell_of_unused(const struct issuer *issuer)
{
	for (size_t i = 0; issuer->keys.n > 0 && i < issuer->conf->algorithms.n; i++) {
		const struct conf_text *name = &issuer->conf->algorithms.items[i];
		const struct algorithm *algorithm = algorithm_find(name->value, issuer->algorithms);
		bool used = false;
		for (size_t k = 0; k < issuer->keys.n && !used; k++)
			used = key_algorithm(issuer->keys.keys[k]) == algorithm;
		if (!used)
			log_text(LOG_WARNING, "config", "%s:%u: algorithms: no key is for %s: no such token is taken",
				 name->file, name->line, algorithm->name);
	}
}

static bool load(const struct source *source, const struct conf_section *section, struct issuer *issuer,
		 struct conf_error *error)
{
	struct arena *arena;
	if (!check_kind(source, issuer, error))
		return false;
	if (!arena_open(ISSUER_SECRET_ARENA + KEY_TEXT_MAX, &arena))
		return conf_fail(error, section, source->key, "no memory");
	bool good = source->load(section, arena, issuer, error);
	arena_close(&arena);
	issuer->has_kids = all_have_kids(&issuer->keys);
	if (good)
		tell_of_unused(issuer);
	return good;
}

bool issuer_load_keys(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct source *source;
	if (!find_source(section, 0, &source, error))
		return false;
	if (source)
		return load(source, section, issuer, error);
	if (is_hmac(&issuer->algorithm_names.items[0]))
		return issuer_check_secrets(section, error);
	return conf_fail(error, section, "",
			 "there is no key: write public-key = PATH, jwks = https://… or jwks = file:/PATH");
}

bool issuer_load_public(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct source *source;
	return find_source(section, FIRST_PUBLIC, &source, error) &&
	       (!source || load(source, section, issuer, error));
}

/* Using them -------------------------------------------------------------- */

static bool is_fetched(const struct issuer *issuer)
{
	return is_url(issuer->conf->jwks.value);
}

enum err issuer_verify_signature(const struct issuer *issuer, struct token_thread *thread, const struct token *token)
{
	static const struct key_set none;
	if (!is_fetched(issuer))
		return jws_verify(&issuer->keys, thread, issuer->algorithms, token);
	const struct key_set *set = issuer->source ? key_source_take(issuer->source) : NULL;
	/* A wrong algorithm is one without keys too. */
	enum err err = jws_verify(set ? set : &none, thread, issuer->algorithms, token);
	if (!set && err == ERR_UNKNOWN_KEY)
		err = ERR_KEYS;
	if (set)
		key_source_give_back(issuer->source, set);
	return err;
}

bool issuer_has_key(const struct issuer *issuer, const struct token *token)
{
	struct str name;
	struct key_wanted wanted = {0};
	if (json_string(json_member(token->header, STR("alg")), &name))
		wanted.algorithm = algorithm_find(name, issuer->algorithms);
	json_string(json_member(token->header, STR("kid")), &wanted.kid);
	if (!wanted.algorithm || !is_fetched(issuer))
		return wanted.algorithm && key_set_has(&issuer->keys, wanted);
	const struct key_set *set = issuer->source ? key_source_take(issuer->source) : NULL;
	bool has = !set || key_set_has(set, wanted);
	if (set)
		key_source_give_back(issuer->source, set);
	return has;
}
