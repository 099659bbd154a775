/* SPDX-License-Identifier: Apache-2.0 */
/* Reading secrets from where the configuration says, and random bytes. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

void secret_wipe(void *memory, size_t n)
{
	if (n)
		explicit_bzero(memory, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	uint64_t difference = 0, one, other;
	size_t i = 0;
	for (; n - i >= sizeof one; i += sizeof one) {
		memcpy(&one, x + i, sizeof one);
		memcpy(&other, y + i, sizeof other);
		difference |= one ^ other;
		/* The compiler can't know what it is now, so it can't leave the loop early. */
		__asm__("" : "+r"(difference));
	}
	for (; i < n; i++) {
		difference |= x[i] ^ y[i];
		__asm__("" : "+r"(difference));
	}
	return difference == 0;
}

void random_bytes(void *out, size_t n)
{
	unsigned char *p = out;
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			log_text(LOG_CRIT, "fatal", "getrandom: %s", strerror(errno));
			abort();
		}
		p += got;
		n -= (size_t)got;
	}
}

static bool after(struct str s, struct str prefix, struct str *rest)
{
	if (!str_starts(s, prefix))
		return false;
	*rest = str_skip(s, prefix.n);
	return true;
}

struct str secret_path(struct arena *arena, struct str spec)
{
	struct str rest;
	if (after(spec, STR("file:"), &rest))
		return arena_copy(arena, rest);
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	if (after(spec, STR("cred:"), &rest) && folder)
		return arena_printf(arena, "%s/%.*s", folder, STR_ARGS(rest));
	return STR_NONE;
}

static bool check_file(int fd, const char *path, struct buf *why)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		buf_printf(why, "%s is not a file", path);
		return false;
	}
	if (st.st_mode & 077) {
		buf_printf(why, "%s can be read or written by others (mode %04o): chmod 600 %s", path,
			   (unsigned)st.st_mode & 07777, path);
		return false;
	}
	return true;
}

static bool load_file(struct arena *arena, const char *path, struct str *out, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		buf_printf(why, "%s: %s; make one: (umask 077; authctl secret generate > %s)", path, strerror(errno),
			   path);
		return false;
	}
	bool good = check_file(fd, path, why);
	char *memory = good ? arena_alloc(arena, SECRET_MAX + 1) : NULL;
	size_t n = 0;
	if (good && (!memory || !file_read(fd, memory, SECRET_MAX, &n))) {
		buf_printf(why, "%s cannot be read or has more than %d bytes", path, SECRET_MAX);
		good = false;
	}
	close(fd);
	if (!good)
		return false;
	if (n && memory[n - 1] == '\n')
		n--;
	if (n && memory[n - 1] == '\r')
		n--;
	*out = arena_copy(arena, (struct str){memory, n});
	secret_wipe(memory, SECRET_MAX + 1);
	return out->p != NULL;
}

static bool load_env(struct arena *arena, struct str name, struct str *out, struct buf *why)
{
	struct str z = arena_copy(arena, name);
	const char *value = z.p ? getenv(z.p) : NULL;
	if (!value) {
		buf_printf(why, "the environment has no %.*s", STR_ARGS(name));
		return false;
	}
	*out = arena_copy(arena, str_of(value));
	return out->p != NULL;
}

bool secret_load(struct arena *arena, struct str spec, struct str *out, struct buf *why)
{
	struct str rest, got = STR_NONE;
	struct str path = secret_path(arena, spec);
	bool good = false;
	if (path.p) {
		good = load_file(arena, path.p, &got, why);
	} else if (after(spec, STR("cred:"), &rest)) {
		buf_printf(why, "cred: needs $CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential=%.*s:…",
			   STR_ARGS(rest));
	} else if (after(spec, STR("env:"), &rest)) {
		good = load_env(arena, rest, &got, why);
	} else if (after(spec, STR("text:"), &rest)) {
		got = arena_copy(arena, rest);
		good = got.p != NULL;
	} else {
		buf_add(why, STR("a secret is given as file:PATH, cred:NAME or env:NAME"));
	}
	if (good && got.n == 0) {
		buf_printf(why, "the secret is empty; make one: authctl secret generate");
		good = false;
	}
	if (good)
		*out = got;
	return good;
}
