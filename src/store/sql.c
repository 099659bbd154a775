/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a SQLite file so that every wait is bounded and nothing is lost, and
 * running prepared statements on it. The only file that knows SQLite. */
#include "store/sql.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"

/* "fcau": tells our files from other SQLite files. */
#define APPLICATION_ID "1717789045"

enum { LOOK_EVERY_MS = 1000, LOG_EVERY_MS = 1000 };

/* The database, its log and its index in shared memory: each replaced alone would
 * already cut us off from the other processes. */
static const char *const suffixes[] = {"", "-wal", "-shm"};
enum { FILES = sizeof suffixes / sizeof *suffixes };

struct identity {
	dev_t device;
	ino_t inode;
};

struct sql {
	sqlite3 *db;
	const struct schema *schema;
	sqlite3_stmt *statements[SQL_STATEMENTS_MAX];
	bool failed; /* a bind failed since the last reset */
	bool damaged;
	struct identity files[FILES];
	int64_t looked_at, logged_at;
	int64_t unlogged; /* failures without a line since logged_at */
	bool current;
	char path[];
};

/* mmap_size 0: a truncated file is an error, not a SIGBUS. cell_size_check finds
 * overwritten pages when they are read. */
static const char settings[] = "PRAGMA trusted_schema=OFF;"
			       "PRAGMA cell_size_check=ON;"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA wal_autocheckpoint=1000;"
			       "PRAGMA journal_size_limit=4194304;";

static const char durable[] = "PRAGMA synchronous=FULL;", in_cache[] = "PRAGMA synchronous=NORMAL;";

static void log_failure(struct sql *sql, const char *doing, int code)
{
	int64_t now = clock_monotonic_ms();
	if (sql->logged_at && now - sql->logged_at < LOG_EVERY_MS) {
		sql->unlogged++;
		return;
	}
	struct log_line line;
	log_begin(&line, LOG_ERR, "store");
	log_field(&line, "level", STR("error"));
	log_field(&line, "doing", str_of(doing));
	log_field(&line, "file", str_of(sql->path));
	log_number(&line, "code", code);
	log_number(&line, "unlogged", sql->unlogged);
	log_field(&line, "text", str_of(sql->db ? sqlite3_errmsg(sql->db) : sqlite3_errstr(code)));
	log_end(&line);
	sql->logged_at = now;
	sql->unlogged = 0;
}

/* What SQLite's code means to the admin who reads it at start. */
static bool explain(const struct sql *sql, int code, struct buf *why)
{
	const char *text = sql->db ? sqlite3_errmsg(sql->db) : sqlite3_errstr(code);
	buf_printf(why, "%s: %s (SQLite %d); ", sql->path, text, code);
	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		buf_printf(why, "the file is damaged: restore it from a backup. To start with an empty one move %s.* "
				"away: %s", sql->schema->name, sql->schema->loss);
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		buf_printf(why, "another process has locked it for more than %d ms: see who it is with fuser %s",
			   SQL_WAIT_MS, sql->path);
		break;
	case SQLITE_FULL:
		buf_add(why, STR("the disk is full"));
		break;
	default:
		buf_add(why, STR("look at the folder, its rights and its disk"));
	}
	return false;
}

static int open_database(struct sql *sql)
{
	int code = sqlite3_open_v2(sql->path, &sql->db,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(sql->db, SQL_WAIT_MS);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sql->db, settings, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sql->db, sql->schema->is_cache ? in_cache : durable, NULL, NULL, NULL);
	if (code == SQLITE_OK && sql->schema->has_readers)
		code = sqlite3_file_control(sql->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &(int){1});
	return code;
}

/* Without this the last connection to close writes the log back and removes it:
 * the trace of an unclean end, by which the next start knows that it must look. */
