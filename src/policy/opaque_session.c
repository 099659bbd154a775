/* SPDX-License-Identifier: Apache-2.0 */
/* A table of answers behind one lock, which is never held during a call. */
#include "policy/opaque_session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

enum { SETS = 128, WAYS = 8, ANSWER_MAX = 16 << 10 };
enum { TIMEOUT_MS = 2000, CONNECT_TIMEOUT_MS = 1000, REFUSED_MS = 5000, FAILED_MS = 1000 };

struct entry {
	unsigned char key[DIGEST_SIZE];
	bool used, busy;  /* busy: its answer is on the way */
	uint64_t answers; /* that have come; a waiter sees by it that one did */
	int64_t until_ms; /* monotonic; before it the answer may be used */
	enum err err;	  /* ERR_NONE, else what everybody is told who brings the token */
	char *text;	  /* of the answer, when there is no error */
	size_t n;
};

struct opaque_sessions {
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	unsigned inside, limit; /* workers that ask, or wait for one that does */
	struct entry *entries;	/* SETS * WAYS, NULL until there is one */
};

/* One look-up on its way through. */
struct lookup {
	struct opaque_sessions *sessions;
	struct arena *arena;
	unsigned char key[DIGEST_SIZE];
	struct entry *entry; /* ours to fill; NULL: the answer is there */
	struct str text;
	int64_t until_ms; /* monotonic; before it text may be used */
};

bool opaque_sessions_open(unsigned workers, struct opaque_sessions **out)
{
	struct opaque_sessions *s = calloc(1, sizeof *s);
	pthread_condattr_t monotonic;
	if (!s)
		return false;
	s->limit = workers > 1 ? workers / 2 : 1;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->arrived, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*out = s;
	return true;
}

static void forget(struct entry *entry)
{
	if (entry->text)
		secret_wipe(entry->text, entry->n);
	free(entry->text);
	entry->text = NULL;
	entry->n = 0;
}

void opaque_sessions_close(struct opaque_sessions **sessions)
{
	struct opaque_sessions *s = *sessions;
	if (!s)
		return;
	for (size_t i = 0; s->entries && i < SETS * WAYS; i++)
		forget(&s->entries[i]);
	free(s->entries);
	pthread_cond_destroy(&s->arrived);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*sessions = NULL;
}

/* Under the lock. The token's own entry, else one to be taken for it: unused, or
 * the oldest that nobody fills; NULL when there is none. */
static struct entry *find(struct opaque_sessions *s, const unsigned char *key, bool *own)
{
	struct entry *set = &s->entries[key[0] % SETS * WAYS], *oldest = NULL;
	*own = true;
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].used && memcmp(set[i].key, key, DIGEST_SIZE) == 0)
			return &set[i];
	*own = false;
	for (size_t i = 0; i < WAYS; i++)
		if (!set[i].busy && (!oldest || !set[i].used || (oldest->used && set[i].until_ms < oldest->until_ms)))
			oldest = &set[i];
	return oldest;
}

/* Under the lock. */
static enum err use(struct lookup *l, const struct entry *entry)
{
	if (entry->err)
		return entry->err;
	l->text = arena_copy(l->arena, (struct str){entry->text, entry->n});
	l->until_ms = entry->until_ms;
	return l->text.p ? ERR_NONE : ERR_INTERNAL;
}

/* Under the lock, which is given up meanwhile: until the call under way is over.
 * false: it takes too long, or too many wait. */
static bool await(struct opaque_sessions *s, const struct entry *entry, uint64_t answers)
{
	int64_t end_ms = clock_monotonic_ms() + TIMEOUT_MS + 500;
	struct timespec end = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
	if (s->inside >= s->limit)
		return false;
	s->inside++;
	int failed = 0;
	while (failed == 0 && entry->busy && entry->answers == answers)
		failed = pthread_cond_timedwait(&s->arrived, &s->lock, &end);
	s->inside--;
	return entry->answers != answers;
}

/* Under the lock. */
static enum err claim(struct lookup *l, struct entry *entry, bool own)
{
	struct opaque_sessions *s = l->sessions;
	if (!entry || s->inside >= s->limit)
		return ERR_PROFILE;
	s->inside++;
	forget(entry);
	if (!own)
		memcpy(entry->key, l->key, DIGEST_SIZE);
	entry->used = entry->busy = true;
	l->entry = entry;
	return ERR_NONE;
}

