/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a database file around its connections. A file of SQLite is never
 * opened here by ourselves: closing it would drop the locks that other
 * connections of this process hold on it (POSIX locks belong to the process). */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/state_dir.h"

enum { REASON_SIZE = 256, PATH_SIZE = PATH_MAX };

/* Bytes of a cache that is looked through at each start. */
enum { CHECKED_ALWAYS = 1 << 20 };

/* As long as another process may take to check a large file after a crash. */
enum { ALONE_WAIT_MS = 10000, ALONE_STEP_US = 5000 };

struct database {
	const struct schema *schema;
	int created; /* NAME.created, locked */
	/* The connection that checked the file: the first thread's, so that a
	 * program started for one request opens the file once. */
	_Atomic(struct sql *) first;
	char path[];
};

struct paths {
	const char *folder;
	struct state_owner owner; /* of files that are made there */
	char database[PATH_SIZE], wal[PATH_SIZE], shm[PATH_SIZE], created[PATH_SIZE];
};

static bool print_paths(const struct schema *schema, const char *folder, struct paths *out, struct buf *why)
{
	/* Room for the longest suffix of a file that is made beside them. */
	if (strlen(folder) + strlen(schema->name) + sizeof "/.db.XXXXXX-journal" > PATH_SIZE) {
		buf_add(why, STR("state-dir has too long a name"));
		return false;
	}
	out->folder = folder;
	snprintf(out->database, PATH_SIZE, "%s/%s.db", folder, schema->name);
	snprintf(out->wal, PATH_SIZE, "%s/%s.db-wal", folder, schema->name);
	snprintf(out->shm, PATH_SIZE, "%s/%s.db-shm", folder, schema->name);
	snprintf(out->created, PATH_SIZE, "%s/%s.created", folder, schema->name);
	return true;
}

static bool fail_errno(const char *doing, const char *path, struct buf *why)
{
	char reason[REASON_SIZE];
	buf_printf(why, "cannot %s %s: %s", doing, path, strerror_r(errno, reason, sizeof reason));
	return false;
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 || errno != ENOENT;
}

static bool fail_lost(const struct schema *schema, const struct paths *paths, const char *witness, struct buf *why)
{
	buf_printf(why, "%s is gone, but %s is still there: restore it from a backup. To start with an empty one move "
			"%s.* away: %s", paths->database, witness, schema->name, schema->loss);
	return false;
}

/* Under a name of its own first, then moved into place in one step: nobody ever
 * sees half a database, and of several processes one wins. */
static bool create(const struct schema *schema, const struct paths *paths, struct buf *why)
{
	char path[PATH_SIZE], beside[PATH_SIZE + 8];
	snprintf(path, sizeof path, "%s/.%s.db.XXXXXX", paths->folder, schema->name);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return fail_errno("make", path, why);
	bool made = state_file_adopt(fd, &paths->owner) || fail_errno("set mode and owner of", path, why);
	close(fd);
	made = made && sql_create(schema, path, why);
	if (made && link(path, paths->database) != 0 && errno != EEXIST)
		made = fail_errno("make", paths->database, why);
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		snprintf(beside, sizeof beside, "%s%s", path, suffixes[i]);
		unlink(beside);
	}
	return made && (state_dir_sync(paths->folder) || fail_errno("sync", paths->folder, why));
}

/* Lock the folder; where the file system has no such locks, go on without. */
static bool lock_folder(int fd)
{
	int64_t deadline = clock_monotonic_ms() + ALONE_WAIT_MS;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return true;
		if (clock_monotonic_ms() >= deadline)
			return false;
		usleep(ALONE_STEP_US);
	}
	return true;
}

/* A cache that is gone. What is left of one that was deleted must not be read into
 * the new one, and the log of one that another thread or process has just made must
 * stay: one at a time, by a lock on the folder. */
