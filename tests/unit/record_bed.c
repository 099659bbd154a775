/* SPDX-License-Identifier: Apache-2.0 */
#include "record_bed.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void bed_start(struct bed *bed)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (!user_records_open(bed->folder.path, &bed->process) ||
	    !user_records_thread_open(bed->process, &bed->records) || !user_records_connect(bed->records, &why)) {
		fprintf(stderr, "the records do not open: %s\n", buf_z(&why));
		exit(99);
	}
}

void bed_stop(struct bed *bed)
{
	user_records_thread_close(&bed->records);
	user_records_close(&bed->process);
}

void bed_open(struct bed *bed)
{
	folder_open(&bed->folder);
	bed_start(bed);
	if (!arena_open(65536, &bed->arena))
		exit(99);
}

void bed_close(struct bed *bed)
{
	bed_stop(bed);
	arena_close(&bed->arena);
	folder_close(&bed->folder);
}

struct user_sight sight_of(const char *issuer, const char *user, const char *attributes, int64_t now)
{
	return (struct user_sight){str_of(issuer), str_of(user), str_of(attributes), now};
}

struct user_sight sight_of_ann(void)
{
	return sight_of("https://sso.example", "ann", "{\"email\":\"ann@example.org\"}", 1800000000);
}

int64_t bed_add(struct user_records_thread *records, struct user_sight sight)
{
	int64_t id = 0;
	return user_records_add(records, &sight, &id) == ERR_NONE ? id : 0;
}

int64_t bed_find(struct user_records_thread *records, struct user_sight sight)
{
	struct user_known known = {0};
	return user_records_find(records, &sight, &known) == ERR_NONE ? known.local_user_id : 0;
}

bool bed_ask(const char *path, const char *query, char *out, size_t size)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	bool found = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
		     sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_ROW;
	snprintf(out, size, "%s", found ? (const char *)sqlite3_column_text(statement, 0) : sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return found;
}

void bed_gives(struct bed *bed, const char *query, const char *want)
{
	char got[512];
	bed_ask(folder_file(&bed->folder, "user-records.db"), query, got, sizeof got);
	UNIT_STR_EQ(str_of(got), str_of(want), query);
}

off_t bed_size(struct bed *bed, const char *name)
{
	struct stat st;
	return stat(folder_file(&bed->folder, name), &st) == 0 ? st.st_size : -1;
}

struct user_sight sight_of_user(unsigned i, char name[16])
{
	snprintf(name, 16, "user%u", i);
	return sight_of("i", name, "{\"a\":\"b\"}", 1800000000);
}

int bed_in_child(int (*run)(struct bed *bed), struct bed *bed)
{
	pid_t child = fork();
	if (child == 0)
		_exit(run(bed));
	int status = 99;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
