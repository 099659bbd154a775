/* SPDX-License-Identifier: Apache-2.0 */
/* The process's state: which snapshot is current, who still uses an old one,
 * and when files have changed. Workers publish the snapshot they use in a slot
 * of their own; an old one is freed when no slot holds it, so that a request
 * takes no lock and no shared counter. */
#include "policy/runtime.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/absent_store.h"
#include "policy/mailer.h"
#include "policy/opaque_session.h"
#include "policy/upstream.h"
#include "store/generation.h"
#include "token/cache.h"

enum { REQUEST_ARENA = 4 << 20, RETIRED_MAX = 16, SWEEP_EVERY_MS = 60000, SWEEP_BATCHES = 20, STORE_RETRY_MS = 1000 };
/* On a cache line of its own: written at every request. */
struct slot {
	_Alignas(64) const struct snapshot *_Atomic in_use;
};

struct runtime {
	char *path;
	unsigned threads;
	bool one_request;
	struct snapshot *_Atomic current;
	struct slot *slots;
	struct snapshot *retired[RETIRED_MAX]; /* main thread only */
	size_t n_retired;
	uint64_t files_state;
	bool untold; /* web servers have yet to hear of the current snapshot */
	struct keys *keys;
	const struct store_driver *store_driver;
	struct store *store;
	struct token_cache *tokens; /* may be NULL */
	struct store_thread *sweeper;
	int64_t next_sweep;
	struct opaque_sessions *sessions;
	struct profiles *profiles;
	struct user_records *user_records;
	struct api_keys *api_keys;
	struct upstream_gate *upstream_gate;
	struct mailer *mailer;
};

/* *state is what the files were before they were read: one that changes
 * meanwhile is read again at the next look. */
static bool load(const char *path, unsigned threads, struct snapshot **out, uint64_t *state, struct conf_error *error)
{
	struct conf *conf;
	if (!conf_open(path, runtime_kinds, &conf, error))
		return false;
	*state = runtime_files(conf);
	conf_close(&conf);
	return snapshot_open(path, threads, out, error);
}

static bool open_store(struct runtime *r, struct conf_error *error)
{
	char text[sizeof error->text];
	struct buf why = buf_over(text, sizeof text);
	const struct snapshot *s = r->current;
	r->store_driver = stores_open(s->store, s->server->state_dir.value.p, !r->one_request, &r->store, &why);
	if (r->store_driver)
		return true;
	snprintf(error->text, sizeof error->text, "%.*s", STR_ARGS(buf_str(&why)));
	if (!r->one_request)
		return false;
	log_text(LOG_ERR, "store", "%s", error->text);
	r->store_driver = &absent_store;
	return true;
}

/* Whoever has URLs to ask needs what asks them, now and not at the first request:
 * it is loaded by the main thread alone. */
static bool start_asking(const struct runtime *r, const struct snapshot *snapshot, struct conf_error *error)
{
	char text[sizeof error->text];
	struct buf why = buf_over(text, sizeof text);
	if (r->one_request || !snapshot->asks || fetch_start(&why))
		return true;
	snprintf(error->text, sizeof error->text, "%.*s", STR_ARGS(buf_str(&why)));
	return false;
}

/* Before the snapshot is current. */
static bool open_keys(struct runtime *r, struct snapshot *snapshot, struct conf_error *error)
{
	char text[sizeof error->text];
	struct buf why = buf_over(text, sizeof text);
	if (!start_asking(r, snapshot, error))
		return false;
	if (!keys_adopt(r->keys, &snapshot->issuers, &why)) {
		snprintf(error->text, sizeof error->text, "%.*s", STR_ARGS(buf_str(&why)));
		return false;
	}
	keys_wait(r->keys);
	return true;
}

/* A process that begins may have another configuration than the one before it. One of a
 * single request changes nothing by beginning. */
static bool tell_of_start(const struct runtime *r, struct conf_error *error)
{
	char text[sizeof error->text];
	struct buf why = buf_over(text, sizeof text);
	if (r->one_request || generation_raise(r->current->server->state_dir.value.p, &why))
		return true;
	snprintf(error->text, sizeof error->text, "%.*s", STR_ARGS(buf_str(&why)));
	return false;
}

/* One for each worker, and for each thread that is one without requests. */
static unsigned slots(const struct runtime *r)
{
	return r->threads + PROFILE_RENEWERS;
}

static bool open_slots(struct runtime *r)
{
	r->slots = aligned_alloc(_Alignof(struct slot), slots(r) * sizeof *r->slots);
	for (unsigned i = 0; r->slots && i < slots(r); i++)
		atomic_init(&r->slots[i].in_use, NULL);
	return r->slots != NULL;
}

