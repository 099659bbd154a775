/* SPDX-License-Identifier: Apache-2.0 */
/* Locking, reading and replacing the file of a key ring. */
#include "bin/authctl_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/secret.h"
#include "store/state_dir.h"

static bool fail(struct buf *why, const char *path, const char *what, int error)
{
	char reason[256];
	buf_printf(why, "%s: %s: %s", path, what, strerror_r(error, reason, sizeof reason));
	return false;
}

static bool name_beside(const struct ring_file *file, const char *suffix, char out[RING_PATH_MAX])
{
	int n = snprintf(out, RING_PATH_MAX, "%s%s", file->path, suffix);
	return n > 0 && n < RING_PATH_MAX;
}

static bool find_file(const char *path, const char *state_dir, struct ring_file *file, struct buf *why)
{
	struct stat st;
	/* A link is followed, or the rename would put a file in its place. */
	if (!realpath(path, file->path)) {
		if (errno != ENOENT)
			return fail(why, path, "cannot be opened", errno);
		if (snprintf(file->path, sizeof file->path, "%s", path) >= RING_PATH_MAX - RING_NAME_SPARE)
			return fail(why, path, "cannot be made", ENAMETOOLONG);
	}
	file->exists = stat(file->path, &st) == 0;
	file->uid = geteuid();
	file->gid = getegid();
	file->mode = S_IRUSR | S_IWUSR;
	if (!file->exists && (geteuid() != 0 || stat(state_dir, &st) != 0))
		return true;
	file->uid = st.st_uid;
	file->gid = st.st_gid;
	if (file->exists)
		file->mode = st.st_mode & S_IRWXU;
	return true;
}

/* Only what was made here changes hands: at a name in somebody else's folder
 * there might be anything. */
static bool adopt(const struct ring_file *file, int fd, mode_t mode)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return false;
	if ((st.st_uid != file->uid || st.st_gid != file->gid) && fchown(fd, file->uid, file->gid) != 0)
		return false;
	return fchmod(fd, mode) == 0;
}

static bool open_lock(struct ring_file *file, struct buf *why)
{
	enum { FLAGS = O_RDWR | O_CLOEXEC | O_NOFOLLOW };
	char path[RING_PATH_MAX];
	if (!name_beside(file, ".lock", path))
		return fail(why, file->path, "cannot be locked", ENAMETOOLONG);
	int fd = open(path, FLAGS | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
	if (fd >= 0 && !adopt(file, fd, S_IRUSR | S_IWUSR)) {
		fail(why, path, "cannot be given to the owner of the ring", errno);
		close(fd);
		unlink(path);
		return false;
	}
	if (fd < 0 && errno == EEXIST)
		fd = open(path, FLAGS);
	if (fd < 0)
		return fail(why, path, "cannot be opened; run as root or as the owner of its folder", errno);
	int locked;
	do
		locked = flock(fd, LOCK_EX);
	while (locked != 0 && errno == EINTR);
	if (locked != 0) {
		fail(why, path, "cannot be locked", errno);
		close(fd);
		return false;
	}
	file->lock = fd;
	return true;
}

bool ring_file_lock(const char *path, const char *state_dir, struct ring_file *out, struct buf *why)
{
	if (!find_file(path, state_dir, out, why) || !open_lock(out, why))
		return false;
	/* Once more: while we waited another process may have made the file. */
	if (find_file(path, state_dir, out, why))
		return true;
	ring_file_unlock(out);
	return false;
}

bool ring_file_read(const struct ring_file *file, struct arena *arena, struct str *out, struct buf *why)
{
	*out = STR("");
	if (!file->exists)
		return true;
	struct str spec = arena_printf(arena, "file:%s", file->path);
	return secret_load(arena, spec, out, why);
}

static bool write_all(int fd, struct str text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text = str_skip(text, (size_t)n);
	}
	return true;
}

static bool sync_folder(const char *path)
{
	char folder[RING_PATH_MAX];
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	return state_dir_sync(slash ? folder : ".");
}

bool ring_file_write(const struct ring_file *file, struct str text, struct buf *why)
{
	char fresh[RING_PATH_MAX];
	if (!name_beside(file, ".new", fresh))
		return fail(why, file->path, "cannot be written", ENAMETOOLONG);
	/* Who holds the lock may take away what a killed process has left. */
	if (unlink(fresh) != 0 && errno != ENOENT)
		return fail(why, fresh, "cannot be removed", errno);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fail(why, fresh, "cannot be made", errno);
	bool good = adopt(file, fd, file->mode) && write_all(fd, text) && fsync(fd) == 0;
	int error = errno;
	if (close(fd) != 0 && good) {
		good = false;
		error = errno;
	}
	if (good && rename(fresh, file->path) != 0) {
		good = false;
		error = errno;
	}
	if (!good) {
		unlink(fresh);
		return fail(why, file->path, "cannot be written, the old ring stays", error);
	}
	return sync_folder(file->path) || fail(why, file->path, "has been written, but a power cut may undo it", errno);
}

void ring_file_unlock(struct ring_file *file)
{
	close(file->lock);
	file->lock = -1;
}
