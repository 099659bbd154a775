/* SPDX-License-Identifier: Apache-2.0 */
/* One JWK Set: what is asked, which answers are taken, how long they are good. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/keys_internal.h"
#include "store/generation.h"
#include "token/digest.h"

enum {
	JWKS_MAX = 256 << 10, /* bytes */
	FETCH_MS = 5000,
	CONNECT_MS = 2000,
	/* As long as a process that has claimed a fetch may be at it. */
	ELSEWHERE_MS = FETCH_MS + 1000,
	POLL_MS = 100,
	LOOK_MS = 200,
	CACHE_RETRY_MS = 60000,
};

/* The set is fetched again in this part of its time, each process at its own moment. */
enum { REFRESH_LEAST_PERCENT = 75, REFRESH_MOST_PERCENT = 95 };

bool jwks_open(const struct issuer_jwks *conf, struct jwks **out)
{
	unsigned char hash[DIGEST_SIZE];
	struct jwks *jwks = calloc(1, sizeof *jwks);
	char *url = malloc(conf->url.n + 1);
	if (!jwks || !url || !digest_sha256(conf->url, hash) || !key_source_open(&jwks->source)) {
		free(jwks);
		free(url);
		return false;
	}
	memcpy(url, conf->url.p, conf->url.n);
	url[conf->url.n] = '\0';
	jwks->conf = *conf;
	jwks->conf.url.p = url;
	memcpy(jwks->id.bytes, hash, sizeof jwks->id.bytes);
	jwks->holders = 1;
	*out = jwks;
	return true;
}

void jwks_close(struct jwks **jwks)
{
	if (!*jwks)
		return;
	key_source_close(&(*jwks)->source);
	free((void *)(uintptr_t)(*jwks)->conf.url.p);
	free((void *)(uintptr_t)(*jwks)->text.p);
	free(*jwks);
	*jwks = NULL;
}

bool jwks_is(const struct jwks *jwks, const struct issuer_jwks *conf)
{
	const struct issuer_jwks *own = &jwks->conf;
	return str_eq(own->url, conf->url) && own->refresh == conf->refresh && own->cooldown == conf->cooldown &&
	       own->stale == conf->stale && own->algorithms.bits == conf->algorithms.bits &&
	       own->allow_plain_http == conf->allow_plain_http;
}

struct str jwks_shown(const struct jwks *jwks)
{
	return (struct str){jwks->conf.url.p, str_find(jwks->conf.url, '?')};
}

/* Log: one line for each change ------------------------------------------ */

static void log_change(const struct jwks *jwks, int level, const char *text, struct str detail)
{
	struct log_line line;
	log_begin(&line, level, "keys");
	log_field(&line, "url", jwks_shown(jwks));
	log_field(&line, "text", str_of(text));
	if (detail.n > 0)
		log_foreign(&line, "detail", detail);
	log_end(&line);
}

static void log_keys(const struct jwks *jwks, size_t n, bool ours, struct str notes)
{
	struct log_line line;
	log_begin(&line, notes.n > 0 ? LOG_WARNING : LOG_NOTICE, "keys");
	log_field(&line, "url", jwks_shown(jwks));
	log_field(&line, "text", ours ? STR("fetched") : STR("taken over from another process"));
	log_number(&line, "keys", (int64_t)n);
	if (notes.n > 0)
		log_foreign(&line, "detail", notes);
	log_end(&line);
}

/* A reason that is new, or the first after success. */
static void log_failure(struct jwks *jwks, struct str why)
{
	unsigned char hash[DIGEST_SIZE];
	uint64_t failure = 0;
	if (digest_sha256(why, hash))
		memcpy(&failure, hash, sizeof failure);
	if (jwks->failing && jwks->failure == failure)
		return;
	jwks->failing = true;
	jwks->failure = failure;
	if (jwks->text.p)
		log_change(jwks, LOG_WARNING, "cannot be fetched: the last good set stays in use", why);
	else
		log_change(jwks, LOG_ERR, "cannot be fetched, and there is no set to use", why);
}

/* How long a text is good ------------------------------------------------ */

/* Never shorter than it takes until it is fetched again. */
static int64_t good_for(const struct jwks *jwks)
{
	return jwks->conf.stale > jwks->conf.refresh ? jwks->conf.stale : jwks->conf.refresh;
}

/* Between two fetches. max_age: milliseconds that the answer allows, negative: any. */
static int64_t refresh_after(const struct jwks *jwks, int64_t max_age)
{
	unsigned char random;
	int64_t interval = jwks->conf.refresh;
	if (max_age >= 0 && max_age < interval)
		interval = max_age > jwks->conf.cooldown ? max_age : jwks->conf.cooldown;
	random_bytes(&random, sizeof random);
	int64_t percent = REFRESH_LEAST_PERCENT + random % (REFRESH_MOST_PERCENT - REFRESH_LEAST_PERCENT + 1);
	return interval * percent / 100;
}