bool runtime_open(const struct runtime_settings *settings, struct runtime **out, struct conf_error *error,
		  int *exit_status)
{
	struct runtime *r = calloc(1, sizeof *r);
	struct snapshot *snapshot = NULL;
	*exit_status = 1;
	snprintf(error->text, sizeof error->text, "no memory, or OpenSSL lacks an algorithm");
	if (!r || !token_start() || !(r->path = strdup(settings->path)))
		goto out;
	if (!load(r->path, settings->threads, &snapshot, &r->files_state, error)) {
		*exit_status = 78;
		goto out;
	}
	r->current = snapshot;
	r->one_request = settings->one_request;
	r->threads = settings->threads ? settings->threads : (unsigned)snapshot->server->threads;
	struct keys_settings keys = {snapshot->server->state_dir.value.p, !r->one_request, r->threads};
	if (!open_slots(r) || !opaque_sessions_open(r->threads, &r->sessions) || !api_keys_open(&r->api_keys) ||
	    !upstream_gate_open(r->threads, &r->upstream_gate) ||
	    !profiles_open(r->threads, !r->one_request, &r->profiles) ||
	    !mailer_open(!r->one_request, &r->mailer) ||
	    !keys_open(&keys, &r->keys) ||
	    !user_records_open(server_records_folder(snapshot->server), &r->user_records) ||
	    !open_store(r, error) || !open_keys(r, snapshot, error) || !tell_of_start(r, error))
		goto out;
	/* Without memory for it each token is verified anew. */
	if (!r->one_request)
		cache_open(&r->tokens);
	*out = r;
	return true;
out:
	runtime_close(&r);
	return false;
}

void runtime_close(struct runtime **runtime)
{
	struct runtime *r = *runtime;
	if (!r)
		return;
	mailer_close(&r->mailer);
	keys_close(&r->keys);
	profiles_close(&r->profiles);
	if (r->sweeper)
		r->store_driver->thread_close(&r->sweeper);
	if (r->store)
		r->store_driver->close(&r->store);
	for (size_t i = 0; i < r->n_retired; i++)
		snapshot_close(&r->retired[i]);
	struct snapshot *current = r->current;
	snapshot_close(&current);
	user_records_close(&r->user_records);
	api_keys_close(&r->api_keys);
	opaque_sessions_close(&r->sessions);
	upstream_gate_close(&r->upstream_gate);
	cache_close(&r->tokens);
	free(r->slots);
	free(r->path);
	free(r);
	*runtime = NULL;
}

const struct snapshot *runtime_snapshot(const struct runtime *runtime)
{
	return runtime->current;
}

unsigned runtime_threads(const struct runtime *runtime)
{
	return runtime->threads;
}

bool runtime_watches(const struct runtime *runtime)
{
	return !runtime->one_request;
}

void runtime_hold_user_records(struct runtime *runtime)
{
	const struct snapshot *s = runtime->current;
	for (size_t i = 0; i < s->n_policies; i++)
		if (s->policies[i].conf->local_user) {
			user_records_hold(runtime->user_records);
			break;
		}
}

static bool is_used(const struct runtime *r, const struct snapshot *snapshot)
{
	for (unsigned i = 0; i < slots(r); i++)
		if (atomic_load(&r->slots[i].in_use) == snapshot)
			return true;
	return false;
}

static void free_retired(struct runtime *r)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->n_retired; i++) {
		if (is_used(r, r->retired[i]))
			r->retired[kept++] = r->retired[i];
		else
			snapshot_close(&r->retired[i]);
	}
	r->n_retired = kept;
}

/* Who has seen the old snapshot was asked before this. When it cannot be told, verdicts
 * that are kept hold for verdict-ttl at most, and the next tick tries again. */
static void tell_of_reload(struct runtime *r)
{
	r->untold = !generation_announce(r->current->server->state_dir.value.p);
}

/* What is fixed for the life of a process. */
static void warn_of_fixed(const struct server_conf *old, const struct server_conf *new)
{
	if (!str_eq(old->transport.value, new->transport.value) || old->threads != new->threads ||
	    old->max_connections != new->max_connections || old->max_request_headers != new->max_request_headers)
		log_text(LOG_WARNING, "reload",
			 "transport, threads, max-connections and max-request-headers change at the next "
			 "start");
}

bool runtime_reload(struct runtime *runtime)
{
	struct runtime *r = runtime;
	struct conf_error error;
	struct snapshot *fresh, *old = r->current;
	int64_t begun = clock_monotonic_us();
	uint64_t state;
	free_retired(r);
	if (r->n_retired == RETIRED_MAX) {
		log_text(LOG_ERR, "reload_failed", "too many old configurations are still in use; try again");
		return false;
	}
	if (!load(r->path, r->threads, &fresh, &state, &error)) {
		log_text(LOG_ERR, "reload_failed", "%s (the old configuration stays)", error.text);
		return false;
	}
	/* Accounts, form key, revocations and numbers of users belong together: none of them moves alone. */
	if (!str_eq(old->server->state_dir.value, fresh->server->state_dir.value) ||
	    !str_eq(old->server->user_records.value, fresh->server->user_records.value)) {
		log_text(LOG_ERR, "reload_failed",
			 "state-dir and user-records change at a restart only (the old configuration stays)");
		snapshot_close(&fresh);
		return false;
	}
	/* Requests that run would be judged by two stores at once. */
	if (!stores_equal(old->store, fresh->store))
		log_text(LOG_WARNING, "reload", "[store] changes at the next start");
	if (!open_keys(r, fresh, &error)) {
		log_text(LOG_ERR, "reload_failed", "%s (the old configuration stays)", error.text);
		snapshot_close(&fresh);
		return false;
	}
	warn_of_fixed(old->server, fresh->server);
	r->files_state = state;
	atomic_store(&r->current, fresh);
	r->retired[r->n_retired++] = old;
	tell_of_reload(r);
	free_retired(r);
	log_text(LOG_NOTICE, "reload", "configuration read in %lld us", (long long)(clock_monotonic_us() - begun));
	return true;
}

