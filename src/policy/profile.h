/* SPDX-License-Identifier: Apache-2.0 */
/* What a service of the site says of a user: asked for once, kept in the store's
 * cache for all processes and hosts, and given to rules and attributes. While the
 * service cannot answer, what is kept is used for a limited time; without it the
 * answer is 503, never a guess. doc/internals.md says who asks and who waits. */
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
	int64_t ttl, stale, timeout, negative_ttl; /* milliseconds */
	int64_t max_concurrent;
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
/* Its section, and the URL as it may be shown: with {user_id}, without a query. */
const struct profile_conf *profile_source_conf(const struct profile_source *source);
struct str profile_source_name(const struct profile_source *source);
struct str profile_source_shown(const struct profile_source *source);

/* The process's: who is asking for whom. */
struct profiles;

/* Threads that renew profiles behind the requests' backs, beside the workers: each is
 * a worker of the runtime with a number of its own, from the number of workers on. */
enum { PROFILE_RENEWERS = 4 };

/* workers: threads that may ask. lasting: renew profiles in the background. false: no memory. */
bool profiles_open(unsigned workers, bool lasting, struct profiles **out);
/* Ends the threads: as long as the call takes that one of them is at. */
void profiles_close(struct profiles **profiles);

/* What the store's cache has it under. */
bool profile_key(struct worker *worker, const struct profile_source *source, struct str user_id,
		 struct store_key *out);

enum profile_from { PROFILE_FROM_NOWHERE, PROFILE_FROM_CACHE, PROFILE_FROM_OLD, PROFILE_FROM_SERVICE };

struct profile_lookup {
	const struct profile_source *source;
	const struct claims *claims;
	struct str cached; /* what the store has under profile_key(), or STR_NONE */
	/* What came of it. */
	const struct json *profile; /* an object, in the worker's arena */
	struct str why;		    /* detail for the log and `explain`, or STR_NONE */
	enum profile_from from;	    /* PROFILE_FROM_OLD: the cache, beyond its ttl */
	int64_t fetched_ms;	    /* when the service was asked; not with PROFILE_FROM_NOWHERE */
	int64_t new_until_ms;	    /* from then on it is old; not with PROFILE_FROM_NOWHERE */
};

/* The user's profile: from the cache, or the service. With ERR_NONE profile is set, to
 * an empty object for a user the service does not know where not-found = allow.
 * ERR_USER_UNKNOWN; ERR_USER_INACTIVE, profile is set too; ERR_PROFILE. Takes as long
 * as the source's timeout at most. Without worker->profiles (tools) it asks by itself. */
enum err profile_get(struct worker *worker, struct profile_lookup *lookup);

struct profile_report {
	int status;	  /* of the answer, 0: there is none */
	bool key_refused; /* 401 or 403 */
	bool known;	  /* it gave the profile of a user that cannot be */
	bool answers;	  /* as it should for such a user, or at least in a way that shows that it works */
};

/* For `authctl check`: ask for a user that cannot be. *why says what is wrong. */
void profile_check(struct worker *worker, const struct profile_source *source, struct profile_report *out,
		   struct buf *why);

#endif