/* Where a text comes from, and when it was fetched. */
struct origin {
	bool ours;
	int64_t fetched; /* wall clock */
	int64_t max_age; /* milliseconds, or -1 */
};

static void note_confirmed(struct jwks *jwks, const struct origin *origin)
{
	/* A clock that was set back makes nothing older than it is. */
	int64_t age = clock_unfrozen_ms() - origin->fetched;
	jwks->fetched = origin->fetched;
	jwks->confirmed = clock_monotonic_ms() - (age > 0 ? age : 0);
	jwks->refresh_at = jwks->confirmed + refresh_after(jwks, origin->max_age);
	jwks->failing = false;
}

static bool is_same(const struct jwks *jwks, struct str text)
{
	return jwks->text.p && str_eq(jwks->text, text);
}

/* Take a text as the current one. false: why says why it cannot be; the old one stays. */
static bool take(struct keys *keys, struct jwks *jwks, struct str text, const struct origin *origin, struct buf *why)
{
	if (is_same(jwks, text)) {
		bool recovered = jwks->failing;
		pthread_mutex_lock(&keys->lock);
		note_confirmed(jwks, origin);
		pthread_mutex_unlock(&keys->lock);
		if (recovered)
			log_change(jwks, LOG_NOTICE, "can be fetched again, and is the same", STR_NONE);
		return true;
	}
	struct key_set set;
	key_set_begin(&set);
	char *copy = malloc(text.n + 1);
	bool good = copy && key_set_add_jwks(&set, jwks->conf.algorithms, text, why);
	size_t n = set.n;
	if (!good || !key_source_put(jwks->source, &set)) {
		if (why->n == 0)
			buf_add(why, STR("no memory"));
		key_set_close(&set);
		free(copy);
		return false;
	}
	memcpy(copy, text.p, text.n);
	pthread_mutex_lock(&keys->lock);
	struct str old = jwks->text;
	jwks->text = (struct str){copy, text.n};
	jwks->version++;
	memset(jwks->missing, 0, sizeof jwks->missing);
	note_confirmed(jwks, origin);
	pthread_cond_broadcast(&keys->news);
	pthread_mutex_unlock(&keys->lock);
	/* A key may have been taken back. Without a set before, none was. */
	if (old.p)
		generation_announce(keys->state_dir);
	free((void *)(uintptr_t)old.p);
	log_keys(jwks, n, origin->ours, buf_str(why));
	return true;
}

void jwks_fill(struct keys *keys, struct jwks *jwks, struct str text, int64_t fetched)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct origin origin = {false, fetched, -1};
	/* One that is not good for this issuer is fetched once more, and judged in the log then. */
	if (clock_unfrozen_ms() - fetched <= good_for(jwks))
		take(keys, jwks, text, &origin, &why);
}

/* What is too old is no longer believed: who holds it may have been told to stop. */
static void expire(struct keys *keys, struct jwks *jwks)
{
	if (!jwks->text.p || clock_monotonic_ms() - jwks->confirmed <= good_for(jwks))
		return;
	key_source_empty(jwks->source);
	pthread_mutex_lock(&keys->lock);
	struct str old = jwks->text;
	jwks->text = STR_NONE;
	pthread_mutex_unlock(&keys->lock);
	generation_announce(keys->state_dir);
	free((void *)(uintptr_t)old.p);
	log_change(jwks, LOG_ERR, "too old to be used any longer (jwks-stale): its tokens are answered with 503",
		   STR_NONE);
}

/* Asking ----------------------------------------------------------------- */

static bool ask(struct keys *keys, const struct jwks *jwks, struct fetch_answer *out, struct buf *why)
{
	struct fetch_request request = {
		.url = jwks->conf.url,
		.timeout_ms = FETCH_MS,
		.connect_timeout_ms = CONNECT_MS,
		.max_body = JWKS_MAX,
		.once = true,
		.allow_plain_http = jwks->conf.allow_plain_http,
	};
	if (!keys->fetch && (!fetch_start(why) || !fetch_open(&keys->fetch))) {
		if (why->n == 0)
			buf_add(why, STR("no memory"));
		return false;
	}
	if (!fetch_get(keys->fetch, keys->arena, &request, out, why))
		return false;
	if (out->status == 200 && fetch_type_is_json(out->content_type))
		return true;
	if (out->status == 200)
		buf_printf(why, "the answer is of type \"%.*s\", not application/json", STR_ARGS(out->content_type));
	else if (out->status >= 300 && out->status < 400)
		buf_printf(why, "the answer has status %d, a redirect: write the URL that it leads to", out->status);
	else
		buf_printf(why, "the answer has status %d", out->status);
	return false;
}

