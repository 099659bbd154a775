/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Apache's htpasswd files: USER:HASH a line, '#' begins a comment. */
#ifndef POLICY_HTPASSWD_H
#define POLICY_HTPASSWD_H

#include "base/str.h"

struct htpasswd_entry {
	struct str user; /* 1 to 255 bytes of UTF-8 without control bytes */
	struct str hash; /* password_is_supported() */
	unsigned line;
};

/* Call each for every entry in the order of the file; its texts live until each
 * returns; false from each stops the reading. each NULL: check the file alone, so
 * that an import can be all or nothing. What stands behind a second ':' is left
 * out, as Apache does. false: why says "FILE:LINE: what is wrong, what to do", or
 * is what each wrote into it. */
bool htpasswd_read(const char *path, bool (*each)(void *context, const struct htpasswd_entry *entry), void *context,
		   struct buf *why);

#endif
