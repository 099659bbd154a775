/* SPDX-License-Identifier: Apache-2.0 */
/* Everybody who was seen with a good token, each under a number of this host's own:
 * user-records.db, which the site's applications read. (Who can log in here is in
 * account.h.) A number is never given twice. */
#ifndef STORE_USER_RECORD_H
#define STORE_USER_RECORD_H

#include "base/arena.h"
#include "base/err.h"

enum {
	USER_RECORD_ISSUER_MAX = 1023,
	USER_RECORD_ID_MAX = 255,
	USER_RECORD_ATTRIBUTES_MAX = 65536
};

/* A user as a request shows them. Texts are UTF-8 without control bytes. */
struct user_sight {
	struct str issuer;  /* may be empty, up to USER_RECORD_ISSUER_MAX bytes */
	struct str user_id; /* 1 to USER_RECORD_ID_MAX bytes */
	/* A JSON object, up to USER_RECORD_ATTRIBUTES_MAX bytes: its members are recorded,
	 * those that are null are forgotten, and what it does not name stays. */
	struct str attributes;
	int64_t now; /* seconds */
};

struct user_known {
	int64_t local_user_id;
	int64_t last_seen; /* seconds; when the record was last written */
	bool differs;	   /* from the attributes of the sight */
};

struct user_record {
	int64_t local_user_id; /* 1 and up */
	struct str issuer, user_id;
	int64_t first_seen, last_seen; /* seconds */
	struct str attributes;	       /* a JSON object */
};

struct user_records;	     /* the process's */
struct user_records_thread; /* a worker's */

/* The records in that folder; the file is opened when a thread first needs it, and
 * made where it is new. false: no memory. */
bool user_records_open(const char *folder, struct user_records **out);
/* Open it before any thread does: if it is lost from now on it is not made anew. The
 * log says why not; threads try again. */
void user_records_hold(struct user_records *records);
/* After all its threads. */
void user_records_close(struct user_records **records);
/* false: no memory. */
bool user_records_thread_open(struct user_records *records, struct user_records_thread **out);
void user_records_thread_close(struct user_records_thread **thread);
/* Open the file now. false: why says what is wrong and what to do. */
bool user_records_connect(struct user_records_thread *thread, struct buf *why);

/* One read. ERR_NOT_FOUND: not seen yet. ERR_STORE: the records cannot be read. */
enum err user_records_find(struct user_records_thread *thread, const struct user_sight *sight,
			   struct user_known *out);
/* Make the record, or find the one that somebody else has just made. Durable when it
 * returns ERR_NONE. Waits a second at most for other processes that write; when nothing
 * could be written, everybody is told ERR_STORE at once for as long. ERR_BAD_REQUEST: a
 * text is too long, or no UTF-8. */
enum err user_records_add(struct user_records_thread *thread, const struct user_sight *sight,
			  int64_t *local_user_id);
/* Note that the user was seen now, and with what. Does nothing while anybody else is
 * writing, or when the record cannot be written: the next request tries again. */
void user_records_refresh(struct user_records_thread *thread, int64_t local_user_id,
			  const struct user_sight *sight);

/* Texts are copied into the arena. ERR_NOT_FOUND, ERR_STORE. */
enum err user_records_get(struct user_records_thread *thread, struct arena *arena, int64_t local_user_id,
			  struct user_record *out);
/* ERR_NOT_FOUND, ERR_STORE. Durable. A user who comes again gets another number. */
enum err user_records_remove(struct user_records_thread *thread, int64_t local_user_id);
/* By number; each returns false to stop, and may change records. The texts live until it returns. */
enum err user_records_list(struct user_records_thread *thread,
			   bool (*each)(void *context, const struct user_record *record), void *context);
/* Is every page of the file whole? Reads all of it. */
bool user_records_check(struct user_records_thread *thread, struct buf *why);

#endif
