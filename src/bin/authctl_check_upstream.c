/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check`: is the auth server of [upstream] there? */
#include "bin/authctl_check.h"
#include "policy/upstream.h"

void check_upstream(struct checkup *checkup)
{
	const struct upstream *upstream = checkup->tool.snapshot->upstream;
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory - 1);
	if (!upstream)
		return;
	struct str url = upstream->urls[UPSTREAM_HEALTH], base = upstream->conf->base.value;
	int status = upstream_check(&checkup->tool.worker, &why);
	if (status == 0)
		check_line(checkup, CHECK_FAILED, "upstream",
			   "%.*s: %s; nobody can sign in: is base right, does the server run, and for https, does the "
			   "system know its authority, or ca-file?",
			   STR_ARGS(url.p ? url : base), buf_z(&why));
	else if (!url.p)
		check_line(checkup, CHECK_OK, "upstream",
			   "%.*s: answers; name its health path (health = /health) to know that it is well",
			   STR_ARGS(base));
	else if (status >= 200 && status < 300)
		check_line(checkup, CHECK_OK, "upstream", "%.*s: answers with status %d", STR_ARGS(url), status);
	else
		check_line(checkup, CHECK_FAILED, "upstream",
			   "%.*s: answers with status %d, not 200: is it the path that says whether the server is "
			   "well? does it want another Host (host)?",
			   STR_ARGS(url), status);
	if (upstream->conf->allow_plain_http && str_starts(base, STR("http://")) && !fetch_is_local(base))
		check_line(checkup, CHECK_WARNING, "upstream",
			   "%.*s: passwords go over plain http: who is between can read them", STR_ARGS(base));
}
