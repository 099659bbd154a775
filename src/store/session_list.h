/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions of local accounts in accounts.db: for their owners to look at and to
 * end. Whether a token is still good this list does not say, the store does. */
#ifndef STORE_SESSION_LIST_H
#define STORE_SESSION_LIST_H

#include "store/account.h"

enum {
	SESSION_SID_MAX = 64,
	SESSION_ISS_MAX = 255,
	SESSION_ADDRESS_MAX = 64,
	SESSION_AGENT_MAX = 200,
	/* Of one user; whoever begins another one ends the one that was seen the longest ago. */
	SESSIONS_MAX = 50
};

struct session {
	struct str sid;	    /* claim of its tokens */
	struct str user;    /* account.id */
	struct str iss;	    /* of its tokens; may be empty */
	struct str address; /* of the client that logged in; the rest is cut off */
	struct str agent;   /* what it calls itself; the same */
	int64_t created, seen, expires; /* seconds */
};

struct sessions {
	const struct session *items; /* in the arena, the one seen last first */
	size_t n;
};

/* Note a new one, and forget some of what expired long ago. excess: the sessions of
 * its user that are too many by now; they stay until sessions_remove(). ERR_STORE,
 * ERR_BAD_REQUEST for a sid, user or iss that is no text or too long. Durable. */
enum err sessions_add(struct accounts *accounts, struct arena *arena, const struct session *session,
		      struct sessions *excess);
/* Those of a user that expire after that time. ERR_STORE. */
enum err sessions_list(struct accounts *accounts, struct arena *arena, struct str user, int64_t after,
		       struct sessions *out);
/* It was in use then, and a token of it expires then. No session of that sid: nothing. */
enum err sessions_see(struct accounts *accounts, struct str sid, int64_t seen, int64_t expires);
/* Forget it; no session of that sid: nothing. Its tokens stay as good as they were. */
enum err sessions_remove(struct accounts *accounts, struct str sid);

#endif
