/* SPDX-License-Identifier: Apache-2.0 */
/* What is found when a program opens its database: each state of the folder, and
 * what is said about it. */
#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "store/database.h"
#include "store/state_dir.h"

enum { PUT, GET };

static const char *const statements[] = {
	[PUT] = "INSERT INTO word (w) VALUES (?1)",
	[GET] = "SELECT count(*), max(w) FROM word",
};

static const struct schema schema = {
	.name = "words",
	.version = 3,
	.tables = "CREATE TABLE word (w TEXT NOT NULL) STRICT;",
	.probe = "SELECT w FROM word",
	.statements = statements,
	.statements_n = 2,
	.loss = "all words are forgotten",
};

static bool put(struct sql *sql, struct str word)
{
	sql_bind_text(sql, PUT, 1, word);
	return sql_run(sql, PUT);
}

/* Open, and close again; with words to put in. */
static bool use(const char *path, int words, struct buf *why)
{
	struct database *database;
	struct sql *sql;
	if (!database_open(&schema, path, &database, why))
		return false;
	bool good = database_connect(database, &sql, why);
	for (int i = 0; good && i < words; i++)
		good = put(sql, STR("a word that fills some bytes of the file, so that there are more pages"));
	if (good)
		sql_close(&sql);
	database_close(&database);
	return good;
}

static void change_by_sql(const char *path, const char *text)
{
	sqlite3 *db;
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", text, sqlite3_errmsg(db));
		exit(99);
	}
	sqlite3_close(db);
}

static void cut(const char *path, off_t size)
{
	if (truncate(path, size) != 0)
		exit(99);
	chmod(path, 0600);
}

static void no_change(struct folder *f)
{
	(void)f;
}

static void empty_database(struct folder *f)
{
	cut(folder_file(f, "words.db"), 0);
}

static void empty_database_alone(struct folder *f)
{
	empty_database(f);
	unlink(folder_file(f, "words.created"));
}

static void half_a_page(struct folder *f)
{
	cut(folder_file(f, "words.db"), 300);
}

static void half_the_pages(struct folder *f)
{
	cut(folder_file(f, "words.db"), 8192);
}

static void garbage(struct folder *f)
{
	char bytes[8192];
	memset(bytes, 0xa5, sizeof bytes);
	folder_write(f, "words.db", (struct str){bytes, sizeof bytes});
	chmod(folder_file(f, "words.db"), 0600);
}

static void foreign(struct folder *f)
{
	unlink(folder_file(f, "words.db"));
	change_by_sql(f->file, "CREATE TABLE word (w TEXT NOT NULL)");
	chmod(f->file, 0600);
}

static void older(struct folder *f)
{
	change_by_sql(folder_file(f, "words.db"), "PRAGMA user_version=2");
}

static void table_dropped(struct folder *f)
{
	change_by_sql(folder_file(f, "words.db"), "DROP TABLE word");
}

static void database_lost(struct folder *f)
{
	unlink(folder_file(f, "words.db"));
}

static void log_without_database(struct folder *f)
{
	unlink(folder_file(f, "words.db"));
	unlink(folder_file(f, "words.created"));
	folder_write(f, "words.db-wal", STR("x"));
}

static void created_lost(struct folder *f)
{
	unlink(folder_file(f, "words.created"));
}

static void all_lost(struct folder *f)
{
	unlink(folder_file(f, "words.db"));
	unlink(folder_file(f, "words.created"));
}

static void database_is_folder(struct folder *f)
{
	unlink(folder_file(f, "words.db"));
	mkdir(f->file, 0700);
}

static void database_is_link(struct folder *f)
{
	unlink(folder_file(f, "words.db"));
	if (symlink("/dev/null", f->file) != 0)
		exit(99);
}

static void database_open_to_all(struct folder *f)
{
	chmod(folder_file(f, "words.db"), 0604);
}

static void folder_open_to_all(struct folder *f)
{
	chmod(f->path, 0777);
}

static void in_rollback_mode(struct folder *f)
{
	change_by_sql(folder_file(f, "words.db"), "PRAGMA journal_mode=DELETE");
}

