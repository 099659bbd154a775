/* SPDX-License-Identifier: Apache-2.0 */
/* Arena, clock, secrets, error table, log lines. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "unit.h"

static void arena_is_bounded(void)
{
	struct arena *arena;
	CU_ASSERT_FATAL(arena_open(64, &arena));
	CU_ASSERT(arena_alloc(arena, 65) == NULL);
	char *a = arena_alloc(arena, 1), *b = arena_alloc(arena, 1);
	CU_ASSERT_FATAL(a && b);
	CU_ASSERT(a != b && (uintptr_t)b % 16 == 0 && *a == 0);
	CU_ASSERT(arena_alloc(arena, 33) == NULL);
	CU_ASSERT(arena_array(arena, SIZE_MAX / 2, 3) == NULL);
	CU_ASSERT(!arena_copy(arena, (struct str){a, SIZE_MAX}).p);
	arena_reset(arena);
	CU_ASSERT(arena_alloc(arena, 60) != NULL);
	CU_ASSERT(arena_buf(arena, 10).full);
	arena_close(&arena);
	CU_ASSERT(arena == NULL);
}

static void clock_can_be_set(void)
{
	clock_set(1700000000);
	CU_ASSERT_EQUAL(clock_now(), 1700000000);
	CU_ASSERT_EQUAL(clock_now_ms(), 1700000000000);
	clock_set(-1);
	CU_ASSERT(clock_now() > 1700000000);
}

static void every_error_has_a_row(void)
{
	for (int code = 0; code < ERR_COUNT; code++) {
		const struct err_row *row = err_row((enum err)code);
		CU_ASSERT_FATAL(row->reason != NULL && row->text != NULL);
		CU_ASSERT(row->status >= 200 && row->status < 600);
		for (int other = 0; other < code; other++)
			CU_ASSERT(strcmp(row->reason, err_row((enum err)other)->reason) != 0);
	}
	CU_ASSERT_EQUAL(err_row((enum err)9999)->status, 500);
}

static bool load(const char *spec, struct arena *arena, struct str *out, char why[512])
{
	struct buf b = buf_over(why, 511);
	bool good = secret_load(arena, str_of(spec), out, &b);
	buf_z(&b);
	return good;
}

static void secrets(void)
{
	char path[] = "/tmp/test_secret.XXXXXX", spec[64], why[512];
	struct arena *arena = NULL;
	struct str secret = STR_NONE;
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0 && arena_open(1 << 20, &arena));
	snprintf(spec, sizeof spec, "file:%s", path);
	CU_ASSERT(!load(spec, arena, &secret, why) && strstr(why, "empty"));
	CU_ASSERT(write(fd, "hush hush\n", 10) == 10);
	CU_ASSERT(load(spec, arena, &secret, why));
	UNIT_STR_EQ(secret, STR("hush hush"), "without its line end");
	UNIT_STR_EQ(secret_path(arena, str_of(spec)), str_of(path), "path");
	static const mode_t open_modes[] = {0604, 0640, 0660, 0602};
	for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
		fchmod(fd, open_modes[i]);
		CU_ASSERT(!load(spec, arena, &secret, why) && strstr(why, "chmod 600"));
	}
	close(fd);
	unlink(path);
	CU_ASSERT(!load(spec, arena, &secret, why) && strstr(why, "authctl secret generate"));
	CU_ASSERT(!load("file:/tmp", arena, &secret, why));
	CU_ASSERT(!load("plain", arena, &secret, why) && strstr(why, "file:PATH"));
	CU_ASSERT(!load("text:", arena, &secret, why) && strstr(why, "empty"));
	setenv("TEST_SECRET", "from env", 1);
	CU_ASSERT(load("env:TEST_SECRET", arena, &secret, why));
	UNIT_STR_EQ(secret, STR("from env"), "environment");
	CU_ASSERT(!load("env:TEST_NOT_THERE", arena, &secret, why));
	unsetenv("CREDENTIALS_DIRECTORY");
	CU_ASSERT(!load("cred:x", arena, &secret, why) && strstr(why, "LoadCredential"));
	arena_close(&arena);
}

static void random_differs(void)
{
	unsigned char a[16] = {0}, b[16] = {0};
	random_bytes(a, sizeof a);
	random_bytes(b, sizeof b);
	CU_ASSERT(memcmp(a, b, sizeof a) != 0);
	CU_ASSERT(secret_equal("abc", "abc", 3) && !secret_equal("abc", "abd", 3));
	/* Every bit of every length counts, and nothing beyond it. */
	unsigned char one[40] = {0}, other[40] = {0};
	for (size_t n = 0; n < sizeof one; n++) {
		other[n] = 1;
		CU_ASSERT_TRUE(secret_equal(one, other, n));
		for (size_t bit = 0; bit < 8 * n; bit++) {
			other[bit / 8] ^= (unsigned char)(1U << bit % 8);
			CU_ASSERT_FALSE(secret_equal(one, other, n));
			other[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		other[n] = 0;
	}
}

/* What one call writes to stderr. */
static void capture(char *to, size_t size, enum log_format format, struct str value)
{
	char path[] = "/tmp/test_log.XXXXXX";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);
	struct log_settings settings = {LOG_TO_STDERR, format, LOG_INFO};
	struct log_line line;
	dup2(fd, STDERR_FILENO);
	log_open("test", &settings);
	log_begin(&line, LOG_NOTICE, "deny");
	log_field(&line, "client", STR("192.0.2.1"));
	log_number(&line, "status", 401);
	log_foreign(&line, "path", value);
	log_end(&line);
	log_text(LOG_DEBUG, "hidden", "below the level");
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t n = pread(fd, to, size - 1, 0);
	to[n > 0 ? n : 0] = '\0';
	close(fd);
	unlink(path);
}

