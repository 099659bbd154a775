/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.db from within: what the files on its tables share. */
#ifndef STORE_ACCOUNT_INTERNAL_H
#define STORE_ACCOUNT_INTERNAL_H

#include "store/account.h"
#include "store/database.h"

struct accounts {
	struct database *database;
	struct sql *sql;
	char state_dir[];
};

/* Statements of session_list.c; those of account.c are numbered after them. */
enum session_statement {
	SESSION_PRUNE,
	SESSION_ADD,
	SESSION_EXCESS,
	SESSION_LIST,
	SESSION_SEE,
	SESSION_REMOVE,
	SESSION_STATEMENTS
};

#define SESSION_TABLE                                                                                                  \
	"CREATE TABLE session (sid TEXT NOT NULL PRIMARY KEY, user TEXT NOT NULL, iss TEXT NOT NULL,"                  \
	" address TEXT NOT NULL, agent TEXT NOT NULL, created INTEGER NOT NULL, seen INTEGER NOT NULL,"                \
	" expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                                            \
	"CREATE INDEX session_user ON session (user, seen);"                                                           \
	"CREATE INDEX session_expires ON session (expires);"                                                           \
	/* Whoever takes the id later must not be shown them. */                                                       \
	"CREATE TRIGGER session_owner AFTER DELETE ON account BEGIN DELETE FROM session WHERE user = old.id; END;"

#define SESSION_COLUMNS "sid, user, iss, address, agent, created, seen, expires"

#define SESSION_STATEMENT_TEXTS                                                                                        \
	[SESSION_PRUNE] = "DELETE FROM session WHERE sid IN"                                                           \
			  " (SELECT sid FROM session WHERE expires < ?1 ORDER BY expires LIMIT 100)",                  \
	[SESSION_ADD] = "INSERT INTO session (" SESSION_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",           \
	[SESSION_EXCESS] = "SELECT " SESSION_COLUMNS " FROM session WHERE user = ?1 AND sid <> ?2 AND expires > ?3"    \
			   " ORDER BY seen DESC, created DESC, sid LIMIT ?5 OFFSET ?4",                                \
	[SESSION_LIST] = "SELECT " SESSION_COLUMNS " FROM session WHERE user = ?1 AND expires > ?2"                    \
			 " ORDER BY seen DESC, created DESC, sid LIMIT ?3",                                            \
	[SESSION_SEE] = "UPDATE session SET seen = max(seen, ?2), expires = max(expires, ?3)"                          \
			" WHERE sid = ?1 AND (seen < ?2 OR expires < ?3)",                                             \
	[SESSION_REMOVE] = "DELETE FROM session WHERE sid = ?1"

/* Is the file open? One that was replaced is opened again, as a start would. */
bool accounts_is_ready(struct accounts *accounts);
/* Commit what went well; believe it only when the file is still where others look for it. */
enum err accounts_finish(struct sql *c, enum err err);

#endif
