/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers of type jwt: any maker of signed tokens, with the algorithms and keys
 * that the configuration names. */
#include "base/log.h"
#include "base/secret.h"
#include "token/issuer_internal.h"
#include "token/jws.h"

static const struct algorithm *find_algorithm(const struct conf_text *text, struct conf_error *error)
{
	const struct algorithm *algorithm = algorithm_find(text->value, ALGORITHM_ALL);
	char memory[256];
	struct buf known = buf_over(memory, sizeof memory);
	algorithm_print_all(&known);
	if (!algorithm)
		conf_fail_at(error, text, "algorithms", "\"%.*s\" is not known; algorithms are %s",
			     STR_ARGS(text->value), buf_z(&known));
	return algorithm;
}

static bool read_algorithms(const struct conf_section *section, struct algorithm_set *out, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	if (conf->algorithms.n == 0)
		return conf_fail(error, section, "algorithms",
				 "is missing: name what the tokens are signed with, such as HS256");
	for (size_t i = 0; i < conf->algorithms.n; i++) {
		const struct conf_text *text = &conf->algorithms.items[i];
		const struct algorithm *algorithm = find_algorithm(text, error);
		if (!algorithm)
			return false;
		if (algorithm->family != KEY_HMAC)
			return conf_fail_at(error, text, "algorithms", "%s takes no secret", algorithm->name);
		if (!algorithm_add(out, algorithm))
			return conf_fail_at(error, text, "algorithms", "%s is named twice", algorithm->name);
	}
	return true;
}

static bool add_key(const struct conf_text *where, const struct algorithm *algorithm, struct str secret,
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
static bool add_keys(const struct conf_section *section, const struct conf_text *where, struct str secret,
		     struct issuer *issuer, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	const struct algorithm *unfit = NULL;
	size_t before = issuer->keys.n;
	for (size_t i = 0; i < conf->algorithms.n; i++) {
		const struct algorithm *algorithm = find_algorithm(&conf->algorithms.items[i], error);
		if (!algorithm)
			return false;
		if (!conf->allow_short_secret && !key_secret_suffices(secret, algorithm))
			unfit = algorithm;
		else if (!add_key(where, algorithm, secret, issuer, error))
			return false;
	}
	if (unfit && issuer->keys.n == before)
		return fail_short(where, unfit, secret, error);
	if (unfit)
		log_text(LOG_WARNING, "config", "%s:%u: secret: has %zu bytes, too short for %s: not used for it",
			 where->file, where->line, secret.n, unfit->name);
	if (key_is_well_known(secret))
		log_text(LOG_WARNING, "config",
			 "%s:%u: secret: this is a placeholder that everybody knows; make one: authctl secret generate",
			 where->file, where->line);
	return true;
}

static bool check_secret(const struct conf_section *section, const struct conf_text *where, struct str secret,
			 struct issuer *issuer, struct conf_error *error)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	if (!key_check_secret(secret, &why))
		return conf_fail_at(error, where, "secret", "%s", buf_z(&why));
	return add_keys(section, where, secret, issuer, error);
}

static bool load_secret(const struct conf_section *section, const struct conf_text *where, struct issuer *issuer,
			struct conf_error *error)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct arena *arena;
	struct str secret;
	/* What the loader reads into, its copy, and a path. */
	if (!arena_open(3 * SECRET_MAX, &arena))
		return conf_fail_at(error, where, "secret", "no memory");
	bool good = secret_load(arena, where->value, &secret, &why)
			    ? check_secret(section, where, secret, issuer, error)
			    : conf_fail_at(error, where, "secret", "%s", buf_z(&why));
	arena_close(&arena);
	return good;
}

static bool jwt_open(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	if (!read_algorithms(section, &issuer->algorithms, error))
		return false;
	if (conf->secret.n == 0)
		return conf_fail(error, section, "secret",
				 "is missing: write secret = file:PATH; make one: authctl secret generate > PATH");
	if (conf->secret.n > KEY_SECRETS_MAX)
		return conf_fail_at(error, &conf->secret.items[KEY_SECRETS_MAX], "secret",
				    "more than %d secrets: each one costs an unknown token a try", KEY_SECRETS_MAX);
	for (size_t i = 0; i < conf->secret.n; i++)
		if (!load_secret(section, &conf->secret.items[i], issuer, error))
			return false;
	return true;
}

static bool jwt_fits(const struct issuer *issuer, const struct token *token)
{
	struct str alg;
	return json_string(json_member(token->header, STR("alg")), &alg) && algorithm_find(alg, issuer->algorithms);
}

static enum err jwt_authenticate(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
				 struct token *token)
{
	(void)arena;
	return jws_verify(&issuer->keys, thread, issuer->algorithms, token);
}

static bool jwt_sign(const struct issuer *issuer, struct token_thread *thread, struct str claims_json,
		     struct buf *token)
{
	return jws_sign(&issuer->keys, thread, claims_json, token);
}

static const char *const user_id[] = {"sub", "user_id", NULL};

const struct issuer_driver issuer_jwt = {
	.name = "jwt",
	.forms = TOKEN_FORM(TOKEN_JWS),
	.defaults = {.user_id = user_id},
	.open = jwt_open,
	.fits = jwt_fits,
	.authenticate = jwt_authenticate,
	.sign = jwt_sign,
};
