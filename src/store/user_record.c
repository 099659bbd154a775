/* SPDX-License-Identifier: Apache-2.0 */
/* The records of users: one read for a user who is known, a write for one who is
 * new. Applications read the view `users`; its columns are a promise to them. */
#include "store/user_record.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/database.h"

/* A new user is worth more waiting than one busy timeout: it happens once in a
 * user's life, and many may come at once. */
enum { ADD_ATTEMPTS = 1000 / SQL_WAIT_MS, RETRY_MS = 1000 };

/* AUTOINCREMENT: the number of a removed user is never another's. */
static const char tables[] =
	"CREATE TABLE user_record (local_user_id INTEGER PRIMARY KEY AUTOINCREMENT, issuer TEXT NOT NULL,"
	" user_id TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" attributes TEXT NOT NULL, UNIQUE (user_id, issuer)) STRICT;"
	"CREATE VIEW users (local_user_id, issuer, user_id, first_seen, last_seen, attributes) AS"
	" SELECT local_user_id, issuer, user_id, first_seen, last_seen, attributes FROM user_record;";

enum { FIND, INSERT, REFRESH, NEXT, DELETE, STATEMENTS };

#define COLUMNS "local_user_id, issuer, user_id, first_seen, last_seen, attributes"

static const char *const statements[STATEMENTS] = {
	[FIND] = "SELECT local_user_id, last_seen, json_patch(attributes, ?3) <> attributes FROM user_record"
		 " WHERE user_id = ?2 AND issuer = ?1",
	[INSERT] = "INSERT INTO user_record (issuer, user_id, attributes, first_seen, last_seen)"
		   " VALUES (?1, ?2, json_patch('{}', ?3), ?4, ?4)",
	/* Not again what another thread has just done. */
	[REFRESH] = "UPDATE user_record SET last_seen = ?3, attributes = json_patch(attributes, ?2)"
		    " WHERE local_user_id = ?1 AND (last_seen <> ?3 OR json_patch(attributes, ?2) <> attributes)",
	[NEXT] = "SELECT " COLUMNS " FROM user_record WHERE local_user_id >= ?1 ORDER BY local_user_id LIMIT 1",
	[DELETE] = "DELETE FROM user_record WHERE local_user_id = ?1",
};

static const struct schema schema = {
	.name = "user-records",
	.version = 1,
	.tables = tables,
	.probe = "SELECT " COLUMNS " FROM users",
	.statements = statements,
	.statements_n = STATEMENTS,
	.loss = "every user then gets another number, which applications may have kept as somebody else's",
	.has_readers = true,
};

/* A user who is new, waiting on the stack of the thread that brings it. */
struct newcomer {
	const struct user_sight *sight;
	enum err err;
	int64_t local_user_id;
	bool done;
	struct newcomer *next;
};

struct user_records {
	pthread_mutex_t lock;
	pthread_cond_t written;
	struct database *database; /* NULL until a thread needs it */
	int64_t next_open_ms; /* not before: a file that cannot be opened is not tried at each request */
	int64_t next_add_ms;  /* the same for one that cannot be written, or was waited for in vain */
	struct newcomer *newcomers;
	bool is_writing; /* some thread, those that it has found there */
	char folder[];
};

struct user_records_thread {
	struct user_records *records;
	struct sql *sql;
};

bool user_records_open(const char *folder, struct user_records **out)
{
	size_t size = strlen(folder) + 1;
	struct user_records *records = calloc(1, sizeof *records + size);
	if (!records)
		return false;
	pthread_mutex_init(&records->lock, NULL);
	pthread_cond_init(&records->written, NULL);
	memcpy(records->folder, folder, size);
	*out = records;
	return true;
}

void user_records_close(struct user_records **records)
{
	struct user_records *r = *records;
	if (!r)
		return;
	database_close(&r->database);
	pthread_cond_destroy(&r->written);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*records = NULL;
}

bool user_records_thread_open(struct user_records *records, struct user_records_thread **out)
{
	struct user_records_thread *thread = calloc(1, sizeof *thread);
	if (!thread)
		return false;
	thread->records = records;
	*out = thread;
	return true;
}

void user_records_thread_close(struct user_records_thread **thread)
{
	if (!*thread)
		return;
	sql_close(&(*thread)->sql);
	free(*thread);
	*thread = NULL;
}

/* Under the lock. The hold on the file stays: one that is lost while the process runs
 * is not made anew, for its numbers would begin again. */
static bool hold(struct user_records *records, struct buf *why)
{
	return records->database || database_open(&schema, records->folder, &records->database, why);
}

/* Under the lock. */
static void note_failure(struct user_records *records, const struct buf *why)
{
	records->next_open_ms = clock_monotonic_ms() + RETRY_MS;
	log_text(LOG_ERR, "user_records", "%.*s", STR_ARGS(buf_str(why)));
}