static bool create_anew(const struct schema *schema, const struct paths *paths, struct buf *why)
{
	int folder = open(paths->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return fail_errno("open", paths->folder, why);
	bool good = lock_folder(folder) || fail_errno("lock", paths->folder, why);
	if (good && !exists(paths->database)) {
		unlink(paths->wal);
		unlink(paths->shm);
		good = create(schema, paths, why);
	}
	close(folder);
	return good;
}

static int open_created(const char *path, int flags)
{
	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

static int make_created(const struct schema *schema, const struct paths *paths, struct buf *why)
{
	int fd = open_created(paths->created, O_CREAT | O_EXCL);
	if (fd < 0 && errno == EEXIST)
		fd = open_created(paths->created, 0);
	else if (fd >= 0 && !state_file_adopt(fd, &paths->owner)) {
		fail_errno("set mode and owner of", paths->created, why);
		close(fd);
		return -1;
	}
	if (fd < 0) {
		fail_errno("make", paths->created, why);
		return -1;
	}
	char text[256];
	int n = snprintf(text, sizeof text,
			 "%s.db was made here. While this file exists, a missing %s.db is an error.\n", schema->name,
			 schema->name);
	if (pwrite(fd, text, (size_t)n, 0) != n || fsync(fd) != 0 || !state_dir_sync(paths->folder)) {
		fail_errno("write", paths->created, why);
		close(fd);
		return -1;
	}
	return fd;
}

/* Find or make the database and open NAME.created; -1 when it may not be used.
 * NAME.created is looked for first: another process makes the database first. */
static int find_or_create(const struct schema *schema, const struct paths *paths, struct buf *why)
{
	int fd = open_created(paths->created, 0);
	if (fd < 0 && errno != ENOENT) {
		int error = errno;
		if (state_file_is_ours(paths->created, why)) {
			errno = error;
			fail_errno("open", paths->created, why);
		}
		return -1;
	}
	bool good = true;
	if (schema->is_cache && !exists(paths->database)) {
		good = create_anew(schema, paths, why);
	} else if (!exists(paths->database)) {
		if (fd >= 0 || exists(paths->wal))
			good = fail_lost(schema, paths, fd >= 0 ? paths->created : paths->wal, why);
		else
			good = create(schema, paths, why);
	}
	good = good && state_file_check(paths->database, why) && state_file_is_ours(paths->wal, why) &&
	       state_file_is_ours(paths->shm, why);
	if (good && fd < 0)
		return make_created(schema, paths, why);
	if (!good && fd >= 0)
		close(fd);
	return good ? fd : -1;
}

/* Lock NAME.created: alone, when no other process has it open, else shared. One
 * that is alone opens and checks the file; the others wait for it. */
static bool lock(int fd, bool *alone)
{
	int64_t deadline = clock_monotonic_ms() + ALONE_WAIT_MS;
	do {
		*alone = flock(fd, LOCK_EX | LOCK_NB) == 0;
		if (*alone || flock(fd, LOCK_SH | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR) {
			/* A file system without these locks: check as if alone. */
			*alone = true;
			return true;
		}
		usleep(ALONE_STEP_US);
	} while (clock_monotonic_ms() < deadline);
	return false;
}

static bool open_alone(const struct schema *schema, const struct paths *paths, struct sql **out, struct buf *why)
{
	struct stat st;
	struct sql *sql;
	/* The last process to close leaves no log behind. */
	bool unclean = stat(paths->wal, &st) == 0 && st.st_size > 0;
	/* A program of one request cannot look through a large one each time. */
	bool small = stat(paths->database, &st) == 0 && st.st_size <= CHECKED_ALWAYS;
	if (!sql_open(schema, paths->database, &sql, why))
		return false;
	if ((unclean || (schema->is_cache && small)) && !sql_check(sql, false, why)) {
		sql_close(&sql);
		return false;
	}
	*out = sql;
	return true;
}

/* Out of the way, for whoever wants to know what happened to it. */
static bool set_aside(const struct schema *schema, const struct paths *paths, struct buf *why)
{
	char aside[PATH_SIZE + 16];
	snprintf(aside, sizeof aside, "%s.damaged", paths->database);
	log_text(LOG_WARNING, "store", "%s is damaged or of another version: it is now %s, and %s", paths->database,
		 aside, schema->loss);
	*why = buf_over(why->p, why->cap);
	unlink(paths->wal);
	unlink(paths->shm);
	return rename(paths->database, aside) == 0 || fail_errno("set aside", paths->database, why);
}

static bool open_checked(const struct schema *schema, const struct paths *paths, int fd, struct sql **out,
			 struct buf *why)
{
	bool alone;
	if (!lock(fd, &alone)) {
		buf_printf(why, "another process has been opening %s for more than %d s: see who it is with fuser %s",
			   paths->database, ALONE_WAIT_MS / 1000, paths->created);
		return false;
	}
	if (!alone)
		return sql_open(schema, paths->database, out, why);
	bool good = open_alone(schema, paths, out, why) ||
		    (schema->is_cache && set_aside(schema, paths, why) && create(schema, paths, why) &&
		     open_alone(schema, paths, out, why));
	if (good)
		flock(fd, LOCK_SH | LOCK_NB);
	return good;
}

bool database_open(const struct schema *schema, const char *state_dir, struct database **out, struct buf *why)
{
	struct paths paths;
	if (!print_paths(schema, state_dir, &paths, why) ||
	    !state_dir_check(state_dir, schema->has_readers, &paths.owner, why))
		return false;
	size_t length = strlen(paths.database);
	struct database *database = calloc(1, sizeof *database + length + 1);
	if (!database) {
		buf_add(why, STR("no memory for a database"));
		return false;
	}
	struct sql *first = NULL;
	database->created = find_or_create(schema, &paths, why);
	if (database->created < 0 || !open_checked(schema, &paths, database->created, &first, why)) {
		if (database->created >= 0)
			close(database->created);
		free(database);
		return false;
	}
	database->schema = schema;
	atomic_init(&database->first, first);
	memcpy(database->path, paths.database, length + 1);
	*out = database;
	return true;
}

void database_close(struct database **database)
{
	if (!*database)
		return;
	struct sql *first = atomic_exchange(&(*database)->first, NULL);
	sql_close(&first);
	close((*database)->created);
	free(*database);
	*database = NULL;
}

bool database_connect(struct database *database, struct sql **out, struct buf *why)
{
	struct sql *first = atomic_exchange(&database->first, NULL);
	if (first) {
		*out = first;
		return true;
	}
	return sql_open(database->schema, database->path, out, why);
}
