/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded store from within: what its files share. */
#ifndef STORE_EMBEDDED_H
#define STORE_EMBEDDED_H

#include "store/database.h"
#include "store/store.h"

/* Statements of embedded_schema, by the file that runs them. */
enum embedded_statement {
	/* store_embedded.c */
	EMBEDDED_ASK,
	EMBEDDED_ADD,
	EMBEDDED_ADD_MARK,
	EMBEDDED_ADD_DETAIL,
	EMBEDDED_REMOVE,
	EMBEDDED_REMOVE_MARK,
	EMBEDDED_REMOVE_DETAIL,
	EMBEDDED_LISTING_MAKE,
	EMBEDDED_LISTING_FILL,
	EMBEDDED_LISTING_READ,
	EMBEDDED_LISTING_CLEAR,
	EMBEDDED_EXPIRED,
	EMBEDDED_SWEEP_DETAIL,
	EMBEDDED_SWEEP,
	EMBEDDED_SWEEP_MARK,
	EMBEDDED_SWEEP_RECORD,
	/* embedded_records.c */
	EMBEDDED_RECORD_PUT,
	EMBEDDED_RECORD_GET,
	EMBEDDED_RECORD_NEXT,
	EMBEDDED_RECORD_REMOVE,
	/* journal.c */
	EMBEDDED_JOURNAL_ADD,
	EMBEDDED_JOURNAL_READ,
	EMBEDDED_JOURNAL_NEWEST,
	EMBEDDED_JOURNAL_DROP,
	EMBEDDED_FIND,
	EMBEDDED_FIND_MARK,
	EMBEDDED_FIND_RECORD,
	EMBEDDED_BATCH,
	EMBEDDED_BATCH_MARKS,
	EMBEDDED_BATCH_RECORDS,
	EMBEDDED_HOST_PUT,
	EMBEDDED_HOST_READ,
	EMBEDDED_HOST_DROP,
	EMBEDDED_SERVER_PUT,
	EMBEDDED_SERVER_GET,
	EMBEDDED_SERVERS_CLEAR,
	EMBEDDED_COUNT_UP,
	EMBEDDED_COUNT_READ,
	EMBEDDED_STATEMENTS
};

extern const struct schema embedded_schema;

struct store {
	struct database *database;
	char *state_dir;
	struct counters *counters;
	bool journals; /* other hosts are told what changes here */
};

struct store_thread {
	struct store *store;
	struct sql *sql; /* NULL while the file is gone */
	int64_t retry_at, complain_at;
	struct cache_file *cache; /* opened when it is asked */
	unsigned opened; /* how often the file was opened: after a change it may be another one */
};

/* Is the file there, with a connection to it? Looks and opens again as needed. */
bool embedded_is_ready(struct store_thread *thread);
/* Commit when good, and believe it only when the file is still where others look
 * for it; else roll back. ERR_STORE. */
enum err embedded_finish(struct sql *sql, bool good);
/* The same for what verdicts hang on: web servers that keep some are told before anybody
 * hears that it is done. */
enum err embedded_publish(struct store_thread *thread, bool good);

/* The record_* functions of the driver. */
enum err embedded_record_put(struct store_thread *thread, const struct store_key *key, struct str record,
			     int64_t expires);
enum err embedded_record_get(struct store_thread *thread, const struct store_key *key, struct arena *arena,
			     struct str *out);
enum err embedded_record_list(struct store_thread *thread,
			      bool (*each)(void *context, const struct store_key *key, struct str record,
					   int64_t expires),
			      void *context);
enum err embedded_record_remove(struct store_thread *thread, const struct store_key *key, bool *was_there);

/* The cache_* functions. */
struct str embedded_cache_get(struct store_thread *thread, const struct store_key *key, struct arena *arena);
bool embedded_cache_put(struct store_thread *thread, const struct store_key *key, struct str value, int64_t seconds);
bool embedded_cache_remove(struct store_thread *thread, const struct store_key *key);
enum store_lock embedded_cache_lock(struct store_thread *thread, const struct store_key *key, int64_t ms);
void embedded_cache_unlock(struct store_thread *thread, const struct store_key *key);
bool embedded_cache_clear(struct store_thread *thread, struct buf *why);
bool embedded_cache_count(struct store_thread *thread, struct store_cache_size *out);

/* The count_* functions. */
int64_t embedded_count_use(struct store_thread *thread, const struct store_count *count);
int64_t embedded_count_left(struct store_thread *thread, const struct store_count *count);
enum err embedded_count_clear(struct store_thread *thread, const struct store_count *count);

#endif
