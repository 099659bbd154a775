/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of state-dir before a database in it is opened: with SQLite alone a
 * missing right would only show as "attempt to write a readonly database". */
#include "store/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"

enum { REASON_SIZE = 256 };

static void print_user(struct buf *out, uid_t uid)
{
	struct passwd entry, *found = NULL;
	char memory[1024];
	if (getpwuid_r(uid, &entry, memory, sizeof memory, &found) == 0 && found)
		buf_printf(out, "%s (uid %u)", found->pw_name, (unsigned)uid);
	else
		buf_printf(out, "uid %u", (unsigned)uid);
}

static bool may_write(const char *path, const struct stat *st, const char *remedy, struct buf *why)
{
	int mode = S_ISDIR(st->st_mode) ? R_OK | W_OK | X_OK : R_OK | W_OK;
	/* Another process may have removed it since it was looked at: that is no lack of rights. */
	if (faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == ENOENT)
		return true;
	char reason[REASON_SIZE];
	buf_printf(why, "%s cannot be written (%s): it belongs to ", path, strerror_r(errno, reason, sizeof reason));
	print_user(why, st->st_uid);
	buf_printf(why, ", group %u, mode %04o, and this process runs as ", (unsigned)st->st_gid,
		   (unsigned)st->st_mode & 07777);
	print_user(why, geteuid());
	buf_printf(why, "; %s", remedy);
	return false;
}

static void warn_of_network(const char *path)
{
	static const unsigned long network[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC, CIFS_SUPER_MAGIC,
						V9FS_MAGIC,	 CODA_SUPER_MAGIC, AFS_SUPER_MAGIC, CEPH_SUPER_MAGIC};
	struct statfs fs;
	if (statfs(path, &fs) != 0)
		return;
	for (size_t i = 0; i < sizeof network / sizeof *network; i++)
		if ((unsigned long)fs.f_type == network[i])
			log_text(LOG_WARNING, "store",
				 "%s lies on a network file system, where processes of several hosts cannot share a "
				 "database safely: move it to a local disk", path);
}

/* May the group do this in the folder? */
static bool is_open_to_group(const struct stat *st, mode_t rights)
{
	return (st->st_mode & (rights | S_IXGRP)) == (rights | S_IXGRP);
}

bool state_dir_check(const char *path, bool has_readers, struct state_owner *out, struct buf *why)
{
	const char *option = has_readers ? "user-records" : "state-dir";
	struct stat st;
	if (stat(path, &st) != 0) {
		char reason[REASON_SIZE];
		buf_printf(why, "%s %s: %s; make it: install -d -m %s -o USER -g GROUP %s", option, path,
			   strerror_r(errno, reason, sizeof reason), has_readers ? "2750" : "2770", path);
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		buf_printf(why, "%s %s is not a folder; name one", option, path);
		return false;
	}
	if (st.st_mode & S_IWOTH) {
		buf_printf(why, "%s %s may be written by everybody (mode %04o): chmod o-w %s", option, path,
			   (unsigned)st.st_mode & 07777, path);
		return false;
	}
	if (!may_write(path, &st, "run as its owner, or share it with a group: chgrp GROUP, chmod 2770", why))
		return false;
	mode_t mode = 0600;
	if (is_open_to_group(&st, S_IWGRP))
		mode = 0660;
	else if (has_readers && is_open_to_group(&st, S_IRGRP))
		mode = 0640;
	if (mode != 0600 && !(st.st_mode & S_ISGID) && st.st_gid != getegid() && geteuid() != 0) {
		buf_printf(why, "%s %s is shared with group %u, but new files would not get that group: chmod g+s %s",
			   option, path, (unsigned)st.st_gid, path);
		return false;
	}
	warn_of_network(path);
	*out = (struct state_owner){st.st_uid, st.st_gid, mode};
	return true;
}

bool state_file_check(const char *path, struct buf *why)
{
	struct stat st;
	if (lstat(path, &st) != 0) {
		char reason[REASON_SIZE];
		buf_printf(why, "%s: %s", path, strerror_r(errno, reason, sizeof reason));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		buf_printf(why, "%s is not a plain file; move it away and restore the database from a backup", path);
		return false;
	}
	if (st.st_mode & S_IRWXO) {
		buf_printf(why, "%s is open to everybody (mode %04o): chmod o= %s", path,
			   (unsigned)st.st_mode & 07777, path);
		return false;
	}
	return may_write(path, &st, "give it to that user, or to a group that both belong to, mode 0660", why);
}

bool state_file_is_ours(const char *path, struct buf *why)
{
	struct stat st;
	return lstat(path, &st) != 0 ||
	       may_write(path, &st, "give it to that user, or to a group that both belong to, mode 0660", why);
}

bool state_file_adopt(int fd, const struct state_owner *owner)
{
	/* SQLite gives -wal and -shm what the database has. */
	if (geteuid() == 0 && fchown(fd, owner->uid, owner->gid) != 0)
		return false;
	return fchmod(fd, owner->mode) == 0;
}

bool state_dir_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0;
	close(fd);
	return synced;
}
