/* SPDX-License-Identifier: Apache-2.0 */
/* The records of users when others read them, and when the file cannot be written or
 * read: who is known stays known, who is new has to wait, and no number is wrong. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "record_bed.h"

enum { NOBODY = 65534, USERS = 20, WAIT_MS = 10000 };

/* Readers -------------------------------------------------------------------- */

static void modes(void)
{
	static const struct {
		mode_t folder, file;
	} rows[] = {{0700, 0600}, {0710, 0600}, {02750, 0640}, {02755, 0640}, {02770, 0660}};
	static const char *const names[] = {"user-records.db", "user-records.db-wal", "user-records.db-shm",
					    "user-records.created"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bed bed;
		folder_open(&bed.folder);
		chmod(bed.folder.path, rows[i].folder);
		mode_t before = umask(077);
		bed_start(&bed);
		umask(before);
		bed_add(bed.records, sight_of_ann());
		bed_stop(&bed);
		for (size_t j = 0; j < sizeof names / sizeof *names; j++)
			UNIT_ROW(folder_mode(&bed.folder, names[j]) == rows[i].file, names[j]);
		UNIT_ROW(bed_size(&bed, "user-records.db-wal") == 0, "an orderly end leaves an empty log");
		folder_close(&bed.folder);
	}
}

static int read_as_group(struct bed *bed)
{
	char got[512];
	if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		return 1;
	const char *path = folder_file(&bed->folder, "user-records.db");
	if (access(path, W_OK) == 0 || access(bed->folder.path, W_OK) == 0)
		return 2;
	return bed_ask(path, "SELECT user_id FROM users", got, sizeof got) && strcmp(got, "ann") == 0 ? 0 : 3;
}

static int read_as_stranger(struct bed *bed)
{
	char got[512];
	if (setgid(NOBODY - 1) != 0 || setuid(NOBODY) != 0)
		return 1;
	const char *path = folder_file(&bed->folder, "user-records.db");
	return bed_ask(path, "SELECT user_id FROM users", got, sizeof got) ? 2 : 0;
}

static int end_by_a_crash(struct bed *bed)
{
	bed_start(bed);
	return bed_add(bed->records, sight_of_ann()) ? 0 : 1;
}

/* Whether anybody has the file open who may write it, or nobody has, or the last
 * one who had was killed. */
static void read_by_others(void)
{
	struct bed bed = {0};
	if (geteuid() != 0)
		return;
	folder_open(&bed.folder);
	CU_ASSERT_EQUAL_FATAL(chown(bed.folder.path, (uid_t)-1, NOBODY), 0);
	chmod(bed.folder.path, 02750);
	UNIT_ROW(bed_in_child(end_by_a_crash, &bed) == 0 && bed_size(&bed, "user-records.db-wal") > 0, "a crash");
	CU_ASSERT_EQUAL(bed_in_child(read_as_group, &bed), 0);
	bed_start(&bed);
	CU_ASSERT_EQUAL(bed_in_child(read_as_group, &bed), 0);
	bed_add(bed.records, sight_of("i", "zoe", "{}", 1));
	CU_ASSERT_EQUAL(bed_in_child(read_as_group, &bed), 0);
	CU_ASSERT_EQUAL(bed_in_child(read_as_stranger, &bed), 0);
	bed_stop(&bed);
	CU_ASSERT_EQUAL(bed_in_child(read_as_group, &bed), 0);
	CU_ASSERT_EQUAL(bed_in_child(read_as_stranger, &bed), 0);
	bed_close(&bed);
}

/* Failures ------------------------------------------------------------------- */

static bool within(struct bed *bed, bool (*holds)(struct bed *bed))
{
	int64_t deadline = clock_monotonic_ms() + WAIT_MS;
	while (!holds(bed)) {
		if (clock_monotonic_ms() > deadline)
			return false;
		usleep(10000);
	}
	return true;
}

static bool takes_zoe(struct bed *bed)
{
	return bed_add(bed->records, sight_of("i", "zoe", "{}", 1)) > 0;
}

static sqlite3 *begin(struct bed *bed, const char *what)
{
	sqlite3 *db;
	if (sqlite3_open(folder_file(&bed->folder, "user-records.db"), &db) != SQLITE_OK ||
	    sqlite3_exec(db, what, NULL, NULL, NULL) != SQLITE_OK)
		exit(99);
	return db;
}

static void while_another_writes(void)
{
	struct bed bed;
	struct user_known known;
	bed_open(&bed);
	int64_t id = bed_add(bed.records, sight_of_ann()), before;
	sqlite3 *other = begin(&bed, "BEGIN IMMEDIATE");
	UNIT_ROW(bed_find(bed.records, sight_of_ann()) == id, "who is known is known");
	struct user_sight later = sight_of_ann();
	later.now += 1000;
	before = clock_monotonic_ms();
	user_records_refresh(bed.records, id, &later);
	UNIT_ROW(clock_monotonic_ms() - before < 200, "and waits for nobody");
	user_records_find(bed.records, &later, &known);
	UNIT_ROW(known.last_seen == sight_of_ann().now, "nothing is noted");
	before = clock_monotonic_ms();
	UNIT_ROW(!takes_zoe(&bed), "nobody new");
	UNIT_ROW(clock_monotonic_ms() - before >= 900, "after some waiting");
	before = clock_monotonic_ms();
	UNIT_ROW(!takes_zoe(&bed) && clock_monotonic_ms() - before < 500, "the next one does not wait");
	sqlite3_close(other);
	UNIT_ROW(within(&bed, takes_zoe), "until it is over");
	bed_close(&bed);
}