static void keep_log(struct sql *sql, bool keep)
{
	if (sql->db)
		sqlite3_db_config(sql->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

/* The first column of the first row, as text into out. */
static int ask_text(sqlite3 *db, const char *query, struct buf *out)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, query, -1, &statement, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			buf_printf(out, "%s", (const char *)sqlite3_column_text(statement, 0));
	}
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static struct sql *allocate(const struct schema *schema, const char *path, struct buf *why)
{
	size_t length = strlen(path);
	struct sql *sql = calloc(1, sizeof *sql + length + 1);
	if (!sql || schema->statements_n > SQL_STATEMENTS_MAX) {
		buf_add(why, STR("no memory for a database connection"));
		free(sql);
		return NULL;
	}
	sql->schema = schema;
	memcpy(sql->path, path, length + 1);
	return sql;
}

bool sql_create(const struct schema *schema, const char *path, struct buf *why)
{
	struct sql *sql = allocate(schema, path, why);
	if (!sql)
		return false;
	char id[96];
	snprintf(id, sizeof id, "PRAGMA application_id=" APPLICATION_ID "; PRAGMA user_version=%lld; COMMIT",
		 (long long)schema->version);
	int code = open_database(sql);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sql->db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sql->db, schema->tables, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sql->db, id, NULL, NULL, NULL);
	/* The last connection writes the log back into the file, synced, and removes it. */
	if (code == SQLITE_OK)
		code = sqlite3_wal_checkpoint_v2(sql->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	bool made = code == SQLITE_OK || explain(sql, code, why);
	sql_close(&sql);
	return made;
}

/* From an older version to this one, in one transaction: of several processes one
 * does it, and a program that is killed meanwhile has done nothing. */
static bool upgrade(struct sql *sql, struct buf *why)
{
	static const char ask[] = "SELECT user_version FROM pragma_application_id, pragma_user_version"
				  " WHERE application_id = " APPLICATION_ID;
	const struct schema *schema = sql->schema;
	char memory[64];
	struct buf got = buf_over(memory, sizeof memory);
	uint64_t version = 0;
	int code = schema->upgrades ? ask_text(sql->db, ask, &got) : SQLITE_OK;
	if (code != SQLITE_OK)
		return explain(sql, code, why);
	/* What is no older version of ours is judged by is_ours(). */
	if (!str_to_uint(buf_str(&got), UINT32_MAX, &version) || version == 0 || (int64_t)version >= schema->version)
		return true;
	code = sqlite3_exec(sql->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	got.n = 0;
	if (code == SQLITE_OK)
		code = ask_text(sql->db, ask, &got);
	if (code == SQLITE_OK && !str_to_uint(buf_str(&got), UINT32_MAX, &version))
		version = (uint64_t)schema->version;
	for (size_t i = version - 1; code == SQLITE_OK && i < schema->upgrades_n; i++)
		code = sqlite3_exec(sql->db, schema->upgrades[i], NULL, NULL, NULL);
	snprintf(memory, sizeof memory, "PRAGMA user_version=%lld; COMMIT", (long long)schema->version);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sql->db, memory, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return true;
	explain(sql, code, why);
	sql_rollback(sql);
	return false;
}

/* Is the file one of ours with the tables that this program knows? */
static bool is_ours(struct sql *sql, struct buf *why)
{
	const struct schema *schema = sql->schema;
	char memory[64], want[64];
	struct buf got = buf_over(memory, sizeof memory);
	int code = ask_text(sql->db, "SELECT application_id || ' ' || user_version"
			    " FROM pragma_application_id, pragma_user_version", &got);
	if (code != SQLITE_OK)
		return explain(sql, code, why);
	snprintf(want, sizeof want, APPLICATION_ID " %lld", (long long)schema->version);
	if (!str_eq(buf_str(&got), str_of(want))) {
		bool ours = str_starts(buf_str(&got), STR(APPLICATION_ID " "));
		buf_printf(why, "%s %s: restore it from a backup%s. To start with an empty one move %s.* away: %s",
			   sql->path,
			   ours ? "has tables of another version" : "is empty or no database of this program",
			   ours ? " or use the program that made it" : "", schema->name, schema->loss);
		return false;
	}
	sqlite3_stmt *probe = NULL;
	code = sqlite3_prepare_v2(sql->db, schema->probe, -1, &probe, NULL);
	sqlite3_finalize(probe);
	if ((code & 0xff) == SQLITE_ERROR) {
		buf_printf(why,
			   "%s lacks tables (%s): restore it from a backup. To start with an empty one move %s.* away: "
			   "%s", sql->path, sqlite3_errmsg(sql->db), schema->name, schema->loss);
		return false;
	}
	return code == SQLITE_OK || explain(sql, code, why);
}

static bool is_journalled(struct sql *sql, struct buf *why)
{
	char memory[32];
	struct buf mode = buf_over(memory, sizeof memory);
	int code = ask_text(sql->db, "PRAGMA journal_mode=WAL", &mode);
	if (code != SQLITE_OK)
		return explain(sql, code, why);
	if (str_eq(buf_str(&mode), STR("wal")))
		return true;
	buf_printf(why, "%s: the file system does not allow SQLite's write-ahead log: move state-dir to a local disk",
		   sql->path);
	return false;
}

static bool identify(const struct sql *sql, struct identity out[FILES])
{
	char path[PATH_MAX];
	for (size_t i = 0; i < FILES; i++) {
		struct stat st;
		int n = snprintf(path, sizeof path, "%s%s", sql->path, suffixes[i]);
		if (n < 0 || (size_t)n >= sizeof path || stat(path, &st) != 0)
			return false;
		out[i] = (struct identity){st.st_dev, st.st_ino};
	}
	return true;
}

bool sql_open(const struct schema *schema, const char *path, struct sql **out, struct buf *why)
{
	struct sql *sql = allocate(schema, path, why);
	if (!sql)
		return false;
	int code = open_database(sql);
	bool good = code == SQLITE_OK || explain(sql, code, why);
	keep_log(sql, true);
	good = good && is_journalled(sql, why) && upgrade(sql, why) && is_ours(sql, why);
	if (good && !identify(sql, sql->files)) {
		buf_printf(why, "%s: a file of the database has just been removed by somebody", path);
		good = false;
	}
	if (!good) {
		sql_close(&sql);
		return false;
	}
	keep_log(sql, false);
	sql->current = true;
	sql->looked_at = clock_monotonic_ms();
	*out = sql;
	return true;
}

void sql_close(struct sql **sql)
{
	if (!*sql)
		return;
	for (size_t i = 0; i < SQL_STATEMENTS_MAX; i++)
		sqlite3_finalize((*sql)->statements[i]);
	sqlite3_close((*sql)->db);
	free(*sql);
	*sql = NULL;
}

bool sql_look(struct sql *sql)
{
	struct identity now[FILES];
	sql->looked_at = clock_monotonic_ms();
	sql->current = identify(sql, now);
	for (size_t i = 0; sql->current && i < FILES; i++)
		sql->current = now[i].device == sql->files[i].device &&
				      now[i].inode == sql->files[i].inode;
	return sql->current;
}

bool sql_is_current(struct sql *sql)
{
	if (clock_monotonic_ms() - sql->looked_at < LOOK_EVERY_MS)
		return sql->current;
	return sql_look(sql);
}

bool sql_is_damaged(const struct sql *sql)
{
	return sql->damaged;
}

bool sql_check(struct sql *sql, bool deep, struct buf *why)
{
	char memory[1024];
	struct buf found = buf_over(memory, sizeof memory);
	int code = ask_text(sql->db, deep ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", &found);
	if (code == SQLITE_OK && str_eq(buf_str(&found), STR("ok")))
		return true;
	keep_log(sql, true);
	if (code != SQLITE_OK)
		return explain(sql, code, why);
	buf_printf(why, "%s is damaged (%.*s): restore it from a backup. To start with an empty one move %s.* away: %s",
		   sql->path, STR_ARGS(buf_str(&found)), sql->schema->name, sql->schema->loss);
	return false;
}

/* Prepared at first use: a program that is started for one request pays for one. */
static sqlite3_stmt *prepared(struct sql *sql, size_t statement)
{
	sqlite3_stmt **slot = &sql->statements[statement];
	if (*slot)
		return *slot;
	const char *query = sql->schema->statements[statement];
	int code = sqlite3_prepare_v3(sql->db, query, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
	if (code != SQLITE_OK)
		log_failure(sql, query, code);
	return *slot;
}

static void note_bind(struct sql *sql, int code)
{
	if (code == SQLITE_OK)
		return;
	log_failure(sql, "bind", code);
	sql->failed = true;
}

void sql_bind_bytes(struct sql *sql, size_t statement, int at, const void *bytes, size_t n)
{
	sqlite3_stmt *s = prepared(sql, statement);
	if (s)
		note_bind(sql, sqlite3_bind_blob64(s, at, bytes, n, SQLITE_STATIC));
}

void sql_bind_text(struct sql *sql, size_t statement, int at, struct str text)
{
	sqlite3_stmt *s = prepared(sql, statement);
	if (s)
		note_bind(sql, sqlite3_bind_text64(s, at, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8));
}

void sql_bind_int(struct sql *sql, size_t statement, int at, int64_t value)
{
	sqlite3_stmt *s = prepared(sql, statement);
	if (s)
		note_bind(sql, sqlite3_bind_int64(s, at, value));
}

enum sql_result sql_step(struct sql *sql, size_t statement)
{
	sqlite3_stmt *s = prepared(sql, statement);
	if (!s || sql->failed)
		return SQL_FAILED;
	int code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		return SQL_ROW;
	if (code == SQLITE_DONE)
		return SQL_DONE;
	if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB) {
		sql->damaged = true;
		keep_log(sql, true);
	}
	log_failure(sql, sql->schema->statements[statement], code);
	return SQL_FAILED;
}

int64_t sql_int(struct sql *sql, size_t statement, int column)
{
	return sqlite3_column_int64(sql->statements[statement], column);
}

struct str sql_text(struct sql *sql, size_t statement, int column)
{
	sqlite3_stmt *s = sql->statements[statement];
	if (sqlite3_column_type(s, column) == SQLITE_NULL)
		return STR_NONE;
	/* In this order: the bytes are counted of what column_blob() gave. */
	const char *text = sqlite3_column_blob(s, column);
	size_t n = (size_t)sqlite3_column_bytes(s, column);
	return (struct str){text ? text : "", n};
}

void sql_reset(struct sql *sql, size_t statement)
{
	sqlite3_reset(sql->statements[statement]);
	sql->failed = false;
}

bool sql_run(struct sql *sql, size_t statement)
{
	enum sql_result step = sql_step(sql, statement);
	sql_reset(sql, statement);
	return step == SQL_DONE;
}

int64_t sql_changes(struct sql *sql)
{
	return sqlite3_changes64(sql->db);
}

bool sql_begin(struct sql *sql, bool wait)
{
	sqlite3_busy_timeout(sql->db, wait ? SQL_WAIT_MS : 0);
	int code = sqlite3_exec(sql->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	sqlite3_busy_timeout(sql->db, SQL_WAIT_MS);
	if (code != SQLITE_OK && (wait || (code & 0xff) != SQLITE_BUSY))
		log_failure(sql, "BEGIN IMMEDIATE", code);
	return code == SQLITE_OK;
}

bool sql_commit(struct sql *sql)
{
	int code = sqlite3_exec(sql->db, "COMMIT", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return true;
	log_failure(sql, "COMMIT", code);
	sql_rollback(sql);
	return false;
}

void sql_rollback(struct sql *sql)
{
	/* Some failures have already rolled back; then there is nothing left to do. */
	if (!sqlite3_get_autocommit(sql->db))
		sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
}
