/* SPDX-License-Identifier: Apache-2.0 */
/* What a key of revocations.db stands for, written to one memcached server. */
#ifndef STORE_FARM_PUT_H
#define STORE_FARM_PUT_H

#include "store/journal.h"
#include "store/memcache.h"
#include "store/memcache_key.h"

/* MEMCACHE_OK: it is there, with our end or a later one when `renew`, else with
 * whatever end another host gave it. A not-before mark is only ever raised. */
enum memcache_result farm_put(struct memcache *memcache, const struct memcache_space *space,
			      const struct journal_item *item, bool renew, struct arena *arena);
/* Delete what the key stands for. kind: JOURNAL_RECORD or an enum store_entry_kind.
 * MEMCACHE_REFUSED: there was none. */
enum memcache_result farm_delete(struct memcache *memcache, const struct memcache_space *space,
				 const struct store_key *key, int kind, struct arena *arena);

#endif
