/* SPDX-License-Identifier: Apache-2.0 */
/* What [profile] may say, which URL names a user, what lies in the cache and who can
 * read it, and who asks while others wait. Whole requests: test_profiles.py. */
#include "policy/profile_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "token/json.h"
#include "unit.h"

#define URL "url = https://team.test/api/users/{user_id}\n"

static struct folder folder;

static bool load(const char *text, struct snapshot **out, struct conf_error *error)
{
	folder_write(&folder, "conf", str_of(text));
	error->text[0] = '\0';
	return snapshot_open(folder_file(&folder, "conf"), 1, out, error);
}

static struct snapshot *load_good(const char *text)
{
	struct snapshot *snapshot = NULL;
	struct conf_error error;
	if (!load(text, &snapshot, &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(99);
	}
	return snapshot;
}

static void refuses(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"[profile \"p\"]\n", ":1: url: is missing"},
		{"[profile \"p\"]\nurl = https://a.test/users\n", ":2: url: has no {user_id}"},
		{"[profile \"p\"]\nurl = https://a.test/{user_id}/{user_id}\n", ":2: url: has more than one {user_id}"},
		{"[profile \"p\"]\nurl = https://{user_id}/x\n", ":2: url: {user_id} decides which host is asked"},
		{"[profile \"p\"]\nurl = https://a.test:{user_id}/x\n", ":2: url: "},
		{"[profile \"p\"]\nurl = https://a.{user_id}.test/x\n", ":2: url: {user_id} decides which host"},
		{"[profile \"p\"]\nurl = https://a.test{user_id}\n", ":2: url: {user_id} decides which host is asked"},
		{"[profile \"p\"]\nurl = {user_id}://a.test/x\n", ":2: url: "},
		{"[profile \"p\"]\nurl = https://a.test/{user_id}/{name}\n", ":2: url: "},
		{"[profile \"p\"]\nurl = http://a.test/{user_id}\n", "allow-plain-http"},
		{"[profile \"p\"]\nurl = file:///etc/{user_id}\n", ":2: url: "},
		{"[profile \"p\"]\nurl = https://user:word@a.test/{user_id}\n", ":2: url: "},
		{"[profile \"p\"]\n" URL "api-key = file:/nonexistent\n", ":3: api-key: "},
		{"[profile \"p\"]\n" URL "api-key = secret\n", ":3: api-key: "},
		{"[profile \"p\"]\n" URL "api-key = env:TEST_PROFILE_KEY\n", ":3: api-key: is empty, longer"},
		{"[profile \"p\"]\n" URL "api-key-header = X Y\n", ":3: api-key-header: "},
		{"[profile \"p\"]\n" URL "api-key-header = host\n", ":3: api-key-header: "},
		{"[profile \"p\"]\n" URL "host = https://b.test\n", ":3: host: "},
		{"[profile \"p\"]\n" URL "host = b.test/x\n", ":3: host: "},
		{"[profile \"p\"]\n" URL "host = b.test?x\n", ":3: host: "},
		{"[profile \"p\"]\n" URL "id = a..b\n", ":3: id: \"a..b\" is no path"},
		{"[profile \"p\"]\n" URL "active = a/b\n", ":3: active: \"a/b\" is no path"},
		{"[profile \"p\"]\n" URL "not-found = maybe\n", ":3: not-found: "},
		{"[profile \"p\"]\n" URL "timeout = 0\n", ":3: timeout: "},
		{"[profile \"p\"]\n" URL "max-concurrent = 0\n", ":3: max-concurrent: "},
	};
	setenv("TEST_PROFILE_KEY", "key\r\nX-Admin: 1", 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct snapshot *snapshot = NULL;
		struct conf_error error;
		UNIT_ROW(!load(rows[i].text, &snapshot, &error) && strstr(error.text, rows[i].want), rows[i].text);
		snapshot_close(&snapshot);
	}
}

