/* SPDX-License-Identifier: Apache-2.0 */
/* Revocations in state-dir/revocations.db, shared by all processes of this host.
 * An entry that has expired still answers until it is swept. Records are in
 * embedded_records.c, what other hosts are told in journal.c. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/cache_file.h"
#include "store/counters.h"
#include "store/embedded.h"
#include "store/generation.h"
#include "store/journal.h"

enum { SWEEP_ROWS = 500, RETRY_MS = 1000, COMPLAIN_MS = 60000 };

static bool open(const struct store_settings *settings, struct store **out, struct buf *why)
{
	struct store *store = calloc(1, sizeof *store);
	char *state_dir = strdup(settings->state_dir);
	bool good = store && state_dir && counters_open(state_dir, &store->counters);
	if (!good)
		buf_add(why, STR("no memory for the store"));
	if (!good || !database_open(&embedded_schema, settings->state_dir, &store->database, why)) {
		if (store)
			counters_close(&store->counters);
		free(state_dir);
		free(store);
		return false;
	}
	store->state_dir = state_dir;
	store->journals = settings->servers && settings->servers->n > 0;
	*out = store;
	return true;
}

static void close(struct store **store)
{
	if (!*store)
		return;
	counters_close(&(*store)->counters);
	database_close(&(*store)->database);
	free((*store)->state_dir);
	free(*store);
	*store = NULL;
}

static bool connect(struct store_thread *thread)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (database_connect(thread->store->database, &thread->sql, &why)) {
		thread->opened++;
		return true;
	}
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

bool embedded_is_ready(struct store_thread *thread)
{
	if (thread->sql && sql_is_current(thread->sql))
		return true;
	return reconnect(thread);
}

/* Commit, and believe it only when the file is still where others look for it. */
enum err embedded_finish(struct sql *c, bool good)
{
	if (!good)
		sql_rollback(c);
	else if (sql_commit(c) && sql_look(c))
		return ERR_NONE;
	return ERR_STORE;
}

enum err embedded_publish(struct store_thread *thread, bool good)
{
	enum err err = embedded_finish(thread->sql, good);
	return err || generation_announce(thread->store->state_dir) ? err : ERR_STORE;
}

static enum err ask(struct store_thread *thread, const struct store_question *question, struct store_answer *out)
{
	if (!embedded_is_ready(thread))
		return ERR_STORE;
	struct sql *c = thread->sql;
	sql_bind_bytes(c, EMBEDDED_ASK, 1, question->token.bytes, STORE_KEY_SIZE);
	sql_bind_bytes(c, EMBEDDED_ASK, 2, question->user.bytes, STORE_KEY_SIZE);
	sql_bind_bytes(c, EMBEDDED_ASK, 3, question->has_session ? question->session.bytes : NULL,
			      question->has_session ? STORE_KEY_SIZE : 0);
	bool answered = sql_step(c, EMBEDDED_ASK) == SQL_ROW;
	if (answered)
		*out = (struct store_answer){.revoked = sql_int(c, EMBEDDED_ASK, 0) != 0,
					     .not_before = sql_int(c, EMBEDDED_ASK, 1)};
	sql_reset(c, EMBEDDED_ASK);
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
	sql_bind_bytes(c, EMBEDDED_ADD_DETAIL, 1, entry->key.bytes, STORE_KEY_SIZE);
	sql_bind_text(c, EMBEDDED_ADD_DETAIL, 2, cut(entry->user));
	sql_bind_text(c, EMBEDDED_ADD_DETAIL, 3, cut(entry->note));
	return sql_run(c, EMBEDDED_ADD_DETAIL);
}

static enum err add(struct store_thread *thread, const struct store_entry *entry)
{
	if (!embedded_is_ready(thread) || !sql_begin(thread->sql, true))
		return ERR_STORE;
	struct sql *c = thread->sql;
	bool mark = entry->kind == STORE_USER;
	size_t statement = mark ? EMBEDDED_ADD_MARK : EMBEDDED_ADD;
	sql_bind_bytes(c, statement, 1, entry->key.bytes, STORE_KEY_SIZE);
	sql_bind_int(c, statement, 2, entry->expires);
	sql_bind_int(c, statement, 3, entry->created);
	sql_bind_int(c, statement, 4, mark ? entry->not_before : entry->kind);
	bool good = sql_run(c, statement);
	if (good && sql_changes(c) > 0 && (entry->user.n > 0 || entry->note.n > 0))
		good = add_detail(c, entry);
	/* Also when nothing changed: the others may not have it yet. */
	good = good && journal_note(thread, &entry->key, (int)entry->kind);
	return embedded_publish(thread, good);
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
	if (!embedded_is_ready(thread) || !sql_begin(thread->sql, true))
		return ERR_STORE;
	struct sql *c = thread->sql;
	int64_t rows = 0, details = 0;
	bool good = remove_from(c, EMBEDDED_REMOVE, key, &rows) && remove_from(c, EMBEDDED_REMOVE_MARK, key, &rows) &&
		    remove_from(c, EMBEDDED_REMOVE_DETAIL, key, &details);
	enum err err = embedded_publish(thread, good);
	if (err == ERR_NONE)
		*was_there = rows > 0;
	return err;
}

