/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [login] that bound guessing, as rates. */
#include "policy/runtime.h"
#include "store/limiter.h"

enum { LOCKOUT_MAX = 1000 };

static bool is_off(struct str text)
{
	return str_eq(text, STR("off")) || str_eq(text, STR("none")) || str_eq(text, STR("0"));
}

static bool read_rate(const struct conf_section *section, const char *key, struct str text, struct limiter_rate *out,
		      struct conf_error *error)
{
	if (is_off(text) || limiter_rate_parse(text, out))
		return true;
	return conf_fail(error, section, key,
			 "is how many attempts in which time: a number, / and s, m, h or d, as 10/m; or off");
}

static bool open_breached(struct snapshot *snapshot, const struct conf_section *section, struct conf_error *error)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	const char *path = snapshot->login->breached_passwords.value.p;
	return !path || breached_open(path, &snapshot->breached, &why) ||
	       conf_fail(error, section, "breached-passwords", "%s", buf_z(&why));
}

bool login_limits_check(struct snapshot *snapshot, const struct conf_section *section, struct conf_error *error)
{
	const struct login_conf *login = snapshot->login;
	struct login_limits limits = {0};
	uint64_t failures = 0;
	if (!read_rate(section, "rate-limit", login->rate_limit.value, &limits.client, error) ||
	    !read_rate(section, "account-rate-limit", login->account_rate_limit.value, &limits.account, error))
		return false;
	if (!is_off(login->lockout.value) && !str_to_uint(login->lockout.value, LOCKOUT_MAX, &failures))
		return conf_fail(error, section, "lockout", "is a number of failures up to %d, or off", LOCKOUT_MAX);
	if (failures > 0 && login->lockout_time > 0)
		limits.failures = (struct limiter_rate){(int64_t)failures, login->lockout_time, true};
	snapshot->login_limits = limits;
	return open_breached(snapshot, section, error);
}
