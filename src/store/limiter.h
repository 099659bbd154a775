/* SPDX-License-Identifier: Apache-2.0 */
/* How often something was done, counted by all processes and threads of this host
 * in one file of state-dir that they map: no lock and no system call on the way of
 * a request, and nothing is synced to disk.
 *
 * A window begins at the first use and ends when its time is over: in two windows
 * that meet, twice the number may come close together. What is refused is not
 * counted. The file holds a fixed number of keys; when it is full, the least used
 * one makes room. It may be lost at any time: then counting begins anew. */
#ifndef STORE_LIMITER_H
#define STORE_LIMITER_H

#include "store/count.h"
#include "store/store.h"

struct limiter;

/* state-dir/NAME.limits, made where it is new, with room for about so many keys.
 * false: why says what is wrong and what to do. */
struct limiter_settings {
	const char *state_dir;
	const char *name;
	size_t keys;
};
bool limiter_open(const struct limiter_settings *settings, struct limiter **out, struct buf *why);
/* Every use is over. */
void limiter_close(struct limiter **limiter);
/* Count one use, from any thread. 0: it is within the rate; else it is not counted,
 * and so many milliseconds are left of the window. now_ms: the wall clock as all
 * processes read it, clock_unfrozen_ms(). */
int64_t limiter_use(struct limiter *limiter, const struct store_key *key, const struct limiter_rate *rate,
		    int64_t now_ms);
/* The counter as it stands, see count.h; 0: none. */
uint64_t limiter_read(struct limiter *limiter, const struct store_key *key);
/* What else is known of it: it becomes the greater of both that are valid, which is given back. */
uint64_t limiter_raise(struct limiter *limiter, const struct store_key *key, const struct limiter_rate *rate,
		       uint64_t count, int64_t now_ms);
/* When it was last used, or refused, in seconds; 0: not known. */
int64_t limiter_last(struct limiter *limiter, const struct store_key *key);
/* "100/m": a number and s, m, h or d; "none" is no limit. */
bool limiter_rate_parse(struct str text, struct limiter_rate *out);

#endif
