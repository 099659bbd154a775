/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that were found good a short while ago, shared by the threads of a
 * process: bounded in entries and bytes, what was used least recently goes first. */
#ifndef TOKEN_CACHE_H
#define TOKEN_CACHE_H

#include "base/arena.h"
#include "token/digest.h"

struct token_cache;

enum { CACHE_ENTRIES_MAX = 4096, CACHE_BYTES_MAX = 4 << 20, CACHE_VALUE_MAX = 16 << 10 };

/* The table takes memory as it fills. false: no memory. */
bool cache_open(struct token_cache **out);
/* Wipes all values. No thread may use it any more. */
void cache_close(struct token_cache **cache);
/* Let a worker's issuer_verify use the cache, which must outlive it; NULL: none. */
void token_thread_share(struct token_thread *thread, struct token_cache *cache);
/* Is there an entry with exactly that key that expires after now (seconds)? value
 * is then a copy of its bytes in the arena. false also when the arena is used up. */
bool cache_find(struct token_cache *cache, const unsigned char key[DIGEST_SIZE], int64_t now, struct arena *arena,
		struct str *value);
/* Remember the value, which may be empty, until expiry. Nothing is kept of one that
 * is longer than CACHE_VALUE_MAX, and when there is no memory. */
void cache_put(struct token_cache *cache, const unsigned char key[DIGEST_SIZE], int64_t expiry, struct str value);

#endif
