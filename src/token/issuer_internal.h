/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by issuer.c and the drivers issuer_<type>.c. */
#ifndef TOKEN_ISSUER_INTERNAL_H
#define TOKEN_ISSUER_INTERNAL_H

#include "token/issuer.h"
#include "token/jwe.h"

struct issuer {
	const struct issuer_driver *driver;
	const struct issuer_conf *conf;
	struct str name;
	struct conf_list cookies; /* of the configuration, else the type's */
	struct claims_rules rules;
	struct conf_list algorithm_names; /* as cookies */
	struct conf_text *own_lists[4];	  /* the type's, where the configuration has none */
	size_t n_own_lists;
	unsigned slots; /* of workers, for keys with contexts of their own per thread */
	struct key_source *source; /* fetched keys; NULL: there are none */
	uint64_t generation;	   /* of what the driver has: a random number of its own */
	/* Filled by the driver. */
	unsigned forms; /* TOKEN_FORM() bits; the driver's, unless it leaves fewer */
	struct algorithm_set algorithms;
	struct encryption_set encryptions;
	bool has_kids; /* each key has a kid, by which fits knows it */
	struct key_set keys; /* those of the configuration */
	void *own;	     /* the driver's, freed by its close */
};

/* For each_key. */
void issuer_visit_set(const struct key_set *set, issuer_key_visit *visit, void *context);

#endif
