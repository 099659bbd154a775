/* SPDX-License-Identifier: Apache-2.0 */
/* Revocations in state-dir/revocations.db, shared by all processes of this host.
 * What every request looks at is kept small: texts for people lie in a table of
 * their own. An entry that has expired still answers until it is swept. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/cache_file.h"
#include "store/database.h"

enum { SWEEP_ROWS = 500, RETRY_MS = 1000, COMPLAIN_MS = 60000 };

static const char tables[] =
	"CREATE TABLE revoked (k BLOB NOT NULL PRIMARY KEY, exp INTEGER NOT NULL, created INTEGER NOT NULL,"
	" kind INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX revoked_exp ON revoked (exp);"
	"CREATE TABLE mark (k BLOB NOT NULL PRIMARY KEY, not_before INTEGER NOT NULL, exp INTEGER NOT NULL,"
	" created INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX mark_exp ON mark (exp);"
	"CREATE TABLE detail (k BLOB NOT NULL PRIMARY KEY, user TEXT, note TEXT) STRICT, WITHOUT ROWID;";

enum {
	ASK,
	ADD,
	ADD_MARK,
	ADD_DETAIL,
	REMOVE,
	REMOVE_MARK,
	REMOVE_DETAIL,
	LISTING_MAKE,
	LISTING_FILL,
	LISTING_READ,
	LISTING_CLEAR,
	EXPIRED,
	SWEEP_DETAIL,
	SWEEP,
	SWEEP_MARK,
	STATEMENTS
};

#define EXPIRED_KEYS "(SELECT k FROM revoked WHERE exp < ?1 ORDER BY exp, k LIMIT ?2)"
#define EXPIRED_MARKS "(SELECT k FROM mark WHERE exp < ?1 ORDER BY exp, k LIMIT ?2)"

static const char *const statements[STATEMENTS] = {
	[ASK] = "SELECT EXISTS (SELECT 1 FROM revoked WHERE k = ?1) OR EXISTS (SELECT 1 FROM revoked WHERE k = ?3),"
		" (SELECT not_before FROM mark WHERE k = ?2)",
	/* Nothing is written when nothing changes. */
	[ADD] = "INSERT INTO revoked (k, exp, created, kind) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (k) DO UPDATE SET exp = excluded.exp WHERE excluded.exp > exp",
	[ADD_MARK] = "INSERT INTO mark (k, exp, created, not_before) VALUES (?1, ?2, ?3, ?4)"
		     " ON CONFLICT (k) DO UPDATE SET exp = max(exp, excluded.exp), created = excluded.created,"
		     " not_before = max(not_before, excluded.not_before)"
		     " WHERE excluded.exp > exp OR excluded.not_before > not_before",
	[ADD_DETAIL] = "INSERT INTO detail (k, user, note) VALUES (?1, ?2, ?3)"
		       " ON CONFLICT (k) DO UPDATE SET user = excluded.user, note = excluded.note",
	[REMOVE] = "DELETE FROM revoked WHERE k = ?1",
	[REMOVE_MARK] = "DELETE FROM mark WHERE k = ?1",
	[REMOVE_DETAIL] = "DELETE FROM detail WHERE k = ?1",
	/* A copy in memory: the reader may be a person at a terminal, and a
	 * statement that stays open on the file would let its log grow. */
	[LISTING_MAKE] = "CREATE TEMP TABLE IF NOT EXISTS listing (k, kind, not_before, exp, created, user, note)",
	[LISTING_FILL] = "INSERT INTO temp.listing SELECT e.*, d.user, d.note FROM"
			 " (SELECT k, kind, 0, exp, created FROM revoked WHERE exp >= ?1"
			 " UNION ALL SELECT k, 1, not_before, exp, created FROM mark WHERE exp >= ?1) AS e"
			 " LEFT JOIN detail AS d ON d.k = e.k ORDER BY e.created DESC, e.k",
	[LISTING_READ] = "SELECT k, kind, not_before, exp, created, user, note FROM temp.listing ORDER BY rowid",
	[LISTING_CLEAR] = "DELETE FROM temp.listing",
	[EXPIRED] = "SELECT EXISTS (SELECT 1 FROM revoked WHERE exp < ?1)"
		    " OR EXISTS (SELECT 1 FROM mark WHERE exp < ?1)",
	[SWEEP_DETAIL] = "DELETE FROM detail WHERE k IN " EXPIRED_KEYS " OR k IN " EXPIRED_MARKS,
	[SWEEP] = "DELETE FROM revoked WHERE k IN " EXPIRED_KEYS,
	[SWEEP_MARK] = "DELETE FROM mark WHERE k IN " EXPIRED_MARKS,
};

