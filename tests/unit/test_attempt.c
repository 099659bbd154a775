/* SPDX-License-Identifier: Apache-2.0 */
/* Who may try how often: by client, by account, and until an account is locked. */
#include "policy/attempt.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_bed.h"
#include "unit.h"

extern const struct store_driver store_embedded;

static const struct login_limits usual = {
	.client = {10, 60000, false}, .account = {5, 60000, false}, .failures = {5, 900000, true}};
static const struct login_limits lock_alone = {.failures = {3, 900000, true}};

static struct snapshot snapshot;
static struct worker worker = {.snapshot = &snapshot};
static int64_t retry_after;

static enum err try_at(const char *address, enum attempt_kind kind, const char *account)
{
	struct request request = {.remote_addr = str_of(address)};
	struct call call = {.worker = &worker, .request = &request};
	arena_reset(worker.arena);
	retry_after = -1;
	return attempt_begin(&call, kind, account ? str_of(account) : STR_NONE, &retry_after);
}

static void succeed(enum attempt_kind kind, const char *account)
{
	struct call call = {.worker = &worker};
	attempt_end(&call, kind, str_of(account), true);
}

/* How many of so many are let in. */
static unsigned let_in(const char *address, enum attempt_kind kind, const char *account, unsigned tries)
{
	unsigned n = 0;
	for (unsigned i = 0; i < tries; i++)
		n += try_at(address, kind, account) == ERR_NONE;
	return n;
}

static void by_client(struct bed *bed)
{
	(void)bed;
	snapshot.login_limits = usual;
	CU_ASSERT_EQUAL(let_in("192.0.2.1", ATTEMPT_LOGIN, NULL, 20), 10);
	CU_ASSERT_EQUAL(try_at("192.0.2.1", ATTEMPT_LOGIN, "ada"), ERR_RATE_LIMITED);
	CU_ASSERT(retry_after > 50 && retry_after <= 60);
	CU_ASSERT_EQUAL(try_at("192.0.2.2", ATTEMPT_LOGIN, NULL), ERR_NONE);
	UNIT_ROW(try_at("192.0.2.1", ATTEMPT_REGISTER, NULL) == ERR_NONE, "each kind is counted by itself");
	UNIT_ROW(let_in("2001:db8:0:1::1", ATTEMPT_LOGIN, NULL, 6) == 6 &&
			 let_in("2001:db8:0:1:ffff::2", ATTEMPT_LOGIN, NULL, 9) == 4,
		 "who has an IPv6 address has its network");
	CU_ASSERT_EQUAL(try_at("2001:db8:0:2::1", ATTEMPT_LOGIN, NULL), ERR_NONE);
	UNIT_ROW(let_in("", ATTEMPT_LOGIN, NULL, 20) == 10, "clients without an address are one client");
	UNIT_ROW(let_in("::ffff:192.0.2.1", ATTEMPT_LOGIN, NULL, 3) == 0, "the same address in another form");
}

static void by_account(struct bed *bed)
{
	char address[32];
	(void)bed;
	snapshot.login_limits = usual;
	snapshot.login_limits.failures.most = 0;
	unsigned n = 0;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(address, sizeof address, "198.51.100.%u", i);
		n += try_at(address, ATTEMPT_LOGIN, i % 2 ? "Ada" : "ada") == ERR_NONE;
	}
	UNIT_ROW(n == 5, "an account is counted for all clients and spellings");
	CU_ASSERT_EQUAL(try_at("198.51.100.30", ATTEMPT_LOGIN, "ada"), ERR_RATE_LIMITED);
	CU_ASSERT_EQUAL(try_at("198.51.100.30", ATTEMPT_LOGIN, "bob"), ERR_NONE);
	UNIT_ROW(let_in("198.51.100.40", ATTEMPT_REGISTER, "ada", 8) == 8, "who registers has no account yet");
	CU_ASSERT_EQUAL(let_in("198.51.100.41", ATTEMPT_MAIL, "ada", 8), 5);
}

