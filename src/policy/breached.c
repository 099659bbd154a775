/* SPDX-License-Identifier: Apache-2.0 */
/* A binary search by bytes: whichever line a byte is in. */
#include "policy/breached.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "token/digest.h"

enum { HEX = 2 * DIGEST_SHA1_SIZE, LINE_MAX_BYTES = 80, WINDOW = 2 * LINE_MAX_BYTES };
/* Looked at when a configuration is loaded. */
enum { PLACES = 16 };

struct breached {
	int fd;
	int64_t size;
	char *path;
};

/* A line and where it stands. */
struct line {
	int64_t start, end; /* end: where the next one starts */
	unsigned char hash[DIGEST_SHA1_SIZE];
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hash(struct str line, unsigned char *out)
{
	for (size_t i = 0; i < DIGEST_SHA1_SIZE; i++) {
		int high = digit(line.p[2 * i]), low = digit(line.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool is_count(struct str text)
{
	uint64_t count;
	return text.n == 0 || (text.p[0] == ':' && str_to_uint(str_skip(text, 1), UINT64_MAX, &count));
}

static bool parse(struct str text, unsigned char *hash)
{
	if (str_ends(text, STR("\r")))
		text.n--;
	return text.n >= HEX && read_hash(text, hash) && is_count(str_skip(text, HEX));
}

/* The line that the byte at `at` is in. false: it is none. */
static bool read_line(const struct breached *b, int64_t at, struct line *out)
{
	char window[WINDOW];
	int64_t from = at > LINE_MAX_BYTES ? at - LINE_MAX_BYTES : 0;
	ssize_t n = pread(b->fd, window, sizeof window, from);
	if (n <= at - from)
		return false;
	size_t start = (size_t)(at - from), end = start;
	while (start > 0 && window[start - 1] != '\n')
		start--;
	while (end < (size_t)n && window[end] != '\n')
		end++;
	bool whole = (start > 0 || from == 0) && (end < (size_t)n || from + n == b->size);
	if (!whole || !parse((struct str){window + start, end - start}, out->hash))
		return false;
	out->start = from + (int64_t)start;
	out->end = from + (int64_t)end + 1;
	return true;
}

/* Opening ------------------------------------------------------------------ */

static unsigned long long count_lines_to(const struct breached *b, int64_t at)
{
	char part[65536];
	unsigned long long lines = 1;
	for (int64_t from = 0; from < at;) {
		ssize_t n = pread(b->fd, part, sizeof part, from);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n && from + i < at; i++)
			lines += part[i] == '\n';
		from += n;
	}
	return lines;
}

static bool wrong_at(const struct breached *b, int64_t at, const char *what, struct buf *why)
{
	buf_printf(why, "%s:%llu: %s", b->path, count_lines_to(b, at), what);
	return false;
}

/* The line at that place, which must be behind the one before where it is another. */
static bool check_line(const struct breached *b, int64_t at, struct line *last, struct buf *why)
{
	struct line line;
	if (!read_line(b, at, &line))
		return wrong_at(b, at, "is no line of 40 hexadecimal digits, and a count behind ':'", why);
	if (line.start > last->start && memcmp(last->hash, line.hash, sizeof line.hash) >= 0)
		return wrong_at(b, line.start, "is not behind the line before it: sort the file by hash", why);
	if (line.start > last->start)
		*last = line;
	return true;
}

bool breached_check(const struct breached *breached, unsigned places, struct buf *why)
{
	struct line last = {.start = -1};
	bool good = read_line(breached, 0, &last) || check_line(breached, 0, &last, why);
	for (unsigned i = 0; good && i <= places; i++) {
		int64_t at = i == places ? breached->size - 1 : breached->size / places * i;
		good = check_line(breached, at, &last, why);
		if (good && last.end < breached->size) /* its neighbour, too */
			good = check_line(breached, last.end, &last, why);
	}
	return good;
}

static bool open_file(struct breached *b, struct buf *why)
{
	struct stat st;
	b->fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (b->fd < 0 || fstat(b->fd, &st) != 0) {
		char reason[256];
		buf_printf(why, "%s cannot be read: %s", b->path, strerror_r(errno, reason, sizeof reason));
		return false;
	}
	b->size = st.st_size;
	if (S_ISREG(st.st_mode) && b->size > 0)
		return breached_check(b, PLACES, why);
	buf_printf(why, "%s is %s", b->path, S_ISREG(st.st_mode) ? "empty" : "not a plain file");
	return false;
}

bool breached_open(const char *path, struct breached **out, struct buf *why)
{
	struct breached *b = calloc(1, sizeof *b);
	if (!b || !(b->path = strdup(path))) {
		free(b);
		buf_add(why, STR("no memory"));
		return false;
	}
	b->fd = -1;
	if (!open_file(b, why)) {
		breached_close(&b);
		return false;
	}
	*out = b;
	return true;
}

void breached_close(struct breached **breached)
{
	struct breached *b = *breached;
	if (!b)
		return;
	if (b->fd >= 0)
		close(b->fd);
	free(b->path);
	free(b);
	*breached = NULL;
}

/* Searching ---------------------------------------------------------------- */

static enum breached_answer search(const struct breached *b, const unsigned char *wanted)
{
	int64_t low = 0, high = b->size;
	while (low < high) {
		struct line line;
		if (!read_line(b, low + (high - low) / 2, &line)) {
			log_text(LOG_ERR, "password", "%s is damaged or cannot be read: no password can be set",
				 b->path);
			return BREACHED_FAILED;
		}
		int order = memcmp(wanted, line.hash, sizeof line.hash);
		if (order == 0)
			return BREACHED_YES;
		if (order < 0)
			high = line.start;
		else
			low = line.end;
	}
	return BREACHED_NO;
}

enum breached_answer breached_find(const struct breached *breached, struct str password)
{
	unsigned char wanted[DIGEST_SHA1_SIZE];
	enum breached_answer answer = BREACHED_FAILED;
	if (digest_sha1(password, wanted))
		answer = search(breached, wanted);
	secret_wipe(wanted, sizeof wanted);
	return answer;
}
