/* SPDX-License-Identifier: Apache-2.0 */
/* A process's hold on one database of state-dir: making it where it is new,
 * noticing that it was lost, repairing nothing in silence.
 *
 * Beside NAME.db lies NAME.created, made right after it. It tells a new state-dir
 * from one whose database was lost: with NAME.created and without NAME.db no
 * program starts, for an empty list would make every revoked token good again.
 * Every process also holds a shared lock on it, so that the next one can see
 * whether it is the first after an unclean end. A cache is made anew instead,
 * and one that is damaged set aside by the next process that is alone with it. */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include "store/sql.h"

struct database;

/* Check the folder (state-dir, or that of user records) and the database in it; make
 * it where the folder is new. After an unclean end its pages are checked. schema must
 * outlive the database. false: why says what is wrong and what to do. */
bool database_open(const struct schema *schema, const char *state_dir, struct database **out, struct buf *why);
void database_close(struct database **database);
/* A connection for the calling thread. */
bool database_connect(struct database *database, struct sql **out, struct buf *why);

#endif
