/* SPDX-License-Identifier: Apache-2.0 */
/* [store], and the driver that it asks for. */
#ifndef POLICY_STORES_H
#define POLICY_STORES_H

#include "base/conf.h"
#include "store/store.h"

enum store_on_failure { ON_FAILURE_DENY, ON_FAILURE_LOCAL };

/* [store] */
struct store_conf {
	struct conf_list memcached, memcached_cache;
	int64_t memcached_timeout; /* milliseconds */
	int64_t host_timeout;	   /* milliseconds */
	struct conf_text namespace;
	int on_failure; /* enum store_on_failure */
};

extern const struct conf_kind store_kind;

/* What the table of options cannot judge. */
bool stores_check(const struct conf_section *section, struct conf_error *error);
/* Open the store of that configuration below state_dir, by the driver that is given
 * back. lasting: see store.h. NULL: why says what is wrong and what to do. */
const struct store_driver *stores_open(const struct store_conf *conf, const char *state_dir, bool lasting,
				       struct store **out, struct buf *why);
/* Do both ask for the same store? It is fixed for the life of a process. */
bool stores_equal(const struct store_conf *a, const struct store_conf *b);

#endif