static const struct schema schema = {
	.name = "revocations",
	.version = 1,
	.tables = tables,
	.probe = "SELECT r.k, r.exp, r.created, r.kind, m.k, m.not_before, m.exp, m.created, d.k, d.user, d.note"
		 " FROM revoked AS r INDEXED BY revoked_exp, mark AS m INDEXED BY mark_exp, detail AS d"
		 " WHERE r.exp > 0 AND m.exp > 0",
	.statements = statements,
	.statements_n = STATEMENTS,
	.loss = "every revoked token is then good again until it expires",
};

struct store {
	struct database *database;
	char *state_dir;
};

struct store_thread {
	struct store *store;
	struct sql *sql; /* NULL while the file is gone */
	int64_t retry_at, complain_at;
	struct cache_file *cache;
};

static bool open(const struct store_settings *settings, struct store **out, struct buf *why)
{
	struct store *store = calloc(1, sizeof *store);
	char *state_dir = strdup(settings->state_dir);
	if (!store || !state_dir)
		buf_add(why, STR("no memory for the store"));
	if (!store || !state_dir || !database_open(&schema, settings->state_dir, &store->database, why)) {
		free(state_dir);
		free(store);
		return false;
	}
	store->state_dir = state_dir;
	*out = store;
	return true;
}

static void close(struct store **store)
{
	if (!*store)
		return;
	database_close(&(*store)->database);
	free((*store)->state_dir);
	free(*store);
	*store = NULL;
}

static bool connect(struct store_thread *thread)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (database_connect(thread->store->database, &thread->sql, &why))
		return true;
	if (clock_monotonic_ms() >= thread->complain_at) {
		log_text(LOG_ERR, "store", "%.*s", STR_ARGS(buf_str(&why)));
		thread->complain_at = clock_monotonic_ms() + COMPLAIN_MS;
	}
	return false;
}

static bool thread_open(struct store *store, struct store_thread **out)
{
	struct store_thread *thread = calloc(1, sizeof *thread);
	if (!thread)
		return false;
	thread->store = store;
	if (!cache_file_open(store->state_dir, &thread->cache) || !connect(thread)) {
		cache_file_close(&thread->cache);
		free(thread);
		return false;
	}
	*out = thread;
	return true;
}

static void thread_close(struct store_thread **thread)
{
	if (!*thread)
		return;
	cache_file_close(&(*thread)->cache);
	sql_close(&(*thread)->sql);
	free(*thread);
	*thread = NULL;
}

/* The file was deleted or replaced. What is there now is what the other processes
 * see, so it answers once it has passed the checks of a start; until then nothing
 * does. */
static bool reconnect(struct store_thread *thread)
{
	if (!thread->sql && clock_monotonic_ms() < thread->retry_at)
		return false;
	if (thread->sql) {
		log_text(LOG_ERR, "store", "revocations.db was deleted or replaced under this process");
		thread->complain_at = 0;
	}
	sql_close(&thread->sql);
	thread->retry_at = clock_monotonic_ms() + RETRY_MS;
	if (!connect(thread))
		return false;
	log_text(LOG_NOTICE, "store", "revocations.db was opened again");
	return true;
}

static bool is_ready(struct store_thread *thread)
{
	if (thread->sql && sql_is_current(thread->sql))
		return true;
	return reconnect(thread);
}

/* Commit, and believe it only when the file is still where others look for it. */
static enum err finish(struct sql *c, bool good)
{
	if (!good)
		sql_rollback(c);
	else if (sql_commit(c) && sql_look(c))
		return ERR_NONE;
	return ERR_STORE;
}