static void locked(struct bed *bed)
{
	(void)bed;
	snapshot.login_limits = lock_alone;
	UNIT_ROW(let_in("192.0.2.1", ATTEMPT_LOGIN, "ada", 9) == 3, "tries that have not ended are failures");
	CU_ASSERT_EQUAL(try_at("192.0.2.9", ATTEMPT_LOGIN, "ada"), ERR_ACCOUNT_LOCKED);
	CU_ASSERT(retry_after > 890 && retry_after <= 900);
	CU_ASSERT(attempt_locked(&worker, STR("ADA")) > 890);
	UNIT_ROW(let_in("192.0.2.1", ATTEMPT_CODE, "ada", 9) == 3, "a session's user is locked out apart");
	UNIT_ROW(let_in("192.0.2.1", ATTEMPT_MAIL, "ada", 9) == 9, "a mail is no guess");
	CU_ASSERT_EQUAL(attempt_unlock(&worker, STR("ada")), ERR_NONE);
	CU_ASSERT_EQUAL(attempt_locked(&worker, STR("ada")), 0);
	CU_ASSERT_EQUAL(let_in("192.0.2.1", ATTEMPT_LOGIN, "ada", 2), 2);
	succeed(ATTEMPT_LOGIN, "ada");
	UNIT_ROW(let_in("192.0.2.1", ATTEMPT_LOGIN, "ada", 9) == 3, "a success clears the failures");
	UNIT_ROW(let_in("192.0.2.1", ATTEMPT_CODE, "ada", 2) == 2, "as unlocking does");
	succeed(ATTEMPT_CODE, "ada");
	UNIT_ROW(try_at("192.0.2.1", ATTEMPT_LOGIN, "ada") == ERR_NONE, "who has proved a code gets in");
}

static void locked_is_said_first(struct bed *bed)
{
	(void)bed;
	snapshot.login_limits = usual;
	CU_ASSERT_EQUAL(let_in("192.0.2.1", ATTEMPT_LOGIN, "ada", 5), 5);
	CU_ASSERT_EQUAL(try_at("192.0.2.1", ATTEMPT_LOGIN, "ada"), ERR_ACCOUNT_LOCKED);
	CU_ASSERT_EQUAL(attempt_unlock(&worker, STR("ada")), ERR_NONE);
	UNIT_ROW(try_at("192.0.2.1", ATTEMPT_LOGIN, "ada") == ERR_NONE, "unlocking is for the rate, too");
}

static void limits_off(struct bed *bed)
{
	(void)bed;
	snapshot.login_limits = (struct login_limits){0};
	CU_ASSERT_EQUAL(let_in("192.0.2.1", ATTEMPT_LOGIN, "ada", 200), 200);
	CU_ASSERT_EQUAL(attempt_locked(&worker, STR("ada")), 0);
}

/* Where nobody can count nobody guesses. */
static void uncounted(struct bed *bed)
{
	snapshot.login_limits = usual;
	CU_ASSERT_EQUAL(mkdir(folder_file(&bed->folder, "login-clients.limits"), 0700), 0);
	CU_ASSERT_EQUAL(try_at("192.0.2.1", ATTEMPT_LOGIN, "ada"), ERR_STORE);
	CU_ASSERT_EQUAL(rmdir(folder_file(&bed->folder, "login-clients.limits")), 0);
}

static void texts(void)
{
	CU_ASSERT_STRING_EQUAL(attempt_text(60), "Too many attempts. Please wait a minute, then try again.");
	CU_ASSERT_STRING_EQUAL(attempt_text(61), "Too many attempts. Please try again in five minutes.");
	CU_ASSERT_STRING_EQUAL(attempt_text(900), "Too many attempts. Please try again in a quarter of an hour.");
	CU_ASSERT_STRING_EQUAL(attempt_text(901), "Too many attempts. Please try again in an hour.");
	CU_ASSERT_STRING_EQUAL(attempt_text(86400), "Too many attempts. Please try again tomorrow.");
}

static void (*const bodies[])(struct bed *bed) = {by_client, by_account, locked, locked_is_said_first, limits_off,
						     uncounted};

static void limits(void)
{
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct bed bed = {.driver = &store_embedded};
		folder_open(&bed.folder);
		bed_start(&bed);
		worker.store_driver = bed.driver;
		worker.store = bed.thread;
		bodies[i](&bed);
		bed_stop(&bed);
		folder_close(&bed.folder);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"limits", limits},
		{"texts", texts},
		{NULL, NULL},
	};
	if (!token_start() || !arena_open(1 << 18, &worker.arena) || !token_thread_open(0, &worker.token))
		return 1;
	int status = unit_main("attempt", cases);
	token_thread_close(&worker.token);
	arena_close(&worker.arena);
	return status;
}
