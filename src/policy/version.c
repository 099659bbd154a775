/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of the program and of the libraries that it runs with. */
#include "policy/version.h"

#include <crypt.h>

#include "config.h"
#include "store/store.h"
#include "token/digest.h"

void version_print(struct buf *out, const char *program)
{
	buf_printf(out, "%s %s (%s; SQLite %s; libxcrypt %s)\n", program, PACKAGE_VERSION, token_library(),
		   store_library(), XCRYPT_VERSION_STR);
}
