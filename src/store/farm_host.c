/* SPDX-License-Identifier: Apache-2.0 */
/* state-dir/farm.id: 16 hexadecimal digits. */
#include "store/farm_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "store/farm_mark.h"

enum { ID_SIZE = FARM_ID_DIGITS + 1, MACHINE_MAX = 256 };

static bool fail(const char *doing, const char *path, struct buf *why)
{
	char reason[256];
	buf_printf(why, "cannot %s %s: %s", doing, path, strerror_r(errno, reason, sizeof reason));
	return false;
}

/* Under another name first: nobody reads half an id, and of several processes one wins. */
static bool make(const char *state_dir, const struct state_owner *owner, const char *path, struct buf *why)
{
	char beside[PATH_MAX], memory[ID_SIZE];
	struct buf text = buf_over(memory, sizeof memory);
	uint64_t id = 0;
	while (id == 0)
		random_bytes(&id, sizeof id);
	farm_id_print(&text, id);
	buf_char(&text, '\n');
	snprintf(beside, sizeof beside, "%s/.farm.id.XXXXXX", state_dir);
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return fail("make", beside, why);
	bool made = state_file_adopt(fd, owner) && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
	close(fd);
	made = made && (link(beside, path) == 0 || errno == EEXIST);
	if (!made)
		fail("write", path, why);
	unlink(beside);
	return made && (state_dir_sync(state_dir) || fail("sync", state_dir, why));
}

static bool read_id(const char *path, uint64_t *out, struct buf *why)
{
	char text[ID_SIZE + 1];
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool good = fd >= 0 && file_read(fd, text, ID_SIZE, &n);
	if (fd >= 0)
		close(fd);
	if (good && farm_id_read(str_trim((struct str){text, n > 0 && text[n - 1] == '\n' ? n - 1 : n}), out))
		return true;
	buf_printf(why, "%s is not what this program wrote: remove it, and this host gets a new id", path);
	return false;
}

/* One to one for a given machine: two ids stay two. Without a machine's id it is 0. */
static uint64_t machine(void)
{
	char text[MACHINE_MAX + 1];
	size_t n = 0;
	uint64_t h = 0;
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && file_read(fd, text, MACHINE_MAX, &n))
		for (size_t i = 0; i < n; i++)
			h = (h ^ (unsigned char)text[i]) * 0x100000001b3 + 0x9e3779b97f4a7c15;
	if (fd >= 0)
		close(fd);
	return h;
}

bool farm_host_id(const char *state_dir, const struct state_owner *owner, uint64_t *out, struct buf *why)
{
	char path[PATH_MAX];
	uint64_t id;
	if (snprintf(path, sizeof path, "%s/farm.id", state_dir) >= (int)sizeof path - 16) {
		buf_add(why, STR("state-dir has too long a name"));
		return false;
	}
	if (access(path, F_OK) != 0 && !make(state_dir, owner, path, why))
		return false;
	if (!read_id(path, &id, why))
		return false;
	uint64_t mixed = id ^ machine();
	*out = mixed ? mixed : id;
	return true;
}
