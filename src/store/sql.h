/* SPDX-License-Identifier: Apache-2.0 */
/* One thread's connection to a SQLite file and its prepared statements. SQLite's
 * own types and error texts stay behind this header: the texts go to the log at
 * the moment of failure, at most one line a second. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/err.h"
#include "base/str.h"

/* What a database of ours is made of. */
struct schema {
	const char *name;		/* NAME.db in state-dir or user-records */
	int64_t version;		/* of the tables, kept in the file */
	const char *tables;		/* SQL that makes them in an empty file */
	const char *const *upgrades;	/* SQL from version 1 to 2, 2 to 3 …; NULL: other versions are refused */
	size_t upgrades_n;
	const char *probe;		/* SQL that can be prepared when they are all there */
	const char *const *statements;	/* by the owner's numbering, at most SQL_STATEMENTS_MAX */
	size_t statements_n;
	const char *loss;		/* what starting with an empty file means, for people */
	bool is_cache;			/* may be lost: the last commits when the machine stops, all when damaged */
	/* Others read the file, who may write neither it nor its folder: the folder's
	 * group may read it, and its log and index stay when the last process ends. */
	bool has_readers;
};

enum { SQL_STATEMENTS_MAX = 40, SQL_WAIT_MS = 250 };

enum sql_result { SQL_ROW, SQL_DONE, SQL_FAILED };

struct sql;

/* Make a whole, empty database in the empty file at path and let go of it. */
bool sql_create(const struct schema *schema, const char *path, struct buf *why);
/* Open an existing one: is it ours, of our version, with its tables? schema must
 * live as long as the connection. */
bool sql_open(const struct schema *schema, const char *path, struct sql **out, struct buf *why);
void sql_close(struct sql **sql);
/* Is the file at the path still the one that was opened? Looks at the folder at
 * most once a second, so it costs no system call per request. A file that was
 * deleted or replaced has lost what other processes write from now on. */
bool sql_is_current(struct sql *sql);
/* The same, looking now. */
bool sql_look(struct sql *sql);
/* Has a statement met a page that is not whole? */
bool sql_is_damaged(const struct sql *sql);
/* Is every page whole? deep: are the indexes, too? Reads the whole file. */
bool sql_check(struct sql *sql, bool deep, struct buf *why);

/* Statements are named by their index in the schema. Values that are bound must
 * live until the statement is reset; a STR_NONE binds NULL. A failed bind shows
 * in the next step. */
void sql_bind_bytes(struct sql *sql, size_t statement, int at, const void *bytes, size_t n);
void sql_bind_text(struct sql *sql, size_t statement, int at, struct str text);
void sql_bind_int(struct sql *sql, size_t statement, int at, int64_t value);
enum sql_result sql_step(struct sql *sql, size_t statement);
/* Columns of the row; texts live until the next step or reset. NULL is 0 and STR_NONE. */
int64_t sql_int(struct sql *sql, size_t statement, int column);
struct str sql_text(struct sql *sql, size_t statement, int column);
/* Always after the last step: an open statement holds back the whole file's clean-up. */
void sql_reset(struct sql *sql, size_t statement);
/* Step a statement that gives no rows, and reset it. */
bool sql_run(struct sql *sql, size_t statement);
/* Rows changed by the last run. */
int64_t sql_changes(struct sql *sql);

/* Begin to write. wait: up to SQL_WAIT_MS for another writer, else a
 * failure that is logged; without, a writer at work is no failure worth a line. */
bool sql_begin(struct sql *sql, bool wait);
/* Durable when it returns true. */
bool sql_commit(struct sql *sql);
void sql_rollback(struct sql *sql);

#endif
