/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the page. Whoever writes looks afterwards whether it is the one that others
 * find: a page made by somebody else after that has a number of its own. */
#include "store/generation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "store/state_dir.h"

/* How often the page may be replaced under one change. */
enum { TRIES = 8, REASON_SIZE = 256 };

struct page {
	char magic[8];
	uint32_t version, zero;
	uint64_t generation;
	char rest[40];
};

static_assert(sizeof(struct page) == 64 && offsetof(struct page, generation) == 16, "what web servers read");

enum result { RAISED, REPLACED, FAILED };

static enum result fail(const char *doing, const char *path, struct buf *why)
{
	char reason[REASON_SIZE];
	int error = errno;
	if (error != EACCES || state_file_is_ours(path, why))
		buf_printf(why, "cannot %s %s, by which web servers learn what has changed: %s", doing, path,
			   strerror_r(error, reason, sizeof reason));
	return FAILED;
}

static bool write_page(int fd)
{
	struct page page = {.magic = {'F', 'C', 'G', 'A', 'U', 'T', 'H', 'G'}, .version = 1};
	random_bytes(&page.generation, sizeof page.generation);
	errno = ENOSPC;
	return pwrite(fd, &page, sizeof page, 0) == (ssize_t)sizeof page;
}

/* Under a name of its own first: nobody meets one that he may not write. */
static enum result create(const char *state_dir, const char *path, struct buf *why)
{
	char beside[PATH_MAX + 16];
	struct state_owner owner;
	if (!state_dir_check(state_dir, false, &owner, why))
		return FAILED;
	owner.mode |= S_IRUSR | S_IRGRP | S_IROTH;
	snprintf(beside, sizeof beside, "%s/.generation.page.XXXXXX", state_dir);
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return fail("make", path, why);
	bool made = state_file_adopt(fd, &owner) && write_page(fd) && (link(beside, path) == 0 || errno == EEXIST);
	enum result result = made ? REPLACED : fail("make", path, why);
	close(fd);
	unlink(beside);
	return result;
}

static bool is_found(int fd, const char *path)
{
	struct stat ours, found;
	return fstat(fd, &ours) == 0 && lstat(path, &found) == 0 && ours.st_dev == found.st_dev &&
	       ours.st_ino == found.st_ino;
}

static bool print_path(const char *state_dir, char out[PATH_MAX], struct buf *why)
{
	if (snprintf(out, PATH_MAX, "%s/generation.page", state_dir) < PATH_MAX)
		return true;
	buf_add(why, STR("state-dir has too long a name"));
	return false;
}

/* -1: not there, or why says what is wrong. A pipe in its place must not hold us. */
static int open_page(const char *path, struct buf *why)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT)
		fail("open", path, why);
	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	buf_printf(why, "%s is not a plain file: move it away", path);
	close(fd);
	return -1;
}

static enum result raise_once(const char *state_dir, const char *path, struct buf *why)
{
	int fd = open_page(path, why);
	if (fd < 0)
		return why->n ? FAILED : create(state_dir, path, why);
	enum result result = write_page(fd) ? RAISED : fail("write", path, why);
	if (result == RAISED && !is_found(fd, path))
		result = REPLACED;
	close(fd);
	return result;
}

bool generation_raise(const char *state_dir, struct buf *why)
{
	char path[PATH_MAX];
	enum result result = REPLACED;
	if (!print_path(state_dir, path, why))
		return false;
	for (int i = 0; i < TRIES && result == REPLACED; i++)
		result = raise_once(state_dir, path, why);
	if (result == REPLACED)
		buf_printf(why, "%s is replaced again and again: who does that?", path);
	return result == RAISED;
}

bool generation_announce(const char *state_dir)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (generation_raise(state_dir, &why))
		return true;
	log_text(LOG_ERR, "store", "%.*s", STR_ARGS(buf_str(&why)));
	return false;
}

bool generation_check(const char *state_dir, struct buf *why)
{
	char path[PATH_MAX];
	if (!print_path(state_dir, path, why))
		return false;
	int fd = open_page(path, why);
	if (fd >= 0)
		close(fd);
	return why->n == 0;
}
