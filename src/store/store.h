/* SPDX-License-Identifier: Apache-2.0 */
/* What must be common to all processes, and with memcached to all hosts:
 * revocations and not-before marks, records (API keys), and a cache. The driver
 * contract; drivers are store_<name>.c. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"
#include "store/count.h"

enum { STORE_KEY_SIZE = 16, STORE_TEXT_MAX = 255, STORE_RECORD_MAX = 700, STORE_CACHED_MAX = 256 << 10 };
enum { STORE_SERVERS_MAX = 16 };

/* What has expired is kept so many seconds longer: a clock that is set back by
 * an hour must not make a revoked token good again. */
enum { STORE_KEPT = 2 * 3600 };

/* The first 128 bits of a SHA-256 over what it stands for. */
struct store_key {
	unsigned char bytes[STORE_KEY_SIZE];
};

/* All that one request asks, answered in one round trip. */
struct store_question {
	struct store_key token; /* is this token revoked? */
	struct store_key user;	/* since when are the user's tokens good? */
	struct store_key session; /* has the session (sid) ended? */
	bool has_session;
	struct store_key cached; /* what is in the cache for it, say the user's profile? */
	bool has_cached;
	struct arena *arena; /* for the texts of the answer; may be NULL without has_cached */
	int64_t now; /* seconds; for drivers that must forget by themselves */
};

struct store_answer {
	bool revoked;	    /* the token or its session */
	int64_t not_before; /* tokens of the user issued at or before are revoked; 0 for none */
	struct str cached;  /* in the arena; STR_NONE: nothing, or the cache cannot be asked */
};

enum store_entry_kind { STORE_TOKEN = 0, STORE_USER = 1, STORE_SESSION = 2 };

struct store_entry {
	struct store_key key;
	enum store_entry_kind kind;
	int64_t not_before; /* STORE_USER */
	int64_t expires;    /* seconds; holds until then at least, and may be forgotten STORE_KEPT later */
	int64_t created;
	struct str user;    /* for `authctl revocations list`; may be STR_NONE; kept up to STORE_TEXT_MAX bytes */
	struct str note;    /* who or what revoked it; the same */
};

struct store;	     /* the process's */
struct store_thread; /* a worker's: connections, statements */

struct store_settings {
	const char *state_dir;
	/* [store]: "HOST:PORT" or "unix:/path". Without servers there is one host. */
	const struct conf_list *servers;
	const struct conf_list *cache_servers; /* for what may be lost; empty: servers */
	int64_t timeout_ms;		       /* of one call to one server */
	int64_t host_timeout_ms;	       /* one that is silent for longer is not waited for */
	struct str namespace;
	bool local_on_failure; /* when no other host can be asked, this host's own file decides */
	/* A program that goes on running: it takes its part in what the processes of a
	 * host do for each other. Plain CGI and tools only use it. */
	bool lasting;
};

struct store_cache_size {
	int64_t entries, bytes;
};

/* What is counted, and how much of it is allowed: everybody who counts the same key has the
 * same rate. */
enum store_counter { STORE_COUNT_CLIENT, STORE_COUNT_ACCOUNT, STORE_COUNTERS };

struct store_count {
	enum store_counter of;
	struct store_key key;
	struct limiter_rate rate;
};

enum { STORE_COUNT_FAILED = -1 };

/* May the caller do the work that the lock is for? */
enum store_lock { STORE_LOCK_GRANTED, STORE_LOCK_TAKEN, STORE_LOCK_FAILED };

