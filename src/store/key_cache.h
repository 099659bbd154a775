/* SPDX-License-Identifier: Apache-2.0 */
/* JWK Sets that were fetched, kept for the next start and shared by all
 * processes, and who of them may fetch next. It may be lost at any time: a
 * damaged file is set aside and made anew, a deleted one is made anew.
 * A source is named by the first 128 bits of a hash of its URL; times are
 * milliseconds of the wall clock. Belongs to one thread. */
#ifndef STORE_KEY_CACHE_H
#define STORE_KEY_CACHE_H

#include "store/store.h"

struct key_cache;

struct key_cache_row {
	int64_t fetched;  /* when the text came; 0: never */
	int64_t claimed;  /* when a process last set out to fetch; 0: none did */
	int64_t finished; /* when one last came back; before claimed: it has not yet */
	struct str text;  /* in the arena, or STR_NONE */
};

/* False: why says what is wrong with state_dir. */
bool key_cache_open(const char *state_dir, struct key_cache **out, struct buf *why);
void key_cache_close(struct key_cache **cache);
/* What is known of the source, with the text when it came after newer_than.
 * false: the log says why. */
bool key_cache_read(struct key_cache *cache, const struct store_key *source, int64_t newer_than, struct arena *arena,
		    struct key_cache_row *out);

enum key_claim { KEY_CLAIM_GRANTED, KEY_CLAIM_TAKEN, KEY_CLAIM_FAILED };

/* May the caller fetch? Granted to one of all callers in `cooldown` milliseconds. */
enum key_claim key_cache_claim(struct key_cache *cache, const struct store_key *source, int64_t now,
			       int64_t cooldown);
/* The fetch that was granted is over: it brought that text, or STR_NONE. */
bool key_cache_store(struct key_cache *cache, const struct store_key *source, int64_t now, struct str text);

#endif
