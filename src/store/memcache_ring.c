/* SPDX-License-Identifier: Apache-2.0 */
/* libmemcached's ketama, used to choose a server and for nothing else: this handle
 * never connects. */
#include <libmemcached/memcached.h>
#include <stdlib.h>

#include "store/memcache.h"
#include "store/memcache_address.h"

struct memcache_ring {
	memcached_st *handle;
};

static bool add(memcached_st *handle, struct str text)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct memcache_address address;
	if (!memcache_address_parse(text, &address, &why))
		return false;
	return memcached_success(address.is_socket ? memcached_server_add_unix_socket(handle, address.host)
						   : memcached_server_add(handle, address.host, address.port));
}

bool memcache_ring_open(const struct str *addresses, size_t n, struct memcache_ring **out)
{
	struct memcache_ring *ring = calloc(1, sizeof *ring);
	if (!ring)
		return false;
	ring->handle = memcached_create(NULL);
	bool good = ring->handle && n > 0 &&
		    memcached_success(memcached_behavior_set(ring->handle, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1));
	for (size_t i = 0; good && i < n; i++)
		good = add(ring->handle, addresses[i]);
	if (!good) {
		memcache_ring_close(&ring);
		return false;
	}
	*out = ring;
	return true;
}

void memcache_ring_close(struct memcache_ring **ring)
{
	if (!*ring)
		return;
	memcached_free((*ring)->handle);
	free(*ring);
	*ring = NULL;
}

size_t memcache_ring_find(const struct memcache_ring *ring, struct str key)
{
	return memcached_generate_hash(ring->handle, key.p, key.n);
}

const char *memcache_library(void)
{
	return memcached_lib_version();
}
