/* SPDX-License-Identifier: Apache-2.0 */
/* The records of users: one number for each, whoever asks first and however often. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_bed.h"

enum { THREADS = 16, PROCESSES = 4, USERS = 20 };

static void one_number_each(void)
{
	struct bed bed;
	struct user_sight unseen = sight_of("https://sso.example", "bob", "{}", 1800000000);
	struct user_known known;
	bed_open(&bed);
	struct user_sight sight = sight_of_ann();
	UNIT_ROW(user_records_find(bed.records, &sight, &known) == ERR_NOT_FOUND, "nobody was seen");
	int64_t first = bed_add(bed.records, sight_of_ann());
	UNIT_ROW(first == 1, "the first one");
	UNIT_ROW(bed_add(bed.records, sight_of_ann()) == first, "the same again");
	UNIT_ROW(bed_find(bed.records, sight_of_ann()) == first, "and again");
	UNIT_ROW(bed_add(bed.records, sight_of("other", "ann", "{}", 1800000000)) > first, "of another issuer");
	UNIT_ROW(bed_add(bed.records, sight_of("", "ann", "{}", 1800000000)) > first, "and of none");
	UNIT_ROW(bed_add(bed.records, sight_of("https://sso.example", "ANN", "{}", 1800000000)) > first, "capitals");
	UNIT_ROW(user_records_find(bed.records, &unseen, &known) == ERR_NOT_FOUND, "somebody else");
	bed_stop(&bed);
	bed_start(&bed);
	UNIT_ROW(bed_find(bed.records, sight_of_ann()) == first, "after a restart");
	bed_gives(&bed, "SELECT count(*) FROM users", "4");
	bed_gives(&bed,
		    "SELECT local_user_id || issuer || user_id || first_seen || last_seen || attributes FROM users",
		    "1https://sso.exampleann18000000001800000000{\"email\":\"ann@example.org\"}");
	bed_close(&bed);
}

static void refreshed(void)
{
	static const struct {
		const char *name, *attributes, *then;
		bool differs;
	} rows[] = {
		{"the same", "{\"email\":\"ann@example.org\"}", "{\"email\":\"ann@example.org\"}", false},
		{"nothing to say", "{}", "{\"email\":\"ann@example.org\"}", false},
		{"nothing to forget", "{\"phone\":null}", "{\"email\":\"ann@example.org\"}", false},
		{"another value", "{\"email\":\"a@b\"}", "{\"email\":\"a@b\"}", true},
		{"one more", "{\"name\":\"Ann\"}", "{\"email\":\"a@b\",\"name\":\"Ann\"}", true},
		{"one is gone", "{\"email\":null}", "{\"name\":\"Ann\"}", true},
		{"quotes and markup", "{\"name\":\"\\u003cA\\\"\\\\\\u0026\\u003e\"}",
		 "{\"name\":\"\\u003cA\\\"\\\\\\u0026\\u003e\"}", true},
		{"letters beyond ASCII", "{\"name\":\"\xc3\x85sa\"}", "{\"name\":\"\xc3\x85sa\"}", true},
		{"empty is a value", "{\"name\":\"\"}", "{\"name\":\"\"}", true},
	};
	struct bed bed;
	struct user_known known;
	bed_open(&bed);
	int64_t id = bed_add(bed.records, sight_of_ann());
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct user_sight sight = sight_of_ann();
		sight.attributes = str_of(rows[i].attributes);
		sight.now += 10 * (int64_t)i;
		UNIT_ROW(user_records_find(bed.records, &sight, &known) == ERR_NONE, rows[i].name);
		UNIT_ROW(known.differs == rows[i].differs && known.last_seen <= sight.now, rows[i].name);
		user_records_refresh(bed.records, id, &sight);
		UNIT_ROW(user_records_find(bed.records, &sight, &known) == ERR_NONE, rows[i].name);
		UNIT_ROW(!known.differs && known.last_seen == sight.now && known.local_user_id == id, rows[i].name);
		bed_gives(&bed, "SELECT attributes FROM users", rows[i].then);
	}
	bed_gives(&bed, "SELECT first_seen FROM users", "1800000000");
	bed_close(&bed);
}

static void nothing_new_writes_nothing(void)
{
	struct bed bed;
	struct user_sight sight = sight_of_ann();
	bed_open(&bed);
	int64_t id = bed_add(bed.records, sight);
	off_t before = bed_size(&bed, "user-records.db-wal");
	for (int i = 0; i < 100; i++) {
		bed_find(bed.records, sight);
		user_records_refresh(bed.records, id, &sight);
		bed_add(bed.records, sight);
	}
	CU_ASSERT_EQUAL(bed_size(&bed, "user-records.db-wal"), before);
	sight.now++;
	user_records_refresh(bed.records, id, &sight);
	UNIT_ROW(bed_size(&bed, "user-records.db-wal") > before, "and something new does");
	bed_close(&bed);
}

static void texts_that_do_not_fit(void)
{
	static char longest[USER_RECORD_ATTRIBUTES_MAX + 1];
	struct bed bed;
	bed_open(&bed);
	memset(longest, 'x', sizeof longest);
	const struct {
		const char *name;
		struct user_sight sight;
		enum err err;
	} rows[] = {
		{"no user id", {STR("i"), STR(""), STR("{}"), 1}, ERR_BAD_REQUEST},
		{"the longest", {{longest, USER_RECORD_ISSUER_MAX}, {longest, USER_RECORD_ID_MAX}, STR("{}"), 1},
		 ERR_NONE},
		{"user id", {STR("i"), {longest, USER_RECORD_ID_MAX + 1}, STR("{}"), 1}, ERR_BAD_REQUEST},
		{"issuer", {{longest, USER_RECORD_ISSUER_MAX + 1}, STR("u"), STR("{}"), 1}, ERR_BAD_REQUEST},
		{"attributes", {STR("i"), STR("u"), {longest, sizeof longest}, 1}, ERR_BAD_REQUEST},
		{"no JSON", {STR("i"), STR("u"), STR("{"), 1}, ERR_STORE},
		{"no UTF-8", {STR("i"), STR("\xff"), STR("{}"), 1}, ERR_BAD_REQUEST},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t id = 0;
		UNIT_ROW(user_records_add(bed.records, &rows[i].sight, &id) == rows[i].err, rows[i].name);
	}
	bed_gives(&bed, "SELECT count(*) FROM users", "1");
	bed_close(&bed);
}

/* The admin's view --------------------------------------------------------- */

