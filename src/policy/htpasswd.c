/* SPDX-License-Identifier: Apache-2.0 */
/* Reading htpasswd files line by line. */
#include "policy/htpasswd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "policy/password.h"

enum { LINE_SIZE = 1024, USER_MAX = 255, REASON_SIZE = 256 };

struct reading {
	const char *path;
	FILE *file;
	unsigned line;
	bool failed;
	char memory[LINE_SIZE];
};

static bool fail(struct reading *reading, const char *what, struct buf *why)
{
	reading->failed = true;
	buf_printf(why, "%s:%u: %s", reading->path, reading->line, what);
	return false;
}

/* The next line without its end; false at the end of the file or after a failure. */
static bool next_line(struct reading *reading, struct str *out, struct buf *why)
{
	size_t n = 0;
	int c;
	while ((c = getc(reading->file)) != EOF && c != '\n') {
		if (n == sizeof reading->memory) {
			reading->line++;
			return fail(reading, "the line is too long; one line is USER:HASH", why);
		}
		reading->memory[n++] = (char)c;
	}
	if (ferror(reading->file)) {
		reading->failed = true;
		buf_printf(why, "%s cannot be read", reading->path);
		return false;
	}
	if (c == EOF && n == 0)
		return false;
	reading->line++;
	if (n && reading->memory[n - 1] == '\r')
		n--;
	*out = (struct str){reading->memory, n};
	return true;
}

static bool parse(struct reading *reading, struct str line, struct htpasswd_entry *out, struct buf *why)
{
	struct str rest = line, user, hash;
	str_split(&rest, ':', &user);
	if (!rest.p)
		return fail(reading, "no ':' between user and hash; make the line with: htpasswd -B FILE USER", why);
	str_split(&rest, ':', &hash);
	if (user.n == 0 || user.n > USER_MAX)
		return fail(reading, "the user name must have 1 to 255 bytes", why);
	if (!str_is_utf8(user) || str_has_control(user))
		return fail(reading, "the user name must be UTF-8 without control bytes", why);
	if (!password_is_supported(hash))
		return fail(reading, "the password is plain text or no hash that is known here; "
			    "make one with: htpasswd -B FILE USER", why);
	*out = (struct htpasswd_entry){user, hash, reading->line};
	return true;
}

bool htpasswd_read(const char *path, bool (*each)(void *context, const struct htpasswd_entry *entry), void *context,
		   struct buf *why)
{
	struct reading reading = {.path = path, .file = fopen(path, "re")};
	if (!reading.file) {
		char reason[REASON_SIZE];
		buf_printf(why, "%s: %s", path, strerror_r(errno, reason, sizeof reason));
		return false;
	}
	struct str line;
	while (!reading.failed && next_line(&reading, &line, why)) {
		struct htpasswd_entry entry;
		if (str_trim(line).n == 0 || line.p[0] == '#' || !parse(&reading, line, &entry, why))
			continue;
		if (each && !each(context, &entry))
			reading.failed = true;
	}
	fclose(reading.file);
	secret_wipe(reading.memory, sizeof reading.memory);
	return !reading.failed;
}
