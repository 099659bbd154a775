/* SPDX-License-Identifier: Apache-2.0 */
/* What this build is made of. */
#ifndef POLICY_VERSION_H
#define POLICY_VERSION_H

#include "base/str.h"

/* "NAME VERSION (OpenSSL …; SQLite …; libxcrypt …; libmemcached …; libcurl …)" and a line end. */
void version_print(struct buf *out, const char *program);

#endif
