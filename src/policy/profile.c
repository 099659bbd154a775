/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets which profile. From the outside in: what the cache brought with the
 * store's answer; the turn among this process's threads (profile_flight.c); the
 * store's lock among processes and hosts; the call. */
#include "policy/profile.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/profile_internal.h"
#include "policy/runtime.h"
#include "store/generation.h"
#include "token/json.h"

enum {
	/* A lock outlives the call that it is for. */
	LOCK_MARGIN_MS = 1000,
	POLL_US = 10000,
	/* With less time than this nobody is asked. */
	CALL_LEAST_MS = 5,
	ALARM_MS = 60000,
	WHY_SIZE = 512,
};

/* One user who has to be asked for. */
struct pursuit {
	struct worker *worker;
	const struct profile_source *source;
	struct str user_id;
	int64_t good_until;
	struct profile_visit visit;
	struct profile_entry *entry; /* what is known, and then what came */
	bool came;		     /* from the service, just now: for us or for who asked before us */
	struct buf why;
};

/* Keys ------------------------------------------------------------------- */

static bool make_key(struct worker *worker, const char *what, const struct profile_source *source, struct str user_id,
		     struct store_key *out)
{
	struct str parts[] = {str_of(what), source->identity, user_id};
	unsigned char digest[DIGEST_SIZE];
	if (!digest_parts(worker->token, parts, sizeof parts / sizeof *parts, digest))
		return false;
	memcpy(out->bytes, digest, STORE_KEY_SIZE);
	return true;
}

bool profile_key(struct worker *worker, const struct profile_source *source, struct str user_id,
		 struct store_key *out)
{
	return make_key(worker, "profile", source, user_id, out);
}

/* The cache -------------------------------------------------------------- */

static bool look(struct pursuit *p, const struct store_key *key, struct str user_id, struct profile_entry *out)
{
	struct worker *w = p->worker;
	struct str cached = w->store_driver->cache_get(w->store, key, w->arena);
	return profile_read(w->arena, p->source, user_id, cached, out);
}

static struct str keep(struct pursuit *p, const struct store_key *key, struct str user_id,
		       const struct profile_entry *entry)
{
	struct worker *w = p->worker;
	struct str text = profile_write(w->arena, p->source, user_id, entry);
	int64_t seconds = profile_keep_seconds(p->source, entry, clock_unfrozen_ms());
	if (text.p && seconds > 0)
		w->store_driver->cache_put(w->store, key, text, seconds);
	return text;
}

/* The source has told one of all processes to leave it alone. */
static bool is_paused(struct pursuit *p, int64_t *ms)
{
	struct store_key key;
	struct profile_entry pause;
	int64_t now = clock_unfrozen_ms();
	if (!make_key(p->worker, "profile pause", p->source, STR(""), &key) || !look(p, &key, STR(""), &pause) ||
	    pause.kind != PROFILE_PAUSE || pause.new_until <= now)
		return false;
	*ms = pause.new_until - now;
	/* Not for longer than it was meant to be, whatever the clocks say. */
	return *ms <= pause.new_until - pause.fetched;
}

static void keep_pause(struct pursuit *p, int64_t ms)
{
	struct store_key key;
	int64_t now = clock_unfrozen_ms();
	struct profile_entry pause = {.kind = PROFILE_PAUSE, .fetched = now, .new_until = now + ms};
	if (make_key(p->worker, "profile pause", p->source, STR(""), &key))
		keep(p, &key, STR(""), &pause);
}

/* The log ---------------------------------------------------------------- */

static void log_source(const struct pursuit *p, int level, const char *text)
{
	struct log_line line;
	log_begin(&line, level, "profile");
	log_field(&line, "profile", p->source->name);
	log_field(&line, "url", profile_source_shown(p->source));
	log_field(&line, "text", str_of(text));
	if (p->why.n > 0)
		log_foreign(&line, "detail", buf_str(&p->why));
	log_end(&line);
}

/* Until somebody mends it no profile comes: once a minute, of all processes. */
static void log_refused(const struct pursuit *p)
{
	struct worker *w = p->worker;
	struct store_key key;
	if (make_key(w, "profile alarm", p->source, STR(""), &key) &&
	    w->store_driver->cache_lock(w->store, &key, ALARM_MS) == STORE_LOCK_TAKEN)
		return;
	log_source(p, LOG_CRIT, "the key is refused: no profile can be had until it is right");
}

static void log_outcome(const struct pursuit *p, enum profile_outcome outcome)
{
	if (outcome == PROFILE_REFUSED)
		log_refused(p);
	else if (outcome == PROFILE_CAME)
		log_source(p, LOG_NOTICE, "profiles can be had again");
	else
		log_source(p, LOG_WARNING, "a profile could not be had; those that are kept go on being used");
}

/* Asking ----------------------------------------------------------------- */

static int64_t time_left(const struct pursuit *p)
{
	return p->visit.deadline - clock_monotonic_ms();
}

/* Is it news to somebody who has judged by the old one? A user who was not known here
 * is none: nobody has judged him. */
