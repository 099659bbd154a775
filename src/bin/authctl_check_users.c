/* SPDX-License-Identifier: Apache-2.0 */
/* Which users can do what the programs must: write state-dir, read the secrets.
 * A program that a web server starts runs as the web server's user; one started
 * by hand or by the service manager as another. Judged by owner, group and mode,
 * since a process cannot ask on behalf of another user. */
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "bin/authctl_check.h"

enum { GROUPS_MAX = 128, MAY_ENTER = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* Users that programs of this kind run as on the usual systems. */
static const char *const usual[] = {"fcgi-auth", "www-data", "apache", "http", "httpd",
				    "lighttpd",	 "nginx",    "wwwrun", "_www", NULL};

struct person {
	char name[64];
	uid_t uid;
	gid_t groups[GROUPS_MAX];
	int n_groups;
};

static bool read_person(const struct passwd *entry, struct person *out)
{
	if (!entry)
		return false;
	snprintf(out->name, sizeof out->name, "%s", entry->pw_name);
	out->uid = entry->pw_uid;
	out->n_groups = GROUPS_MAX;
	if (getgrouplist(entry->pw_name, entry->pw_gid, out->groups, &out->n_groups) < 0)
		out->n_groups = GROUPS_MAX;
	return true;
}

static bool in_group(const struct person *person, gid_t group)
{
	for (int i = 0; i < person->n_groups; i++)
		if (person->groups[i] == group)
			return true;
	return false;
}

static bool may(const struct person *person, const char *path, unsigned rights)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	unsigned shift = person->uid == st.st_uid ? 6 : in_group(person, st.st_gid) ? 3 : 0;
	return person->uid == 0 || (((unsigned)st.st_mode >> shift) & rights) == rights;
}

/* The same, and every folder on the way may be entered. */
static bool may_reach(const struct person *person, const char *path, unsigned rights)
{
	char folder[PATH_MAX];
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t n = (size_t)(slash - path);
		if (n >= sizeof folder)
			return false;
		memcpy(folder, path, n);
		folder[n] = '\0';
		if (!may(person, folder, MAY_ENTER))
			return false;
	}
	return may(person, path, rights);
}

static void check_secrets_of(struct checkup *checkup, const struct person *person)
{
	struct arena *arena = checkup->tool.worker.arena;
	for (const struct conf_section *s = checkup->tool.snapshot->conf->sections; s; s = s->next) {
		const struct issuer_conf *conf = s->kind == &issuer_kind ? s->values : NULL;
		for (size_t i = 0; conf && i < conf->secret.n; i++) {
			struct str path = str_starts(conf->secret.items[i].value, STR("file:"))
						  ? secret_path(arena, conf->secret.items[i].value)
						  : STR_NONE;
			if (path.p && !may_reach(person, path.p, MAY_READ))
				check_line(checkup, CHECK_WARNING, "users",
					   "%s can write state-dir but not read %s: if programs run as %s: chown %s %s",
					   person->name, path.p, person->name, person->name, path.p);
		}
	}
}

static void check_person(struct checkup *checkup, const struct person *person, const char *path, size_t *writers)
{
	if (!may_reach(person, path, MAY_READ | MAY_WRITE | MAY_ENTER))
		return;
	++*writers;
	check_line(checkup, CHECK_OK, "users", "%s can write state-dir", person->name);
	check_secrets_of(checkup, person);
}

void check_users(struct checkup *checkup)
{
	const char *path = checkup->tool.snapshot->server->state_dir.value.p;
	struct person person;
	struct stat st;
	size_t writers = 0;
	if (stat(path, &st) != 0)
		return;
	if (st.st_uid != 0 && read_person(getpwuid(st.st_uid), &person))
		check_person(checkup, &person, path, &writers);
	for (size_t i = 0; usual[i]; i++)
		if (read_person(getpwnam(usual[i]), &person) && person.uid != st.st_uid)
			check_person(checkup, &person, path, &writers);
	if (writers == 0)
		check_line(checkup, CHECK_WARNING, "users",
			   "of the users that the programs usually run as, none but root can write state-dir: "
			   "chgrp GROUP %s && chmod 2770 %s with a group that theirs is in, or chown it",
			   path, path);
}
