/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of the program and of the libraries that it runs with. */
#include "policy/version.h"

#include <crypt.h>

#include "config.h"
#include "net/fetch.h"
#include "store/store.h"
#include "token/digest.h"

void version_print(struct buf *out, const char *program)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	buf_printf(out, "%s %s (%s; SQLite %s; libxcrypt %s; ", program, PACKAGE_VERSION, token_library(),
		   store_library(), XCRYPT_VERSION_STR);
	if (store_memcached_library())
		buf_printf(out, "libmemcached %s; ", store_memcached_library());
	/* Loaded at need: what would be found. */
	if (fetch_start(&why))
		buf_printf(out, "libcurl %s)\n", fetch_library());
	else
		buf_add(out, STR("no libcurl)\n"));
}
