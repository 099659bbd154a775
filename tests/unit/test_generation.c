/* SPDX-License-Identifier: Apache-2.0 */
/* The page by which web servers learn of changes: made, raised, found again whatever
 * became of it, and never raised in silence in vain. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "store/generation.h"

enum { PAGE_SIZE = 64, AT = 16 };

struct page {
	char bytes[PAGE_SIZE];
};

static const char name[] = "generation.page";

static struct page read_page(struct folder *f)
{
	struct page page = {{0}};
	int fd = open(folder_file(f, name), O_RDONLY | O_CLOEXEC);
	UNIT_ROW(fd >= 0 && read(fd, page.bytes, PAGE_SIZE) == PAGE_SIZE, "the page can be read");
	close(fd);
	return page;
}

static uint64_t number(const struct page *page)
{
	uint64_t out;
	memcpy(&out, page->bytes + AT, sizeof out);
	return out;
}

static bool is_sound(struct folder *f)
{
	static const char head[AT] = "FCGAUTHG\1\0\0\0\0\0\0";
	static const char rest[PAGE_SIZE - AT - 8];
	static const char swapped[AT] = "FCGAUTHG\0\0\0\1\0\0\0";
	struct page page = read_page(f);
	struct stat st;
	return stat(folder_file(f, name), &st) == 0 && st.st_size == PAGE_SIZE &&
	       (memcmp(page.bytes, head, AT) == 0 || memcmp(page.bytes, swapped, AT) == 0) &&
	       memcmp(page.bytes + AT + 8, rest, sizeof rest) == 0;
}

static void raise_it(struct folder *f, const char *row)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	UNIT_ROW(generation_raise(f->path, &why), row);
	UNIT_ROW(why.n == 0, buf_z(&why));
	UNIT_ROW(is_sound(f), row);
}

static bool is_refused(struct folder *f, const char *text)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	return !generation_raise(f->path, &why) && strstr(buf_z(&why), text) && strstr(buf_z(&why), name);
}

static void raised(void)
{
	enum { TIMES = 50 };
	uint64_t seen[TIMES];
	struct folder f;
	folder_open(&f);
	for (size_t i = 0; i < TIMES; i++) {
		raise_it(&f, "raised");
		struct page page = read_page(&f);
		seen[i] = number(&page);
		for (size_t j = 0; j < i; j++)
			UNIT_ROW(seen[i] != seen[j], "no number comes again");
	}
	CU_ASSERT_EQUAL(folder_mode(&f, name), 0644);
	UNIT_ROW(folder_count(&f) == 1, "nothing is left beside it");
	chmod(f.path, 02770);
	unlink(folder_file(&f, name));
	raise_it(&f, "in a folder that a group shares");
	CU_ASSERT_EQUAL(folder_mode(&f, name), 0664);
	folder_close(&f);
}

/* Who has it open sees the same file as long as it is sound, and each change. */
static void stays(void)
{
	struct folder f;
	struct page page;
	uint64_t before;
	folder_open(&f);
	raise_it(&f, "made");
	int fd = open(folder_file(&f, name), O_RDONLY | O_CLOEXEC);
	UNIT_ROW(pread(fd, &before, sizeof before, AT) == sizeof before, "read");
	raise_it(&f, "raised");
	page = read_page(&f);
	uint64_t after;
	UNIT_ROW(pread(fd, &after, sizeof after, AT) == sizeof after && after != before && after == number(&page),
		 "seen by who has it open");
	static const struct {
		const char *what;
		off_t size;
	} cuts[] = {{"emptied", 0}, {"cut within the head", 9}, {"cut within the number", 20}, {"cut", 63}};
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		before = after;
		UNIT_ROW(truncate(folder_file(&f, name), cuts[i].size) == 0, cuts[i].what);
		raise_it(&f, cuts[i].what);
		UNIT_ROW(pread(fd, &after, sizeof after, AT) == sizeof after && after != before, cuts[i].what);
	}
	folder_write(&f, name, STR("something else that is as long as a page has to be, and then more"));
	UNIT_ROW(truncate(folder_file(&f, name), PAGE_SIZE) == 0, "overwritten");
	raise_it(&f, "overwritten");
	before = after;
	UNIT_ROW(unlink(folder_file(&f, name)) == 0, "deleted");
	raise_it(&f, "deleted");
	struct stat st;
	UNIT_ROW(fstat(fd, &st) == 0 && st.st_nlink == 0, "who has the old one can tell");
	page = read_page(&f);
	UNIT_ROW(number(&page) != before, "the new one has a number of its own");
	close(fd);
	folder_close(&f);
}