static void states(void)
{
	static const struct {
		const char *name;
		void (*change)(struct folder *f);
		const char *said; /* NULL: it opens */
	} rows[] = {
		{"as it was left", no_change, NULL},
		{"words.created lost", created_lost, NULL},
		{"everything lost is a new folder", all_lost, NULL},
		{"rollback mode", in_rollback_mode, NULL},
		{"empty file", empty_database, "is empty"},
		{"empty file, nothing else", empty_database_alone, "is empty"},
		{"cut in the first page", half_a_page, "damaged"},
		{"cut after two pages", half_the_pages, "damaged"},
		{"garbage", garbage, "damaged"},
		{"another program's database", foreign, "no database of this program"},
		{"another version", older, "another version"},
		{"table dropped", table_dropped, "lacks tables"},
		{"database lost", database_lost, "is gone, but"},
		{"log without database", log_without_database, "is gone, but"},
		{"a folder in its place", database_is_folder, "not a plain file"},
		{"a link in its place", database_is_link, "not a plain file"},
		{"file open to all", database_open_to_all, "chmod o= "},
		{"folder open to all", folder_open_to_all, "chmod o-w "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct folder f;
		char text[1024];
		struct buf why = buf_over(text, sizeof text);
		folder_open(&f);
		UNIT_ROW(use(f.path, 300, &why), "a new folder");
		rows[i].change(&f);
		bool opened = use(f.path, 0, &why);
		UNIT_ROW(opened == !rows[i].said, rows[i].name);
		UNIT_ROW(opened || strstr(buf_z(&why), rows[i].said), rows[i].name);
		/* Refusing changes nothing: a second start says the same. */
		why.n = 0;
		UNIT_ROW(use(f.path, 0, &why) == opened, rows[i].name);
		folder_close(&f);
	}
}

static void no_folder(void)
{
	struct folder f;
	char text[1024], path[600];
	struct buf why = buf_over(text, sizeof text);
	folder_open(&f);
	snprintf(path, sizeof path, "%s/none", f.path);
	UNIT_ROW(!use(path, 0, &why) && strstr(buf_z(&why), "install -d"), "no folder");
	why.n = 0;
	folder_write(&f, "none", STR(""));
	UNIT_ROW(!use(path, 0, &why) && strstr(buf_z(&why), "not a folder"), "a file");
	char longest[PATH_MAX + 1];
	memset(longest, 'x', PATH_MAX);
	longest[PATH_MAX] = '\0';
	why.n = 0;
	UNIT_ROW(!use(longest, 0, &why) && strstr(buf_z(&why), "too long"), "a long name");
	folder_close(&f);
}

/* The umask plays no part; who may share the folder may share the files. */
static void modes(void)
{
	static const struct {
		mode_t folder, mask, file;
	} rows[] = {
		{0700, 022, 0600}, {0700, 0, 0600},	{0700, 0777, 0600},
		{0750, 0, 0600},   {02770, 077, 0660}, {02775, 0, 0660},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct folder f;
		struct database *database;
		struct sql *sql;
		char text[1024];
		struct buf why = buf_over(text, sizeof text);
		folder_open(&f);
		chmod(f.path, rows[i].folder);
		mode_t before = umask(rows[i].mask);
		bool good = database_open(&schema, f.path, &database, &why) && database_connect(database, &sql, &why) &&
			    put(sql, STR("x"));
		umask(before);
		UNIT_STR_EQ(buf_str(&why), STR(""), "why it does not open");
		if (!good)
			exit(99);
		static const char *const names[] = {"words.db", "words.db-wal", "words.db-shm", "words.created"};
		for (size_t j = 0; j < sizeof names / sizeof *names; j++)
			UNIT_ROW(folder_mode(&f, names[j]) == rows[i].file, names[j]);
		sql_close(&sql);
		database_close(&database);
		UNIT_ROW(folder_count(&f) == 2, "words.db and words.created are left, nothing else");
		folder_close(&f);
	}
}

/* Alone in the folder's group: root could give itself any. */
static void owner_of_new_files(void)
{
	struct folder f;
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct state_owner owner;
	folder_open(&f);
	CU_ASSERT(state_dir_check(f.path, false, &owner, &why));
	CU_ASSERT_EQUAL(owner.uid, geteuid());
	CU_ASSERT_EQUAL(owner.mode, 0600);
	if (geteuid() == 0) {
		CU_ASSERT_EQUAL(chown(f.path, 65534, 65534), 0);
		chmod(f.path, 02770);
		CU_ASSERT(use(f.path, 1, &why));
		struct stat st;
		CU_ASSERT_EQUAL(stat(folder_file(&f, "words.db"), &st), 0);
		UNIT_ROW(st.st_uid == 65534 && st.st_gid == 65534, "root's files belong to the folder's owner");
		CU_ASSERT_EQUAL(stat(folder_file(&f, "words.created"), &st), 0);
		UNIT_ROW(st.st_uid == 65534 && st.st_gid == 65534, "all of them");
	}
	folder_close(&f);
}

static const char *const upgrades[] = {
	"CREATE TABLE never (n INTEGER)", /* from 1 to 2 */
	"CREATE TABLE never (n INTEGER)", /* from 2 to 3 */
	"CREATE TABLE letter (l TEXT NOT NULL) STRICT; INSERT INTO letter SELECT 'x' FROM word",
	"ALTER TABLE letter ADD COLUMN size INTEGER",
};

static bool open_as(const char *path, const struct schema *as, struct buf *why)
{
	struct database *database;
	why->n = 0;
	bool good = database_open(as, path, &database, why);
	if (good)
		database_close(&database);
	return good;
}

/* A file of version 3 in the hands of a program that has version 5. */
static void upgrade(void)
{
	struct folder f;
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct schema newer = schema, broken;
	newer.version = 5;
	newer.tables = "CREATE TABLE word (w TEXT NOT NULL) STRICT;"
		       "CREATE TABLE letter (l TEXT NOT NULL, size INTEGER) STRICT;";
	newer.probe = "SELECT w, l, size FROM word, letter";
	newer.upgrades = upgrades;
	newer.upgrades_n = sizeof upgrades / sizeof *upgrades;
	broken = newer;
	broken.upgrades = (const char *const[]){upgrades[0], upgrades[1], upgrades[2],
						"CREATE TABLE word (again TEXT)"};
	folder_open(&f);
	UNIT_ROW(use(f.path, 300, &why), "a file of version 3");
	UNIT_ROW(!open_as(f.path, &broken, &why) && strstr(buf_z(&why), "already exists"),
		 "an upgrade that fails");
	UNIT_ROW(use(f.path, 0, &why), "has changed nothing");
	UNIT_ROW(open_as(f.path, &newer, &why), buf_z(&why));
	UNIT_ROW(open_as(f.path, &newer, &why), "is upgraded once");
	UNIT_ROW(!use(f.path, 0, &why) && strstr(buf_z(&why), "another version"), "the older program refuses it");
	change_by_sql(folder_file(&f, "words.db"),
		      "CREATE TABLE all_there (n INTEGER CHECK (n = 300));"
		      "INSERT INTO all_there SELECT count(*) FROM word;"
		      "INSERT INTO all_there SELECT count(l) FROM letter");
	change_by_sql(folder_file(&f, "words.db"), "PRAGMA user_version=6");
	UNIT_ROW(!open_as(f.path, &newer, &why) && strstr(buf_z(&why), "another version"), "a newer one is refused");
	folder_close(&f);
}

static void statements_fail_as_told(void)
{
	struct folder f;
	struct database *database;
	struct sql *sql;
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	folder_open(&f);
	if (!database_open(&schema, f.path, &database, &why) || !database_connect(database, &sql, &why))
		exit(99);
	UNIT_ROW(!put(sql, STR_NONE), "NULL where none may be");
	UNIT_ROW(put(sql, STR("")), "and the next one works");
	CU_ASSERT_EQUAL(sql_changes(sql), 1);
	UNIT_ROW(sql_begin(sql, true) && put(sql, STR("x")), "begin");
	sql_rollback(sql);
	sql_rollback(sql);
	CU_ASSERT_EQUAL(sql_step(sql, GET), SQL_ROW);
	CU_ASSERT_EQUAL(sql_int(sql, GET, 0), 1);
	UNIT_STR_EQ(sql_text(sql, GET, 1), STR(""), "an empty text is not NULL");
	sql_reset(sql, GET);
	UNIT_ROW(!sql_commit(sql), "a commit without begin");
	UNIT_ROW(sql_check(sql, true, &why) && sql_check(sql, false, &why), "check");
	CU_ASSERT(sql_is_current(sql) && sql_look(sql));
	sql_close(&sql);
	database_close(&database);
	folder_close(&f);
}

/* One begins to write while another does. */
static void two_writers(void)
{
	struct folder f;
	struct database *database;
	struct sql *one, *two;
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	folder_open(&f);
	if (!database_open(&schema, f.path, &database, &why) || !database_connect(database, &one, &why) ||
	    !database_connect(database, &two, &why))
		exit(99);
	CU_ASSERT(sql_begin(one, true));
	UNIT_ROW(!sql_begin(two, false), "without waiting");
	UNIT_ROW(!sql_begin(two, true), "with a wait that ends");
	CU_ASSERT(sql_commit(one));
	UNIT_ROW(sql_begin(two, false), "after it");
	sql_rollback(two);
	sql_close(&one);
	sql_close(&two);
	database_close(&database);
	folder_close(&f);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"states", states},
		{"no folder", no_folder},
		{"modes", modes},
		{"owner of new files", owner_of_new_files},
		{"upgrade", upgrade},
		{"statements", statements_fail_as_told},
		{"two writers", two_writers},
		{NULL, NULL},
	};
	return unit_main("database", cases);
}