/* Under the lock. With ERR_NONE either the answer is there, or it is ours to ask. */
static enum err look_up(struct lookup *l)
{
	struct opaque_sessions *s = l->sessions;
	bool own;
	if (!s->entries)
		s->entries = calloc(SETS * WAYS, sizeof *s->entries);
	if (!s->entries)
		return ERR_INTERNAL;
	struct entry *entry = find(s, l->key, &own);
	if (own && entry->busy) {
		if (!await(s, entry, entry->answers))
			return ERR_PROFILE;
		/* What came while we waited is fresh enough, however short it may be kept; another token may
		 * have taken its place by now. */
		if (!entry->busy && memcmp(entry->key, l->key, DIGEST_SIZE) == 0)
			return use(l, entry);
		return ERR_PROFILE;
	}
	if (own && clock_monotonic_ms() < entry->until_ms)
		return use(l, entry);
	return claim(l, entry, own);
}

/* What was asked for has come to this end: tell those who wait, keep it for ms. */
static void publish(const struct lookup *l, enum err err, struct str text, int64_t ms)
{
	struct opaque_sessions *s = l->sessions;
	struct entry *entry = l->entry;
	char *copy = err ? NULL : malloc(text.n);
	pthread_mutex_lock(&s->lock);
	if (copy) {
		memcpy(copy, text.p, text.n);
		entry->text = copy;
		entry->n = text.n;
	}
	entry->err = err || copy ? err : ERR_PROFILE;
	entry->until_ms = err || copy ? clock_monotonic_ms() + ms : 0;
	entry->busy = false;
	entry->answers++;
	s->inside--;
	pthread_cond_broadcast(&s->arrived);
	pthread_mutex_unlock(&s->lock);
}

/* Only 200 is an answer: the server says so even of a session that is over. */
static enum err ask(struct worker *worker, const struct issuer_session *session, struct str *text)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct fetch *fetch = worker_fetch(worker);
	struct fetch_answer answer;
	struct fetch_request request = {
		.url = session->url,
		.headers = &session->header,
		.n_headers = 1,
		.timeout_ms = TIMEOUT_MS,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.max_body = ANSWER_MAX,
		.allow_plain_http = session->allow_plain_http,
	};
	if (!fetch)
		return ERR_PROFILE;
	bool came = fetch_get(fetch, worker->arena, &request, &answer, &why);
	if (came && answer.status == 200) {
		*text = answer.body;
		return ERR_NONE;
	}
	if (came)
		buf_printf(&why, "it answers with status %d", answer.status);
	log_text(LOG_WARNING, "session", "session-url %.*s: %s", STR_ARGS(session->url), buf_z(&why));
	return ERR_PROFILE;
}

static int64_t keep_for(const struct issuer_session *session, enum err err, const struct claims *claims)
{
	if (err == ERR_PROFILE)
		return FAILED_MS;
	if (err)
		return REFUSED_MS;
	int64_t left = claims->exp - clock_now();
	return 1000 * (left < session->ttl ? left : session->ttl);
}

/* Issuer, URL and header: a token that is good in one of them is not good in another. */
static bool make_key(struct worker *worker, const struct issuer *issuer, const struct issuer_session *session,
		     unsigned char key[DIGEST_SIZE])
{
	struct str parts[] = {issuer_name(issuer), session->url, session->header};
	return digest_parts(worker->token, parts, sizeof parts / sizeof *parts, key);
}

static enum err begin(struct lookup *l)
{
	if (!l->sessions)
		return ERR_NONE;
	pthread_mutex_lock(&l->sessions->lock);
	enum err err = look_up(l);
	pthread_mutex_unlock(&l->sessions->lock);
	return err;
}

enum err opaque_session_verify(struct worker *worker, const struct issuer *issuer, struct token *token,
			       struct claims *claims)
{
	struct issuer_session session;
	struct lookup l = {.sessions = worker->sessions, .arena = worker->arena};
	enum err err = issuer_session(issuer, worker->arena, token, &session);
	if (err)
		return err;
	*claims = (struct claims){0};
	const struct verification with = {worker->token, worker->arena, clock_now()};
	err = make_key(worker, issuer, &session, l.key) ? begin(&l) : ERR_INTERNAL;
	if (err)
		return err;
	if (!l.text.p)
		err = ask(worker, &session, &l.text);
	if (err == ERR_NONE)
		err = issuer_verify_session(issuer, &with, l.text, token, claims);
	if (l.entry) {
		int64_t ms = keep_for(&session, err, claims);
		l.until_ms = clock_monotonic_ms() + ms;
		publish(&l, err, l.text, ms);
	}
	if (err == ERR_NONE)
		claims->ask_again_ms = l.until_ms;
	return err;
}
