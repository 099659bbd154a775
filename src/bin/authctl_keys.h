/* SPDX-License-Identifier: Apache-2.0 */
/* What the `authctl keys` commands that change a ring share. */
#ifndef BIN_AUTHCTL_KEYS_H
#define BIN_AUTHCTL_KEYS_H

#include "bin/authctl_ring.h"
#include "bin/authctl_tool.h"
#include "token/ring.h"

/* How long after a key was added a program may not have it yet: they look at
 * their files every two seconds, and are given time to read them. */
enum { KEYS_SETTLE_SECONDS = 10 };

/* One [issuer] and its ring. */
struct keys {
	struct tool tool;
	const struct conf_section *section;
	const struct issuer_conf *issuer;
	const char *path;
	struct ring_file file;
	struct ring ring;
};

/* Lock the ring and read it. EX_OK or the exit status after an error has been printed. */
int keys_lock(struct keys *keys);
/* Let it go, written or not. */
void keys_unlock(struct keys *keys);
/* Write the ring. */
int keys_write(struct keys *keys);
/* The key to add, new or from --from and --from-secret. */
int keys_make(struct keys *keys, struct ring_key *out);
/* The algorithms of the issuer. */
int keys_algorithms(const struct keys *keys, struct algorithm_set *out);

#endif
