/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of the libraries behind the stores. */
#include <sqlite3.h>

#include "config.h"
#include "store/memcache.h"
#include "store/store.h"

const char *store_library(void)
{
	return sqlite3_libversion();
}

const char *store_memcached_library(void)
{
#if defined WITH_MEMCACHED
	return memcache_library();
#else
	return NULL;
#endif
}