static bool has_cache(struct keys *keys)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	int64_t now = clock_monotonic_ms();
	if (keys->cache || now < keys->next_cache)
		return keys->cache;
	if (key_cache_open(keys->state_dir, &keys->cache, &why))
		return true;
	keys->next_cache = now + CACHE_RETRY_MS;
	log_text(LOG_WARNING, "keys", "fetched keys are not kept: %.*s", STR_ARGS(buf_str(&why)));
	return false;
}

bool jwks_fetch(struct keys *keys, struct jwks *jwks, struct buf *why)
{
	struct fetch_answer answer;
	if (!ask(keys, jwks, &answer, why))
		return false;
	struct origin origin = {true, clock_unfrozen_ms(), answer.max_age < 0 ? -1 : answer.max_age * 1000};
	if (!take(keys, jwks, answer.body, &origin, why))
		return false;
	if (has_cache(keys))
		key_cache_store(keys->cache, &jwks->id, origin.fetched, answer.body);
	return true;
}

/* The step --------------------------------------------------------------- */

/* What do other processes know? Takes what one of them has fetched. */
static void look(struct keys *keys, struct jwks *jwks, struct key_cache_row *row)
{
	*row = (struct key_cache_row){0};
	if (has_cache(keys) && key_cache_read(keys->cache, &jwks->id, jwks->fetched, keys->arena, row) && row->text.p)
		jwks_fill(keys, jwks, row->text, row->fetched);
}

static bool is_elsewhere(const struct key_cache_row *row)
{
	int64_t since = clock_unfrozen_ms() - row->claimed;
	return row->finished < row->claimed && since >= 0 && since < ELSEWHERE_MS;
}

enum turn { TURN_OURS, TURN_LATER, TURN_ELSEWHERE };

/* Who fetches? The cool-down of this process holds whatever becomes of the shared one. */
static enum turn take_turn(struct keys *keys, struct jwks *jwks, const struct key_cache_row *row)
{
	int64_t now = clock_monotonic_ms(), wall = clock_unfrozen_ms(), cooldown = jwks->conf.cooldown;
	if (is_elsewhere(row))
		return TURN_ELSEWHERE;
	/* A claim from the future was made before the clock was set back. */
	int64_t left = row->claimed + cooldown - wall;
	if (left > 0 && left <= 2 * cooldown && now + left > jwks->may_fetch)
		jwks->may_fetch = now + left;
	if (now < jwks->may_fetch)
		return TURN_LATER;
	/* Taken in the moment since the row was read. */
	if (has_cache(keys) && key_cache_claim(keys->cache, &jwks->id, wall, cooldown) == KEY_CLAIM_TAKEN)
		return TURN_ELSEWHERE;
	jwks->may_fetch = now + cooldown;
	return TURN_OURS;
}

static void fetch_or_tell(struct keys *keys, struct jwks *jwks)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (jwks_fetch(keys, jwks, &why))
		return;
	if (keys->cache)
		key_cache_store(keys->cache, &jwks->id, clock_unfrozen_ms(), STR_NONE);
	log_failure(jwks, buf_str(&why));
}

/* What is next, and when. */
static void settle(struct keys *keys, struct jwks *jwks, bool elsewhere)
{
	int64_t now = clock_monotonic_ms();
	pthread_mutex_lock(&keys->lock);
	jwks->under_way = elsewhere;
	jwks->may_look = now + LOOK_MS;
	if (elsewhere) {
		jwks->due = now + POLL_MS;
	} else {
		int64_t again = jwks->may_fetch > jwks->may_look ? jwks->may_fetch : jwks->may_look;
		int64_t end = jwks->confirmed + good_for(jwks) + 1;
		jwks->wanted = false;
		jwks->due = jwks->text.p && jwks->refresh_at > now ? jwks->refresh_at : again;
		if (jwks->text.p && end < jwks->due)
			jwks->due = end;
		pthread_cond_broadcast(&keys->news);
	}
	pthread_mutex_unlock(&keys->lock);
}

void jwks_run(struct keys *keys, struct jwks *jwks)
{
	struct key_cache_row row;
	arena_reset(keys->arena);
	pthread_mutex_lock(&keys->lock);
	bool wanted = jwks->wanted;
	pthread_mutex_unlock(&keys->lock);
	uint64_t before = jwks->version;
	look(keys, jwks, &row);
	bool learned = jwks->version != before;
	bool old = !jwks->text.p || clock_monotonic_ms() >= jwks->refresh_at;
	enum turn turn = old || (wanted && !learned) ? take_turn(keys, jwks, &row) : TURN_LATER;
	if (turn == TURN_OURS)
		fetch_or_tell(keys, jwks);
	expire(keys, jwks);
	settle(keys, jwks, turn == TURN_ELSEWHERE);
}