struct store_driver {
	const char *name;
	/* Check that the store is there, whole and ours; create it where it is new.
	 * After the last fork. false: why says what is wrong and what to do. */
	bool (*open)(const struct store_settings *settings, struct store **out, struct buf *why);
	void (*close)(struct store **store);
	/* By the worker itself; the log says why not. */
	bool (*thread_open)(struct store *store, struct store_thread **out);
	void (*thread_close)(struct store_thread **thread);
	/* One read. ERR_STORE when no answer can be had: never taken for "not revoked". */
	enum err (*ask)(struct store_thread *thread, const struct store_question *question, struct store_answer *out);
	/* Durable here when it returns ERR_NONE or ERR_STORE_PARTIAL, and no web server of
	 * this host goes on using what it knew before (generation.h), as after every change;
	 * adding again keeps the later expiry and not_before. With ERR_NONE every other host refuses it
	 * within a second, or answers for nothing; with ERR_STORE_PARTIAL that cannot be
	 * promised: it goes on by itself. */
	enum err (*add)(struct store_thread *thread, const struct store_entry *entry);
	/* ERR_STORE_PARTIAL: removed here, but others may go on to refuse. */
	enum err (*remove)(struct store_thread *thread, const struct store_key *key, bool *was_there);
	/* Call each for the unexpired entries, newest first; each returns false to
	 * stop. The entry's texts live until it returns. */
	enum err (*list)(struct store_thread *thread, int64_t now,
			 bool (*each)(void *context, const struct store_entry *entry), void *context);
	/* Forget some of what expired more than STORE_KEPT ago, a small batch; nothing
	 * while another process is writing. Call again while *forgotten is not 0. */
	enum err (*sweep)(struct store_thread *thread, int64_t now, unsigned *forgotten);
	/* Deep check for `authctl check`. */
	bool (*check)(struct store_thread *thread, struct buf *why);

	/* Records: small texts that every host knows, durable like a revocation; putting
	 * one again replaces it. expires: seconds, INT64_MAX for never. What ends one early
	 * is a revocation, so a record may be found after it was removed elsewhere. */
	enum err (*record_put)(struct store_thread *thread, const struct store_key *key, struct str record,
			       int64_t expires);
	/* ERR_NOT_FOUND: no host has it. ERR_STORE: nobody can tell. *out in the arena. */
	enum err (*record_get)(struct store_thread *thread, const struct store_key *key, struct arena *arena,
			       struct str *out);
	/* Those of this host. */
	enum err (*record_list)(struct store_thread *thread,
				bool (*each)(void *context, const struct store_key *key, struct str record,
					     int64_t expires),
				void *context);
	enum err (*record_remove)(struct store_thread *thread, const struct store_key *key, bool *was_there);

	/* The cache: may forget anything at any time, fails without harm and never waits
	 * longer than a call to one server takes. The value is at most STORE_CACHED_MAX
	 * bytes and carries whatever the owner needs to know that it is the right one. */
	struct str (*cache_get)(struct store_thread *thread, const struct store_key *key, struct arena *arena);
	bool (*cache_put)(struct store_thread *thread, const struct store_key *key, struct str value,
			  int64_t seconds);
	bool (*cache_remove)(struct store_thread *thread, const struct store_key *key);
	/* One of all callers on all hosts gets the lock; it ends by itself after ms
	 * (rounded up to what the store can tell apart). */
	enum store_lock (*cache_lock)(struct store_thread *thread, const struct store_key *key, int64_t ms);
	void (*cache_unlock)(struct store_thread *thread, const struct store_key *key);
	/* Forget all of it. false: why says why that cannot be done. */
	bool (*cache_clear)(struct store_thread *thread, struct buf *why);
	/* How much there is. NULL in a driver that cannot tell. */
	bool (*cache_count)(struct store_thread *thread, struct store_cache_size *out);

	/* Counters, by the wall clock. They survive the end of programs, not always that of
	 * the machine, and wait no longer than a few calls to one server take. Count one use:
	 * 0, it is allowed; else it is not, and was not counted, for so many milliseconds; or
	 * STORE_COUNT_FAILED: nobody can count. */
	int64_t (*count_use)(struct store_thread *thread, const struct store_count *count);
	/* The same without counting. */
	int64_t (*count_left)(struct store_thread *thread, const struct store_count *count);
	/* Count anew. ERR_STORE_PARTIAL: not on other hosts. */
	enum err (*count_clear)(struct store_thread *thread, const struct store_count *count);

	/* For `authctl check` and `authctl revocations stats`: a line for each server and
	 * host, what it is and whether its answers count; each starts with "ok " or "bad ". */
	void (*describe)(struct store_thread *thread, bool (*each)(void *context, struct str line), void *context);
};

extern const struct store_driver *const store_drivers[];

/* Version of the database library in use. */
const char *store_library(void);
/* Version of libmemcached; NULL in a build without it. */
const char *store_memcached_library(void);

#endif
