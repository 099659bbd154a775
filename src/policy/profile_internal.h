/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by profile.c (who gets which profile), profile_options.c (the sections),
 * profile_ask.c (one call, and what its answer means), profile_cached.c (what lies
 * in the cache), profile_flight.c (who asks and who waits in this process),
 * profile_renew.c (what is done behind the requests' backs). */
#ifndef POLICY_PROFILE_INTERNAL_H
#define POLICY_PROFILE_INTERNAL_H

#include "policy/runtime.h"
#include "token/digest.h"

enum {
	/* With what is written before it an answer has room in the cache. */
	PROFILE_HEAD_MAX = 1 << 10,
	PROFILE_ANSWER_MAX = STORE_CACHED_MAX - PROFILE_HEAD_MAX,
	/* After a failure neither the user nor a service that is away is asked for again for so long. */
	PROFILE_REST_MS = 500,
};

struct profile_source {
	struct str name;
	const struct profile_conf *conf;
	struct str before, after; /* of {user_id} in the url */
	struct str headers[2];	  /* lines of the call; may hold the key */
	size_t n_headers;
	/* Of all that decides what is asked: another url or key never finds what this one has kept. */
	struct str identity;
	struct digest_hmac seal; /* who does not know the configuration makes no entry of the cache */
};

/* The URL for a user, in the arena. false: no URL can name the user. */
bool profile_url(struct arena *arena, const struct profile_source *source, struct str user_id, struct str *out);

/* Entries ---------------------------------------------------------------- */

enum profile_kind {
	PROFILE_NOTHING, /* it was asked for, and no answer came that counts */
	PROFILE_FOUND,
	PROFILE_UNKNOWN, /* the service has no such user */
	PROFILE_PAUSE,	 /* of the service itself: it wants to be left alone */
};

/* What is known of a user. Times are of the wall clock, in milliseconds. */
struct profile_entry {
	enum profile_kind kind;
	int64_t fetched;  /* when the answer came */
	int64_t tried;	  /* when it was last asked for in vain; 0: not since */
	int64_t new_until; /* whatever ttl says: the token that it was fetched for is over then. PAUSE: the end */
	struct str text;  /* FOUND: the JSON */
	const struct json *value;
};

enum profile_age { PROFILE_NEW, PROFILE_OLD, PROFILE_GONE };

/* May it be used as it is, while it is asked for anew, or not any more? */
enum profile_age profile_age(const struct profile_source *source, const struct profile_entry *entry, int64_t now);
/* From when on it is old (or gone), at the latest. */
int64_t profile_new_until(const struct profile_source *source, const struct profile_entry *entry);
/* How long it is of use to anybody. */
int64_t profile_keep_seconds(const struct profile_source *source, const struct profile_entry *entry, int64_t now);
/* Shall the service be left alone with this user for a moment? */
bool profile_rests(const struct profile_entry *entry, int64_t now);
/* As it lies in the cache, in the arena; STR_NONE: no memory. */
struct str profile_write(struct arena *arena, const struct profile_source *source, struct str user_id,
			 const struct profile_entry *entry);
/* false: none, or not one of this source and user, whole as it was written. */
bool profile_read(struct arena *arena, const struct profile_source *source, struct str user_id, struct str cached,
		  struct profile_entry *out);
/* An answer or an entry: JSON about that user? NULL, else why it is not. */
const char *profile_parse(struct arena *arena, const struct profile_source *source, struct str user_id,
			  struct str text, const struct json **out);

/* Asking ----------------------------------------------------------------- */

enum profile_outcome {
	PROFILE_NOT_ASKED,
	PROFILE_CAME,	 /* the answer is in entry */
	PROFILE_NO_GOOD, /* an answer, but none that counts: of this user, for all that is known */
	PROFILE_REFUSED, /* our key is */
	PROFILE_BUSY,	 /* 429 */
	PROFILE_AWAY,	 /* nobody could be reached, or nobody answered in time */
};

struct profile_call {
	const struct profile_source *source;
	struct str user_id;
	int64_t timeout_ms;
	/* What came. */
	struct profile_entry entry; /* PROFILE_CAME: kind, text and value */
	int status;		    /* 0: no answer */
	int64_t pause_ms;	    /* PROFILE_BUSY */
};

/* One call to the service, in the worker's arena. *why says what was wrong with it. */
enum profile_outcome profile_ask(struct worker *worker, struct profile_call *call, struct buf *why);

/* Turns ------------------------------------------------------------------ */

struct profile_state;
struct profile_flight;

enum profile_turn {
	PROFILE_OURS,	  /* ask, and then profiles_leave() */
	PROFILE_ANSWERED, /* another thread has: text is what it wrote, or STR_NONE when it has nothing */
	PROFILE_DECLINED, /* too many are at it, or the source is left alone: why */
};

/* A thread's way through the process's turns. */
struct profile_visit {
	struct profiles *profiles; /* NULL in tools: it is always ours */
	const struct profile_source *source;
	struct store_key key; /* profile_key() */
	struct arena *arena;
	bool waits;	  /* for a turn and for others' answers; else it is declined at once */
	int64_t begun, deadline; /* monotonic milliseconds */
	struct str text;
	const char *why;
	/* Of profile_flight.c. */
	struct profile_state *state;
	struct profile_flight *flight;
};

enum profile_turn profiles_enter(struct profile_visit *visit);
/* The turn is over. text: what the others that wait for the user get, or STR_NONE.
 * pause_ms: with PROFILE_BUSY. *complain: is a line in the log due? */
void profiles_leave(struct profile_visit *visit, enum profile_outcome outcome, struct str text, int64_t pause_ms,
		    bool *complain);
/* Would a call be declined now because the source fails or wants to be left alone? */
bool profiles_leave_alone(struct profiles *profiles, struct str name);

/* Renewing in the background ---------------------------------------------- */

struct profile_renewals;

bool profile_renewals_open(unsigned workers, struct profile_renewals **out);
/* Ends the threads. */
void profile_renewals_close(struct profile_renewals **renewals);
/* NULL: nobody renews, the request has to. */
struct profile_renewals *profiles_renewals(const struct profiles *profiles);
/* Have it done, unless it is under way. good_until: as new_until of the entry. */
void profile_renewals_add(struct worker *worker, const struct profile_source *source, struct str user_id,
			  int64_t good_until);
/* What the threads do, in profile.c. */
void profile_renew(struct worker *worker, const struct profile_source *source, struct str user_id,
		   int64_t good_until);

#endif