static enum err ask(struct store_thread *thread, const struct store_question *question, struct store_answer *out)
{
	if (!is_ready(thread))
		return ERR_STORE;
	struct sql *c = thread->sql;
	sql_bind_bytes(c, ASK, 1, question->token.bytes, STORE_KEY_SIZE);
	sql_bind_bytes(c, ASK, 2, question->user.bytes, STORE_KEY_SIZE);
	sql_bind_bytes(c, ASK, 3, question->has_session ? question->session.bytes : NULL,
			      question->has_session ? STORE_KEY_SIZE : 0);
	bool answered = sql_step(c, ASK) == SQL_ROW;
	if (answered)
		*out = (struct store_answer){.revoked = sql_int(c, ASK, 0) != 0, .not_before = sql_int(c, ASK, 1)};
	sql_reset(c, ASK);
	if (answered && question->has_cached && !out->revoked)
		out->cached = cache_file_get(thread->cache, &question->cached, question->arena);
	return answered ? ERR_NONE : ERR_STORE;
}

static struct str cut(struct str text)
{
	return text.n > STORE_TEXT_MAX ? (struct str){text.p, STORE_TEXT_MAX} : text;
}

static bool add_detail(struct sql *c, const struct store_entry *entry)
{
	sql_bind_bytes(c, ADD_DETAIL, 1, entry->key.bytes, STORE_KEY_SIZE);
	sql_bind_text(c, ADD_DETAIL, 2, cut(entry->user));
	sql_bind_text(c, ADD_DETAIL, 3, cut(entry->note));
	return sql_run(c, ADD_DETAIL);
}

static enum err add(struct store_thread *thread, const struct store_entry *entry)
{
	if (!is_ready(thread) || !sql_begin(thread->sql, true))
		return ERR_STORE;
	struct sql *c = thread->sql;
	bool mark = entry->kind == STORE_USER;
	size_t statement = mark ? ADD_MARK : ADD;
	sql_bind_bytes(c, statement, 1, entry->key.bytes, STORE_KEY_SIZE);
	sql_bind_int(c, statement, 2, entry->expires);
	sql_bind_int(c, statement, 3, entry->created);
	sql_bind_int(c, statement, 4, mark ? entry->not_before : entry->kind);
	bool good = sql_run(c, statement);
	if (good && sql_changes(c) > 0 && (entry->user.n > 0 || entry->note.n > 0))
		good = add_detail(c, entry);
	return finish(c, good);
}

static bool remove_from(struct sql *c, size_t statement, const struct store_key *key, int64_t *rows)
{
	sql_bind_bytes(c, statement, 1, key->bytes, STORE_KEY_SIZE);
	bool good = sql_run(c, statement);
	if (good)
		*rows += sql_changes(c);
	return good;
}

static enum err remove(struct store_thread *thread, const struct store_key *key, bool *was_there)
{
	if (!is_ready(thread) || !sql_begin(thread->sql, true))
		return ERR_STORE;
	struct sql *c = thread->sql;
	int64_t rows = 0, details = 0;
	bool good = remove_from(c, REMOVE, key, &rows) && remove_from(c, REMOVE_MARK, key, &rows) &&
		    remove_from(c, REMOVE_DETAIL, key, &details);
	enum err err = finish(c, good);
	if (err == ERR_NONE)
		*was_there = rows > 0;
	return err;
}

static bool read_entry(struct sql *c, struct store_entry *out)
{
	struct str key = sql_text(c, LISTING_READ, 0);
	if (key.n != STORE_KEY_SIZE)
		return false;
	*out = (struct store_entry){
		.kind = (enum store_entry_kind)sql_int(c, LISTING_READ, 1),
		.not_before = sql_int(c, LISTING_READ, 2),
		.expires = sql_int(c, LISTING_READ, 3),
		.created = sql_int(c, LISTING_READ, 4),
		.user = sql_text(c, LISTING_READ, 5),
		.note = sql_text(c, LISTING_READ, 6),
	};
	for (size_t i = 0; i < STORE_KEY_SIZE; i++)
		out->key.bytes[i] = (unsigned char)key.p[i];
	return true;
}

