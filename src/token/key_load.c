/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from text: PEM, JWK, JWK Sets and key rings. Each function adds all of its
 * keys or none. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/secret.h"
#include "token/jwk.h"
#include "token/key_internal.h"
#include "token/pem.h"

struct load {
	struct key_set *set;
	struct algorithm_set allowed;
	struct arena *arena;
	struct buf *why;
	size_t before; /* keys of the set */
	bool is_full;
};

/* Room for the tree, for strings unescaped, and for numbers decoded and turned
 * around; in sanitizer builds each object is rounded up as well. */
static bool begin(struct load *load, struct str text)
{
	load->before = load->set->n;
	if (text.n > KEY_TEXT_MAX) {
		buf_printf(load->why, "it has more than %d bytes", KEY_TEXT_MAX);
		return false;
	}
	if (arena_open(4 * text.n + JSON_NODES_MAX * (sizeof(struct json) + 64), &load->arena))
		return true;
	buf_add(load->why, STR("no memory"));
	return false;
}

static bool end(struct load *load, bool good)
{
	arena_close(&load->arena);
	while (!good && load->set->n > load->before)
		key_close(&load->set->keys[--load->set->n]);
	return good;
}

static bool fail(struct load *load, const char *text)
{
	buf_add(load->why, str_of(text));
	return false;
}

static void add(struct load *load, struct key *key)
{
	if (key_set_add(load->set, key))
		return;
	key_close(&key);
	load->is_full = true;
}

static bool fail_full(struct load *load)
{
	buf_printf(load->why, "more than %d keys, where one for several algorithms counts for each, or no memory",
		   KEY_SET_MAX);
	return false;
}

/* One EVP_PKEY serves all the allowed algorithms that the key fits. */
static enum jwk_verdict add_public(struct load *load, const struct jwk *jwk, struct buf *why)
{
	EVP_PKEY *pkey = NULL;
	enum jwk_verdict verdict = JWK_OTHER;
	for (size_t i = 0; algorithm_at(i) && verdict != JWK_WRONG; i++) {
		const struct algorithm *algorithm = algorithm_at(i);
		struct key *key;
		if (!algorithm_has(load->allowed, algorithm) || !jwk_fits(jwk, algorithm))
			continue;
		if (!pkey)
			pkey = jwk_open_pkey(jwk, load->arena);
		verdict = pkey && key_open_pkey(algorithm, pkey, false, jwk->kid, &key) ? JWK_GOOD : JWK_WRONG;
		if (verdict == JWK_GOOD)
			add(load, key);
	}
	EVP_PKEY_free(pkey);
	if (verdict == JWK_OTHER)
		buf_add(why, STR("none of the allowed algorithms is for a key of its type, curve and alg"));
	else if (verdict == JWK_WRONG)
		buf_add(why, STR("the point is not on its curve, or no memory"));
	return verdict;
}

static bool add_one_jwk(struct load *load, struct str text)
{
	const struct json *object;
	struct jwk jwk;
	if (!json_parse(load->arena, text, &object))
		return fail(load, "it is neither PEM nor strict JSON");
	if (json_member(object, STR("keys")))
		return fail(load, "it is a JWK Set: name it in jwks instead");
	return jwk_read(load->arena, object, JWK_VERIFY, &jwk, load->why) == JWK_GOOD &&
	       add_public(load, &jwk, load->why) == JWK_GOOD;
}

bool key_set_add_public(struct key_set *set, struct algorithm_set allowed, struct str text, struct buf *why)
{
	struct load load = {.set = set, .allowed = allowed, .why = why};
	struct jwk jwk;
	if (!begin(&load, text))
		return false;
	bool good = pem_is(text) ? pem_read_public(load.arena, text, &jwk, why) &&
					   add_public(&load, &jwk, why) == JWK_GOOD
				 : add_one_jwk(&load, text);
	return end(&load, good && (!load.is_full || fail_full(&load)));
}

/* The member "keys", a list of KEY_SET_MAX at most. */
static const struct json *find_keys(struct load *load, struct str text)
{
	const struct json *object;
	size_t n = 0;
	if (!json_parse(load->arena, text, &object)) {
		fail(load, "it is no strict JSON");
		return NULL;
	}
	const struct json *keys = json_member(object, STR("keys"));
	if (!keys || keys->type != JSON_ARRAY) {
		fail(load, "it is no JWK Set: the list \"keys\" is missing");
		return NULL;
	}
	for (const struct json *key = keys->child; key; key = key->next)
		n++;
	if (n <= KEY_SET_MAX)
		return keys;
	buf_printf(load->why, "it has %zu keys, at most %d are taken", n, KEY_SET_MAX);
	return NULL;
}

/* Which key of a set is meant, in a message. */
static void print_which(struct buf *out, const struct json *object, size_t number)
{
	struct str kid;
	if (json_string(json_member(object, STR("kid")), &kid) && kid.n <= KEY_KID_MAX)
		buf_json(out, kid);
	else
		buf_printf(out, "number %zu", number);
}

