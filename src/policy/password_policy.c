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
	return password_problem(password);
}
