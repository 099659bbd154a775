/* SPDX-License-Identifier: Apache-2.0 */
/* What the link between hosts reads and keeps in revocations.db, beside the driver
 * contract of the embedded store: which keys changed and have yet to be told (the
 * journal), everything that other hosts must know (batches), the other hosts as
 * last seen, and our generation on each server. Threads are the embedded store's. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/store.h"

/* What a key of the journal is: enum store_entry_kind, or this. */
enum { JOURNAL_RECORD = 3, JOURNAL_BATCH = 128, JOURNAL_HOSTS_MAX = 64, JOURNAL_TEXT_SIZE = 256 };

/* One changed key. */
struct journal_row {
	int64_t seq; /* ever larger, never used again */
	struct store_key key;
	int kind;
};

/* What the key stands for now: of a record its text, else the entry without texts. */
struct journal_item {
	struct store_entry entry; /* key, kind, not_before, expires, created */
	int kind;
	struct str record; /* JOURNAL_RECORD: in text */
	char text[STORE_RECORD_MAX];
};

/* A host as last seen. */
struct journal_host {
	uint64_t id;
	int64_t seen;	   /* seconds, wall clock */
	uint64_t sequence; /* of its newest mark */
	int state;	   /* of that mark */
	char without[JOURNAL_TEXT_SIZE]; /* what that mark does not vouch for; text of the link */
};

/* In the transaction of a change: tell the others, or, when this program tells
 * nobody, make sure that what they were told counts no more. */
bool journal_note(struct store_thread *thread, const struct store_key *key, int kind);

/* Rows after `after` in their order, at most cap; *n may be 0. */
bool journal_read(struct store_thread *thread, int64_t after, struct journal_row *out, size_t cap, size_t *n);
/* The seq of the row that was made last, dropped ones included; 0: none ever was. */
bool journal_newest(struct store_thread *thread, int64_t *out);
/* Drop rows up to and with seq. */
bool journal_drop(struct store_thread *thread, int64_t seq);
/* What the row's key stands for. *found false: nothing any more. */
bool journal_find(struct store_thread *thread, const struct store_key *key, int kind, struct journal_item *out,
		  bool *found);

/* Where a walk through all of one table stands; begin with {.kind = …}. */
struct journal_walk {
	int kind; /* STORE_TOKEN: tokens and sessions; STORE_USER: marks; JOURNAL_RECORD */
	int64_t since; /* without what expired before it */
	struct store_key after;
	bool begun;
};

/* The next items, by key, at most cap; *n is 0 at the end. Nothing stays open. */
bool journal_walk_next(struct store_thread *thread, struct journal_walk *walk, struct journal_item *out, size_t cap,
		       size_t *n);

/* Hosts, newest first, at most cap. */
bool journal_hosts(struct store_thread *thread, struct journal_host *out, size_t cap, size_t *n);
bool journal_host_put(struct store_thread *thread, const struct journal_host *host);
bool journal_host_drop(struct store_thread *thread, uint64_t id);

/* Our generation on the server with that address: 0 when it has lost ours. *known:
 * were we ever whole there? */
bool journal_generation(struct store_thread *thread, struct str address, uint64_t *out, bool *known);
/* Durable when it returns true. */
bool journal_generation_put(struct store_thread *thread, struct str address, uint64_t generation);
/* Count up a durable number, to at least `least`. */
bool journal_count(struct store_thread *thread, struct str name, int64_t least, int64_t *out);
/* Changes when the file was opened again and may be another one, say a backup. */
unsigned journal_file_number(const struct store_thread *thread);

#endif