static void makes_urls(void)
{
	static const struct {
		const char *conf, *user, *want; /* NULL: none */
	} rows[] = {
		{"url = https://t.test/u/{user_id}\n", "ann", "https://t.test/u/ann"},
		{"url = https://t.test/u/{user_id}.json\n", "ann", "https://t.test/u/ann.json"},
		{"url = https://t.test/?u={user_id}&x=1\n", "a&b=c d", "https://t.test/?u=a%26b%3Dc%20d&x=1"},
		{"url = https://t.test?{user_id}\n", "a", "https://t.test?a"},
		{"url = https://t.test/{user_id}\n", "../admin", "https://t.test/..%2Fadmin"},
		{"url = https://t.test/{user_id}\n", "\xc3\xa4%2f#?", "https://t.test/%C3%A4%252f%23%3F"},
		{"url = https://t.test/{user_id}\n", "{user_id}", "https://t.test/%7Buser_id%7D"},
		{"url = https://t.test/{user_id}\n", ".", NULL},
		{"url = https://t.test/{user_id}\n", "..", NULL},
		{"url = https://t.test/{user_id}\n", "...", "https://t.test/..."},
		{"url = http://127.0.0.1:80/{user_id}\n", "a", "http://127.0.0.1:80/a"},
		{"allow-plain-http = on\nurl = http://t.test/{user_id}\n", "a", "http://t.test/a"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[256];
		snprintf(text, sizeof text, "[profile \"p\"]\n%s", rows[i].conf);
		struct snapshot *snapshot = load_good(text);
		const struct profile_source *source = profiles_find(snapshot, STR("p"));
		CU_ASSERT_FATAL(source != NULL);
		struct str url = STR_NONE;
		bool made = profile_url(snapshot->arena, source, str_of(rows[i].user), &url);
		UNIT_ROW(made == (rows[i].want != NULL), rows[i].user);
		if (made)
			UNIT_STR_EQ(url, str_of(rows[i].want), rows[i].user);
		snapshot_close(&snapshot);
	}
	char user[2049];
	memset(user, 'x', sizeof user);
	struct snapshot *snapshot = load_good("[profile \"p\"]\n" URL);
	struct str url;
	const struct profile_source *source = profiles_find(snapshot, STR("p"));
	CU_ASSERT(!profile_url(snapshot->arena, source, (struct str){user, sizeof user}, &url));
	CU_ASSERT_PTR_NULL(profiles_find(snapshot, STR("q")));
	snapshot_close(&snapshot);
}

/* The cache --------------------------------------------------------------- */

static struct profile_entry found(const char *text)
{
	return (struct profile_entry){.kind = PROFILE_FOUND, .fetched = 1800000000123, .tried = 7,
				      .new_until = INT64_MAX, .text = str_of(text)};
}

static void keeps_entries(void)
{
	struct snapshot *snapshot = load_good("[profile \"p\"]\n" URL);
	const struct profile_source *source = profiles_find(snapshot, STR("p"));
	struct profile_entry entry = found("{\"id\":\"ann\",\"x\":1}"), got = {0};
	struct str text = profile_write(snapshot->arena, source, STR("ann"), &entry);
	CU_ASSERT_FATAL(profile_read(snapshot->arena, source, STR("ann"), text, &got));
	CU_ASSERT(got.kind == PROFILE_FOUND && got.fetched == entry.fetched && got.tried == 7);
	CU_ASSERT(got.new_until == INT64_MAX && json_member(got.value, STR("x")));
	for (enum profile_kind kind = PROFILE_NOTHING; kind <= PROFILE_PAUSE; kind++) {
		struct profile_entry other = {.kind = kind, .text = kind == PROFILE_FOUND ? entry.text : STR_NONE};
		text = profile_write(snapshot->arena, source, STR("ann"), &other);
		CU_ASSERT(profile_read(snapshot->arena, source, STR("ann"), text, &got) && got.kind == kind);
	}
	snapshot_close(&snapshot);
}

static void takes_no_other_entry(void)
{
	/* Each differs from the first in one thing that decides what is asked. */
	struct snapshot *snapshot = load_good("[profile \"p\"]\n" URL "api-key = text:one\n"
					      "[profile \"url\"]\nurl = https://team.test/{user_id}\n"
					      "api-key = text:one\n"
					      "[profile \"key\"]\n" URL "api-key = text:two\n"
					      "[profile \"header\"]\n" URL "api-key = text:one\napi-key-header = X-Y\n"
					      "[profile \"host\"]\n" URL "api-key = text:one\nhost = b.test\n"
					      "[profile \"same\"]\n" URL "api-key = text:one\nttl = 1s\n");
	static const char *const others[] = {"url", "key", "header", "host"};
	const struct profile_source *source = profiles_find(snapshot, STR("p"));
	struct profile_entry entry = found("{\"id\":\"ann\"}"), got;
	struct str text = profile_write(snapshot->arena, source, STR("ann"), &entry);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const struct profile_source *other = profiles_find(snapshot, str_of(others[i]));
		UNIT_ROW(!profile_read(snapshot->arena, other, STR("ann"), text, &got), others[i]);
		UNIT_ROW(!str_eq(source->identity, other->identity), others[i]);
	}
	const struct profile_source *same = profiles_find(snapshot, STR("same"));
	CU_ASSERT(profile_read(snapshot->arena, same, STR("ann"), text, &got));
	static const char *const users[] = {"bob", "an", "annn", "", "ANN"};
	for (size_t i = 0; i < sizeof users / sizeof *users; i++)
		UNIT_ROW(!profile_read(snapshot->arena, source, str_of(users[i]), text, &got), users[i]);
	/* One that is well sealed, but says another id: no answer that would have been taken. */
	entry = found("{\"id\":\"bob\"}");
	struct str lie = profile_write(snapshot->arena, source, STR("ann"), &entry);
	CU_ASSERT(lie.p && !profile_read(snapshot->arena, source, STR("ann"), lie, &got));
	char copy[512];
	CU_ASSERT_FATAL(text.n < sizeof copy);
	for (size_t i = 0; i < text.n; i++) {
		memcpy(copy, text.p, text.n);
		copy[i] ^= 1;
		struct str changed = {copy, text.n}, cut = {text.p, i};
		UNIT_ROW(!profile_read(snapshot->arena, source, STR("ann"), changed, &got), "changed");
		UNIT_ROW(!profile_read(snapshot->arena, source, STR("ann"), cut, &got), "cut");
	}
	snapshot_close(&snapshot);
}

