/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a SQLite file so that every wait is bounded and nothing is lost, and
 * running prepared statements on it. The only file that knows SQLite. */
#include "store/connection.h"

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

struct connection {
	sqlite3 *db;
	const struct schema *schema;
	sqlite3_stmt *statements[CONNECTION_STATEMENTS_MAX];
	bool failed; /* a bind failed since the last reset */
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
			       "PRAGMA synchronous=FULL;"
			       "PRAGMA wal_autocheckpoint=1000;"
			       "PRAGMA journal_size_limit=4194304;";

static void log_failure(struct connection *connection, const char *doing, int code)
{
	int64_t now = clock_monotonic_ms();
	if (connection->logged_at && now - connection->logged_at < LOG_EVERY_MS) {
		connection->unlogged++;
		return;
	}
	struct log_line line;
	log_begin(&line, LOG_ERR, "store");
	log_field(&line, "level", STR("error"));
	log_field(&line, "doing", str_of(doing));
	log_field(&line, "file", str_of(connection->path));
	log_number(&line, "code", code);
	log_number(&line, "unlogged", connection->unlogged);
	log_field(&line, "text", str_of(connection->db ? sqlite3_errmsg(connection->db) : sqlite3_errstr(code)));
	log_end(&line);
	connection->logged_at = now;
	connection->unlogged = 0;
}

/* What SQLite's code means to the admin who reads it at start. */
static bool explain(const struct connection *connection, int code, struct buf *why)
{
	const char *text = connection->db ? sqlite3_errmsg(connection->db) : sqlite3_errstr(code);
	buf_printf(why, "%s: %s (SQLite %d); ", connection->path, text, code);
	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		buf_printf(why, "the file is damaged: restore it from a backup. To start with an empty one move %s.* "
				"away: %s", connection->schema->name, connection->schema->loss);
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		buf_printf(why, "another process has locked it for more than %d ms: see who it is with fuser %s",
			   CONNECTION_WAIT_MS, connection->path);
		break;
	case SQLITE_FULL:
		buf_add(why, STR("the disk is full"));
		break;
	default:
		buf_add(why, STR("look at the folder, its rights and its disk"));
	}
	return false;
}

static int open_database(struct connection *connection)
{
	int code = sqlite3_open_v2(connection->path, &connection->db,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(connection->db, CONNECTION_WAIT_MS);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(connection->db, settings, NULL, NULL, NULL);
	return code;
}

/* The first column of the first row, as text into out. */
static int ask_text(sqlite3 *db, const char *sql, struct buf *out)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			buf_printf(out, "%s", (const char *)sqlite3_column_text(statement, 0));
	}
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static struct connection *allocate(const struct schema *schema, const char *path, struct buf *why)
{
	size_t length = strlen(path);
	struct connection *connection = calloc(1, sizeof *connection + length + 1);
	if (!connection || schema->statements_n > CONNECTION_STATEMENTS_MAX) {
		buf_add(why, STR("no memory for a database connection"));
		free(connection);
		return NULL;
	}
	connection->schema = schema;
	memcpy(connection->path, path, length + 1);
	return connection;
}

