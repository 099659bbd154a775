/* SPDX-License-Identifier: Apache-2.0 */
/* What a service of the site says of a user: fetched, kept, and given to rules
 * and attributes. */
#ifndef POLICY_PROFILE_H
#define POLICY_PROFILE_H

#include "base/conf.h"
#include "policy/subject.h"
#include "store/store.h"

struct snapshot;
struct worker;

/* [profile "NAME"] */
struct profile_conf {
	struct conf_text url, api_key, api_key_header, active, id, host;
	int64_t ttl, stale, timeout, negative_ttl, max_concurrent; /* times in milliseconds */
	int not_found; /* enum profile_not_found */
	bool allow_plain_http;
};

enum profile_not_found { PROFILE_NOT_FOUND_DENY, PROFILE_NOT_FOUND_ALLOW };

extern const struct conf_kind profile_kind;

/* A compiled [profile "NAME"]; belongs to the snapshot. */
struct profile_source;

/* Compile all of a snapshot, before its policies. */
bool profiles_compile(struct snapshot *snapshot, struct conf_error *error);
/* NULL: there is none of that name. */
const struct profile_source *profiles_find(const struct snapshot *snapshot, struct str name);

/* The process's: who is asking for whom. */
struct profiles;

bool profiles_open(unsigned workers, struct profiles **out);
void profiles_close(struct profiles **profiles);

/* What the store's cache has it under. */
bool profile_key(struct worker *worker, const struct profile_source *source, struct str user_id,
		 struct store_key *out);
/* The user's profile, from what was cached (STR_NONE: nothing) or the service: with
 * ERR_NONE out->profile is set, to an object, or to an empty one where not-found =
 * allow. ERR_USER_UNKNOWN, ERR_USER_INACTIVE, ERR_PROFILE; *why is for the log. */
enum err profile_get(struct worker *worker, const struct profile_source *source, const struct claims *claims,
		     struct str cached, struct subject *out, struct str *why);

#endif
