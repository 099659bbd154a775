/* SPDX-License-Identifier: Apache-2.0 */
/* The folder that holds what must not be lost, and who may use its files. */
#ifndef STORE_STATE_DIR_H
#define STORE_STATE_DIR_H

#include <limits.h>
#include <sys/types.h>

#include "base/str.h"

/* How a file made in the folder must look, so that everybody who shares the
 * folder can use it: 0660 in a folder its group may write (2770), else 0600; of
 * files that have readers 0640 in one its group may read (2750). */
struct state_owner {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* Is the folder there, ours to write and closed to others? has_readers: it is for
 * files that its group may read. Warns in the log when it lies on a network file
 * system. false: why says what is wrong and what to do. */
bool state_dir_check(const char *path, bool has_readers, struct state_owner *out, struct buf *why);
/* Is the file a plain file that we may write and others may not read? */
bool state_file_check(const char *path, struct buf *why);
/* May we write the file? One that is not there is no obstacle: another process
 * may remove it at any time. */
bool state_file_is_ours(const char *path, struct buf *why);
/* Give a new file the mode, and from root's hands the owner, that the folder
 * asks for; the umask plays no part. false: errno says why. */
bool state_file_adopt(int fd, const struct state_owner *owner);
/* Make the names in the folder durable. */
bool state_dir_sync(const char *path);

#endif
