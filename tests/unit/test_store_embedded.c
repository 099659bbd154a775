/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of store.h, held against every driver of the build; what only the
 * embedded store promises comes last. */
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "folder.h"
#include "real_memcached.h"
#include "store/store.h"

enum { NOW = 1800000000, HOUR = 3600 };

/* One driver, opened in a new folder. */
struct bed {
	const struct store_driver *driver;
	struct folder folder;
	struct store *store;
	struct store_thread *thread;
};

enum { SERVERS = 2 };

/* For the store of many hosts; each bed has a namespace of its own. */
static struct servers {
	struct real_memcached running[SERVERS];
	struct conf_text items[SERVERS];
	struct conf_list list;
} servers;

static bool is_embedded(const struct store_driver *driver)
{
	return strcmp(driver->name, "embedded") == 0;
}

static struct store_settings settings_of(const struct bed *bed)
{
	static const struct conf_list none;
	return (struct store_settings){
		.state_dir = bed->folder.path,
		.servers = is_embedded(bed->driver) ? &none : &servers.list,
		.cache_servers = &none,
		.timeout_ms = 500,
		.host_timeout_ms = 600000,
		.namespace = str_of(bed->folder.path),
		.lasting = true,
	};
}

static void bed_start(struct bed *bed)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct store_settings settings = settings_of(bed);
	bool good = bed->driver->open(&settings, &bed->store, &why) &&
		    bed->driver->thread_open(bed->store, &bed->thread);
	if (!good) {
		fprintf(stderr, "the store does not open: %s\n", buf_z(&why));
		exit(99);
	}
}

static void bed_stop(struct bed *bed)
{
	bed->driver->thread_close(&bed->thread);
	bed->driver->close(&bed->store);
}

static struct store_key key_of(unsigned n)
{
	struct store_key key = {{0}};
	memcpy(key.bytes, &n, sizeof n);
	/* A NUL, a quote and bytes above 0x7f: keys are bytes, not text. */
	memcpy(key.bytes + 8, "\0'\xff%;\n\"\x80", 8);
	return key;
}

static struct store_entry token(unsigned n)
{
	return (struct store_entry){.key = key_of(n), .expires = NOW + HOUR, .created = NOW};
}

static struct store_answer ask_at(struct bed *bed, unsigned n, int64_t now)
{
	struct store_question question = {.token = key_of(n), .user = key_of(1000 + n), .session = key_of(2000 + n),
					  .has_session = true, .now = now};
	struct store_answer answer = {0};
	enum err err = bed->driver->ask(bed->thread, &question, &answer);
	/* On a busy machine the link may be late, and then nobody can tell for a moment. */
	int64_t deadline = clock_monotonic_ms() + 10000;
	while (!is_embedded(bed->driver) && err == ERR_STORE && clock_monotonic_ms() < deadline) {
		poll(NULL, 0, 10);
		err = bed->driver->ask(bed->thread, &question, &answer);
	}
	UNIT_ROW(err == ERR_NONE, "ask");
	return answer;
}

static bool is_revoked(struct bed *bed, unsigned n)
{
	return ask_at(bed, n, NOW).revoked;
}

static void add(struct bed *bed, struct store_entry entry)
{
	UNIT_ROW(bed->driver->add(bed->thread, &entry) == ERR_NONE, "add");
}

enum { LISTED_MAX = 16 };

struct listed {
	size_t n, stop_at;
	struct store_entry entries[LISTED_MAX];
	char texts[LISTED_MAX][2][300];
};

static bool note_entry(void *context, const struct store_entry *entry)
{
	struct listed *listed = context;
	size_t n = listed->n++;
	listed->entries[n] = *entry;
	snprintf(listed->texts[n][0], sizeof listed->texts[n][0], "%.*s", STR_ARGS(entry->user));
	snprintf(listed->texts[n][1], sizeof listed->texts[n][1], "%.*s", STR_ARGS(entry->note));
	return listed->n < listed->stop_at;
}

static void list(struct bed *bed, int64_t now, struct listed *out)
{
	memset(out, 0, sizeof *out);
	out->stop_at = LISTED_MAX;
	UNIT_ROW(bed->driver->list(bed->thread, now, note_entry, out) == ERR_NONE, "list");
}

static void tokens(struct bed *bed)
{
	UNIT_ROW(!is_revoked(bed, 1), "an empty store knows nothing");
	add(bed, token(1));
	UNIT_ROW(is_revoked(bed, 1), "an added token is revoked");
	UNIT_ROW(!is_revoked(bed, 2), "another is not");
	CU_ASSERT_EQUAL(ask_at(bed, 1, NOW).not_before, 0);
}

