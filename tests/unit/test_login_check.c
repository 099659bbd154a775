/* SPDX-License-Identifier: Apache-2.0 */
/* Who does not exist costs as much as who does: measured by the work that is given to
 * crypt(3), not by a clock. Threat L13. */
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "folder.h"
#include "policy/login_routes.h"
#include "policy/password.h"
#include "store_bed.h"
#include "unit.h"

enum { COST = 5, CHEAP = 4, ROUNDS = 20 };

extern const struct store_driver store_embedded;

/* Rounds of bcrypt; another scheme counts for nothing. */
static uint64_t work;

char *__real_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
	if (setting[0] == '$' && setting[1] == '2')
		work += UINT64_C(1) << strtoul(setting + 4, NULL, 10);
	return __real_crypt_r(phrase, setting, data);
}

static struct login_conf login = {.password_cost = COST};
static struct server_conf server;
static struct snapshot snapshot = {.login = &login, .server = &server};
static struct worker worker = {.snapshot = &snapshot};

static void add_account(const char *id, const char *hash, bool disabled, bool pending)
{
	struct account account = {.id = str_of(id), .email = STR(""), .name = STR(""), .roles = STR(""),
				  .password = str_of(hash), .disabled = disabled, .pending = pending};
	CU_ASSERT_EQUAL(accounts_add(worker_accounts(&worker), &account), ERR_NONE);
}

static const char right[] = "the right password";

static void add_accounts(void)
{
	struct str hash, cheap;
	CU_ASSERT_FATAL(password_hash(worker.arena, str_of(right), COST, &hash) &&
			password_hash(worker.arena, str_of(right), CHEAP, &cheap));
	add_account("usual", hash.p, false, false);
	add_account("disabled", hash.p, true, false);
	add_account("pending", hash.p, false, true);
	add_account("without", "", false, false);
	add_account("cheap", cheap.p, false, false);
	add_account("sha", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", false, false);
}

static enum err check(const char *user, const char *password, uint64_t *done)
{
	static const struct request request = {.remote_addr = {"192.0.2.1", 9}};
	struct call call = {.worker = &worker, .request = &request};
	struct login_proof proof = {.kind = ATTEMPT_LOGIN, .user = str_of(user), .password = str_of(password)};
	arena_reset(worker.arena);
	work = 0;
	enum err err = login_check_password(&call, &proof);
	*done = work;
	return err;
}

static void work_is_the_same(void)
{
	static const struct {
		const char *user;
		uint64_t least, most; /* in rounds of the usual one */
	} rows[] = {
		{"usual", 1, 1},  {"nobody", 1, 1},   {"no@body.example", 1, 1}, {"disabled", 1, 1},
		{"pending", 1, 1}, {"without", 1, 1}, {"line\nbreak", 1, 1},
		/* A hash that is to be renewed costs its own on top. */
		{"cheap", 1, 2},  {"sha", 1, 1},
	};
	char text[64], long_name[400];
	uint64_t done, usual = UINT64_C(1) << COST;
	for (unsigned round = 0; round < ROUNDS; round++) {
		snprintf(text, sizeof text, "guess number %u", round);
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			UNIT_ROW(check(rows[i].user, text, &done) == ERR_BAD_CREDENTIALS, rows[i].user);
			UNIT_ROW(done >= rows[i].least * usual && done <= rows[i].most * usual, rows[i].user);
		}
	}
	snprintf(long_name, sizeof long_name, "%0*d", (int)sizeof long_name - 1, 0);
	UNIT_ROW(check(long_name, text, &done) == ERR_BAD_CREDENTIALS && done == usual, "a long name");
	UNIT_ROW(check("disabled", right, &done) == ERR_BAD_CREDENTIALS && done == usual, "disabled, right password");
	UNIT_ROW(check("usual", right, &done) == ERR_NONE && done == usual, "the right password");
}

/* Whoever is refused by a limit costs nothing, with the right password as with a wrong one. */
static void refused_is_free(void)
{
	static const char *const users[] = {"usual", "nobody", "disabled"};
	uint64_t done;
	snapshot.login_limits.failures = (struct limiter_rate){2, 60000, true};
	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		for (unsigned n = 0; n < 2; n++)
			CU_ASSERT_EQUAL(check(users[i], "wrong", &done), ERR_BAD_CREDENTIALS);
		UNIT_ROW(check(users[i], "wrong", &done) == ERR_ACCOUNT_LOCKED && done == 0, users[i]);
		UNIT_ROW(check(users[i], right, &done) == ERR_ACCOUNT_LOCKED && done == 0, users[i]);
	}
	snapshot.login_limits.client = (struct limiter_rate){1, 60000, false};
	CU_ASSERT_EQUAL(check("another", "wrong", &done), ERR_BAD_CREDENTIALS);
	UNIT_ROW(check("pending", right, &done) == ERR_RATE_LIMITED && done == 0, "a client");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"accounts", add_accounts},
		{"work is the same", work_is_the_same},
		{"refused is free", refused_is_free},
		{NULL, NULL},
	};
	struct bed bed = {.driver = &store_embedded};
	folder_open(&bed.folder);
	server.state_dir.value = str_of(bed.folder.path);
	bed_start(&bed);
	worker.store_driver = bed.driver;
	worker.store = bed.thread;
	if (!token_start() || !arena_open(1 << 20, &worker.arena) || !token_thread_open(0, &worker.token))
		return 1;
	int status = unit_main("login_check", cases);
	accounts_close(&worker.accounts);
	token_thread_close(&worker.token);
	arena_close(&worker.arena);
	bed_stop(&bed);
	folder_close(&bed.folder);
	return status;
}
