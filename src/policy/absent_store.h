/* SPDX-License-Identifier: Apache-2.0 */
/* The store of a process that could not open its own. */
#ifndef POLICY_ABSENT_STORE_H
#define POLICY_ABSENT_STORE_H

#include "store/store.h"

/* Every question and every act ends with ERR_STORE: nothing is known, nobody is
 * let in, and a logout says that it could not revoke. */
extern const struct store_driver absent_store;

#endif
