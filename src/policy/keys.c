/* SPDX-License-Identifier: Apache-2.0 */
/* Which JWK Sets there are, the thread that looks after them, and who waits. */
#include "policy/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/keys_internal.h"
#include "token/digest.h"

enum {
	KEYS_ARENA = 1 << 20,
	WAIT_MS = 2000,	      /* for a worker whose token needs a key */
	FIRST_WAIT_MS = 1000, /* for the main thread */
	POLL_US = 50000,
	/* A key that a fetch has not brought is not asked for again for so many cool-downs. */
	MISSING_COOLDOWNS = 4,
};

static struct timespec moment(int64_t monotonic_ms)
{
	return (struct timespec){.tv_sec = monotonic_ms / 1000, .tv_nsec = monotonic_ms % 1000 * 1000000};
}

static bool open_locks(struct keys *keys)
{
	pthread_condattr_t monotonic;
	if (pthread_mutex_init(&keys->lock, NULL) != 0 || pthread_condattr_init(&monotonic) != 0)
		return false;
	bool good = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
		    pthread_cond_init(&keys->work, &monotonic) == 0 && pthread_cond_init(&keys->news, &monotonic) == 0;
	pthread_condattr_destroy(&monotonic);
	return good;
}

bool keys_open(const struct keys_settings *settings, struct keys **out)
{
	struct keys *keys = calloc(1, sizeof *keys);
	if (!keys)
		return false;
	keys->background = settings->background;
	keys->waiting_most = settings->workers / 4 > 0 ? settings->workers / 4 : 1;
	keys->state_dir = strdup(settings->state_dir);
	if (!keys->state_dir || !arena_open(KEYS_ARENA, &keys->arena) || !open_locks(keys)) {
		arena_close(&keys->arena);
		free(keys->state_dir);
		free(keys);
		return false;
	}
	*out = keys;
	return true;
}

/* Under the lock. */
static void release(struct jwks *jwks)
{
	if (--jwks->holders == 0)
		jwks_close(&jwks);
}

/* Take those out of the list that are not marked any more; under the lock. */
static void drop_unlisted(struct keys *keys)
{
	for (struct jwks **at = &keys->list; *at;) {
		struct jwks *jwks = *at;
		if (jwks->listed) {
			at = &jwks->next;
		} else {
			*at = jwks->next;
			release(jwks);
		}
	}
}

void keys_close(struct keys **keys)
{
	struct keys *k = *keys;
	if (!k)
		return;
	*keys = NULL;
	pthread_mutex_lock(&k->lock);
	k->stopping = true;
	pthread_cond_signal(&k->work);
	pthread_mutex_unlock(&k->lock);
	if (k->running)
		pthread_join(k->thread, NULL);
	for (struct jwks *jwks = k->list; jwks; jwks = jwks->next)
		jwks->listed = false;
	drop_unlisted(k);
	fetch_close(&k->fetch);
	key_cache_close(&k->cache);
	arena_close(&k->arena);
	pthread_cond_destroy(&k->work);
	pthread_cond_destroy(&k->news);
	pthread_mutex_destroy(&k->lock);
	free(k->state_dir);
	free(k);
}

/* The thread ------------------------------------------------------------- */

/* The one that is due first; under the lock. */
static struct jwks *first_due(const struct keys *keys)
{
	struct jwks *first = NULL;
	for (struct jwks *jwks = keys->list; jwks; jwks = jwks->next)
		if (!first || jwks->due < first->due)
			first = jwks;
	return first;
}

static void *look_after(void *context)
{
	struct keys *keys = context;
	pthread_mutex_lock(&keys->lock);
	while (!keys->stopping) {
		struct jwks *jwks = first_due(keys);
		struct timespec until = moment(jwks ? jwks->due : 0);
		if (!jwks) {
			pthread_cond_wait(&keys->work, &keys->lock);
		} else if (jwks->due > clock_monotonic_ms()) {
			pthread_cond_timedwait(&keys->work, &keys->lock, &until);
		} else {
			jwks->under_way = true;
			jwks->holders++;
			pthread_mutex_unlock(&keys->lock);
			jwks_run(keys, jwks);
			pthread_mutex_lock(&keys->lock);
			release(jwks);
		}
	}
	pthread_mutex_unlock(&keys->lock);
	return NULL;
}

static bool start_thread(struct keys *keys, struct buf *why)
{
	if (keys->running || !keys->background || !keys->list)
		return true;
	int error = pthread_create(&keys->thread, NULL, look_after, keys);
	keys->running = error == 0;
	if (error)
		buf_add(why, STR("the thread that fetches keys cannot be started"));
	return !error;
}

/* Reloads ---------------------------------------------------------------- */

static struct jwks *find(const struct keys *keys, const struct issuer_jwks *conf)
{
	for (struct jwks *jwks = keys->list; jwks; jwks = jwks->next)
		if (jwks_is(jwks, conf))
			return jwks;
	return NULL;
}

