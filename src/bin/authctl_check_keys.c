/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check`: can the JWK Sets be fetched, and what is used while they cannot? */
#include <stdio.h>

#include "bin/authctl_check.h"

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void check_issuer(struct checkup *checkup, const struct issuer *issuer, struct str url)
{
	struct keys_report report;
	char memory[1024], what[96];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct str name = issuer_name(issuer);
	/* A query may hold what is not for a terminal. */
	url.n = str_find(url, '?');
	snprintf(what, sizeof what, "issuer \"%.*s\"", STR_ARGS(name));
	keys_check(checkup->tool.worker.keys, issuer, &report, &why);
	if (report.fetched)
		check_line(checkup, why.n ? CHECK_WARNING : CHECK_OK, what, "jwks %.*s: fetched, %zu key%s in use%s%s",
			   STR_ARGS(url), report.n, plural((int64_t)report.n), why.n ? "; " : "", buf_z(&why));
	else if (report.age >= 0)
		check_line(checkup, CHECK_WARNING, what,
			   "jwks %.*s: cannot be fetched: %s; %zu key%s, fetched %lld second%s ago, %s in use until "
			   "jwks-stale has passed",
			   STR_ARGS(url), buf_z(&why), report.n, plural((int64_t)report.n), (long long)report.age,
			   plural(report.age), report.n == 1 ? "is" : "are");
	else
		check_line(checkup, CHECK_FAILED, what,
			   "jwks %.*s: cannot be fetched: %s; its tokens are answered with 503 until it can",
			   STR_ARGS(url), buf_z(&why));
}

void check_keys(struct checkup *checkup)
{
	const struct issuer_set *issuers = &checkup->tool.snapshot->issuers;
	for (size_t i = 0; i < issuers->n; i++) {
		struct issuer_jwks jwks = issuer_jwks(issuers->items[i]);
		if (jwks.url.p)
			check_issuer(checkup, issuers->items[i], jwks.url);
	}
}
