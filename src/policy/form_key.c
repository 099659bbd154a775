/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and making state-dir/form.key. */
#include "policy/form_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "store/state_dir.h"

enum { RANDOM_BYTES = FORM_KEY_SIZE / 2 };

static enum err fail(const char *path, const char *what, int error)
{
	char reason[256];
	log_text(LOG_ERR, "form_key", "%s: %s%s%s", path, what, error ? ": " : "",
		 error ? strerror_r(error, reason, sizeof reason) : "");
	return ERR_STORE;
}

static bool is_key(const char *text)
{
	for (size_t i = 0; i < FORM_KEY_SIZE; i++)
		if (!strchr("0123456789abcdef", text[i]) || !text[i])
			return false;
	return true;
}

/* ERR_NOT_FOUND: there is no such file. */
static enum err read_key(const char *path, char out[FORM_KEY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : fail(path, "cannot be opened", errno);
	struct stat st;
	char text[FORM_KEY_SIZE];
	bool closed_to_others = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07) == 0;
	ssize_t n = closed_to_others ? read(fd, text, sizeof text) : -1;
	close(fd);
	if (!closed_to_others)
		return fail(path, "is no file, or others may read or write it: remove it, a new one will be made", 0);
	if (n != (ssize_t)sizeof text || !is_key(text))
		return fail(path, "has not 64 hexadecimal digits: remove it, a new one will be made", 0);
	memcpy(out, text, sizeof text);
	secret_wipe(text, sizeof text);
	return ERR_NONE;
}

static bool write_key(int fd)
{
	unsigned char bytes[RANDOM_BYTES];
	char text[FORM_KEY_SIZE];
	struct buf b = buf_over(text, sizeof text);
	random_bytes(bytes, sizeof bytes);
	buf_hex(&b, bytes, sizeof bytes);
	bool good = write(fd, text, sizeof text) == (ssize_t)sizeof text && fsync(fd) == 0;
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(text, sizeof text);
	return good;
}

/* Whole or not at all: written under another name and linked, so that of several
 * processes one makes the key and the others find it. */
static enum err make_key(const char *state_dir, const char *path)
{
	char temporary[PATH_MAX], text[512];
	struct buf why = buf_over(text, sizeof text);
	struct state_owner owner;
	if (!state_dir_check(state_dir, false, &owner, &why))
		return fail(path, buf_z(&why), 0);
	int n = snprintf(temporary, sizeof temporary, "%s/form.key.XXXXXX", state_dir);
	int fd = n > 0 && (size_t)n < sizeof temporary ? mkostemp(temporary, O_CLOEXEC) : -1;
	if (fd < 0)
		return fail(path, "cannot be made", errno);
	bool good = state_file_adopt(fd, &owner) && write_key(fd);
	if (good)
		good = link(temporary, path) == 0 || errno == EEXIST;
	int error = errno;
	close(fd);
	unlink(temporary);
	if (!good)
		return fail(path, "cannot be made", error);
	state_dir_sync(state_dir);
	return ERR_NONE;
}

enum err form_key_load(const char *state_dir, char out[FORM_KEY_SIZE])
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/form.key", state_dir);
	if (n < 0 || (size_t)n >= sizeof path)
		return fail(state_dir, "is too long a path", 0);
	enum err err = read_key(path, out);
	if (err != ERR_NOT_FOUND)
		return err;
	err = make_key(state_dir, path);
	if (err == ERR_NONE)
		err = read_key(path, out);
	return err == ERR_NOT_FOUND ? ERR_STORE : err;
}
