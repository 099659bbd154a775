/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by key in a database of their own. */
#include "store/cache_file.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "store/database.h"

/* What has expired goes a little with each write, so that nobody has to sweep. */
enum { FORGOTTEN_EACH = 4, OLDEST_EACH = 64, RETRY_MS = 1000, COMPLAIN_MS = 60000 };

/* Numbers of a new row are greater than all others: the smallest is the oldest. */
static const char tables[] =
	"CREATE TABLE entry (n INTEGER NOT NULL PRIMARY KEY, k BLOB NOT NULL UNIQUE, expires INTEGER NOT NULL,"
	" value BLOB NOT NULL) STRICT;"
	"CREATE INDEX entry_expires ON entry (expires);"
	"CREATE TABLE lock (k BLOB NOT NULL PRIMARY KEY, begins INTEGER NOT NULL, ends INTEGER NOT NULL,"
	" owner INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

enum { GET, PUT, FORGET, USED, FORGET_OLDEST, REMOVE, CLEAR, COUNT, LOCK, UNLOCK, FORGET_LOCKS, STATEMENTS };

#define USED_BYTES \
	"((SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count))" \
	" * (SELECT page_size FROM pragma_page_size)"

static const char *const statements[STATEMENTS] = {
	[GET] = "SELECT value FROM entry WHERE k = ?1 AND expires > ?2",
	[PUT] = "INSERT OR REPLACE INTO entry (k, expires, value) VALUES (?1, ?2, ?3)",
	[FORGET] = "DELETE FROM entry WHERE n IN (SELECT n FROM entry WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
	[USED] = "SELECT " USED_BYTES,
	[FORGET_OLDEST] = "DELETE FROM entry WHERE n IN (SELECT n FROM entry ORDER BY n LIMIT ?1)",
	[REMOVE] = "DELETE FROM entry WHERE k = ?1",
	[CLEAR] = "DELETE FROM entry",
	[COUNT] = "SELECT (SELECT count(*) FROM entry WHERE expires > ?1), " USED_BYTES,
	/* One that begins in the future was made before the clock was set back, and counts for
	 * nothing: unless another process has just looked at the clock a moment later than we. */
	[LOCK] = "INSERT INTO lock (k, begins, ends, owner) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
		 " SET begins = excluded.begins, ends = excluded.ends, owner = excluded.owner"
		 " WHERE begins > ?2 + 10000 OR ends <= ?2",
	[UNLOCK] = "DELETE FROM lock WHERE k = ?1 AND owner = ?2",
	[FORGET_LOCKS] = "DELETE FROM lock WHERE ends <= ?1",
};

static const struct schema schema = {
	.name = "cache",
	.version = 1,
	.tables = tables,
	.probe = "SELECT e.n, e.k, e.expires, e.value, l.k, l.begins, l.ends, l.owner"
		 " FROM entry AS e INDEXED BY entry_expires, lock AS l WHERE e.expires > 0",
	.statements = statements,
	.statements_n = STATEMENTS,
	.loss = "what was in it is asked for again",
	.is_cache = true,
};

struct cache_file {
	struct database *database;
	struct sql *sql; /* NULL until it is asked for, and while the file cannot be used */
	bool failed;	 /* a statement failed */
	int64_t retry_at, complain_at;
	int64_t owner; /* of locks */
	char state_dir[];
};

bool cache_file_open(const char *state_dir, struct cache_file **out)
{
	struct str path = str_of(state_dir);
	struct cache_file *cache = calloc(1, sizeof *cache + path.n + 1);
	if (!cache)
		return false;
	struct buf copy = buf_over(cache->state_dir, path.n + 1);
	buf_add(&copy, path);
	buf_z(&copy);
	random_bytes(&cache->owner, sizeof cache->owner);
	*out = cache;
	return true;
}

static void disconnect(struct cache_file *cache)
{
	sql_close(&cache->sql);
	database_close(&cache->database);
}

void cache_file_close(struct cache_file **cache)
{
	if (!*cache)
		return;
	disconnect(*cache);
	free(*cache);
	*cache = NULL;
}

/* Others have it open, so nobody can set it aside: out of the way with it. They
 * notice that it is gone. */
static void remove_damaged(struct cache_file *cache)
{
	char path[PATH_MAX];
	struct buf out = buf_over(path, sizeof path);
	buf_printf(&out, "%s/%s.db", cache->state_dir, schema.name);
	log_text(LOG_WARNING, "cache", "%s is damaged: it is made anew, and %s", buf_z(&out), schema.loss);
	if (!out.full)
		unlink(path);
}

/* A file that failed, or was deleted or replaced, is opened again as at a start:
 * there a damaged one is set aside. Once a second at most. */
static bool is_ready(struct cache_file *cache)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	int64_t now = clock_monotonic_ms();
	bool current = cache->sql && sql_is_current(cache->sql);
	if ((current && !cache->failed) || now < cache->retry_at)
		return current;
	if (current && sql_is_damaged(cache->sql))
		remove_damaged(cache);
	disconnect(cache);
	cache->failed = false;
	cache->retry_at = now + RETRY_MS;
	if (database_open(&schema, cache->state_dir, &cache->database, &why) &&
	    database_connect(cache->database, &cache->sql, &why))
		return true;
	disconnect(cache);
	if (now >= cache->complain_at) {
		log_text(LOG_WARNING, "cache", "%.*s", STR_ARGS(buf_str(&why)));
		cache->complain_at = now + COMPLAIN_MS;
	}
	return false;
}