static void refused(void)
{
	struct folder f;
	folder_open(&f);
	UNIT_ROW(symlink("/dev/null", folder_file(&f, name)) == 0 && is_refused(&f, "symbolic link"), "a link");
	unlink(f.file);
	UNIT_ROW(mkfifo(folder_file(&f, name), 0600) == 0 && is_refused(&f, "cannot open"), "a pipe does not hold us");
	unlink(f.file);
	UNIT_ROW(mkdir(folder_file(&f, name), 0700) == 0 && is_refused(&f, "cannot open"), "a folder");
	rmdir(f.file);
	struct folder gone = f;
	folder_close(&f);
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	UNIT_ROW(!generation_raise(gone.path, &why) && strstr(buf_z(&why), "make it: install -d"), "no folder");
	UNIT_ROW(!generation_announce(gone.path), "the same with a line in the log");
}

/* As another user, and on a disk that takes nothing more. */
static void without_rights(void)
{
	struct folder f;
	folder_open(&f);
	raise_it(&f, "made");
	pid_t child = fork();
	if (child == 0) {
		chmod(f.path, 0755);
		chmod(folder_file(&f, name), 0444);
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(1);
		_exit(is_refused(&f, "it belongs to") ? 0 : 2);
	}
	int status = 1;
	waitpid(child, &status, 0);
	UNIT_ROW(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a page that is another's");
	chmod(f.path, 0700);
	child = fork();
	if (child == 0) {
		struct rlimit none = {32, 32};
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &none) != 0)
			_exit(3);
		unlink(folder_file(&f, name));
		/* Half of it would fit. */
		if (!is_refused(&f, "cannot make"))
			_exit(2);
		_exit(folder_count(&f) == 0 ? 0 : 4);
	}
	waitpid(child, &status, 0);
	UNIT_ROW(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a full disk");
	raise_it(&f, "and then there is room");
	folder_close(&f);
}

/* It may just be gone. */
static void cut(struct folder *f, off_t size)
{
	int fd = open(folder_file(f, name), O_WRONLY | O_CLOEXEC);
	UNIT_ROW(fd < 0 || ftruncate(fd, size) == 0, "cut off");
	close(fd);
}

/* Many raise it while others delete it and cut it off: all get through, and one whole page is left. */
static void at_once(void)
{
	enum { CHILDREN = 8, TIMES = 300 };
	struct folder f;
	folder_open(&f);
	pid_t children[CHILDREN];
	for (size_t i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		bool good = true;
		char memory[512];
		for (int n = 0; n < TIMES; n++) {
			struct buf why = buf_over(memory, sizeof memory - 1);
			if (i == 0 && n % 8 == 0)
				unlink(folder_file(&f, name));
			if (i == 1)
				cut(&f, n % PAGE_SIZE);
			good = generation_raise(f.path, &why) && good;
		}
		_exit(good ? 0 : 1);
	}
	for (size_t i = 0; i < CHILDREN; i++) {
		int status = 1;
		waitpid(children[i], &status, 0);
		UNIT_ROW(WIFEXITED(status) && WEXITSTATUS(status) == 0, "each change gets through");
	}
	raise_it(&f, "in the end");
	UNIT_ROW(folder_count(&f) == 1, "nothing is left beside it");
	folder_close(&f);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"raised", raised},
		{"stays", stays},
		{"refused", refused},
		{"without rights", without_rights},
		{"at once", at_once},
		{NULL, NULL},
	};
	return unit_main("generation", cases);
}
