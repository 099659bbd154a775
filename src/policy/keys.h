/* SPDX-License-Identifier: Apache-2.0 */
/* The life cycle of JWK Sets that are fetched (RFC 7517 section 5): of all issuers
 * of a process, across reloads, with one cool-down for all processes of a host. */
#ifndef POLICY_KEYS_H
#define POLICY_KEYS_H

#include "policy/access.h"

struct keys;

struct keys_settings {
	const char *state_dir;
	/* A thread fetches ahead of need. Without it a caller fetches when its token
	 * needs it: for plain CGI and tools. */
	bool background;
	unsigned workers; /* threads that may call keys_refetch */
};

bool keys_open(const struct keys_settings *settings, struct keys **out);
/* After every worker has ended, before the issuers are closed. */
void keys_close(struct keys **keys);

/* Give each issuer whose jwks is a URL its source, filled with the last good set
 * where it is known; one with the same options as before gets the same source,
 * so that nothing is missing meanwhile. The sources of other issuers are given up
 * with the snapshot that has them. Starts the thread when there is need of it.
 * Call it before a worker sees the issuers. false: why; the old ones stay. */
bool keys_adopt(struct keys *keys, const struct issuer_set *issuers, struct buf *why);
/* Wait until what is missing has been fetched or could not be, some moments at most. */
void keys_wait(struct keys *keys);

/* *err is how issuer_verify has ended for the token. true: there are new keys,
 * verify once more. Otherwise *err is the answer: ERR_UNKNOWN_KEY where the set
 * has no such key, ERR_KEYS where nobody can tell now. Any worker; waits for a
 * fetch that is under way, but briefly, and only where enough others go on. */
bool keys_refetch(struct keys *keys, const struct issuer *issuer, const struct token *token, enum err *err);

struct keys_report {
	bool fetched;	/* now; else why says why not */
	int64_t age;	/* seconds since the set in use was fetched, -1: there is none */
	size_t n;	/* keys in use, one for each algorithm that they are for */
};
/* For `authctl check`, without a thread: fetch now, whatever the cool-down says. */
void keys_check(struct keys *keys, const struct issuer *issuer, struct keys_report *out, struct buf *why);

#endif