static void sessions(struct bed *bed)
{
	struct store_entry entry = {.key = key_of(2001), .kind = STORE_SESSION, .expires = NOW + HOUR, .created = NOW};
	add(bed, entry);
	UNIT_ROW(is_revoked(bed, 1), "a token of an ended session is revoked");
	UNIT_ROW(!is_revoked(bed, 2), "one of another session is not");
	struct store_question question = {.token = key_of(1), .user = key_of(1), .session = key_of(2001), .now = NOW};
	struct store_answer answer;
	CU_ASSERT_EQUAL(bed->driver->ask(bed->thread, &question, &answer), ERR_NONE);
	UNIT_ROW(!answer.revoked, "without has_session the key of the session counts for nothing");
}

static void not_before(struct bed *bed)
{
	struct store_entry mark = {.key = key_of(1001), .kind = STORE_USER, .not_before = NOW, .expires = NOW + HOUR,
				   .created = NOW};
	add(bed, mark);
	CU_ASSERT_EQUAL(ask_at(bed, 1, NOW).not_before, NOW);
	UNIT_ROW(!is_revoked(bed, 1), "a mark revokes by time alone");
	CU_ASSERT_EQUAL(ask_at(bed, 2, NOW).not_before, 0);
	mark.not_before = NOW - 100;
	add(bed, mark);
	UNIT_ROW(ask_at(bed, 1, NOW).not_before == NOW, "an earlier mark changes nothing");
	mark.not_before = NOW + 100;
	mark.expires = NOW;
	add(bed, mark);
	UNIT_ROW(ask_at(bed, 1, NOW).not_before == NOW + 100, "a later mark counts");
	struct listed got;
	list(bed, NOW, &got);
	CU_ASSERT_EQUAL(got.n, 1);
	CU_ASSERT_EQUAL(got.entries[0].kind, STORE_USER);
	CU_ASSERT_EQUAL(got.entries[0].not_before, NOW + 100);
	UNIT_ROW(got.entries[0].expires == NOW + HOUR, "and the later end is kept");
}

static void later_end_is_kept(struct bed *bed)
{
	static const int64_t ends[] = {NOW + HOUR, NOW + 10, NOW + 2 * HOUR, NOW + HOUR};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct store_entry entry = token(1);
		entry.expires = ends[i];
		add(bed, entry);
	}
	struct listed got;
	list(bed, NOW, &got);
	CU_ASSERT_EQUAL(got.n, 1);
	CU_ASSERT_EQUAL(got.entries[0].expires, NOW + 2 * HOUR);
}

static void removal(struct bed *bed)
{
	bool was_there = true;
	struct store_key key = key_of(1);
	CU_ASSERT_EQUAL(bed->driver->remove(bed->thread, &key, &was_there), ERR_NONE);
	UNIT_ROW(!was_there, "what was not there");
	struct store_entry entry = token(1);
	entry.user = STR("ada");
	add(bed, entry);
	CU_ASSERT_EQUAL(bed->driver->remove(bed->thread, &key, &was_there), ERR_NONE);
	UNIT_ROW(was_there, "what was there");
	UNIT_ROW(!is_revoked(bed, 1), "is good again");
	add(bed, token(1));
	struct listed got;
	list(bed, NOW, &got);
	UNIT_ROW(got.n == 1 && !got.texts[0][0][0], "no text is left of what was removed");
	struct store_entry mark = {.key = key_of(1001), .kind = STORE_USER, .not_before = NOW, .expires = NOW + HOUR};
	add(bed, mark);
	CU_ASSERT_EQUAL(bed->driver->remove(bed->thread, &mark.key, &was_there), ERR_NONE);
	UNIT_ROW(was_there && ask_at(bed, 1, NOW).not_before == 0, "a mark, too");
}

