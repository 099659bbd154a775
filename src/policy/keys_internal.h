/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by keys.c (who waits for what) and keys_jwks.c (one JWK Set). */
#ifndef POLICY_KEYS_INTERNAL_H
#define POLICY_KEYS_INTERNAL_H

#include <pthread.h>

#include "net/fetch.h"
#include "policy/keys.h"
#include "store/key_cache.h"

enum { KEYS_MISSING_MAX = 64 };

/* One JWK Set: a URL with the options that decide what becomes of it. Times are
 * of the monotonic clock, in milliseconds, where nothing else is said. */
struct jwks {
	struct jwks *next;
	unsigned holders; /* the list, and each who waits or works outside of the lock */
	bool listed;
	struct issuer_jwks conf; /* its url is a copy */
	struct store_key id;
	struct key_source *source;

	/* Changed by who runs it, under the lock. */
	struct str text;    /* last good one; STR_NONE: the source is empty */
	uint64_t version;   /* counts texts */
	int64_t fetched;    /* wall clock, when the text was last confirmed by any process */
	int64_t confirmed;  /* the same */
	int64_t refresh_at; /* when to fetch it again */
	int64_t may_fetch;  /* the cool-down */
	int64_t may_look;   /* at what others have fetched */
	bool failing;	    /* the last fetch did */
	uint64_t failure;   /* which reason was logged last */

	/* Under the lock. */
	bool wanted;	 /* somebody has asked for a key that it lacks */
	bool under_way;	 /* it is being fetched, by us or by another process */
	int64_t due;	 /* when the thread looks after it next */
	/* Keys that a fetch has not brought, and how long that is believed. */
	struct {
		struct store_key kid;
		int64_t until;
	} missing[KEYS_MISSING_MAX];
	size_t next_missing;
};

struct keys {
	char *state_dir;
	bool background;
	unsigned waiting_most; /* workers at a time */
	pthread_mutex_t lock;
	pthread_cond_t work; /* for the thread: something has to be done */
	pthread_cond_t news; /* for who waits: something is done */
	struct jwks *list;
	unsigned waiting;
	bool running, stopping;
	pthread_t thread;
	/* The thread's; without it, the caller's. */
	struct arena *arena;
	struct fetch *fetch;
	struct key_cache *cache;
	int64_t next_cache; /* when to try again to open it */
};

bool jwks_open(const struct issuer_jwks *conf, struct jwks **out);
void jwks_close(struct jwks **jwks);
/* Is it the one that such an issuer needs? */
bool jwks_is(const struct jwks *jwks, const struct issuer_jwks *conf);
/* Fill a new one that nobody knows yet: by a text that was fetched at that moment of the wall clock. */
void jwks_fill(struct keys *keys, struct jwks *jwks, struct str text, int64_t fetched);
/* One step: look, fetch, give up what is too old. Holds the lock only to write
 * down what it finds. under_way stays set while another process fetches: run it
 * again when it is due. */
void jwks_run(struct keys *keys, struct jwks *jwks);
/* Fetch it and take what comes. false: why. */
bool jwks_fetch(struct keys *keys, struct jwks *jwks, struct buf *why);
/* The URL as the log may show it: without its query. */
struct str jwks_shown(const struct jwks *jwks);

#endif