static bool read_entry(struct sql *c, struct store_entry *out)
{
	struct str key = sql_text(c, EMBEDDED_LISTING_READ, 0);
	if (key.n != STORE_KEY_SIZE)
		return false;
	*out = (struct store_entry){
		.kind = (enum store_entry_kind)sql_int(c, EMBEDDED_LISTING_READ, 1),
		.not_before = sql_int(c, EMBEDDED_LISTING_READ, 2),
		.expires = sql_int(c, EMBEDDED_LISTING_READ, 3),
		.created = sql_int(c, EMBEDDED_LISTING_READ, 4),
		.user = sql_text(c, EMBEDDED_LISTING_READ, 5),
		.note = sql_text(c, EMBEDDED_LISTING_READ, 6),
	};
	for (size_t i = 0; i < STORE_KEY_SIZE; i++)
		out->key.bytes[i] = (unsigned char)key.p[i];
	return true;
}

static enum err list(struct store_thread *thread, int64_t now,
		     bool (*each)(void *context, const struct store_entry *entry), void *context)
{
	if (!embedded_is_ready(thread))
		return ERR_STORE;
	struct sql *c = thread->sql;
	if (!sql_run(c, EMBEDDED_LISTING_MAKE) || !sql_run(c, EMBEDDED_LISTING_CLEAR))
		return ERR_STORE;
	sql_bind_int(c, EMBEDDED_LISTING_FILL, 1, now);
	bool filled = sql_run(c, EMBEDDED_LISTING_FILL);
	enum sql_result step = SQL_FAILED;
	struct store_entry entry;
	while (filled && (step = sql_step(c, EMBEDDED_LISTING_READ)) == SQL_ROW)
		if (read_entry(c, &entry) && !each(context, &entry)) {
			step = SQL_DONE;
			break;
		}
	sql_reset(c, EMBEDDED_LISTING_READ);
	bool cleared = sql_run(c, EMBEDDED_LISTING_CLEAR);
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
	if (!embedded_is_ready(thread))
		return ERR_STORE;
	struct sql *c = thread->sql;
	int64_t before = now - STORE_KEPT, rows = 0, details = 0;
	sql_bind_int(c, EMBEDDED_EXPIRED, 1, before);
	enum sql_result step = sql_step(c, EMBEDDED_EXPIRED);
	bool found = step == SQL_ROW && sql_int(c, EMBEDDED_EXPIRED, 0) != 0;
	sql_reset(c, EMBEDDED_EXPIRED);
	if (step != SQL_ROW)
		return ERR_STORE;
	if (found && sql_begin(c, false)) {
		enum err err = embedded_finish(c, sweep_table(c, EMBEDDED_SWEEP_DETAIL, before, &details) &&
					 sweep_table(c, EMBEDDED_SWEEP, before, &rows) &&
					 sweep_table(c, EMBEDDED_SWEEP_MARK, before, &rows) &&
					 sweep_table(c, EMBEDDED_SWEEP_RECORD, before, &rows));
		if (err != ERR_NONE)
			return err;
	}
	*forgotten = (unsigned)rows;
	return ERR_NONE;
}

static bool check(struct store_thread *thread, struct buf *why)
{
	if (!embedded_is_ready(thread)) {
		buf_add(why, STR("revocations.db was deleted or replaced and cannot be opened; the log says why"));
		return false;
	}
	return sql_check(thread->sql, true, why);
}

static void describe(struct store_thread *thread, bool (*each)(void *context, struct str line), void *context)
{
	bool ready = embedded_is_ready(thread);
	each(context, ready ? STR("ok one host: its programs share revocations.db")
			    : STR("bad revocations.db was deleted or replaced and cannot be opened; the log says why"));
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
	.record_put = embedded_record_put,
	.record_get = embedded_record_get,
	.record_list = embedded_record_list,
	.record_remove = embedded_record_remove,
	.cache_get = embedded_cache_get,
	.cache_put = embedded_cache_put,
	.cache_remove = embedded_cache_remove,
	.cache_lock = embedded_cache_lock,
	.cache_unlock = embedded_cache_unlock,
	.cache_clear = embedded_cache_clear,
	.cache_count = embedded_cache_count,
	.count_use = embedded_count_use,
	.count_left = embedded_count_left,
	.count_clear = embedded_count_clear,
	.describe = describe,
};