static void listing(struct bed *bed)
{
	char longer[300];
	memset(longer, 'x', sizeof longer);
	for (unsigned i = 0; i < 5; i++) {
		struct store_entry entry = token(i);
		entry.created = NOW + (int64_t)(i * 7 % 5);
		entry.user = i == 1 ? STR("ad'a\"; --") : STR_NONE;
		entry.note = i == 1 ? (struct str){longer, sizeof longer} : STR_NONE;
		entry.expires = i == 4 ? NOW - 1 : NOW + HOUR;
		add(bed, entry);
	}
	struct listed got;
	list(bed, NOW, &got);
	UNIT_ROW(got.n == 4, "what has expired is not listed");
	static const unsigned order[] = {2, 1, 3, 0};
	for (size_t i = 0; i < got.n && i < 4; i++) {
		struct store_key want = key_of(order[i]);
		UNIT_ROW(memcmp(got.entries[i].key.bytes, want.bytes, sizeof want.bytes) == 0, "newest first");
	}
	UNIT_STR_EQ(str_of(got.texts[1][0]), STR("ad'a\"; --"), "user");
	UNIT_ROW(strlen(got.texts[1][1]) == STORE_TEXT_MAX, "a note that is too long is cut");
	UNIT_ROW(!got.entries[0].user.p && !got.entries[0].note.p, "no text is no text");
	memset(&got, 0, sizeof got);
	got.stop_at = 2;
	CU_ASSERT_EQUAL(bed->driver->list(bed->thread, NOW, note_entry, &got), ERR_NONE);
	UNIT_ROW(got.n == 2, "each may stop the list");
	UNIT_ROW(is_revoked(bed, 3), "and the store answers as before");
}

static bool remove_entry(void *context, const struct store_entry *entry)
{
	struct bed *bed = context;
	bool was_there = false;
	UNIT_ROW(bed->driver->remove(bed->thread, &entry->key, &was_there) == ERR_NONE && was_there, "remove");
	return true;
}

static void change_while_listing(struct bed *bed)
{
	for (unsigned i = 0; i < 4; i++)
		add(bed, token(i));
	CU_ASSERT_EQUAL(bed->driver->list(bed->thread, NOW, remove_entry, bed), ERR_NONE);
	struct listed got;
	list(bed, NOW, &got);
	CU_ASSERT_EQUAL(got.n, 0);
}

static unsigned sweep_all(struct bed *bed, int64_t now)
{
	unsigned all = 0, forgotten = 0;
	do {
		UNIT_ROW(bed->driver->sweep(bed->thread, now, &forgotten) == ERR_NONE, "sweep");
		UNIT_ROW(forgotten <= 1000, "a small batch");
		all += forgotten;
	} while (forgotten);
	return all;
}

static void sweeping(struct bed *bed)
{
	enum { SHORT = 520 };
	for (unsigned i = 0; i < SHORT; i++) {
		struct store_entry entry = token(i);
		entry.user = i % 100 ? STR_NONE : STR("ada");
		add(bed, entry);
	}
	struct store_entry longer = token(5000);
	longer.expires = NOW + 10 * HOUR;
	add(bed, longer);
	struct store_entry mark = {.key = key_of(6000), .kind = STORE_USER, .not_before = 1, .expires = NOW + HOUR};
	add(bed, mark);
	CU_ASSERT_EQUAL(sweep_all(bed, NOW), 0);
	UNIT_ROW(ask_at(bed, 3, NOW + HOUR).revoked, "holds until its last second");
	CU_ASSERT_EQUAL(sweep_all(bed, NOW + HOUR + 1), 0);
	UNIT_ROW(ask_at(bed, 3, NOW).revoked, "a clock set back by an hour revives nothing");
	CU_ASSERT_EQUAL(sweep_all(bed, NOW + HOUR + STORE_KEPT + 1), SHORT + 1);
	/* Servers forget by their own clock. */
	UNIT_ROW(!is_embedded(bed->driver) || !ask_at(bed, 3, NOW).revoked, "then it is forgotten");
	UNIT_ROW(is_revoked(bed, 5000), "but not what has not expired");
}

static void seen_by_others_at_once(struct bed *bed)
{
	struct bed other = {bed->driver, bed->folder, NULL, NULL};
	bed_start(&other);
	struct store_thread *second;
	CU_ASSERT(bed->driver->thread_open(bed->store, &second));
	UNIT_ROW(!is_revoked(&other, 1), "before");
	add(bed, token(1));
	UNIT_ROW(is_revoked(&other, 1), "by another process's store");
	struct bed same = {bed->driver, bed->folder, bed->store, second};
	UNIT_ROW(is_revoked(&same, 1), "by another thread");
	add(&other, token(2));
	UNIT_ROW(is_revoked(bed, 2), "in both directions");
	bed->driver->thread_close(&second);
	bed_stop(&other);
	UNIT_ROW(is_revoked(bed, 2), "and after the other is gone");
}