static void knows_ages(void)
{
	enum { NOW = 1000000000, S = 1000 };
	static const struct {
		const char *name;
		enum profile_kind kind;
		int64_t age, until_end; /* of the entry; of the token it came for */
		enum profile_age want;
	} rows[] = {
		{"just come", PROFILE_FOUND, 0, S, PROFILE_NEW},
		{"before ttl", PROFILE_FOUND, 10 * S - 1, S, PROFILE_NEW},
		{"ttl", PROFILE_FOUND, 10 * S, S, PROFILE_OLD},
		{"before stale", PROFILE_FOUND, 60 * S - 1, S, PROFILE_OLD},
		{"stale", PROFILE_FOUND, 60 * S, S, PROFILE_GONE},
		{"the token is over", PROFILE_FOUND, 5 * S, 0, PROFILE_OLD},
		{"the token was over at once", PROFILE_FOUND, S - 1, -S, PROFILE_NEW},
		{"another host's clock", PROFILE_FOUND, -S, S, PROFILE_NEW},
		{"a clock that was set back", PROFILE_FOUND, -61 * S, S, PROFILE_GONE},
		{"unknown", PROFILE_UNKNOWN, 2 * S - 1, S, PROFILE_NEW},
		{"unknown, over", PROFILE_UNKNOWN, 2 * S, S, PROFILE_GONE},
		{"nothing", PROFILE_NOTHING, 0, S, PROFILE_GONE},
		{"a pause", PROFILE_PAUSE, 0, S, PROFILE_GONE},
	};
	struct snapshot *snapshot =
		load_good("[profile \"p\"]\n" URL "ttl = 10s\nstale = 1m\nnegative-ttl = 2s\n[profile \"q\"]\n" URL
			  "ttl = 10s\nstale = 1s\n");
	const struct profile_source *source = profiles_find(snapshot, STR("p"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct profile_entry entry = {.kind = rows[i].kind, .fetched = NOW - rows[i].age,
					      .new_until = NOW + rows[i].until_end};
		UNIT_ROW(profile_age(source, &entry, NOW) == rows[i].want, rows[i].name);
	}
	struct profile_entry entry = {.kind = PROFILE_FOUND, .fetched = NOW - 59 * S - 1, .new_until = INT64_MAX};
	CU_ASSERT_EQUAL(profile_keep_seconds(source, &entry, NOW), 1);
	entry.fetched -= S;
	CU_ASSERT_EQUAL(profile_keep_seconds(source, &entry, NOW), 0);
	/* stale is ttl at least. */
	entry.fetched = NOW - 9 * S;
	CU_ASSERT_EQUAL(profile_age(profiles_find(snapshot, STR("q")), &entry, NOW), PROFILE_NEW);
	entry.tried = 0;
	CU_ASSERT(!profile_rests(&entry, 100));
	entry.tried = NOW;
	CU_ASSERT(profile_rests(&entry, NOW) && profile_rests(&entry, NOW + PROFILE_REST_MS - 1));
	CU_ASSERT(!profile_rests(&entry, NOW + PROFILE_REST_MS) && !profile_rests(&entry, NOW - PROFILE_REST_MS));
	snapshot_close(&snapshot);
}

/* Turns ------------------------------------------------------------------- */

struct bed {
	struct snapshot *snapshot;
	struct profiles *profiles;
	struct arena *arena;
};

static void open_bed(struct bed *bed, unsigned workers)
{
	bed->snapshot = load_good("[profile \"p\"]\n" URL "max-concurrent = 2\n");
	if (!profiles_open(workers, false, &bed->profiles) || !arena_open(1 << 16, &bed->arena))
		exit(99);
}

static void close_bed(struct bed *bed)
{
	profiles_close(&bed->profiles);
	arena_close(&bed->arena);
	snapshot_close(&bed->snapshot);
}

static struct profile_visit visit(struct bed *bed, unsigned user, int64_t wait_ms)
{
	struct profile_visit v = {.profiles = bed->profiles, .source = profiles_find(bed->snapshot, STR("p")),
				  .arena = bed->arena, .waits = wait_ms > 0};
	memcpy(v.key.bytes, &user, sizeof user);
	v.begun = clock_monotonic_ms();
	v.deadline = v.begun + wait_ms;
	return v;
}

static bool leave(struct profile_visit *v, enum profile_outcome outcome)
{
	bool complain;
	profiles_leave(v, outcome, STR("text"), 60000, &complain);
	return complain;
}

static void limits_turns(void)
{
	struct bed bed;
	open_bed(&bed, 16);
	struct profile_visit a = visit(&bed, 1, 0), same = a, b = visit(&bed, 2, 0), c = visit(&bed, 3, 50);
	CU_ASSERT_EQUAL(profiles_enter(&a), PROFILE_OURS);
	CU_ASSERT_EQUAL(profiles_enter(&same), PROFILE_DECLINED);
	CU_ASSERT_EQUAL(profiles_enter(&b), PROFILE_OURS);
	CU_ASSERT_EQUAL(profiles_enter(&c), PROFILE_DECLINED);
	UNIT_ROW(clock_monotonic_ms() - c.begun >= 50, "it waited for a place");
	CU_ASSERT_EQUAL(leave(&a, PROFILE_CAME), false);
	CU_ASSERT_EQUAL(profiles_enter(&c), PROFILE_OURS);
	leave(&b, PROFILE_NOT_ASKED);
	leave(&c, PROFILE_CAME);
	close_bed(&bed);
	/* A quarter of the workers, one at least, is left for who needs no profile. */
	open_bed(&bed, 2);
	a = visit(&bed, 1, 0);
	b = visit(&bed, 2, 0);
	CU_ASSERT_EQUAL(profiles_enter(&a), PROFILE_OURS);
	CU_ASSERT_EQUAL(profiles_enter(&b), PROFILE_DECLINED);
	leave(&a, PROFILE_CAME);
	close_bed(&bed);
	struct profile_visit tool = {.profiles = NULL};
	CU_ASSERT_EQUAL(profiles_enter(&tool), PROFILE_OURS);
	CU_ASSERT_EQUAL(leave(&tool, PROFILE_AWAY), false);
}

static void wait_until(int64_t monotonic_ms)
{
	while (clock_monotonic_ms() < monotonic_ms)
		usleep(1000);
}

static void leaves_a_failing_source_alone(void)
{
	struct bed bed;
	open_bed(&bed, 16);
	struct profile_visit a = visit(&bed, 1, 0), b = visit(&bed, 2, 500), late = visit(&bed, 9, 0);
	CU_ASSERT_EQUAL(profiles_enter(&late), PROFILE_OURS);
	CU_ASSERT_EQUAL(profiles_enter(&a), PROFILE_OURS);
	CU_ASSERT_EQUAL(leave(&a, PROFILE_AWAY), true);
	int64_t failed = clock_monotonic_ms();
	CU_ASSERT_EQUAL(profiles_enter(&b), PROFILE_DECLINED);
	UNIT_ROW(b.why && profiles_leave_alone(bed.profiles, STR("p")), "it says so");
	UNIT_ROW(!profiles_leave_alone(bed.profiles, STR("q")), "another one is not");
	wait_until(failed + PROFILE_REST_MS);
	/* One tries, and no second at once. */
	b = visit(&bed, 2, 500);
	CU_ASSERT_EQUAL(profiles_enter(&b), PROFILE_OURS);
	a = visit(&bed, 1, 500);
	CU_ASSERT_EQUAL(profiles_enter(&a), PROFILE_DECLINED);
	CU_ASSERT_EQUAL(leave(&b, PROFILE_CAME), true);
	a = visit(&bed, 1, 0);
	CU_ASSERT_EQUAL(profiles_enter(&a), PROFILE_OURS);
	leave(&a, PROFILE_NO_GOOD);
	/* A call that began before others were answered says nothing of the source. */
	leave(&late, PROFILE_AWAY);
	a = visit(&bed, 1, 0);
	CU_ASSERT_EQUAL(profiles_enter(&a), PROFILE_OURS);
	leave(&a, PROFILE_BUSY);
	a = visit(&bed, 1, 500);
	CU_ASSERT_EQUAL(profiles_enter(&a), PROFILE_DECLINED);
	UNIT_ROW(clock_monotonic_ms() - a.begun < 400, "at once");
	close_bed(&bed);
}

struct waiter {
	struct bed *bed;
	struct profile_visit visit;
	struct arena *arena;
	enum profile_turn turn;
	atomic_uint *done;
};

static void *wait_for_turn(void *context)
{
	struct waiter *w = context;
	w->turn = profiles_enter(&w->visit);
	atomic_fetch_add(w->done, 1);
	return NULL;
}

/* Whoever comes while one asks gets its answer; who is in its own place and who is not. */
static void shares_answers(void)
{
	enum { WAITERS = 6 };
	struct bed bed;
	struct waiter waiters[WAITERS];
	pthread_t threads[WAITERS];
	atomic_uint done = 0;
	open_bed(&bed, 16);
	struct profile_visit first = visit(&bed, 1, 20000);
	CU_ASSERT_EQUAL(profiles_enter(&first), PROFILE_OURS);
	for (size_t i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){.bed = &bed, .visit = visit(&bed, 1, 20000), .done = &done};
		if (!arena_open(1 << 12, &waiters[i].arena))
			exit(99);
		waiters[i].visit.arena = waiters[i].arena;
		CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, wait_for_turn, &waiters[i]) == 0);
	}
	/* Those without a place give up; who is left has one. */
	while (atomic_load(&done) < WAITERS - 1 && clock_monotonic_ms() < first.begun + 15000)
		wait_until(clock_monotonic_ms() + 5);
	leave(&first, PROFILE_CAME);
	size_t answered = 0;
	for (size_t i = 0; i < WAITERS; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_NOT_EQUAL(waiters[i].turn, PROFILE_OURS);
		answered += waiters[i].turn == PROFILE_ANSWERED;
		if (waiters[i].turn == PROFILE_ANSWERED)
			UNIT_STR_EQ(waiters[i].visit.text, STR("text"), "the answer");
		arena_close(&waiters[i].arena);
	}
	/* max-concurrent is 2: who asks, and one. */
	CU_ASSERT_EQUAL(answered, 1);
	first = visit(&bed, 1, 0);
	UNIT_ROW(profiles_enter(&first) == PROFILE_OURS, "and then it is over");
	leave(&first, PROFILE_CAME);
	close_bed(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"refuses", refuses},
		{"makes urls", makes_urls},
		{"keeps entries", keeps_entries},
		{"takes no other entry", takes_no_other_entry},
		{"knows ages", knows_ages},
		{"limits turns", limits_turns},
		{"leaves a failing source alone", leaves_a_failing_source_alone},
		{"shares answers", shares_answers},
		{NULL, NULL},
	};
	folder_open(&folder);
	if (!token_start())
		return 99;
	int status = unit_main("profile", cases);
	folder_close(&folder);
	return status;
}
