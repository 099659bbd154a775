/* SPDX-License-Identifier: Apache-2.0 */
/* What may be lost and is made again at a price, say what a service told of a
 * user: state-dir/cache.db, shared by all processes of this host. It is kept below
 * CACHE_FILE_MAX: what has expired goes, then what was written first. A damaged
 * file is set aside and made anew, a deleted one is made anew; while it cannot be
 * used nothing is found, nothing kept, and the log says why, once a minute.
 * Locks say who of all processes does some work; they lie in the same file.
 * Belongs to one thread, which opens the file when it asks for the first time. */
#ifndef STORE_CACHE_FILE_H
#define STORE_CACHE_FILE_H

#include "store/store.h"

/* Bytes of the file; while it is written its log takes a few more. */
enum { CACHE_FILE_MAX = 64 << 20 };

struct cache_file;

/* Opens nothing yet. false: no memory. */
bool cache_file_open(const char *state_dir, struct cache_file **out);
void cache_file_close(struct cache_file **cache);
/* See cache_get and the others in store.h. The lock's time is exact to the
 * millisecond. Where another process holds the file, a write waits up to SQL_WAIT_MS. */
struct str cache_file_get(struct cache_file *cache, const struct store_key *key, struct arena *arena);
bool cache_file_put(struct cache_file *cache, const struct store_key *key, struct str value, int64_t seconds);
bool cache_file_remove(struct cache_file *cache, const struct store_key *key);
enum store_lock cache_file_lock(struct cache_file *cache, const struct store_key *key, int64_t ms);
/* A lock that has ended meanwhile and is another's by now stays. */
void cache_file_unlock(struct cache_file *cache, const struct store_key *key);
bool cache_file_clear(struct cache_file *cache, struct buf *why);
/* What there is that has not expired, and how much of the file is in use. */
bool cache_file_count(struct cache_file *cache, struct store_cache_size *out);

#endif