void user_records_hold(struct user_records *records)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	pthread_mutex_lock(&records->lock);
	if (!hold(records, &why))
		note_failure(records, &why);
	pthread_mutex_unlock(&records->lock);
}

/* Under the lock. */
static bool connect(struct user_records_thread *thread, struct buf *why)
{
	sql_close(&thread->sql);
	return hold(thread->records, why) && database_connect(thread->records->database, &thread->sql, why);
}

bool user_records_connect(struct user_records_thread *thread, struct buf *why)
{
	pthread_mutex_lock(&thread->records->lock);
	bool good = connect(thread, why);
	pthread_mutex_unlock(&thread->records->lock);
	return good;
}

/* Under the lock. */
static bool reconnect(struct user_records_thread *thread)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (clock_monotonic_ms() < thread->records->next_open_ms)
		return false;
	if (connect(thread, &why))
		return true;
	note_failure(thread->records, &why);
	return false;
}

static bool is_ready(struct user_records_thread *thread)
{
	if (thread->sql && sql_is_current(thread->sql))
		return true;
	pthread_mutex_lock(&thread->records->lock);
	bool good = reconnect(thread);
	pthread_mutex_unlock(&thread->records->lock);
	return good;
}

/* Requests ------------------------------------------------------------------ */

static void bind_sight(struct sql *c, size_t statement, const struct user_sight *sight)
{
	sql_bind_text(c, statement, 1, sight->issuer.p ? sight->issuer : STR(""));
	sql_bind_text(c, statement, 2, sight->user_id);
	sql_bind_text(c, statement, 3, sight->attributes);
}

static enum err find(struct sql *c, const struct user_sight *sight, struct user_known *out)
{
	bind_sight(c, FIND, sight);
	enum sql_result step = sql_step(c, FIND);
	if (step == SQL_ROW)
		*out = (struct user_known){
			.local_user_id = sql_int(c, FIND, 0),
			.last_seen = sql_int(c, FIND, 1),
			.differs = sql_int(c, FIND, 2) != 0,
		};
	sql_reset(c, FIND);
	return step == SQL_ROW ? ERR_NONE : step == SQL_DONE ? ERR_NOT_FOUND : ERR_STORE;
}

enum err user_records_find(struct user_records_thread *thread, const struct user_sight *sight,
			   struct user_known *out)
{
	return is_ready(thread) ? find(thread->sql, sight, out) : ERR_STORE;
}

static bool is_storable(const struct user_sight *sight)
{
	return sight->user_id.n > 0 && sight->user_id.n <= USER_RECORD_ID_MAX &&
	       sight->issuer.n <= USER_RECORD_ISSUER_MAX && sight->attributes.n <= USER_RECORD_ATTRIBUTES_MAX &&
	       str_is_utf8(sight->user_id) && str_is_utf8(sight->issuer);
}

static bool begin_to_add(struct sql *c)
{
	for (int i = 0; i < ADD_ATTEMPTS; i++)
		if (sql_begin(c, true))
			return true;
	return false;
}

/* true: there is something to commit. */
static bool add_one(struct sql *c, struct newcomer *one)
{
	struct user_known known = {0};
	one->err = find(c, one->sight, &known);
	bool is_new = one->err == ERR_NOT_FOUND;
	if (is_new) {
		bind_sight(c, INSERT, one->sight);
		sql_bind_int(c, INSERT, 4, one->sight->now);
		one->err = sql_run(c, INSERT) ? find(c, one->sight, &known) : ERR_STORE;
	}
	one->local_user_id = known.local_user_id;
	return is_new && one->err == ERR_NONE;
}

/* ERR_STORE: what is in their err does not count. */
static enum err add_all(struct user_records_thread *thread, struct newcomer *newcomers)
{
	bool has_new = false;
	if (!is_ready(thread) || !begin_to_add(thread->sql))
		return ERR_STORE;
	for (struct newcomer *one = newcomers; one; one = one->next)
		has_new = add_one(thread->sql, one) || has_new;
	if (!has_new) {
		sql_rollback(thread->sql);
		return ERR_NONE;
	}
	/* Believed only when the file is still where others look for it. */
	return sql_commit(thread->sql) && sql_look(thread->sql) ? ERR_NONE : ERR_STORE;
}

/* Under the lock, which is given up meanwhile: write everybody who is there. */
static void write_newcomers(struct user_records_thread *thread)
{
	struct user_records *r = thread->records;
	struct newcomer *newcomers = r->newcomers, *next;
	bool tries = clock_monotonic_ms() >= r->next_add_ms;
	r->newcomers = NULL;
	r->is_writing = true;
	pthread_mutex_unlock(&r->lock);
	enum err err = tries ? add_all(thread, newcomers) : ERR_STORE;
	pthread_mutex_lock(&r->lock);
	if (tries && err)
		r->next_add_ms = clock_monotonic_ms() + RETRY_MS;
	for (struct newcomer *one = newcomers; one; one = next) {
		next = one->next;
		one->err = err ? err : one->err;
		one->done = true;
	}
	r->is_writing = false;
	pthread_cond_broadcast(&r->written);
}

