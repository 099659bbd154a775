/* SPDX-License-Identifier: Apache-2.0 */
/* The version of the database library. */
#include <sqlite3.h>

#include "store/store.h"

const char *store_library(void)
{
	return sqlite3_libversion();
}
