/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping the page. A new one is made beside it and moved into its place: whoever has
 * the old one mapped keeps it until he looks again. */
#include "store/farm_page.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { LOCK_WAIT_MS = 2000, LOCK_STEP_US = 1000, BOOT_MAX = 64 };

/* Changed with the struct. */
#define FORMAT (UINT64_C(0x6661726d00000001) ^ sizeof(struct farm_page))

static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "atomics that processes can share");

static bool fail(const char *doing, const char *path, struct buf *why)
{
	char reason[256];
	buf_printf(why, "cannot %s %s: %s", doing, path, strerror_r(errno, reason, sizeof reason));
	return false;
}

static uint64_t boot_number(void)
{
	char text[BOOT_MAX + 1];
	size_t n = 0;
	uint64_t h = 0xcbf29ce484222325;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return h;
	if (file_read(fd, text, BOOT_MAX, &n))
		for (size_t i = 0; i < n; i++)
			h = (h ^ (unsigned char)text[i]) * 0x100000001b3;
	close(fd);
	return h;
}

/* The folder itself is what openers lock: nobody can replace that under them. */
static int lock_folder(const char *state_dir, struct buf *why)
{
	int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t deadline = clock_monotonic_ms() + LOCK_WAIT_MS;
	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fd; /* a file system without these locks */
		if (clock_monotonic_ms() >= deadline) {
			buf_printf(why, "another process has locked %s: see who it is with fuser %s", state_dir,
				   state_dir);
			close(fd);
			return -1;
		}
		usleep(LOCK_STEP_US);
	}
	if (fd < 0)
		fail("open", state_dir, why);
	return fd;
}

static struct farm_page *map(int fd, struct farm_mapping *out)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)sizeof(struct farm_page))
		return NULL;
	void *at = mmap(NULL, sizeof(struct farm_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return NULL;
	*out = (struct farm_mapping){at, (uint64_t)st.st_dev, (uint64_t)st.st_ino};
	return at;
}

/* The one that is there, when it is for us. */
static bool map_present(const char *path, uint64_t boot, uint64_t identity, struct farm_mapping *out)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	struct farm_page *page = map(fd, out);
	close(fd);
	if (page && page->format == FORMAT && page->boot == boot && page->identity == identity)
		return true;
	farm_page_close(out);
	return false;
}

static bool map_new(const char *path, const struct state_owner *owner, const uint64_t facts[2],
		    struct farm_mapping *out, struct buf *why)
{
	char beside[PATH_MAX + 8];
	snprintf(beside, sizeof beside, "%s.XXXXXX", path);
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return fail("make", beside, why);
	/* Every block of it: a full disk must show here and not at a write into memory. */
	bool made = state_file_adopt(fd, owner) && (errno = posix_fallocate(fd, 0, sizeof(struct farm_page))) == 0;
	struct farm_page *page = made ? map(fd, out) : NULL;
	close(fd);
	if (page) {
		page->format = FORMAT;
		page->boot = facts[0];
		page->identity = facts[1];
	}
	if (page && rename(beside, path) == 0)
		return true;
	fail("make", path, why);
	farm_page_close(out);
	unlink(beside);
	return false;
}

static bool print_path(const char *state_dir, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/farm.page", state_dir) < PATH_MAX - 8;
}

bool farm_page_open(const char *state_dir, const struct state_owner *owner, uint64_t identity,
		    struct farm_mapping *out, struct buf *why)
{
	char path[PATH_MAX];
	struct farm_mapping mapping = {0};
	const uint64_t facts[2] = {boot_number(), identity};
	if (!print_path(state_dir, path)) {
		buf_add(why, STR("state-dir has too long a name"));
		return false;
	}
	int lock = lock_folder(state_dir, why);
	if (lock < 0)
		return false;
	bool mapped = map_present(path, facts[0], facts[1], &mapping) || map_new(path, owner, facts, &mapping, why);
	close(lock);
	if (mapped)
		*out = mapping;
	return mapped;
}

void farm_page_close(struct farm_mapping *mapping)
{
	if (mapping->page)
		munmap(mapping->page, sizeof *mapping->page);
	mapping->page = NULL;
}

/* Is there a page of this boot for other programs? */
static bool is_of_others(const char *path, const struct farm_page *ours)
{
	struct farm_mapping mapping = {0};
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	const struct farm_page *page = map(fd, &mapping);
	close(fd);
	bool others = page && page->format == ours->format && page->boot == ours->boot &&
		      page->identity != ours->identity;
	farm_page_close(&mapping);
	return others;
}

bool farm_page_is_current(const char *state_dir, const struct farm_mapping *mapping)
{
	char path[PATH_MAX];
	struct stat st;
	if (!print_path(state_dir, path) || lstat(path, &st) != 0)
		return false;
	return ((uint64_t)st.st_dev == mapping->device && (uint64_t)st.st_ino == mapping->inode) ||
	       is_of_others(path, mapping->page);
}

void farm_page_sleep(struct farm_page *page, uint32_t seen, int64_t ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};
	syscall(SYS_futex, &page->wake, FUTEX_WAIT, seen, &time, NULL, 0);
}

void farm_page_wake(struct farm_page *page)
{
	atomic_fetch_add(&page->wake, 1);
	syscall(SYS_futex, &page->wake, FUTEX_WAKE, FARM_SERVERS_MAX * 2, NULL, NULL, 0);
}

void farm_page_put_host(struct farm_page *page, size_t at, const struct farm_known *known)
{
	struct farm_page_host *host = &page->hosts[at];
	if (atomic_load(&host->id) != known->id)
		atomic_store(&host->sequence, 0);
	atomic_store(&host->id, known->id);
	/* A link that dies here leaves an older sequence: the mark is then read again. */
	atomic_store(&host->facts, (uint64_t)known->state | (uint64_t)known->other_list << 8 |
					   (uint64_t)known->without << 32);
	atomic_store(&host->changed_at, known->changed_at);
	atomic_store(&host->sequence, known->sequence);
}

void farm_page_get_host(const struct farm_page *page, size_t at, struct farm_known *out)
{
	const struct farm_page_host *host = &page->hosts[at];
	uint64_t facts = atomic_load(&host->facts);
	*out = (struct farm_known){
		.id = atomic_load(&host->id),
		.sequence = atomic_load(&host->sequence),
		.state = (enum farm_state)(facts & 0xff),
		.other_list = (facts >> 8 & 1) != 0,
		.without = (uint32_t)(facts >> 32),
		.changed_at = atomic_load(&host->changed_at),
	};
}