static bool is_news(const struct profile_entry *old, const struct profile_entry *fresh)
{
	return (old->kind == PROFILE_FOUND || old->kind == PROFILE_UNKNOWN) &&
	       (old->kind != fresh->kind || !str_eq(old->text, fresh->text));
}

/* What came, or that nothing did. Gives what others who wait for the user may read. */
static struct str conclude(struct pursuit *p, enum profile_outcome outcome, const struct profile_call *call)
{
	int64_t now = clock_unfrozen_ms();
	struct profile_entry old;
	struct profile_entry *entry = p->entry;
	if (outcome == PROFILE_CAME) {
		bool news = is_news(entry, &call->entry);
		*entry = call->entry;
		entry->fetched = now;
		entry->new_until = p->good_until;
		p->came = true;
		struct str text = keep(p, &p->visit.key, p->user_id, entry);
		if (news)
			generation_announce(p->worker->snapshot->server->state_dir.value.p);
		return text;
	}
	bool usable = entry->kind == PROFILE_FOUND && profile_age(p->source, entry, now) != PROFILE_GONE;
	if (!usable)
		*entry = (struct profile_entry){.kind = PROFILE_NOTHING};
	entry->tried = now;
	/* What an admin has thrown out of the cache meanwhile does not come back. */
	if (usable && !look(p, &p->visit.key, p->user_id, &old))
		return profile_write(p->worker->arena, p->source, p->user_id, entry);
	return keep(p, &p->visit.key, p->user_id, entry);
}

static enum profile_outcome ask(struct pursuit *p, struct str *text, int64_t *pause_ms)
{
	struct profile_call call = {.source = p->source, .user_id = p->user_id, .timeout_ms = time_left(p)};
	if (is_paused(p, pause_ms)) {
		buf_add(&p->why, STR("the service is asked too often, and is left alone for a while"));
		return PROFILE_BUSY;
	}
	if (call.timeout_ms < CALL_LEAST_MS) {
		buf_add(&p->why, STR("no time is left to ask the service"));
		return PROFILE_NOT_ASKED;
	}
	enum profile_outcome outcome = profile_ask(p->worker, &call, &p->why);
	if (outcome == PROFILE_BUSY) {
		*pause_ms = call.pause_ms;
		keep_pause(p, call.pause_ms);
	}
	*text = conclude(p, outcome, &call);
	return outcome;
}

/* Has another process done it meanwhile, well or in vain? An old profile that the
 * request has not seen is taken, too: no failure shall replace it. */
static bool is_settled(struct pursuit *p)
{
	struct profile_entry found;
	int64_t now = clock_unfrozen_ms();
	if (!look(p, &p->visit.key, p->user_id, &found))
		return false;
	enum profile_age age = profile_age(p->source, &found, now);
	bool rests = profile_rests(&found, now);
	if (age != PROFILE_GONE || rests)
		*p->entry = found;
	return age == PROFILE_NEW || rests;
}

/* Among processes and hosts. A store that cannot lock keeps nobody from asking. */
static enum profile_outcome ask_alone(struct pursuit *p, struct str *text, int64_t *pause_ms)
{
	struct worker *w = p->worker;
	const struct store_driver *driver = w->store_driver;
	struct store_key key;
	enum profile_outcome outcome = PROFILE_NOT_ASKED;
	if (!make_key(w, "profile lock", p->source, p->user_id, &key))
		return PROFILE_NOT_ASKED;
	enum store_lock lock;
	bool settled = false;
	while ((lock = driver->cache_lock(w->store, &key, p->source->conf->timeout + LOCK_MARGIN_MS)) ==
		       STORE_LOCK_TAKEN &&
	       p->visit.waits && time_left(p) > CALL_LEAST_MS && !(settled = is_settled(p)))
		usleep(POLL_US);
	if (lock == STORE_LOCK_TAKEN && !settled)
		buf_add(&p->why, STR("another process asks for the user, and has no answer yet"));
	else if (!settled && !is_settled(p))
		outcome = ask(p, text, pause_ms);
	else
		*text = profile_write(w->arena, p->source, p->user_id, p->entry);
	if (lock == STORE_LOCK_GRANTED)
		driver->cache_unlock(w->store, &key);
	return outcome;
}

static void ask_in_turn(struct pursuit *p)
{
	struct str text = STR_NONE;
	int64_t pause_ms = 0;
	bool complain = false;
	enum profile_outcome outcome = ask_alone(p, &text, &pause_ms);
	profiles_leave(&p->visit, outcome, text, pause_ms, &complain);
	if (complain)
		log_outcome(p, outcome);
}

/* Find out about the user: *entry changes when something newer is known. */
static void pursue(struct pursuit *p)
{
	struct profile_visit *v = &p->visit;
	v->profiles = p->worker->profiles;
	v->source = p->source;
	v->arena = p->worker->arena;
	v->begun = clock_monotonic_ms();
	v->deadline = v->begun + p->source->conf->timeout;
	if (!profile_key(p->worker, p->source, p->user_id, &v->key))
		return;
	switch (profiles_enter(v)) {
	case PROFILE_OURS:
		ask_in_turn(p);
		break;
	case PROFILE_ANSWERED:
		if (profile_read(p->worker->arena, p->source, p->user_id, v->text, p->entry))
			p->came = p->entry->tried == 0;
		if (!p->came)
			buf_add(&p->why, STR("another request has asked for the user in vain"));
		break;
	case PROFILE_DECLINED:
		buf_add(&p->why, str_of(v->why));
		break;
	}
}