static enum err list(struct store_thread *thread, int64_t now,
		     bool (*each)(void *context, const struct store_entry *entry), void *context)
{
	if (!is_ready(thread))
		return ERR_STORE;
	struct sql *c = thread->sql;
	if (!sql_run(c, LISTING_MAKE) || !sql_run(c, LISTING_CLEAR))
		return ERR_STORE;
	sql_bind_int(c, LISTING_FILL, 1, now);
	bool filled = sql_run(c, LISTING_FILL);
	enum sql_result step = SQL_FAILED;
	struct store_entry entry;
	while (filled && (step = sql_step(c, LISTING_READ)) == SQL_ROW)
		if (read_entry(c, &entry) && !each(context, &entry)) {
			step = SQL_DONE;
			break;
		}
	sql_reset(c, LISTING_READ);
	bool cleared = sql_run(c, LISTING_CLEAR);
	return step == SQL_DONE && cleared ? ERR_NONE : ERR_STORE;
}

static bool sweep_table(struct sql *c, size_t statement, int64_t before, int64_t *rows)
{
	sql_bind_int(c, statement, 1, before);
	sql_bind_int(c, statement, 2, SWEEP_ROWS);
	bool good = sql_run(c, statement);
	if (good)
		*rows += sql_changes(c);
	return good;
}

static enum err sweep(struct store_thread *thread, int64_t now, unsigned *forgotten)
{
	if (!is_ready(thread))
		return ERR_STORE;
	struct sql *c = thread->sql;
	int64_t before = now - STORE_KEPT, rows = 0, details = 0;
	sql_bind_int(c, EXPIRED, 1, before);
	enum sql_result step = sql_step(c, EXPIRED);
	bool found = step == SQL_ROW && sql_int(c, EXPIRED, 0) != 0;
	sql_reset(c, EXPIRED);
	if (step != SQL_ROW)
		return ERR_STORE;
	if (found && sql_begin(c, false)) {
		enum err err = finish(c, sweep_table(c, SWEEP_DETAIL, before, &details) &&
					 sweep_table(c, SWEEP, before, &rows) &&
					 sweep_table(c, SWEEP_MARK, before, &rows));
		if (err != ERR_NONE)
			return err;
	}
	*forgotten = (unsigned)rows;
	return ERR_NONE;
}

static bool check(struct store_thread *thread, struct buf *why)
{
	if (!is_ready(thread)) {
		buf_add(why, STR("revocations.db was deleted or replaced and cannot be opened; the log says why"));
		return false;
	}
	return sql_check(thread->sql, true, why);
}

static struct str cache_get(struct store_thread *thread, const struct store_key *key, struct arena *arena)
{
	return cache_file_get(thread->cache, key, arena);
}

static bool cache_put(struct store_thread *thread, const struct store_key *key, struct str value, int64_t seconds)
{
	return cache_file_put(thread->cache, key, value, seconds);
}

static bool cache_remove(struct store_thread *thread, const struct store_key *key)
{
	return cache_file_remove(thread->cache, key);
}

static enum store_lock cache_lock(struct store_thread *thread, const struct store_key *key, int64_t ms)
{
	return cache_file_lock(thread->cache, key, ms);
}

static void cache_unlock(struct store_thread *thread, const struct store_key *key)
{
	cache_file_unlock(thread->cache, key);
}

static bool cache_clear(struct store_thread *thread, struct buf *why)
{
	return cache_file_clear(thread->cache, why);
}

static bool cache_count(struct store_thread *thread, struct store_cache_size *out)
{
	return cache_file_count(thread->cache, out);
}

extern const struct store_driver store_embedded;
const struct store_driver store_embedded = {
	.name = "embedded",
	.open = open,
	.close = close,
	.thread_open = thread_open,
	.thread_close = thread_close,
	.ask = ask,
	.add = add,
	.remove = remove,
	.list = list,
	.sweep = sweep,
	.check = check,
	.cache_get = cache_get,
	.cache_put = cache_put,
	.cache_remove = cache_remove,
	.cache_lock = cache_lock,
	.cache_unlock = cache_unlock,
	.cache_clear = cache_clear,
	.cache_count = cache_count,
};
