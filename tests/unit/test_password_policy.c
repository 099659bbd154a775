/* SPDX-License-Identifier: Apache-2.0 */
/* What a new password must be like. */
#include "policy/password_policy.h"

#include "unit.h"

static struct login_conf login = {.password_min = 8};
static struct snapshot snapshot = {.login = &login};
static struct worker worker = {.snapshot = &snapshot};

static void problems(void)
{
	static const struct {
		const char *password, *old, *problem;
	} rows[] = {
		{"long enough", NULL, NULL},
		{"long enough", "another one", NULL},
		{"1234567", NULL, "The new password is too short: 8 characters at least."},
		{"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", NULL, "The new password is too short: 8 characters at least."},
		{"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", NULL, NULL},
		{"long\tenough", NULL, "The new password has control characters."},
		{"long enough", "long enough", "The new password is the old one."},
		{"long enough", "long enougH", NULL},
		{"1234567890123456789012345678901234567890123456789012345678901234567890123", NULL,
		 "The password is too long: 72 bytes at most, and characters other than plain letters count as two to "
		 "four."},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *problem = password_policy_problem(&worker, str_of(rows[i].password), str_of(rows[i].old));
		UNIT_STR_EQ(str_of(problem), str_of(rows[i].problem), rows[i].password);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"problems", problems},
		{NULL, NULL},
	};
	if (!arena_open(1 << 16, &worker.arena))
		return 1;
	int status = unit_main("password_policy", cases);
	arena_close(&worker.arena);
	return status;
}
