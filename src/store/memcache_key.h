/* SPDX-License-Identifier: Apache-2.0 */
/* What things are called on memcached servers, and what their values look like. A
 * key is a letter and base64url or hexadecimal digits that we made: nothing that a
 * client, an issuer or an admin wrote is ever in one. A value names its own key,
 * so that an answer that belongs to another question is noticed. */
#ifndef STORE_MEMCACHE_KEY_H
#define STORE_MEMCACHE_KEY_H

#include "store/store.h"

/* First letter of the keys that stand for a store_key. */
enum memcache_class {
	MEMCACHE_REVOCATION = 'r', /* of a token or a session */
	MEMCACHE_NOT_BEFORE = 'u', /* of a user */
	MEMCACHE_RECORD = 'k',
	MEMCACHE_CACHED = 'p',
	MEMCACHE_LOCK = 'l',
	MEMCACHE_COUNT = 'c' /* its value is a number alone, which the server adds to */
};

enum {
	MEMCACHE_NAME_SIZE = 22,			     /* base64url of a store_key */
	MEMCACHE_OWN_KEY_SIZE = 1 + 8 + 1 + 16,		     /* the longest key */
	MEMCACHE_REVOCATION_SIZE = 6,			     /* the value of MEMCACHE_REVOCATION */
	MEMCACHE_NOT_BEFORE_MAX = 19 + 1 + MEMCACHE_NAME_SIZE, /* the longest of MEMCACHE_NOT_BEFORE */
	MEMCACHE_TEXT_EXTRA = MEMCACHE_NAME_SIZE + 1	     /* what a value with a text has beside it */
};

/* What keeps sites apart that share servers: from the option `namespace`. */
struct memcache_space {
	unsigned char mask[STORE_KEY_SIZE]; /* 128-bit hash (FNV-1a), over every store_key by XOR */
	char id[8];			    /* hexadecimal digits of a 32-bit one */
};

struct memcache_key {
	char text[MEMCACHE_OWN_KEY_SIZE];
	unsigned char n;
};

void memcache_space_of(struct str namespace, struct memcache_space *out);

struct memcache_key memcache_key_of(const struct memcache_space *space, enum memcache_class class,
				    const struct store_key *key);
/* The hosts of the namespace; a host's generation on the server; its mark. host: its id. */
struct memcache_key memcache_key_roster(const struct memcache_space *space);
struct memcache_key memcache_key_sentinel(const struct memcache_space *space, uint64_t host);
struct memcache_key memcache_key_mark(const struct memcache_space *space, uint64_t host);
/* Points into *key. */
struct str memcache_key_text(const struct memcache_key *key);

/* Write and read values. key: one of memcache_key_of(), of the class that is in the
 * function's name. The readers return false for what was not written for that key:
 * then the whole answer it came in proves nothing. */

/* kind: STORE_TOKEN or STORE_SESSION. */
void memcache_value_revocation(struct buf *out, const struct memcache_key *key, enum store_entry_kind kind);
bool memcache_value_is_revocation(struct str value, const struct memcache_key *key, enum store_entry_kind *kind);
/* not_before: seconds, not negative. */
void memcache_value_not_before(struct buf *out, const struct memcache_key *key, int64_t not_before);
bool memcache_value_is_not_before(struct str value, const struct memcache_key *key, int64_t *not_before);
/* MEMCACHE_RECORD, MEMCACHE_CACHED and MEMCACHE_LOCK. *text points into value. */
void memcache_value_text(struct buf *out, const struct memcache_key *key, struct str text);
bool memcache_value_is_text(struct str value, const struct memcache_key *key, struct str *text);

#endif
