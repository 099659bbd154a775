/* SPDX-License-Identifier: Apache-2.0 */
/* The page that processes share, and the id of the host. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "store/farm_host.h"
#include "store/farm_page.h"

static const struct state_owner owner = {0, 0, 0600};

static struct state_owner owner_of(struct folder *folder)
{
	struct state_owner out = owner;
	struct stat st;
	if (stat(folder->path, &st) == 0) {
		out.uid = st.st_uid;
		out.gid = st.st_gid;
	}
	return out;
}

static struct farm_mapping open_page(struct folder *folder, uint64_t identity)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct farm_mapping mapping = {0};
	struct state_owner o = owner_of(folder);
	UNIT_ROW(farm_page_open(folder->path, &o, identity, &mapping, &why), buf_z(&why));
	if (!mapping.page)
		exit(99);
	return mapping;
}

static void shared(void)
{
	struct folder f;
	folder_open(&f);
	struct farm_mapping one = open_page(&f, 5), two = open_page(&f, 5);
	UNIT_ROW(atomic_load(&one.page->sequence) == 0, "a new one is empty");
	atomic_store(&one.page->servers[3].trusted_until, 77);
	UNIT_ROW(atomic_load(&two.page->servers[3].trusted_until) == 77, "both have the same");
	UNIT_ROW(one.page != two.page && farm_page_is_current(f.path, &one), "mapped twice");
	CU_ASSERT_EQUAL(folder_mode(&f, "farm.page"), 0600);
	UNIT_ROW(folder_count(&f) == 1, "nothing is left beside it");
	farm_page_close(&one);
	farm_page_close(&two);
	one = open_page(&f, 5);
	UNIT_ROW(atomic_load(&one.page->servers[3].trusted_until) == 77, "it stays");
	two = open_page(&f, 6);
	UNIT_ROW(atomic_load(&two.page->servers[3].trusted_until) == 0, "another farm gets another page");
	UNIT_ROW(farm_page_is_current(f.path, &one) && farm_page_is_current(f.path, &two), "and each goes its own way");
	UNIT_ROW(atomic_load(&one.page->servers[3].trusted_until) == 77, "who has the old one can go on reading it");
	two.page->boot ^= 1;
	farm_page_close(&one);
	one = open_page(&f, 6);
	UNIT_ROW(atomic_load(&one.page->servers[3].trusted_until) == 0 && one.inode != two.inode,
		 "one of another boot is worth nothing");
	two.page->boot ^= 1;
	UNIT_ROW(!farm_page_is_current(f.path, &two), "nor one that another has taken the place of");
	unlink(folder_file(&f, "farm.page"));
	UNIT_ROW(!farm_page_is_current(f.path, &one), "deleted");
	farm_page_close(&one);
	farm_page_close(&two);
	folder_close(&f);
}

static void damaged(void)
{
	struct folder f;
	folder_open(&f);
	folder_write(&f, "farm.page", STR("short"));
	struct farm_mapping mapping = open_page(&f, 5);
	UNIT_ROW(atomic_load(&mapping.page->sequence) == 0, "one that is too short is replaced");
	mapping.page->format ^= 1;
	atomic_store(&mapping.page->sequence, 9);
	farm_page_close(&mapping);
	mapping = open_page(&f, 5);
	UNIT_ROW(atomic_load(&mapping.page->sequence) == 0, "one of another program version, too");
	farm_page_close(&mapping);
	unlink(folder_file(&f, "farm.page"));
	if (symlink("/dev/null", f.file) != 0)
		exit(99);
	mapping = open_page(&f, 5);
	UNIT_ROW(folder_mode(&f, "farm.page") == 0600, "a link is replaced, not followed");
	farm_page_close(&mapping);
	folder_close(&f);
}

/* Many processes open it at once: all see one page. */
static void one_for_all(void)
{
	enum { CHILDREN = 8 };
	struct folder f;
	folder_open(&f);
	pid_t children[CHILDREN];
	for (size_t i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct farm_mapping mapping = open_page(&f, 5);
			atomic_fetch_add(&mapping.page->sequence, 1);
			_exit(0);
		}
	}
	for (size_t i = 0; i < CHILDREN; i++)
		waitpid(children[i], NULL, 0);
	struct farm_mapping mapping = open_page(&f, 5);
	CU_ASSERT_EQUAL(atomic_load(&mapping.page->sequence), CHILDREN);
	farm_page_close(&mapping);
	folder_close(&f);
}