/* A copy of the text that is in use for the same URL, in the arena; else the one on disk. */
static struct str find_text(struct keys *keys, struct key_cache *cache, const struct jwks *fresh, struct arena *arena,
			    int64_t *fetched)
{
	struct str text = STR_NONE;
	struct key_cache_row row;
	pthread_mutex_lock(&keys->lock);
	for (struct jwks *jwks = keys->list; jwks && !text.p; jwks = jwks->next)
		if (jwks->text.p && str_eq(jwks->conf.url, fresh->conf.url)) {
			text = arena_copy(arena, jwks->text);
			*fetched = jwks->fetched;
		}
	pthread_mutex_unlock(&keys->lock);
	if (!text.p && cache && key_cache_read(cache, &fresh->id, 0, arena, &row)) {
		text = row.text;
		*fetched = row.fetched;
	}
	return text;
}

/* Best effort: what is not found is fetched. */
static void fill(struct keys *keys, struct jwks *fresh)
{
	struct arena *arena;
	struct key_cache *cache = NULL;
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	int64_t fetched = 0;
	if (!arena_open(KEYS_ARENA, &arena))
		return;
	/* The thread's own cannot be shared; it says what is wrong with it. */
	key_cache_open(keys->state_dir, &cache, &why);
	struct str text = find_text(keys, cache, fresh, arena, &fetched);
	if (text.p)
		jwks_fill(keys, fresh, text, fetched);
	key_cache_close(&cache);
	arena_close(&arena);
}

static struct jwks *find_or_open(struct keys *keys, const struct issuer_jwks *conf)
{
	struct jwks *jwks = find(keys, conf);
	if (jwks || !jwks_open(conf, &jwks))
		return jwks;
	if (keys->background)
		fill(keys, jwks);
	jwks->wanted = !jwks->text.p;
	pthread_mutex_lock(&keys->lock);
	jwks->next = keys->list;
	keys->list = jwks;
	pthread_mutex_unlock(&keys->lock);
	return jwks;
}

bool keys_adopt(struct keys *keys, const struct issuer_set *issuers, struct buf *why)
{
	bool good = true;
	/* Only this thread changes the list: it may read it without the lock. */
	for (struct jwks *jwks = keys->list; jwks; jwks = jwks->next)
		jwks->listed = false;
	for (size_t i = 0; i < issuers->n && good; i++) {
		struct issuer_jwks conf = issuer_jwks(issuers->items[i]);
		struct jwks *jwks = conf.url.p ? find_or_open(keys, &conf) : NULL;
		good = jwks || !conf.url.p;
		if (!jwks)
			continue;
		jwks->listed = true;
		issuer_set_source(issuers->items[i], jwks->source);
	}
	if (!good)
		buf_add(why, STR("no memory"));
	pthread_mutex_lock(&keys->lock);
	if (good)
		drop_unlisted(keys);
	pthread_cond_signal(&keys->work);
	pthread_mutex_unlock(&keys->lock);
	return good && start_thread(keys, why);
}

/* Waiting ---------------------------------------------------------------- */

static bool is_open(const struct jwks *jwks)
{
	return jwks->wanted || jwks->under_way;
}

static bool some_missing(const struct keys *keys)
{
	for (const struct jwks *jwks = keys->list; jwks; jwks = jwks->next)
		if (!jwks->text.p && is_open(jwks))
			return true;
	return false;
}