static void sweep(struct runtime *r)
{
	int64_t now = clock_monotonic_ms();
	unsigned forgotten = 0;
	if (now < r->next_sweep)
		return;
	r->next_sweep = now + SWEEP_EVERY_MS;
	if (!r->sweeper && !r->store_driver->thread_open(r->store, &r->sweeper))
		return;
	/* Bounded: deadlines of connections wait for this thread. */
	for (int i = 0; i < SWEEP_BATCHES; i++)
		if (r->store_driver->sweep(r->sweeper, clock_now(), &forgotten) != ERR_NONE || forgotten == 0)
			break;
}

void runtime_tick(struct runtime *runtime)
{
	struct runtime *r = runtime;
	uint64_t state = runtime_files(r->current->conf);
	if (state != r->files_state) {
		/* A bad new state is reported once, not at every tick. */
		r->files_state = state;
		runtime_reload(r);
	}
	if (r->untold)
		tell_of_reload(r);
	free_retired(r);
	sweep(r);
}

/* A worker whose connection cannot be opened answers without a store, and tries
 * again: what ails a file may pass, and other workers' connections are good. */
static void open_worker_store(struct worker *w)
{
	w->store_driver = w->runtime->store_driver;
	w->next_store_ms = clock_monotonic_ms() + STORE_RETRY_MS;
	if (!w->store_driver->thread_open(w->runtime->store, &w->store))
		w->store_driver = &absent_store;
}

bool worker_open(struct runtime *runtime, unsigned number, struct worker *out)
{
	struct worker w = {.runtime = runtime, .number = number, .keys = runtime->keys,
			   .sessions = runtime->sessions, .profiles = runtime->profiles,
			   .user_records = runtime->user_records, .api_keys = runtime->api_keys,
			   .upstream_gate = runtime->upstream_gate, .mailer = runtime->mailer};
	random_bytes(&w.requests, sizeof w.requests);
	if (arena_open(REQUEST_ARENA, &w.arena) && token_thread_open(number, &w.token)) {
		token_thread_share(w.token, runtime->tokens);
		open_worker_store(&w);
		*out = w;
		return true;
	}
	worker_close(&w);
	return false;
}

void worker_close(struct worker *worker)
{
	accounts_close(&worker->accounts);
	user_records_thread_close(&worker->records);
	fetch_close(&worker->fetch);
	if (worker->store)
		worker->store_driver->thread_close(&worker->store);
	token_thread_close(&worker->token);
	arena_close(&worker->arena);
}

void worker_begin(struct worker *worker)
{
	struct runtime *r = worker->runtime;
	struct slot *slot = &r->slots[worker->number];
	struct snapshot *s;
	do {
		s = atomic_load(&r->current);
		atomic_store(&slot->in_use, s);
		/* Retired between the two lines, it might be freed: look again. */
	} while (s != atomic_load(&r->current));
	worker->snapshot = s;
	if (worker->store_driver == &absent_store && clock_monotonic_ms() >= worker->next_store_ms)
		open_worker_store(worker);
}

void worker_end(struct worker *worker)
{
	worker->snapshot = NULL;
	atomic_store(&worker->runtime->slots[worker->number].in_use, NULL);
	arena_reset(worker->arena);
}

/* A count in disguise (the finalizer of SplitMix64 is one to one): as unlikely to
 * meet another's number as a random one, without asking the kernel each time. */
uint64_t worker_request_number(struct worker *worker)
{
	uint64_t z = ++worker->requests * 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

struct accounts *worker_accounts(struct worker *worker)
{
	char text[512];
	struct buf why = buf_over(text, sizeof text - 1);
	if (!worker->accounts && !accounts_open(worker->snapshot->server->state_dir.value.p, &worker->accounts, &why))
		log_text(LOG_ERR, "accounts", "%s", buf_z(&why));
	return worker->accounts;
}

struct user_records_thread *worker_user_records(struct worker *worker)
{
	if (!worker->records && !user_records_thread_open(worker->user_records, &worker->records))
		log_text(LOG_ERR, "user_records", "no memory");
	return worker->records;
}

struct fetch *worker_fetch(struct worker *worker)
{
	char text[512];
	struct buf why = buf_over(text, sizeof text - 1);
	/* A process of many threads has loaded the library before it had them. */
	if (!worker->fetch && (!fetch_start(&why) || !fetch_open(&worker->fetch)))
		log_text(LOG_ERR, "fetch", "%s", why.n ? buf_z(&why) : "no memory");
	return worker->fetch;
}