/* A byte more than allowed is noticed, whatever the file says of its size. */
static void files(void)
{
	char path[] = "/tmp/test_base_file.XXXXXX", memory[8];
	int fd = mkstemp(path);
	size_t n = 0;
	CU_ASSERT_FATAL(fd >= 0 && write(fd, "12345", 5) == 5);
	CU_ASSERT_FALSE(lseek(fd, 0, SEEK_SET) != 0 || file_read(fd, memory, 4, &n));
	CU_ASSERT_TRUE(lseek(fd, 0, SEEK_SET) == 0 && file_read(fd, memory, 5, &n) && n == 5);
	CU_ASSERT_TRUE(memcmp(memory, "12345", 5) == 0);
	close(fd);
	CU_ASSERT_FALSE(file_read(fd, memory, 5, &n));
	unlink(path);
}

static void log_lines(void)
{
	static char text[8192];
	capture(text, sizeof text, LOG_AS_LOGFMT, STR("/a b\"\n\x1b\x9b=\\"));
	CU_ASSERT_STRING_EQUAL(text, "event=deny client=192.0.2.1 status=401 path=\"/a b\\\"\\x0a\\x1b\\x9b=\\\\\"\n");
	capture(text, sizeof text, LOG_AS_JSON, STR("/a\n"));
	CU_ASSERT_STRING_EQUAL(text,
			       "{\"event\":\"deny\",\"client\":\"192.0.2.1\",\"status\":401,\"path\":\"/a\\n\"}\n");
	static char longest[20000];
	memset(longest, 1, sizeof longest);
	capture(text, sizeof text, LOG_AS_LOGFMT, (struct str){longest, sizeof longest});
	CU_ASSERT(strlen(text) < 4096 && strchr(text, '\n') == text + strlen(text) - 1);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"arena is bounded", arena_is_bounded},
		{"clock can be set", clock_can_be_set},
		{"every error has a row", every_error_has_a_row},
		{"secrets", secrets},
		{"random", random_differs},
		{"files", files},
		{"log lines", log_lines},
		{NULL, NULL},
	};
	return unit_main("base", cases);
}