void keys_wait(struct keys *keys)
{
	struct timespec until = moment(clock_monotonic_ms() + FIRST_WAIT_MS);
	pthread_mutex_lock(&keys->lock);
	while (keys->running && some_missing(keys) &&
	       pthread_cond_timedwait(&keys->news, &keys->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&keys->lock);
}

/* What the token asks for. false: it is none whose key is in a JWK Set. */
static bool read_wanted(const struct token *token, struct algorithm_set allowed, struct key_wanted *out)
{
	struct str alg;
	*out = (struct key_wanted){0};
	if (token->form != TOKEN_JWS || !json_string(json_member(token->header, STR("alg")), &alg))
		return false;
	out->algorithm = algorithm_find(alg, allowed);
	json_string(json_member(token->header, STR("kid")), &out->kid);
	return out->algorithm;
}

static bool has_key(const struct jwks *jwks, struct key_wanted wanted)
{
	const struct key_set *set = key_source_take(jwks->source);
	bool has = set && key_set_has(set, wanted);
	key_source_give_back(jwks->source, set);
	return has;
}

static struct store_key name_missing(struct key_wanted wanted)
{
	struct store_key name = {{0}};
	unsigned char hash[DIGEST_SIZE];
	if (digest_sha256(wanted.kid, hash))
		memcpy(name.bytes, hash, sizeof name.bytes);
	return name;
}

static bool is_missing(const struct jwks *jwks, const struct store_key *kid)
{
	for (size_t i = 0; i < KEYS_MISSING_MAX; i++)
		if (memcmp(&jwks->missing[i].kid, kid, sizeof *kid) == 0)
			return clock_monotonic_ms() < jwks->missing[i].until;
	return false;
}

static void note_missing(struct jwks *jwks, const struct store_key *kid)
{
	size_t at = jwks->next_missing++ % KEYS_MISSING_MAX;
	jwks->missing[at].kid = *kid;
	jwks->missing[at].until = clock_monotonic_ms() + MISSING_COOLDOWNS * jwks->conf.cooldown;
}

/* Without a thread: first what is due anyway, then what this token wants. */
static void run_here(struct keys *keys, struct jwks *jwks, struct key_wanted wanted)
{
	int64_t until = clock_monotonic_ms() + WAIT_MS;
	for (int i = 0; i < 2 && !has_key(jwks, wanted); i++) {
		jwks->wanted = i > 0;
		jwks_run(keys, jwks);
		/* Another process fetches it. */
		while (jwks->under_way && !has_key(jwks, wanted) && clock_monotonic_ms() < until) {
			usleep(POLL_US);
			jwks_run(keys, jwks);
		}
	}
}

/* May the caller wait? Then it has been said to the thread what for; under the lock.
 * A thread that has just looked looks again a moment later: what another process
 * has fetched meanwhile is known there already. */
static bool ask_thread(struct keys *keys, struct jwks *jwks)
{
	if (!is_open(jwks)) {
		jwks->wanted = true;
		jwks->due = jwks->may_look;
		pthread_cond_signal(&keys->work);
	}
	return keys->waiting < keys->waiting_most;
}

/* Is it being looked for, so that nobody can tell now? Under the lock. */
static bool is_undecided(const struct jwks *jwks)
{
	return jwks->under_way || (jwks->wanted && jwks->due <= clock_monotonic_ms());
}

static void wait_for_news(struct keys *keys, struct jwks *jwks)
{
	uint64_t version = jwks->version;
	struct timespec until = moment(clock_monotonic_ms() + WAIT_MS);
	keys->waiting++;
	while (is_open(jwks) && jwks->version == version && !keys->stopping &&
	       pthread_cond_timedwait(&keys->news, &keys->lock, &until) != ETIMEDOUT)
		;
	keys->waiting--;
}

/* Under the lock. true: there may be new keys. */
static bool refetch(struct keys *keys, struct jwks *jwks, const struct store_key *kid, enum err *err)
{
	uint64_t version = jwks->version;
	int64_t asked = clock_monotonic_ms();
	*err = jwks->text.p ? ERR_UNKNOWN_KEY : ERR_KEYS;
	if (jwks->text.p && is_missing(jwks, kid))
		return false;
	/* A fetch that has begun before may have missed a key that is quite new. */
	bool joins = is_open(jwks);
	jwks->holders++;
	if (ask_thread(keys, jwks))
		wait_for_news(keys, jwks);
	if (is_undecided(jwks) || !jwks->text.p)
		*err = ERR_KEYS;
	else if (!joins && jwks->confirmed >= asked && jwks->version == version)
		note_missing(jwks, kid);
	bool news = jwks->text.p && jwks->version != version;
	release(jwks);
	return news;
}

bool keys_refetch(struct keys *keys, const struct issuer *issuer, const struct token *token, enum err *err)
{
	struct issuer_jwks conf = issuer_jwks(issuer);
	struct key_wanted wanted;
	if ((*err != ERR_UNKNOWN_KEY && *err != ERR_KEYS) || !keys || !conf.url.p ||
	    !read_wanted(token, conf.algorithms, &wanted))
		return false;
	struct store_key kid = name_missing(wanted);
	pthread_mutex_lock(&keys->lock);
	struct jwks *jwks = find(keys, &conf);
	/* NULL: a reload has just taken it away. The set may have come since the token was looked at. */
	bool news = jwks && has_key(jwks, wanted);
	if (jwks && !news && keys->background)
		news = refetch(keys, jwks, &kid, err);
	pthread_mutex_unlock(&keys->lock);
	if (jwks && !news && !keys->background) {
		run_here(keys, jwks, wanted);
		news = has_key(jwks, wanted);
		*err = jwks->text.p && !jwks->under_way ? ERR_UNKNOWN_KEY : ERR_KEYS;
	}
	return news;
}

void keys_check(struct keys *keys, const struct issuer *issuer, struct keys_report *out, struct buf *why)
{
	struct issuer_jwks conf = issuer_jwks(issuer);
	struct jwks *jwks = find(keys, &conf);
	*out = (struct keys_report){.age = -1};
	if (!jwks)
		return;
	fill(keys, jwks);
	arena_reset(keys->arena);
	out->fetched = jwks_fetch(keys, jwks, why);
	const struct key_set *set = key_source_take(jwks->source);
	if (set) {
		out->n = set->n;
		out->age = (clock_monotonic_ms() - jwks->confirmed) / 1000;
	}
	key_source_give_back(jwks->source, set);
}