/* The disk is waited for once for all who come meanwhile: one thread writes, and the
 * others' users are in the next transaction. Nobody can leave earlier, because the
 * texts are the waiting threads'; the one that writes waits for a second at most. */
enum err user_records_add(struct user_records_thread *thread, const struct user_sight *sight,
			  int64_t *local_user_id)
{
	struct user_records *r = thread->records;
	if (!is_storable(sight))
		return ERR_BAD_REQUEST;
	pthread_mutex_lock(&r->lock);
	struct newcomer self = {.sight = sight, .next = r->newcomers};
	r->newcomers = &self;
	while (!self.done) {
		if (r->is_writing)
			pthread_cond_wait(&r->written, &r->lock);
		else
			write_newcomers(thread);
	}
	pthread_mutex_unlock(&r->lock);
	if (self.err == ERR_NONE)
		*local_user_id = self.local_user_id;
	return self.err;
}

void user_records_refresh(struct user_records_thread *thread, int64_t local_user_id,
			  const struct user_sight *sight)
{
	if (!is_storable(sight) || !is_ready(thread) || !sql_begin(thread->sql, false))
		return;
	struct sql *c = thread->sql;
	sql_bind_int(c, REFRESH, 1, local_user_id);
	sql_bind_text(c, REFRESH, 2, sight->attributes);
	sql_bind_int(c, REFRESH, 3, sight->now);
	if (sql_run(c, REFRESH))
		sql_commit(c);
	else
		sql_rollback(c);
}

/* For the admin ------------------------------------------------------------ */

/* The first record whose number is that or a later one. */
static enum err next(struct sql *c, struct arena *arena, int64_t from, struct user_record *out)
{
	sql_bind_int(c, NEXT, 1, from);
	enum sql_result step = sql_step(c, NEXT);
	enum err err = step == SQL_DONE ? ERR_NOT_FOUND : ERR_STORE;
	if (step == SQL_ROW) {
		struct user_record row = {
			.local_user_id = sql_int(c, NEXT, 0),
			.issuer = arena_copy(arena, sql_text(c, NEXT, 1)),
			.user_id = arena_copy(arena, sql_text(c, NEXT, 2)),
			.first_seen = sql_int(c, NEXT, 3),
			.last_seen = sql_int(c, NEXT, 4),
			.attributes = arena_copy(arena, sql_text(c, NEXT, 5)),
		};
		if (row.issuer.p && row.user_id.p && row.attributes.p) {
			*out = row;
			err = ERR_NONE;
		}
	}
	sql_reset(c, NEXT);
	return err;
}

enum err user_records_get(struct user_records_thread *thread, struct arena *arena, int64_t local_user_id,
			  struct user_record *out)
{
	struct user_record found;
	enum err err = is_ready(thread) ? next(thread->sql, arena, local_user_id, &found) : ERR_STORE;
	if (!err && found.local_user_id != local_user_id)
		err = ERR_NOT_FOUND;
	if (!err)
		*out = found;
	return err;
}

enum err user_records_remove(struct user_records_thread *thread, int64_t local_user_id)
{
	if (!is_ready(thread) || !sql_begin(thread->sql, true))
		return ERR_STORE;
	struct sql *c = thread->sql;
	sql_bind_int(c, DELETE, 1, local_user_id);
	if (!sql_run(c, DELETE)) {
		sql_rollback(c);
		return ERR_STORE;
	}
	bool removed = sql_changes(c) > 0;
	if (!sql_commit(c) || !sql_look(c))
		return ERR_STORE;
	return removed ? ERR_NONE : ERR_NOT_FOUND;
}

/* Every text at its longest, and merged attributes of several policies. */
enum { LISTED_SIZE = 1 << 20 };

/* One record a statement: whoever reads the list may be a person at a terminal, and
 * a statement left open would let the file's log grow. */
enum err user_records_list(struct user_records_thread *thread,
			   bool (*each)(void *context, const struct user_record *record), void *context)
{
	struct arena *arena;
	struct user_record record;
	int64_t from = 0;
	enum err err = ERR_STORE;
	if (!arena_open(LISTED_SIZE, &arena))
		return ERR_STORE;
	while (is_ready(thread)) {
		err = next(thread->sql, arena, from, &record);
		if (err || !each(context, &record))
			break;
		from = record.local_user_id + 1;
		arena_reset(arena);
		err = ERR_STORE;
	}
	arena_close(&arena);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

bool user_records_check(struct user_records_thread *thread, struct buf *why)
{
	return user_records_connect(thread, why) && sql_check(thread->sql, true, why);
}