void profile_renew(struct worker *worker, const struct profile_source *source, struct str user_id, int64_t good_until)
{
	char memory[WHY_SIZE];
	struct profile_entry entry = {0};
	struct pursuit p = {.worker = worker, .source = source, .user_id = user_id, .good_until = good_until,
			    .entry = &entry, .why = buf_over(memory, sizeof memory)};
	struct store_key key;
	int64_t now = clock_unfrozen_ms();
	if (profile_key(worker, source, user_id, &key) && look(&p, &key, user_id, &entry) &&
	    profile_age(source, &entry, now) == PROFILE_OLD && !profile_rests(&entry, now))
		pursue(&p);
}

/* Judging ---------------------------------------------------------------- */

/* Only what says so plainly is active; who does not say anything is. */
static bool is_active(const struct profile_source *source, const struct json *profile)
{
	const struct json *flag = json_path(profile, source->conf->active.value);
	if (!flag || flag->type == JSON_NULL || flag->type == JSON_TRUE)
		return true;
	return (flag->type == JSON_NUMBER || flag->type == JSON_STRING) &&
	       (str_eq(flag->text, STR("1")) || str_eq_nocase(flag->text, STR("true")));
}

static enum err judge(struct profile_lookup *l, const struct profile_entry *entry)
{
	static const struct json nobody = {.type = JSON_OBJECT};
	if (entry->kind == PROFILE_FOUND) {
		l->profile = entry->value;
		if (is_active(l->source, entry->value))
			return ERR_NONE;
		l->why = l->source->conf->active.value;
		return ERR_USER_INACTIVE;
	}
	if (l->source->conf->not_found == PROFILE_NOT_FOUND_DENY)
		return ERR_USER_UNKNOWN;
	l->profile = &nobody;
	return ERR_NONE;
}

static int64_t token_end(const struct claims *claims)
{
	int64_t end;
	if (claims->exp == TIME_ABSENT || __builtin_add_overflow(claims->exp, claims->leeway, &end) ||
	    __builtin_mul_overflow(end, 1000, &end))
		return INT64_MAX;
	return end;
}

/* May the service be asked while the request waits? An old profile that is still good
 * enough is rather renewed behind its back. */
static bool must_ask(struct worker *worker, const struct profile_lookup *l, const struct profile_entry *entry,
		     enum profile_age age)
{
	if (age == PROFILE_NEW || profile_rests(entry, clock_unfrozen_ms()))
		return false;
	if (age == PROFILE_GONE || !profiles_renewals(worker->profiles))
		return true;
	profile_renewals_add(worker, l->source, l->claims->user_id, token_end(l->claims));
	return false;
}

enum err profile_get(struct worker *worker, struct profile_lookup *l)
{
	struct profile_entry entry = {0};
	struct str user_id = l->claims->user_id;
	profile_read(worker->arena, l->source, user_id, l->cached, &entry);
	enum profile_age age = profile_age(l->source, &entry, clock_unfrozen_ms());
	struct pursuit p = {.worker = worker, .source = l->source, .user_id = user_id, .entry = &entry,
			    .good_until = token_end(l->claims), .why = arena_buf(worker->arena, WHY_SIZE)};
	l->profile = NULL;
	l->why = STR_NONE;
	l->from = PROFILE_FROM_NOWHERE;
	if (must_ask(worker, l, &entry, age)) {
		/* Where an old one will do, nobody waits for another process. */
		p.visit.waits = age == PROFILE_GONE;
		pursue(&p);
		age = profile_age(l->source, &entry, clock_unfrozen_ms());
	} else if (age == PROFILE_GONE) {
		buf_add(&p.why, STR("the service was asked for the user a moment ago, in vain"));
	}
	/* With ttl = 0 what has just come is old already. */
	if (age == PROFILE_GONE && !p.came) {
		l->why = buf_str(&p.why);
		return ERR_PROFILE;
	}
	l->from = p.came ? PROFILE_FROM_SERVICE : age == PROFILE_OLD ? PROFILE_FROM_OLD : PROFILE_FROM_CACHE;
	l->fetched_ms = entry.fetched;
	l->new_until_ms = profile_new_until(l->source, &entry);
	return judge(l, &entry);
}

/* Checking --------------------------------------------------------------- */

void profile_check(struct worker *worker, const struct profile_source *source, struct profile_report *out,
		   struct buf *why)
{
	struct profile_call call = {.source = source, .user_id = STR("fcgi-auth-check"),
				    .timeout_ms = source->conf->timeout};
	enum profile_outcome outcome = profile_ask(worker, &call, why);
	*out = (struct profile_report){
		.status = call.status,
		.key_refused = outcome == PROFILE_REFUSED,
		.known = outcome == PROFILE_CAME && call.entry.kind == PROFILE_FOUND,
		.answers = outcome == PROFILE_CAME,
	};
}
