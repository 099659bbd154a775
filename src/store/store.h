/* SPDX-License-Identifier: Apache-2.0 */
/* What must be common to all processes: revocations and not-before marks. The
 * driver contract; drivers are store_<name>.c. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"

enum { STORE_KEY_SIZE = 16, STORE_TEXT_MAX = 255 };

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
	int64_t now; /* seconds; for drivers that must forget by themselves */
};

struct store_answer {
	bool revoked;	    /* the token or its session */
	int64_t not_before; /* tokens of the user issued at or before are revoked; 0 for none */
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
};

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
	/* Durable when it returns ERR_NONE; adding again keeps the later expiry and not_before. */
	enum err (*add)(struct store_thread *thread, const struct store_entry *entry);
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
};

extern const struct store_driver *const store_drivers[];

/* Version of the database library in use. */
const char *store_library(void);

#endif
