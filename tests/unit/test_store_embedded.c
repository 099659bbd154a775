/* SPDX-License-Identifier: Apache-2.0 */
/* What only the embedded store promises: its file is deleted or replaced. */
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store_bed.h"

static enum err ask_code(struct bed *bed, unsigned n, struct store_answer *answer)
{
	struct store_question question = {.token = key_of(n), .user = key_of(1000 + n), .now = NOW};
	return bed->driver->ask(bed->thread, &question, answer);
}

/* Ask until that code comes; false when it has not come in time. */
static bool comes(struct bed *bed, unsigned n, enum err want, struct store_answer *answer)
{
	int64_t deadline = clock_monotonic_ms() + 5000;
	while (clock_monotonic_ms() < deadline) {
		if (ask_code(bed, n, answer) == want)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static void embedded(void (*body)(struct bed *bed))
{
	for (size_t i = 0; store_drivers[i]; i++)
		if (bed_is_embedded(store_drivers[i]))
			bed_run(body, store_drivers[i]);
}

static void body_deleted(struct bed *bed)
{
	struct store_answer answer = {.not_before = 42};
	add(bed, token(1));
	unlink(folder_file(&bed->folder, "revocations.db"));
	struct store_entry entry = token(2);
	UNIT_ROW(bed->driver->add(bed->thread, &entry) == ERR_STORE, "what nobody else will see is not acknowledged");
	UNIT_ROW(comes(bed, 1, ERR_STORE, &answer), "a deleted file is noticed");
	CU_ASSERT_EQUAL(answer.not_before, 42);
	unsigned forgotten;
	bool was_there;
	struct listed got = {.stop_at = LISTED_MAX};
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	CU_ASSERT_EQUAL(bed->driver->add(bed->thread, &entry), ERR_STORE);
	CU_ASSERT_EQUAL(bed->driver->remove(bed->thread, &entry.key, &was_there), ERR_STORE);
	CU_ASSERT_EQUAL(bed->driver->sweep(bed->thread, NOW, &forgotten), ERR_STORE);
	CU_ASSERT_EQUAL(bed->driver->list(bed->thread, NOW, note_entry, &got), ERR_STORE);
	CU_ASSERT(!bed->driver->check(bed->thread, &why));
	CU_ASSERT(why.n > 0);
}

static void file_deleted(void)
{
	embedded(body_deleted);
}

static void body_log_deleted(struct bed *bed)
{
	struct store_answer answer;
	add(bed, token(1));
	unlink(folder_file(&bed->folder, "revocations.db-wal"));
	unlink(folder_file(&bed->folder, "revocations.db-shm"));
	/* Closing the connection writes its log back, so that nothing is lost, and
	 * opens one that the other processes see. */
	int64_t deadline = clock_monotonic_ms() + 5000;
	while (!folder_has(&bed->folder, "revocations.db-wal") && clock_monotonic_ms() < deadline)
		UNIT_ROW(comes(bed, 1, ERR_NONE, &answer) && answer.revoked, "what was acknowledged stays revoked");
	UNIT_ROW(folder_has(&bed->folder, "revocations.db-wal"), "a deleted log is noticed");
	UNIT_ROW(comes(bed, 1, ERR_NONE, &answer) && answer.revoked, "what was acknowledged stays revoked");
	struct bed other = {bed->driver, bed->folder, NULL, NULL};
	bed_start(&other);
	add(&other, token(2));
	UNIT_ROW(comes(bed, 2, ERR_NONE, &answer) && answer.revoked, "what another process adds is seen");
	bed_stop(&other);
}

static void log_deleted(void)
{
	embedded(body_log_deleted);
}

/* A backup put in its place, as an admin would: the answers are then the backup's. */
static void body_replaced(struct bed *bed)
{
	struct bed backup = {.driver = bed->driver};
	folder_open(&backup.folder);
	bed_start(&backup);
	add(&backup, token(7));
	bed_stop(&backup);
	char from[512];
	snprintf(from, sizeof from, "%s", folder_file(&backup.folder, "revocations.db"));
	CU_ASSERT_EQUAL(rename(from, folder_file(&bed->folder, "revocations.db")), 0);
	unlink(folder_file(&bed->folder, "revocations.db-wal"));
	unlink(folder_file(&bed->folder, "revocations.db-shm"));
	folder_close(&backup.folder);
	struct store_answer answer = {0};
	int64_t deadline = clock_monotonic_ms() + 5000;
	while (!answer.revoked && clock_monotonic_ms() < deadline) {
		ask_code(bed, 7, &answer);
		poll(NULL, 0, 10);
	}
	UNIT_ROW(answer.revoked, "the file in its place answers");
}

static void file_replaced(void)
{
	embedded(body_replaced);
}

static void body_small(struct bed *bed)
{
	struct store_entry entry = token(1);
	entry.user = STR("ada");
	add(bed, entry);
	UNIT_ROW(folder_count(&bed->folder) == 5, "db, -wal, -shm, created and the page of changes, nothing else");
	bed_stop(bed);
	UNIT_ROW(folder_count(&bed->folder) == 3, "a clean end leaves db, created and the page");
	bed_start(bed);
}

static void no_files_left(void)
{
	embedded(body_small);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"file deleted", file_deleted},
		{"log deleted", log_deleted},
		{"file replaced", file_replaced},
		{"files", no_files_left},
		{NULL, NULL},
	};
	return unit_main("store_embedded", cases);
}
