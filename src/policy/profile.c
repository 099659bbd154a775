/* SPDX-License-Identifier: Apache-2.0 */
/* (under construction) */
#include "policy/profile.h"

#include <stddef.h>
#include <stdlib.h>

#include "policy/runtime.h"

static const struct conf_opt opts[] = {
	{"url", CONF_TEXT, offsetof(struct profile_conf, url), NULL, NULL, "Where a user's profile is, with {user_id} in it"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind profile_kind = {"profile", true, sizeof(struct profile_conf), opts, "A service that knows the users"};

bool profiles_compile(struct snapshot *snapshot, struct conf_error *error)
{
	(void)snapshot;
	(void)error;
	return true;
}

const struct profile_source *profiles_find(const struct snapshot *snapshot, struct str name)
{
	(void)snapshot;
	(void)name;
	return NULL;
}

bool profiles_open(unsigned workers, struct profiles **out)
{
	(void)workers;
	*out = NULL;
	return true;
}

void profiles_close(struct profiles **profiles)
{
	*profiles = NULL;
}

bool profile_key(struct worker *worker, const struct profile_source *source, struct str user_id,
		 struct store_key *out)
{
	(void)worker;
	(void)source;
	(void)user_id;
	(void)out;
	return false;
}

enum err profile_get(struct worker *worker, const struct profile_source *source, const struct claims *claims,
		     struct str cached, struct subject *out, struct str *why)
{
	(void)worker;
	(void)source;
	(void)claims;
	(void)cached;
	(void)out;
	(void)why;
	return ERR_PROFILE;
}