static bool run(struct cache_file *cache, size_t statement)
{
	bool good = sql_run(cache->sql, statement);
	cache->failed = cache->failed || !good;
	return good;
}

struct str cache_file_get(struct cache_file *cache, const struct store_key *key, struct arena *arena)
{
	struct str value = STR_NONE;
	if (!is_ready(cache))
		return STR_NONE;
	sql_bind_bytes(cache->sql, GET, 1, key->bytes, sizeof key->bytes);
	sql_bind_int(cache->sql, GET, 2, clock_unfrozen_ms());
	enum sql_result step = sql_step(cache->sql, GET);
	if (step == SQL_ROW)
		value = arena_copy(arena, sql_text(cache->sql, GET, 0));
	cache->failed = cache->failed || step == SQL_FAILED;
	sql_reset(cache->sql, GET);
	return value;
}

static bool forget_expired(struct cache_file *cache, int64_t now)
{
	sql_bind_int(cache->sql, FORGET, 1, now);
	sql_bind_int(cache->sql, FORGET, 2, FORGOTTEN_EACH);
	sql_bind_int(cache->sql, FORGET_LOCKS, 1, now);
	return run(cache, FORGET) && run(cache, FORGET_LOCKS);
}

static int64_t count_used(struct cache_file *cache)
{
	int64_t used = sql_step(cache->sql, USED) == SQL_ROW ? sql_int(cache->sql, USED, 0) : INT64_MAX;
	sql_reset(cache->sql, USED);
	return used;
}

/* Until the file is small enough, or nothing more can go. */
static bool forget_oldest(struct cache_file *cache)
{
	while (count_used(cache) > CACHE_FILE_MAX) {
		sql_bind_int(cache->sql, FORGET_OLDEST, 1, OLDEST_EACH);
		if (!run(cache, FORGET_OLDEST))
			return false;
		if (sql_changes(cache->sql) == 0)
			return true;
	}
	return true;
}

/* Within a write: what has to go, then the value. */
static bool write_entry(struct cache_file *cache, const struct store_key *key, struct str value, int64_t expires)
{
	int64_t now = clock_unfrozen_ms();
	if (!forget_expired(cache, now) || !forget_oldest(cache))
		return false;
	sql_bind_bytes(cache->sql, PUT, 1, key->bytes, sizeof key->bytes);
	sql_bind_int(cache->sql, PUT, 2, expires);
	sql_bind_bytes(cache->sql, PUT, 3, value.p, value.n);
	return run(cache, PUT);
}

bool cache_file_put(struct cache_file *cache, const struct store_key *key, struct str value, int64_t seconds)
{
	int64_t expires;
	if (value.n > STORE_CACHED_MAX || seconds <= 0 || !is_ready(cache))
		return false;
	if (__builtin_mul_overflow(seconds, 1000, &expires) ||
	    __builtin_add_overflow(expires, clock_unfrozen_ms(), &expires))
		expires = INT64_MAX;
	/* A process that holds the file is no fault of the file. */
	if (!sql_begin(cache->sql, true))
		return false;
	if (write_entry(cache, key, value, expires))
		return sql_commit(cache->sql);
	sql_rollback(cache->sql);
	return false;
}

bool cache_file_remove(struct cache_file *cache, const struct store_key *key)
{
	if (!is_ready(cache))
		return false;
	sql_bind_bytes(cache->sql, REMOVE, 1, key->bytes, sizeof key->bytes);
	return run(cache, REMOVE);
}

enum store_lock cache_file_lock(struct cache_file *cache, const struct store_key *key, int64_t ms)
{
	if (!is_ready(cache))
		return STORE_LOCK_FAILED;
	int64_t now = clock_unfrozen_ms();
	sql_bind_bytes(cache->sql, LOCK, 1, key->bytes, sizeof key->bytes);
	sql_bind_int(cache->sql, LOCK, 2, now);
	sql_bind_int(cache->sql, LOCK, 3, now + ms);
	sql_bind_int(cache->sql, LOCK, 4, cache->owner);
	if (!run(cache, LOCK))
		return STORE_LOCK_FAILED;
	return sql_changes(cache->sql) > 0 ? STORE_LOCK_GRANTED : STORE_LOCK_TAKEN;
}

void cache_file_unlock(struct cache_file *cache, const struct store_key *key)
{
	if (!is_ready(cache))
		return;
	sql_bind_bytes(cache->sql, UNLOCK, 1, key->bytes, sizeof key->bytes);
	sql_bind_int(cache->sql, UNLOCK, 2, cache->owner);
	run(cache, UNLOCK);
}

bool cache_file_clear(struct cache_file *cache, struct buf *why)
{
	if (is_ready(cache) && run(cache, CLEAR))
		return true;
	buf_printf(why, "cache.db in %s cannot be emptied; the log says why", cache->state_dir);
	return false;
}

bool cache_file_count(struct cache_file *cache, struct store_cache_size *out)
{
	if (!is_ready(cache))
		return false;
	sql_bind_int(cache->sql, COUNT, 1, clock_unfrozen_ms());
	bool counted = sql_step(cache->sql, COUNT) == SQL_ROW;
	if (counted)
		*out = (struct store_cache_size){sql_int(cache->sql, COUNT, 0), sql_int(cache->sql, COUNT, 1)};
	sql_reset(cache->sql, COUNT);
	return counted;
}
