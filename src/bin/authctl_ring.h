/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a key ring: changed by one process at a time, and replaced as a
 * whole, so that no reader and no crash ever meets half a ring. */
#ifndef BIN_AUTHCTL_RING_H
#define BIN_AUTHCTL_RING_H

#include <limits.h>
#include <sys/stat.h>

#include "base/arena.h"

enum { RING_PATH_MAX = PATH_MAX, RING_NAME_SPARE = 8 };

/* A ring that is locked against others who would change it. */
struct ring_file {
	char path[RING_PATH_MAX]; /* without symbolic links */
	int lock;
	bool exists;
	/* What the file shall look like: as the old one, else closed to others, and
	 * from root's hands the owner's of state-dir, whose user the programs run as. */
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* Lock the file at path, which need not be there yet, by a file PATH.lock beside
 * it that stays. Waits for others. false: why says what is wrong and what to do. */
bool ring_file_lock(const char *path, const char *state_dir, struct ring_file *out, struct buf *why);
/* Its text, empty when there is no file. */
bool ring_file_read(const struct ring_file *file, struct arena *arena, struct str *out, struct buf *why);
/* Replace it by way of PATH.new; durable when it returns. */
bool ring_file_write(const struct ring_file *file, struct str text, struct buf *why);
void ring_file_unlock(struct ring_file *file);

#endif
