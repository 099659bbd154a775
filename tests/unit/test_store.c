/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of store.h, held against every driver of the build. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store_bed.h"

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

static void counting(struct bed *bed)
{
	struct store_count count = {.of = STORE_COUNT_ACCOUNT, .key = key_of(1), .rate = {3, 600000, true}};
	const struct store_driver *driver = bed->driver;
	CU_ASSERT_EQUAL(driver->count_left(bed->thread, &count), 0);
	for (unsigned i = 0; i < 3; i++)
		UNIT_ROW(driver->count_use(bed->thread, &count) == 0, "within the rate");
	int64_t left = driver->count_use(bed->thread, &count);
	UNIT_ROW(left > 590000 && left <= 600000, "and beyond it");
	CU_ASSERT(driver->count_left(bed->thread, &count) > 590000);
	struct store_count client = count;
	client.of = STORE_COUNT_CLIENT;
	client.key = key_of(2);
	CU_ASSERT_EQUAL(driver->count_use(bed->thread, &client), 0);
	bed_stop(bed);
	bed_start(bed);
	UNIT_ROW(driver->count_left(bed->thread, &count) > 0, "the next program goes on");
	CU_ASSERT_EQUAL(driver->count_clear(bed->thread, &count), ERR_NONE);
	CU_ASSERT_EQUAL(driver->count_left(bed->thread, &count), 0);
	UNIT_ROW(driver->count_use(bed->thread, &count) == 0, "counts anew");
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
	UNIT_ROW(!bed_is_embedded(bed->driver) || !ask_at(bed, 3, NOW).revoked, "then it is forgotten");
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
	struct store_settings settings = bed_settings(bed);
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

/* Has the page changed since the last call? */
static bool is_told(struct bed *bed)
{
	static uint64_t last;
	uint64_t before = last;
	last = folder_generation(&bed->folder);
	return last != before;
}

/* Web servers that keep verdicts hear of what these hang on, and of nothing else. */
static void told(struct bed *bed)
{
	bool was_there;
	struct store_entry entry = token(1);
	struct store_key key = key_of(77);
	unsigned forgotten;
	is_told(bed);
	add(bed, entry);
	UNIT_ROW(is_told(bed), "a revocation");
	add(bed, entry);
	UNIT_ROW(is_told(bed), "the same again: whoever added it first may have been killed");
	CU_ASSERT_EQUAL(bed->driver->remove(bed->thread, &entry.key, &was_there), ERR_NONE);
	UNIT_ROW(is_told(bed), "one that is removed");
	CU_ASSERT_EQUAL(bed->driver->record_put(bed->thread, &key, STR("text"), INT64_MAX), ERR_NONE);
	UNIT_ROW(is_told(bed), "a record");
	CU_ASSERT_EQUAL(bed->driver->record_remove(bed->thread, &key, &was_there), ERR_NONE);
	UNIT_ROW(is_told(bed), "one that is removed");
	is_revoked(bed, 1);
	bed->driver->cache_put(bed->thread, &key, STR("value"), 60);
	bed->driver->sweep(bed->thread, INT64_MAX, &forgotten);
	UNIT_ROW(!is_told(bed), "questions, the cache and sweeping");
}

/* When they cannot be told, it is not done. */
static void cannot_be_told(struct bed *bed)
{
	bool was_there = false;
	struct store_entry entry = token(1);
	struct store_key key = key_of(77);
	const char *page = folder_file(&bed->folder, "generation.page");
	add(bed, entry);
	CU_ASSERT_FATAL(unlink(page) == 0 && mkdir(page, 0700) == 0);
	CU_ASSERT_EQUAL(bed->driver->add(bed->thread, &entry), ERR_STORE);
	CU_ASSERT_EQUAL(bed->driver->remove(bed->thread, &entry.key, &was_there), ERR_STORE);
	CU_ASSERT_EQUAL(bed->driver->record_put(bed->thread, &key, STR("text"), INT64_MAX), ERR_STORE);
	CU_ASSERT_EQUAL(bed->driver->record_remove(bed->thread, &key, &was_there), ERR_STORE);
	CU_ASSERT(!was_there);
	CU_ASSERT_FATAL(rmdir(page) == 0);
	add(bed, entry);
}

#define CONTRACT(body)                                                                                                 \
	static void contract_##body(void)                                                                              \
	{                                                                                                              \
		for (size_t i = 0; store_drivers[i]; i++)                                                              \
			bed_run(body, store_drivers[i]);                                                       \
	}
CONTRACT(tokens)
CONTRACT(sessions)
CONTRACT(not_before)
CONTRACT(later_end_is_kept)
CONTRACT(removal)
CONTRACT(listing)
CONTRACT(change_while_listing)
CONTRACT(counting)
CONTRACT(sweeping)
CONTRACT(seen_by_others_at_once)
CONTRACT(survives_a_restart)
CONTRACT(extreme_times)
CONTRACT(checks)
CONTRACT(records)
CONTRACT(refuses_no_folder)
CONTRACT(told)
CONTRACT(cannot_be_told)

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
		{"count", contract_counting},
		{"sweep", contract_sweeping},
		{"seen by others at once", contract_seen_by_others_at_once},
		{"survives a restart", contract_survives_a_restart},
		{"extreme times", contract_extreme_times},
		{"check", contract_checks},
		{"records", contract_records},
		{"no folder", contract_refuses_no_folder},
		{"web servers are told", contract_told},
		{"web servers cannot be told", contract_cannot_be_told},
		{NULL, NULL},
	};
	bed_servers_start();
	int status = unit_main("store", cases);
	bed_servers_stop();
	return status;
}