struct walk {
	int64_t ids[8];
	size_t n, stop_at;
};

static bool note(void *context, const struct user_record *record)
{
	struct walk *walk = context;
	walk->ids[walk->n++] = record->local_user_id;
	return walk->n != walk->stop_at;
}

static void listed_and_removed(void)
{
	struct bed bed;
	struct user_record record = {0};
	bed_open(&bed);
	int64_t first = bed_add(bed.records, sight_of_ann());
	int64_t last = bed_add(bed.records, sight_of("i", "bob", "{}", 5));
	struct walk all = {.stop_at = 9}, one = {.stop_at = 1};
	CU_ASSERT(user_records_list(bed.records, note, &all) == ERR_NONE && all.n == 2);
	CU_ASSERT(all.ids[0] == first && all.ids[1] == last);
	CU_ASSERT(user_records_list(bed.records, note, &one) == ERR_NONE && one.n == 1);
	CU_ASSERT_EQUAL(user_records_get(bed.records, bed.arena, last, &record), ERR_NONE);
	UNIT_STR_EQ(record.user_id, STR("bob"), "user");
	UNIT_STR_EQ(record.issuer, STR("i"), "issuer");
	UNIT_STR_EQ(record.attributes, STR("{}"), "attributes");
	CU_ASSERT(record.first_seen == 5 && record.last_seen == 5);
	CU_ASSERT_EQUAL(user_records_get(bed.records, bed.arena, last + 1, &record), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(user_records_remove(bed.records, last + 1), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(user_records_remove(bed.records, last), ERR_NONE);
	CU_ASSERT_EQUAL(user_records_get(bed.records, bed.arena, last, &record), ERR_NOT_FOUND);
	UNIT_ROW(bed_add(bed.records, sight_of("i", "bob", "{}", 6)) > last, "a number is never given twice");
	UNIT_ROW(bed_find(bed.records, sight_of_ann()) == first, "others keep theirs");
	bed_close(&bed);
}

/* Many at once -------------------------------------------------------------- */

struct crowd {
	struct user_records *process;
	int64_t ids[THREADS][USERS];
};

struct member {
	struct crowd *crowd;
	unsigned number;
};

static void *see_all(void *context)
{
	struct member *member = context;
	struct user_records_thread *records;
	char name[16];
	if (!user_records_thread_open(member->crowd->process, &records))
		return NULL;
	for (unsigned i = 0; i < USERS; i++)
		member->crowd->ids[member->number][i] = bed_add(records, sight_of_user(i, name));
	user_records_thread_close(&records);
	return NULL;
}

static void threads_at_once(void)
{
	struct bed bed;
	struct crowd crowd = {0};
	struct member members[THREADS];
	pthread_t threads[THREADS];
	bed_open(&bed);
	crowd.process = bed.process;
	for (unsigned i = 0; i < THREADS; i++) {
		members[i] = (struct member){&crowd, i};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, see_all, &members[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < USERS; k++)
			UNIT_ROW(crowd.ids[i][k] > 0 && crowd.ids[i][k] == crowd.ids[0][k], "one number for each user");
	bed_gives(&bed, "SELECT count(*) FROM users", "20");
	bed_close(&bed);
}

static int see_all_alone(struct bed *bed)
{
	bed_start(bed);
	struct crowd crowd = {.process = bed->process};
	struct member member = {&crowd, 0};
	see_all(&member);
	bed_stop(bed);
	for (unsigned i = 0; i < USERS; i++)
		if (crowd.ids[0][i] == 0)
			return 1;
	return 0;
}

static void processes_at_once(void)
{
	struct bed bed = {0};
	pid_t children[PROCESSES];
	folder_open(&bed.folder);
	for (unsigned i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(see_all_alone(&bed));
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status = 99;
		waitpid(children[i], &status, 0);
		UNIT_ROW(status == 0, "a process has seen all, whoever made the file");
	}
	bed_gives(&bed, "SELECT count(*) FROM users", "20");
	bed_gives(&bed, "SELECT max(local_user_id) FROM users", "20");
	bed_close(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"one number each", one_number_each},
		{"refreshed", refreshed},
		{"nothing new writes nothing", nothing_new_writes_nothing},
		{"texts that do not fit", texts_that_do_not_fit},
		{"listed and removed", listed_and_removed},
		{"processes at once", processes_at_once},
		{"threads at once", threads_at_once},
		{NULL, NULL},
	};
	return unit_main("user_record", cases);
}
