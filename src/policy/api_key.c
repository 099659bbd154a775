/* SPDX-License-Identifier: Apache-2.0 */
/* From the key that came to its record and to claims. */
#include "policy/api_key.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/runtime.h"

enum { USES_KEYS = 8000, RETRY_MS = 1000 };

struct api_keys {
	pthread_mutex_t lock;
	_Atomic(struct limiter *) uses; /* opened when the first key comes */
	int64_t retry_ms;
};

/* Uses --------------------------------------------------------------------- */

bool api_keys_open(struct api_keys **out)
{
	struct api_keys *keys = calloc(1, sizeof *keys);
	if (!keys)
		return false;
	pthread_mutex_init(&keys->lock, NULL);
	atomic_init(&keys->uses, NULL);
	*out = keys;
	return true;
}

void api_keys_close(struct api_keys **keys)
{
	if (!*keys)
		return;
	struct limiter *uses = atomic_load(&(*keys)->uses);
	limiter_close(&uses);
	pthread_mutex_destroy(&(*keys)->lock);
	free(*keys);
	*keys = NULL;
}

bool api_keys_open_uses(const char *state_dir, struct limiter **out, struct buf *why)
{
	struct limiter_settings settings = {state_dir, "api-keys", USES_KEYS};
	return limiter_open(&settings, out, why);
}

static struct limiter *open_uses(struct api_keys *keys, const char *state_dir)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	pthread_mutex_lock(&keys->lock);
	struct limiter *uses = atomic_load(&keys->uses);
	int64_t now = clock_monotonic_ms();
	if (!uses && now >= keys->retry_ms) {
		keys->retry_ms = now + RETRY_MS;
		if (api_keys_open_uses(state_dir, &uses, &why))
			atomic_store(&keys->uses, uses);
		else
			log_text(LOG_ERR, "limits", "%.*s", STR_ARGS(buf_str(&why)));
	}
	pthread_mutex_unlock(&keys->lock);
	return uses;
}

/* A key with a rate is no good where nobody can count; the others are. */
static enum err count(struct worker *worker, const struct store_key *key, const struct api_key_record *record,
		      int64_t *retry_after)
{
	const struct snapshot *s = worker->snapshot;
	const struct limiter_rate *rate = record->has_rate ? &record->rate : &s->api_keys.rate;
	if (!worker->api_keys)
		return ERR_NONE;
	struct limiter *uses = atomic_load(&worker->api_keys->uses);
	if (!uses)
		uses = open_uses(worker->api_keys, s->server->state_dir.value.p);
	if (!uses)
		return rate->most ? ERR_STORE : ERR_NONE;
	int64_t left_ms = limiter_use(uses, key, rate, clock_unfrozen_ms());
	if (left_ms == 0)
		return ERR_NONE;
	*retry_after = (left_ms + 999) / 1000;
	return ERR_RATE_LIMITED;
}

/* Claims ------------------------------------------------------------------- */

/* What nobody but us needs to know. */
static bool is_ours(struct str name)
{
	return str_eq(name, STR("sha256")) || str_eq(name, STR("rate")) || str_eq(name, STR("mac")) ||
	       str_eq(name, STR("iss"));
}

static const struct json *print_all(struct arena *arena, const struct json *record)
{
	static const struct json iss = {
		.type = JSON_STRING,
		.name = {"iss", 3},
		.text = {API_KEY_ISS, sizeof API_KEY_ISS - 1},
		.raw = {"\"" API_KEY_ISS "\"", sizeof API_KEY_ISS + 1},
	};
	struct json *all = arena_alloc(arena, sizeof *all);
	const struct json *first = &iss;
	for (const struct json *member = record->child; member && all; member = member->next) {
		struct json *copy = is_ours(member->name) ? NULL : arena_alloc(arena, sizeof *copy);
		if (!is_ours(member->name) && !copy)
			return NULL;
		if (!copy)
			continue;
		*copy = *member;
		copy->next = first;
		first = copy;
	}
	if (all)
		*all = (struct json){.type = JSON_OBJECT, .child = first};
	return all;
}

bool api_key_claims(struct arena *arena, const struct api_key_record *record, struct claims *out)
{
	struct claims c = {
		.all = print_all(arena, record->all),
		.user_id = record->owner,
		.iss = STR(API_KEY_ISS),
		.jti = record->id,
		.exp = record->exp,
		.iat = record->iat,
		.nbf = TIME_ABSENT,
		.issuer = STR("api-key"),
		.kid = record->id,
	};
	if (!c.all)
		return false;
	*out = c;
	return true;
}

/* Verification ------------------------------------------------------------- */

bool api_key_store_key(struct token_thread *thread, struct str id, struct store_key *out)
{
	unsigned char digest[DIGEST_SIZE];
	struct str parts[] = {STR("api-key"), id};
	if (!digest_parts(thread, parts, 2, digest))
		return false;
	memcpy(out->bytes, digest, sizeof out->bytes);
	return true;
}

/* The file's record, else the store's. */
static enum err find(struct worker *worker, struct str id, const struct store_key *key, struct api_key_record *out)
{
	const struct api_key_settings *settings = &worker->snapshot->api_keys;
	struct str text = api_keys_find(settings, id);
	bool of_file = text.p != NULL;
	enum err err = of_file ? ERR_NONE
			       : worker->store_driver->record_get(worker->store, key, worker->arena, &text);
	if (err)
		return err;
	if (!of_file && !api_key_is_sealed(worker->token, settings, text)) {
		log_text(LOG_WARNING, "api_key", "the record of %.*s is not signed by secret of [api-keys]",
			 STR_ARGS(id));
		return ERR_NOT_FOUND;
	}
	if (api_key_record_parse(worker->arena, text, out) && str_eq(out->id, id))
		return ERR_NONE;
	log_text(LOG_ERR, "api_key", "the record of %.*s is damaged", STR_ARGS(id));
	return ERR_STORE;
}

enum err api_key_verify(struct worker *worker, struct str text, struct claims *out, int64_t *retry_after)
{
	struct api_key key;
	/* Compared with where there is no record: it is nobody's. */
	struct api_key_record record = {0};
	struct store_key store_key;
	unsigned char hash[DIGEST_SIZE];
	if (!api_key_parse(worker->snapshot->api_keys.prefix, text, &key))
		return ERR_TOKEN_MALFORMED;
	if (!api_key_store_key(worker->token, key.id, &store_key))
		return ERR_INTERNAL;
	enum err err = find(worker, key.id, &store_key, &record);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!api_key_hash(key.secret, hash))
		return ERR_INTERNAL;
	bool equal = secret_equal(hash, record.hash, sizeof hash);
	if (err)
		return ERR_UNKNOWN_KEY;
	if (!equal)
		return ERR_BAD_SIGNATURE;
	if (!api_key_claims(worker->arena, &record, out))
		return ERR_INTERNAL;
	if (claims_expired(out, clock_now()))
		return ERR_TOKEN_EXPIRED;
	return count(worker, &store_key, &record, retry_after);
}

enum err api_key_public_error(enum err err)
{
	return err == ERR_BAD_SIGNATURE ? ERR_UNKNOWN_KEY : err;
}