static void survives_a_restart(struct bed *bed)
{
	add(bed, token(1));
	bed_stop(bed);
	bed_start(bed);
	UNIT_ROW(is_revoked(bed, 1), "after a restart");
}

static void extreme_times(struct bed *bed)
{
	static const int64_t ends[] = {INT64_MAX, (int64_t)1 << 31, (int64_t)1 << 33, NOW + 400 * 86400};
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct store_entry entry = token(i);
		entry.expires = ends[i];
		add(bed, entry);
	}
	CU_ASSERT_EQUAL(sweep_all(bed, NOW), 0);
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
		UNIT_ROW(is_revoked(bed, i), "a far end");
}

static void checks(struct bed *bed)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	add(bed, token(1));
	CU_ASSERT(bed->driver->check(bed->thread, &why));
	UNIT_STR_EQ(buf_str(&why), STR(""), "a whole store");
}

static void refuses_no_folder(struct bed *bed)
{
	char memory[512], path[600];
	struct buf why = buf_over(memory, sizeof memory);
	snprintf(path, sizeof path, "%s/nothing", bed->folder.path);
	struct store_settings settings = settings_of(bed);
	settings.state_dir = path;
	struct store *store = NULL;
	CU_ASSERT(!bed->driver->open(&settings, &store, &why));
	CU_ASSERT(!store && why.n > 0);
}

enum { RECORDS_MAX = 8, ARENA_SIZE = 64 << 10 };

struct records {
	struct bed *bed;
	size_t n, stop_at;
	bool remove;
	unsigned char first[RECORDS_MAX];
	int64_t expires[RECORDS_MAX];
	char texts[RECORDS_MAX][STORE_RECORD_MAX + 1];
};

static bool note_record(void *context, const struct store_key *key, struct str record, int64_t expires)
{
	struct records *records = context;
	size_t n = records->n++;
	bool was_there = false;
	records->first[n] = key->bytes[0];
	records->expires[n] = expires;
	snprintf(records->texts[n], sizeof records->texts[n], "%.*s", STR_ARGS(record));
	if (records->remove)
		UNIT_ROW(records->bed->driver->record_remove(records->bed->thread, key, &was_there) == ERR_NONE &&
				 was_there,
			 "removed while listing");
	return records->n < records->stop_at;
}

static void list_records(struct bed *bed, struct records *out)
{
	out->bed = bed;
	out->n = 0;
	out->stop_at = out->stop_at ? out->stop_at : RECORDS_MAX;
	UNIT_ROW(bed->driver->record_list(bed->thread, note_record, out) == ERR_NONE, "list of records");
}

static void put_record(struct bed *bed, unsigned n, struct str text, int64_t expires)
{
	struct store_key key = key_of(n);
	UNIT_ROW(bed->driver->record_put(bed->thread, &key, text, expires) == ERR_NONE, "a record is put");
}

static void get_record(struct bed *bed, unsigned n, enum err want, struct str text)
{
	struct store_key key = key_of(n);
	struct arena *arena;
	struct str got = STR_NONE;
	CU_ASSERT_FATAL(arena_open(ARENA_SIZE, &arena));
	CU_ASSERT_EQUAL(bed->driver->record_get(bed->thread, &key, arena, &got), want);
	UNIT_STR_EQ(got, text, "a record is found");
	arena_close(&arena);
}

