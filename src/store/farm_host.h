/* SPDX-License-Identifier: Apache-2.0 */
/* What this host is called among the hosts of a farm. */
#ifndef STORE_FARM_HOST_H
#define STORE_FARM_HOST_H

#include "store/state_dir.h"

/* The id of this host: random bytes kept in state-dir/farm.id (made when missing)
 * mixed with the machine's id, so that the copy of an image is another host. Never 0.
 * false: why says what is wrong. */
bool farm_host_id(const char *state_dir, const struct state_owner *owner, uint64_t *out, struct buf *why);

#endif