static void waking(void)
{
	struct folder f;
	folder_open(&f);
	struct farm_mapping mapping = open_page(&f, 5);
	int64_t begun = clock_boot_ms();
	uint32_t seen = atomic_load(&mapping.page->wake);
	farm_page_sleep(mapping.page, seen, 30);
	UNIT_ROW(clock_boot_ms() - begun >= 29, "nobody wakes");
	pid_t child = fork();
	if (child == 0) {
		struct farm_mapping same = open_page(&f, 5);
		farm_page_wake(same.page);
		_exit(0);
	}
	begun = clock_boot_ms();
	farm_page_sleep(mapping.page, seen, 60000);
	UNIT_ROW(clock_boot_ms() - begun < 50000, "woken by another process, before or after it fell asleep");
	waitpid(child, NULL, 0);
	farm_page_close(&mapping);
	folder_close(&f);
}

static void hosts(void)
{
	struct folder f;
	folder_open(&f);
	struct farm_mapping mapping = open_page(&f, 5);
	struct farm_known put = {0xfedcba9876543210, 3, FARM_RESTING, 0xffff, true, 12345}, got;
	farm_page_put_host(mapping.page, FARM_HOSTS_MAX - 1, &put);
	farm_page_get_host(mapping.page, FARM_HOSTS_MAX - 1, &got);
	UNIT_ROW(got.id == put.id && got.sequence == 3 && got.state == FARM_RESTING && got.without == 0xffff &&
			 got.other_list && got.changed_at == 12345,
		 "what was put");
	farm_page_close(&mapping);
	folder_close(&f);
}

static uint64_t id_of(struct folder *folder, bool want)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct state_owner o = owner_of(folder);
	uint64_t id = 0;
	UNIT_ROW(farm_host_id(folder->path, &o, &id, &why) == want, buf_z(&why));
	UNIT_ROW(want || strstr(buf_z(&why), "farm.id"), "says which file");
	return id;
}

static void ids(void)
{
	struct folder one, two;
	folder_open(&one);
	folder_open(&two);
	uint64_t first = id_of(&one, true), second = id_of(&two, true);
	UNIT_ROW(first != 0 && first != second, "two folders, two hosts");
	UNIT_ROW(id_of(&one, true) == first, "it stays");
	CU_ASSERT_EQUAL(folder_mode(&one, "farm.id"), 0600);
	UNIT_ROW(folder_count(&one) == 1, "nothing is left beside it");
	folder_write(&one, "farm.id", STR("0123456789abcdef\n"));
	uint64_t known = id_of(&one, true);
	folder_write(&one, "farm.id", STR("0123456789abcdee\n"));
	UNIT_ROW(id_of(&one, true) != known, "another text is another host");
	static const char *const rows[] = {"", "\n", "0123456789abcde\n", "0123456789abcdefg\n", "0000000000000000\n",
					   "0123456789ABCDEF\n"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		folder_write(&one, "farm.id", str_of(rows[i]));
		id_of(&one, false);
	}
	folder_close(&one);
	folder_close(&two);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"shared", shared},
		{"damaged", damaged},
		{"one for all", one_for_all},
		{"waking", waking},
		{"hosts", hosts},
		{"ids", ids},
		{NULL, NULL},
	};
	return unit_main("farm_page", cases);
}