static void records(struct bed *bed)
{
	static struct records got;
	static char longest[STORE_RECORD_MAX + 1];
	int64_t now = clock_now();
	bool was_there = true;
	memset(longest, 'x', sizeof longest);
	memset(&got, 0, sizeof got);
	get_record(bed, 1, ERR_NOT_FOUND, STR_NONE);
	put_record(bed, 1, STR("{\"user\":\"ad'a\"}"), INT64_MAX);
	put_record(bed, 2, STR("over"), now - 1);
	put_record(bed, 3, (struct str){longest, STORE_RECORD_MAX}, now + HOUR);
	put_record(bed, 3, STR("replaced"), now + 2 * HOUR);
	put_record(bed, 4, (struct str){longest, STORE_RECORD_MAX}, now + HOUR);
	get_record(bed, 1, ERR_NONE, STR("{\"user\":\"ad'a\"}"));
	get_record(bed, 2, ERR_NOT_FOUND, STR_NONE);
	get_record(bed, 3, ERR_NONE, STR("replaced"));
	get_record(bed, 4, ERR_NONE, (struct str){longest, STORE_RECORD_MAX});
	UNIT_ROW(!is_revoked(bed, 1), "a record revokes nothing");
	struct store_key key = key_of(5);
	UNIT_ROW(bed->driver->record_put(bed->thread, &key, (struct str){longest, sizeof longest}, INT64_MAX) ==
			 ERR_STORE,
		 "one that is too long");
	list_records(bed, &got);
	UNIT_ROW(got.n == 3 && got.first[0] == 1 && got.first[1] == 3 && got.first[2] == 4, "by key, unexpired ones");
	UNIT_ROW(got.expires[0] == INT64_MAX && got.expires[1] == now + 2 * HOUR, "with their ends");
	UNIT_STR_EQ(str_of(got.texts[1]), STR("replaced"), "with their texts");
	got.stop_at = 2;
	list_records(bed, &got);
	UNIT_ROW(got.n == 2, "each may stop the list of records");
	CU_ASSERT_EQUAL(bed->driver->record_remove(bed->thread, &key, &was_there), ERR_NONE);
	UNIT_ROW(!was_there, "what was not there");
	got.remove = true;
	got.stop_at = RECORDS_MAX;
	list_records(bed, &got);
	UNIT_ROW(got.n == 3, "all were listed while they were removed");
	UNIT_ROW(sweep_all(bed, now + STORE_KEPT + 1) == 1, "what has expired is swept");
}

static void run(void (*body)(struct bed *bed), const struct store_driver *driver)
{
	struct bed bed = {.driver = driver};
	folder_open(&bed.folder);
	bed_start(&bed);
	body(&bed);
	bed_stop(&bed);
	folder_close(&bed.folder);
}

#define CONTRACT(body)                                                                                                 \
	static void contract_##body(void)                                                                              \
	{                                                                                                              \
		for (size_t i = 0; store_drivers[i]; i++)                                                              \
			run(body, store_drivers[i]);                                                                   \
	}
CONTRACT(tokens)
CONTRACT(sessions)
CONTRACT(not_before)
CONTRACT(later_end_is_kept)
CONTRACT(removal)
CONTRACT(listing)
CONTRACT(change_while_listing)
CONTRACT(sweeping)
CONTRACT(seen_by_others_at_once)
CONTRACT(survives_a_restart)
CONTRACT(extreme_times)
CONTRACT(checks)
CONTRACT(records)
CONTRACT(refuses_no_folder)

/* From here on: the embedded store alone. */

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
		if (is_embedded(store_drivers[i]))
			run(body, store_drivers[i]);
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
	UNIT_ROW(folder_count(&bed->folder) == 4, "db, -wal, -shm and created, nothing else");
	bed_stop(bed);
	UNIT_ROW(folder_count(&bed->folder) == 2, "a clean end leaves db and created");
	bed_start(bed);
}

static void no_files_left(void)
{
	embedded(body_small);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"tokens", contract_tokens},
		{"sessions", contract_sessions},
		{"not before", contract_not_before},
		{"the later end is kept", contract_later_end_is_kept},
		{"removal", contract_removal},
		{"list", contract_listing},
		{"change while listing", contract_change_while_listing},
		{"sweep", contract_sweeping},
		{"seen by others at once", contract_seen_by_others_at_once},
		{"survives a restart", contract_survives_a_restart},
		{"extreme times", contract_extreme_times},
		{"check", contract_checks},
		{"records", contract_records},
		{"no folder", contract_refuses_no_folder},
		{"embedded: file deleted", file_deleted},
		{"embedded: log deleted", log_deleted},
		{"embedded: file replaced", file_replaced},
		{"embedded: files", no_files_left},
		{NULL, NULL},
	};
	static const char *const options[] = {"-M", "-F", NULL};
	struct folder folder;
	folder_open(&folder);
	bool many_hosts = false;
	for (size_t i = 0; store_drivers[i]; i++)
		many_hosts = many_hosts || !is_embedded(store_drivers[i]);
	for (size_t i = 0; many_hosts && i < SERVERS; i++) {
		real_memcached_start(&servers.running[i], folder.path, i == 0 ? "one" : "two", options);
		servers.items[i].value = str_of(servers.running[i].address);
	}
	servers.list = (struct conf_list){servers.items, SERVERS};
	int status = unit_main("store", cases);
	for (size_t i = 0; many_hosts && i < SERVERS; i++)
		real_memcached_kill(&servers.running[i]);
	folder_close(&folder);
	return status;
}
