/* SPDX-License-Identifier: Apache-2.0 */
/* One bounded read, so that a file that grows meanwhile is not followed. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check(int fd, const char *path, size_t most, struct buf *why)
{
	struct stat st;
	bool plain = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (!plain)
		buf_printf(why, "%s is not a file", path);
	else if (st.st_mode & S_IWOTH)
		buf_printf(why, "%s can be written by everybody (mode %04o): chmod o-w %s", path,
			   (unsigned)st.st_mode & 07777, path);
	else if ((uintmax_t)st.st_size > most)
		buf_printf(why, "%s has %ju bytes, more than %zu", path, (uintmax_t)st.st_size, most);
	return !why->n;
}

bool file_read(int fd, char *to, size_t most, size_t *n)
{
	size_t length = 0;
	while (length <= most) {
		ssize_t got = read(fd, to + length, most + 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	*n = length;
	return length <= most;
}

bool file_load(struct arena *arena, const char *path, size_t most, struct str *out, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		buf_printf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	bool good = check(fd, path, most, why);
	char *memory = good ? arena_alloc(arena, most + 1) : NULL;
	size_t n = 0;
	if (good && (!memory || !file_read(fd, memory, most, &n))) {
		buf_printf(why, "%s cannot be read, or grew while it was read", path);
		good = false;
	}
	close(fd);
	if (good)
		*out = (struct str){memory, n};
	return good;
}
