/* SPDX-License-Identifier: Apache-2.0 */
/* The link of a host with the others, by memcached servers (doc/many-hosts.md). Every
 * lasting program of the host waits for the lock state-dir/farm.lock; the one that has
 * it keeps the link, with a thread for each server, and the next takes over when it
 * ends or dies. */
#ifndef STORE_FARM_LINK_H
#define STORE_FARM_LINK_H

#include "store/farm.h"

struct farm_link;

/* Start to wait. local: the host's embedded store, which must outlive the link.
 * false: why. */
bool farm_link_open(struct farm *farm, struct store *local, struct farm_link **out, struct buf *why);
/* Ends within a call to each server. Tells the others that this host is at rest. */
void farm_link_close(struct farm_link **link);

#endif
