/* SPDX-License-Identifier: Apache-2.0 */
/* One thread's connection to a SQLite file and its prepared statements. SQLite's
 * own types and error texts stay behind this header: the texts go to the log at
 * the moment of failure, at most one line a second. */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include "base/err.h"
#include "base/str.h"

/* What a database of ours is made of. */
struct schema {
	const char *name;		/* state-dir/NAME.db */
	int64_t version;		/* of the tables, kept in the file */
	const char *tables;		/* SQL that makes them in an empty file */
	const char *probe;		/* SQL that can be prepared when they are all there */
	const char *const *statements;	/* by the owner's numbering, at most CONNECTION_STATEMENTS_MAX */
	size_t statements_n;
	const char *loss;		/* what starting with an empty file means, for people */
};

enum { CONNECTION_STATEMENTS_MAX = 16, CONNECTION_WAIT_MS = 250 };

enum step { STEP_ROW, STEP_DONE, STEP_FAILED };

struct connection;

/* Make a whole, empty database in the empty file at path and let go of it. */
bool connection_create(const struct schema *schema, const char *path, struct buf *why);
/* Open an existing one: is it ours, of our version, with its tables? schema must
 * live as long as the connection. */
bool connection_open(const struct schema *schema, const char *path, struct connection **out, struct buf *why);
void connection_close(struct connection **connection);
/* Is the file at the path still the one that was opened? Looks at the folder at
 * most once a second, so it costs no system call per request. A file that was
 * deleted or replaced has lost what other processes write from now on. */
bool connection_is_current(struct connection *connection);
/* The same, looking now. */
bool connection_look(struct connection *connection);
/* Is every page whole? deep: are the indexes, too? Reads the whole file. */
bool connection_check(struct connection *connection, bool deep, struct buf *why);

/* Statements are named by their index in the schema. Values that are bound must
 * live until the statement is reset; a STR_NONE binds NULL. A failed bind shows
 * in the next step. */
void connection_bind_bytes(struct connection *connection, size_t statement, int at, const void *bytes, size_t n);
void connection_bind_text(struct connection *connection, size_t statement, int at, struct str text);
void connection_bind_int(struct connection *connection, size_t statement, int at, int64_t value);
enum step connection_step(struct connection *connection, size_t statement);
/* Columns of the row; texts live until the next step or reset. NULL is 0 and STR_NONE. */
int64_t connection_int(struct connection *connection, size_t statement, int column);
struct str connection_text(struct connection *connection, size_t statement, int column);
/* Always after the last step: an open statement holds back the whole file's clean-up. */
void connection_reset(struct connection *connection, size_t statement);
/* Step a statement that gives no rows, and reset it. */
bool connection_run(struct connection *connection, size_t statement);
/* Rows changed by the last run. */
int64_t connection_changes(struct connection *connection);

/* Begin to write. wait: up to CONNECTION_WAIT_MS for another writer, else a
 * failure that is logged; without, a writer at work is no failure worth a line. */
bool connection_begin(struct connection *connection, bool wait);
/* Durable when it returns true. */
bool connection_commit(struct connection *connection);
void connection_rollback(struct connection *connection);

#endif
