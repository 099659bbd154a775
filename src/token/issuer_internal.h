/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by issuer.c and the drivers issuer_<type>.c. */
#ifndef TOKEN_ISSUER_INTERNAL_H
#define TOKEN_ISSUER_INTERNAL_H

#include "token/issuer.h"

struct issuer {
	const struct issuer_driver *driver;
	struct str name, cookie;
	struct claims_rules rules;
	unsigned slots; /* of workers, for keys with contexts of their own per thread */
	/* Filled by the driver. */
	struct algorithm_set algorithms;
	struct key_set keys;
};

#endif