/* false: the whole set is refused. */
static bool add_of_set(struct load *load, const struct json *object, size_t number, struct buf *notes)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	struct jwk jwk;
	enum jwk_verdict verdict = jwk_read(load->arena, object, JWK_VERIFY, &jwk, &why);
	if (verdict == JWK_GOOD)
		verdict = add_public(load, &jwk, &why);
	if (load->is_full)
		return fail_full(load);
	if (verdict == JWK_GOOD || verdict == JWK_OTHER)
		return true;
	struct buf *out = verdict == JWK_SECRET ? load->why : notes;
	buf_add(out, STR("key "));
	print_which(out, object, number);
	buf_printf(out, ": %.*s%s", STR_ARGS(buf_str(&why)), verdict == JWK_SECRET ? "" : "; ");
	return verdict == JWK_WRONG;
}

/* A kid is meant to name one key; here all that it names are tried. */
static void note_same_kid(const struct load *load, struct buf *notes)
{
	struct key *const *keys = load->set->keys;
	for (size_t i = load->before; i < load->set->n; i++)
		for (size_t j = load->before; j < i; j++) {
			struct str kid = key_kid(keys[i]);
			if (key_algorithm(keys[i]) != key_algorithm(keys[j]) || !kid.p ||
			    !str_eq(kid, key_kid(keys[j])))
				continue;
			buf_add(notes, STR("kid "));
			buf_json(notes, kid);
			buf_printf(notes, " names several keys for %s; ", key_algorithm(keys[i])->name);
			break;
		}
}

static bool add_jwks(struct load *load, struct str text, struct buf *notes)
{
	const struct json *keys = find_keys(load, text);
	size_t number = 0;
	if (!keys)
		return false;
	for (const struct json *key = keys->child; key; key = key->next)
		if (!add_of_set(load, key, ++number, notes))
			return false;
	if (load->set->n == load->before)
		buf_printf(load->why, "none of its %zu keys is for an allowed algorithm; ", number);
	note_same_kid(load, notes);
	if (notes->n > 2)
		buf_add(load->why, (struct str){notes->p, notes->n - 2});
	return load->set->n > load->before;
}

bool key_set_add_jwks(struct key_set *set, struct algorithm_set allowed, struct str text, struct buf *why)
{
	struct load load = {.set = set, .allowed = allowed, .why = why};
	char memory[1024];
	struct buf notes = buf_over(memory, sizeof memory);
	return begin(&load, text) && end(&load, add_jwks(&load, text, &notes));
}

static bool add_secret(struct load *load, const struct jwk *jwk, bool short_too, struct buf *why)
{
	struct str secret = jwk->numbers[JWK_K];
	struct key *key;
	if (!key_check_secret(secret, why))
		return false;
	if (!short_too && !key_secret_suffices(secret, jwk->only)) {
		buf_printf(why, "the secret has %zu bytes, %s needs at least %zu (RFC 7518 section 3.2)", secret.n,
			   jwk->only->name, jwk->only->key_size);
		return false;
	}
	if (!key_open_hmac(jwk->only, secret, jwk->kid, &key)) {
		buf_add(why, STR("no memory"));
		return false;
	}
	add(load, key);
	return true;
}

static bool add_private(struct load *load, const struct jwk *jwk, struct buf *why)
{
	EVP_PKEY *pkey = jwk_open_pkey(jwk, load->arena);
	struct key *key;
	bool good = pkey && key_open_pkey(jwk->only, pkey, true, jwk->kid, &key);
	EVP_PKEY_free(pkey);
	if (good)
		add(load, key);
	else
		buf_add(why, STR("what it signs does not verify, or no memory"));
	return good;
}

/* Its names are there, and its own. */
static bool check_names(const struct load *load, const struct jwk *jwk, struct buf *why)
{
	bool is_new = true;
	for (size_t i = load->before; i < load->set->n; i++)
		is_new = is_new && !str_eq(jwk->kid, key_kid(load->set->keys[i]));
	if (jwk->kid.n == 0)
		buf_add(why, STR("kid is missing or empty"));
	else if (!is_new)
		buf_add(why, STR("another key has the same kid"));
	else if (!jwk->only)
		buf_add(why, STR("alg is missing"));
	else if (!algorithm_has(load->allowed, jwk->only))
		buf_printf(why, "%s is no allowed algorithm", jwk->only->name);
	else
		return true;
	return false;
}

static bool add_of_ring(struct load *load, const struct json *object, size_t number, bool short_too)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	struct jwk jwk;
	bool good = jwk_read(load->arena, object, JWK_SIGN, &jwk, &why) == JWK_GOOD &&
		    check_names(load, &jwk, &why) &&
		    (jwk.numbers[JWK_K].p ? add_secret(load, &jwk, short_too, &why) : add_private(load, &jwk, &why));
	if (load->is_full)
		return fail_full(load);
	if (good)
		return true;
	buf_add(load->why, STR("key "));
	print_which(load->why, object, number);
	buf_printf(load->why, ": %.*s", STR_ARGS(buf_str(&why)));
	return false;
}

bool key_set_add_ring(struct key_set *set, struct algorithm_set allowed, bool short_too, struct str text,
		      struct buf *why)
{
	struct load load = {.set = set, .allowed = allowed, .why = why};
	if (!begin(&load, text))
		return false;
	const struct json *keys = find_keys(&load, text);
	size_t number = 0;
	bool good = keys != NULL;
	for (const struct json *key = keys ? keys->child : NULL; key && good; key = key->next)
		good = add_of_ring(&load, key, ++number, short_too);
	if (good && number == 0)
		good = fail(&load, "it has no keys; make one: authctl keys add");
	return end(&load, good);
}
