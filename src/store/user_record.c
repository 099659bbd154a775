/* SPDX-License-Identifier: Apache-2.0 */
/* The records of users: one read for a user who is known, a write for one who is
 * new. Applications read the view `users`; its columns are a promise to them. */
#include "store/user_record.h"

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

struct user_records {
	struct database *database;
	struct sql *sql;
	int64_t next_open_ms; /* not before: a file that cannot be opened costs no request any time */
	int64_t next_add_ms;  /* the same for a lock that was waited for in vain */
	char folder[];
};

bool user_records_open(const char *folder, struct user_records **out)
{
	size_t size = strlen(folder) + 1;
	struct user_records *records = calloc(1, sizeof *records + size);
	if (!records)
		return false;
	memcpy(records->folder, folder, size);
	*out = records;
	return true;
}

void user_records_close(struct user_records **records)
{
	if (!*records)
		return;
	sql_close(&(*records)->sql);
	database_close(&(*records)->database);
	free(*records);
	*records = NULL;
}

/* The hold on the file stays: one that is lost while the program runs is not made
 * anew, for its numbers would begin again. */
bool user_records_connect(struct user_records *records, struct buf *why)
{
	sql_close(&records->sql);
	if (!records->database && !database_open(&schema, records->folder, &records->database, why))
		return false;
	return database_connect(records->database, &records->sql, why);
}

static bool is_ready(struct user_records *records)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (records->sql && sql_is_current(records->sql))
		return true;
	if (clock_monotonic_ms() < records->next_open_ms)
		return false;
	if (user_records_connect(records, &why))
		return true;
	records->next_open_ms = clock_monotonic_ms() + RETRY_MS;
	log_text(LOG_ERR, "user_records", "%.*s", STR_ARGS(buf_str(&why)));
	return false;
}

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

enum err user_records_find(struct user_records *records, const struct user_sight *sight, struct user_known *out)
{
	return is_ready(records) ? find(records->sql, sight, out) : ERR_STORE;
}

static bool begin_to_add(struct user_records *records)
{
	if (clock_monotonic_ms() < records->next_add_ms)
		return false;
	for (int i = 0; i < ADD_ATTEMPTS; i++)
		if (sql_begin(records->sql, true))
			return true;
	records->next_add_ms = clock_monotonic_ms() + RETRY_MS;
	return false;
}

static bool is_storable(const struct user_sight *sight)
{
	return sight->user_id.n > 0 && sight->user_id.n <= USER_RECORD_ID_MAX &&
	       sight->issuer.n <= USER_RECORD_ISSUER_MAX && sight->attributes.n <= USER_RECORD_ATTRIBUTES_MAX &&
	       str_is_utf8(sight->user_id) && str_is_utf8(sight->issuer);
}

static enum err insert(struct sql *c, const struct user_sight *sight, struct user_known *out)
{
	bind_sight(c, INSERT, sight);
	sql_bind_int(c, INSERT, 4, sight->now);
	return sql_run(c, INSERT) ? find(c, sight, out) : ERR_STORE;
}

enum err user_records_add(struct user_records *records, const struct user_sight *sight, int64_t *local_user_id)
{
	if (!is_storable(sight))
		return ERR_BAD_REQUEST;
	if (!is_ready(records) || !begin_to_add(records))
		return ERR_STORE;
	struct sql *c = records->sql;
	struct user_known known;
	enum err err = find(c, sight, &known);
	bool is_new = err == ERR_NOT_FOUND;
	if (is_new)
		err = insert(c, sight, &known);
	/* Believed only when the file is still where others look for it. */
	if (!err && is_new)
		err = sql_commit(c) && sql_look(c) ? ERR_NONE : ERR_STORE;
	else
		sql_rollback(c);
	if (!err)
		*local_user_id = known.local_user_id;
	return err;
}

void user_records_refresh(struct user_records *records, int64_t local_user_id, const struct user_sight *sight)
{
	if (!is_storable(sight) || !is_ready(records) || !sql_begin(records->sql, false))
		return;
	struct sql *c = records->sql;
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

enum err user_records_get(struct user_records *records, struct arena *arena, int64_t local_user_id,
			  struct user_record *out)
{
	struct user_record found;
	enum err err = is_ready(records) ? next(records->sql, arena, local_user_id, &found) : ERR_STORE;
	if (!err && found.local_user_id != local_user_id)
		err = ERR_NOT_FOUND;
	if (!err)
		*out = found;
	return err;
}

enum err user_records_remove(struct user_records *records, int64_t local_user_id)
{
	if (!is_ready(records) || !sql_begin(records->sql, true))
		return ERR_STORE;
	struct sql *c = records->sql;
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
enum err user_records_list(struct user_records *records,
			   bool (*each)(void *context, const struct user_record *record), void *context)
{
	struct arena *arena;
	struct user_record record;
	int64_t from = 0;
	enum err err = ERR_STORE;
	if (!arena_open(LISTED_SIZE, &arena))
		return ERR_STORE;
	while (is_ready(records)) {
		err = next(records->sql, arena, from, &record);
		if (err || !each(context, &record))
			break;
		from = record.local_user_id + 1;
		arena_reset(arena);
		err = ERR_STORE;
	}
	arena_close(&arena);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

bool user_records_check(struct user_records *records, struct buf *why)
{
	return user_records_connect(records, why) && sql_check(records->sql, true, why);
}