static void while_another_reads(void)
{
	struct bed bed;
	bed_open(&bed);
	bed_add(bed.records, sight_of_ann());
	sqlite3 *other = begin(&bed, "BEGIN; SELECT * FROM users");
	UNIT_ROW(takes_zoe(&bed), "an application that reads for ever stops no writer");
	sqlite3_close(other);
	bed_close(&bed);
}

static void on_a_full_disk(void)
{
	struct bed bed;
	struct rlimit before, full;
	bed_open(&bed);
	int64_t id = bed_add(bed.records, sight_of_ann());
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
	full = (struct rlimit){(rlim_t)bed_size(&bed, "user-records.db-wal"), before.rlim_max};
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &full), 0);
	bool taken = takes_zoe(&bed);
	struct user_sight later = sight_of_ann();
	later.now += 1000;
	user_records_refresh(bed.records, id, &later);
	int64_t found = bed_find(bed.records, later);
	setrlimit(RLIMIT_FSIZE, &before);
	UNIT_ROW(!taken, "nobody new");
	UNIT_ROW(found == id, "who is known is known");
	UNIT_ROW(within(&bed, takes_zoe), "when there is room again");
	bed_close(&bed);
}

static bool is_lost(struct bed *bed)
{
	struct user_known known;
	struct user_sight sight = sight_of_ann();
	return user_records_find(bed->records, &sight, &known) == ERR_STORE;
}

/* Also when nothing is left that tells of it: numbers would begin again. */
static void lost_while_it_runs(void)
{
	static const char *const names[] = {"user-records.db", "user-records.db-wal", "user-records.db-shm",
					    "user-records.created"};
	struct bed bed;
	bed_open(&bed);
	bed_add(bed.records, sight_of_ann());
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(folder_file(&bed.folder, names[i]));
	UNIT_ROW(!takes_zoe(&bed), "a record that nobody else would find");
	UNIT_ROW(within(&bed, is_lost), "noticed");
	UNIT_ROW(!takes_zoe(&bed) && folder_count(&bed.folder) == 0, "not made anew");
	bed_close(&bed);
}

static bool starts(struct bed *bed, struct buf *why)
{
	struct bed other = {.folder = bed->folder};
	bool good = user_records_open(other.folder.path, &other.process) &&
		    user_records_thread_open(other.process, &other.records) &&
		    user_records_check(other.records, why);
	bed_stop(&other);
	return good;
}

static int start_without_rights(struct bed *bed)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		return 1;
	return !starts(bed, &why) && strstr(buf_z(&why), "cannot be written") ? 0 : 2;
}

static void damaged_before_a_start(void)
{
	struct bed bed;
	char memory[1024], garbage[8192];
	struct buf why = buf_over(memory, sizeof memory);
	bed_open(&bed);
	bed_add(bed.records, sight_of_ann());
	bed_stop(&bed);
	UNIT_ROW(starts(&bed, &why), "whole");
	if (geteuid() == 0) {
		/* The file is still root's. */
		CU_ASSERT_EQUAL(chown(bed.folder.path, NOBODY, NOBODY), 0);
		CU_ASSERT_EQUAL(bed_in_child(start_without_rights, &bed), 0);
	}
	memset(garbage, 0xa5, sizeof garbage);
	folder_write(&bed.folder, "user-records.db", (struct str){garbage, sizeof garbage});
	UNIT_ROW(!starts(&bed, &why) && strstr(buf_z(&why), "damaged"), "garbage");
	why = buf_over(memory, sizeof memory);
	unlink(folder_file(&bed.folder, "user-records.db"));
	UNIT_ROW(!starts(&bed, &why) && strstr(buf_z(&why), "is gone, but"), "lost");
	UNIT_ROW(strstr(buf_z(&why), "another number") != NULL, "and what that would mean");
	bed_close(&bed);
}

/* Never a number that is not the user's. */
static void damaged_while_it_runs(void)
{
	struct bed bed;
	struct user_known known;
	char garbage[65536];
	bed_open(&bed);
	for (unsigned i = 0; i < USERS; i++) {
		char name[16];
		bed_add(bed.records, sight_of_user(i, name));
	}
	int64_t id = bed_add(bed.records, sight_of_ann());
	memset(garbage, 0xa5, sizeof garbage);
	folder_write(&bed.folder, "user-records.db", (struct str){garbage, sizeof garbage});
	folder_write(&bed.folder, "user-records.db-wal", (struct str){garbage, sizeof garbage});
	struct user_sight sight = sight_of_ann();
	enum err err = user_records_find(bed.records, &sight, &known);
	UNIT_ROW(err == ERR_STORE || (err == ERR_NONE && known.local_user_id == id), "the number, or no answer");
	bed_close(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"modes", modes},
		{"read by others", read_by_others},
		{"while another writes", while_another_writes},
		{"while another reads", while_another_reads},
		{"on a full disk", on_a_full_disk},
		{"lost while it runs", lost_while_it_runs},
		{"damaged before a start", damaged_before_a_start},
		{"damaged while it runs", damaged_while_it_runs},
		{NULL, NULL},
	};
	return unit_main("user_record_faults", cases);
}
