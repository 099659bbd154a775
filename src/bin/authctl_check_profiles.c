/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check`: can each service of profiles be asked, and does it take our key? */
#include <stdio.h>

#include "bin/authctl_check.h"

static void check_profile(struct checkup *checkup, const struct profile_source *source)
{
	struct profile_report report;
	char memory[1024], what[96];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct str url = profile_source_shown(source);
	snprintf(what, sizeof what, "profile \"%.*s\"", STR_ARGS(profile_source_name(source)));
	profile_check(&checkup->tool.worker, source, &report, &why);
	if (report.known)
		check_line(checkup, CHECK_WARNING, what,
			   "%.*s: gives a profile for the user \"fcgi-auth-check\", whom nobody has made: does it give "
			   "one for everybody? then not-found can never be noticed", STR_ARGS(url));
	else if (report.answers)
		check_line(checkup, CHECK_OK, what,
			   "%.*s: answers; for the user \"fcgi-auth-check\" with status %d, as it should",
			   STR_ARGS(url), report.status);
	else if (report.key_refused)
		check_line(checkup, CHECK_FAILED, what, "%.*s: %s", STR_ARGS(url), buf_z(&why));
	else if (report.status >= 400 && report.status < 500)
		check_line(checkup, CHECK_WARNING, what,
			   "%.*s: can be reached; for the user \"fcgi-auth-check\" it answers with status %d, where "
			   "404 is expected of a service that does not know a user", STR_ARGS(url), report.status);
	else
		check_line(checkup, CHECK_FAILED, what,
			   "%.*s: %s; users whose profile is not kept are answered with 503", STR_ARGS(url),
			   buf_z(&why));
}

void check_profiles(struct checkup *checkup)
{
	const struct snapshot *snapshot = checkup->tool.snapshot;
	for (const struct conf_section *s = snapshot->conf->sections; s; s = s->next)
		if (s->kind == &profile_kind)
			check_profile(checkup, profiles_find(snapshot, s->name));
}
