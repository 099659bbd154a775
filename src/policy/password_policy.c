/* SPDX-License-Identifier: Apache-2.0 */
/* What [login] asks of a new password. */
#include "policy/password_policy.h"

#include "base/secret.h"
#include "policy/pages.h"
#include "policy/password.h"

static size_t count_characters(struct str utf8)
{
	size_t n = 0;
	for (size_t i = 0; i < utf8.n; i++)
		n += ((unsigned char)utf8.p[i] & 0xc0) != 0x80;
	return n;
}

/* Where nobody can tell it is refused. */
static const char *breach_of(const struct breached *breached, struct str password)
{
	enum breached_answer answer = breached ? breached_find(breached, password) : BREACHED_NO;
	if (answer == BREACHED_FAILED)
		return "Passwords cannot be changed at the moment. Please try again later.";
	if (answer == BREACHED_NO)
		return NULL;
	return "This password was stolen elsewhere and is in lists of attackers. Choose another one.";
}

const char *password_policy_problem(struct worker *worker, struct str password, struct str old)
{
	int64_t least = worker->snapshot->login->password_min;
	if (str_has_control(password))
		return "The new password has control characters.";
	if (count_characters(password) < (uint64_t)least)
		return arena_printf(worker->arena,
				    N_("The new password is too short: %lld characters at least."),
				    (long long)least).p;
	if (old.p && old.n == password.n && secret_equal(password.p, old.p, old.n))
		return "The new password is the old one.";
	const char *problem = password_problem(password);
	return problem ? problem : breach_of(worker->snapshot->breached, password);
}