bool connection_create(const struct schema *schema, const char *path, struct buf *why)
{
	struct connection *connection = allocate(schema, path, why);
	if (!connection)
		return false;
	char id[96];
	snprintf(id, sizeof id, "PRAGMA application_id=" APPLICATION_ID "; PRAGMA user_version=%lld; COMMIT",
		 (long long)schema->version);
	int code = open_database(connection);
	if (code == SQLITE_OK)
		code = sqlite3_exec(connection->db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(connection->db, schema->tables, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(connection->db, id, NULL, NULL, NULL);
	/* The last connection writes the log back into the file, synced, and removes it. */
	if (code == SQLITE_OK)
		code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	bool made = code == SQLITE_OK || explain(connection, code, why);
	connection_close(&connection);
	return made;
}

/* Is the file one of ours with the tables that this program knows? */
static bool is_ours(struct connection *connection, struct buf *why)
{
	const struct schema *schema = connection->schema;
	char memory[64], want[64];
	struct buf got = buf_over(memory, sizeof memory);
	int code = ask_text(connection->db, "SELECT application_id || ' ' || user_version"
			    " FROM pragma_application_id, pragma_user_version", &got);
	if (code != SQLITE_OK)
		return explain(connection, code, why);
	snprintf(want, sizeof want, APPLICATION_ID " %lld", (long long)schema->version);
	if (!str_eq(buf_str(&got), str_of(want))) {
		bool ours = str_starts(buf_str(&got), STR(APPLICATION_ID " "));
		buf_printf(why, "%s %s: restore it from a backup%s. To start with an empty one move %s.* away: %s",
			   connection->path,
			   ours ? "has tables of another version" : "is empty or no database of this program",
			   ours ? " or use the program that made it" : "", schema->name, schema->loss);
		return false;
	}
	sqlite3_stmt *probe = NULL;
	code = sqlite3_prepare_v2(connection->db, schema->probe, -1, &probe, NULL);
	sqlite3_finalize(probe);
	if ((code & 0xff) == SQLITE_ERROR) {
		buf_printf(why, "%s lacks tables (%s): restore it from a backup. To start with an empty one move %s.* away: %s",
			   connection->path, sqlite3_errmsg(connection->db), schema->name, schema->loss);
		return false;
	}
	return code == SQLITE_OK || explain(connection, code, why);
}

static bool is_journalled(struct connection *connection, struct buf *why)
{
	char memory[32];
	struct buf mode = buf_over(memory, sizeof memory);
	int code = ask_text(connection->db, "PRAGMA journal_mode=WAL", &mode);
	if (code != SQLITE_OK)
		return explain(connection, code, why);
	if (str_eq(buf_str(&mode), STR("wal")))
		return true;
	buf_printf(why, "%s: the file system does not allow SQLite's write-ahead log: move state-dir to a local disk",
		   connection->path);
	return false;
}

static bool identify(const struct connection *connection, struct identity out[FILES])
{
	char path[PATH_MAX];
	for (size_t i = 0; i < FILES; i++) {
		struct stat st;
		int n = snprintf(path, sizeof path, "%s%s", connection->path, suffixes[i]);
		if (n < 0 || (size_t)n >= sizeof path || stat(path, &st) != 0)
			return false;
		out[i] = (struct identity){st.st_dev, st.st_ino};
	}
	return true;
}

bool connection_open(const struct schema *schema, const char *path, struct connection **out, struct buf *why)
{
	struct connection *connection = allocate(schema, path, why);
	if (!connection)
		return false;
	int code = open_database(connection);
	bool good = code == SQLITE_OK || explain(connection, code, why);
	good = good && is_journalled(connection, why) && is_ours(connection, why);
	if (good && !identify(connection, connection->files)) {
		buf_printf(why, "%s: a file of the database has just been removed by somebody", path);
		good = false;
	}
	if (!good) {
		connection_close(&connection);
		return false;
	}
	connection->current = true;
	connection->looked_at = clock_monotonic_ms();
	*out = connection;
	return true;
}

void connection_close(struct connection **connection)
{
	if (!*connection)
		return;
	for (size_t i = 0; i < CONNECTION_STATEMENTS_MAX; i++)
		sqlite3_finalize((*connection)->statements[i]);
	sqlite3_close((*connection)->db);
	free(*connection);
	*connection = NULL;
}

bool connection_look(struct connection *connection)
{
	struct identity now[FILES];
	connection->looked_at = clock_monotonic_ms();
	connection->current = identify(connection, now);
	for (size_t i = 0; connection->current && i < FILES; i++)
		connection->current = now[i].device == connection->files[i].device &&
				      now[i].inode == connection->files[i].inode;
	return connection->current;
}

bool connection_is_current(struct connection *connection)
{
	if (clock_monotonic_ms() - connection->looked_at < LOOK_EVERY_MS)
		return connection->current;
	return connection_look(connection);
}

bool connection_check(struct connection *connection, bool deep, struct buf *why)
{
	char memory[1024];
	struct buf found = buf_over(memory, sizeof memory);
	int code = ask_text(connection->db, deep ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", &found);
	if (code != SQLITE_OK)
		return explain(connection, code, why);
	if (str_eq(buf_str(&found), STR("ok")))
		return true;
	buf_printf(why, "%s is damaged (%.*s): restore it from a backup. To start with an empty one move %s.* away: %s",
		   connection->path, STR_ARGS(buf_str(&found)), connection->schema->name, connection->schema->loss);
	return false;
}

/* Prepared at first use: a program that is started for one request pays for one. */
static sqlite3_stmt *prepared(struct connection *connection, size_t statement)
{
	sqlite3_stmt **slot = &connection->statements[statement];
	if (*slot)
		return *slot;
	const char *sql = connection->schema->statements[statement];
	int code = sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
	if (code != SQLITE_OK)
		log_failure(connection, sql, code);
	return *slot;
}

static void note_bind(struct connection *connection, int code)
{
	if (code == SQLITE_OK)
		return;
	log_failure(connection, "bind", code);
	connection->failed = true;
}

void connection_bind_bytes(struct connection *connection, size_t statement, int at, const void *bytes, size_t n)
{
	sqlite3_stmt *s = prepared(connection, statement);
	if (s)
		note_bind(connection, sqlite3_bind_blob64(s, at, bytes, n, SQLITE_STATIC));
}

void connection_bind_text(struct connection *connection, size_t statement, int at, struct str text)
{
	sqlite3_stmt *s = prepared(connection, statement);
	if (s)
		note_bind(connection, sqlite3_bind_text64(s, at, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8));
}

void connection_bind_int(struct connection *connection, size_t statement, int at, int64_t value)
{
	sqlite3_stmt *s = prepared(connection, statement);
	if (s)
		note_bind(connection, sqlite3_bind_int64(s, at, value));
}

enum step connection_step(struct connection *connection, size_t statement)
{
	sqlite3_stmt *s = prepared(connection, statement);
	if (!s || connection->failed)
		return STEP_FAILED;
	int code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		return STEP_ROW;
	if (code == SQLITE_DONE)
		return STEP_DONE;
	log_failure(connection, connection->schema->statements[statement], code);
	return STEP_FAILED;
}

int64_t connection_int(struct connection *connection, size_t statement, int column)
{
	return sqlite3_column_int64(connection->statements[statement], column);
}

struct str connection_text(struct connection *connection, size_t statement, int column)
{
	sqlite3_stmt *s = connection->statements[statement];
	if (sqlite3_column_type(s, column) == SQLITE_NULL)
		return STR_NONE;
	/* In this order: the bytes are counted of what column_blob() gave. */
	const char *text = sqlite3_column_blob(s, column);
	size_t n = (size_t)sqlite3_column_bytes(s, column);
	return (struct str){text ? text : "", n};
}

void connection_reset(struct connection *connection, size_t statement)
{
	sqlite3_reset(connection->statements[statement]);
	connection->failed = false;
}

bool connection_run(struct connection *connection, size_t statement)
{
	enum step step = connection_step(connection, statement);
	connection_reset(connection, statement);
	return step == STEP_DONE;
}

int64_t connection_changes(struct connection *connection)
{
	return sqlite3_changes64(connection->db);
}

bool connection_begin(struct connection *connection, bool wait)
{
	sqlite3_busy_timeout(connection->db, wait ? CONNECTION_WAIT_MS : 0);
	int code = sqlite3_exec(connection->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	sqlite3_busy_timeout(connection->db, CONNECTION_WAIT_MS);
	if (code != SQLITE_OK && (wait || (code & 0xff) != SQLITE_BUSY))
		log_failure(connection, "BEGIN IMMEDIATE", code);
	return code == SQLITE_OK;
}

bool connection_commit(struct connection *connection)
{
	int code = sqlite3_exec(connection->db, "COMMIT", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return true;
	log_failure(connection, "COMMIT", code);
	connection_rollback(connection);
	return false;
}

void connection_rollback(struct connection *connection)
{
	/* Some failures have already rolled back; then there is nothing left to do. */
	if (!sqlite3_get_autocommit(connection->db))
		sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
}
