/* SPDX-License-Identifier: Apache-2.0 */
/* What an issuer is, for people: what it wants, and which keys it has. */
#include "token/issuer_internal.h"

void issuer_visit_set(const struct key_set *set, issuer_key_visit *visit, void *context)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct key *key = set->keys[i];
		visit(context, &(struct issuer_key){key_algorithm(key)->name, key_kid(key), key_bits(key)});
	}
}

bool issuer_each_key(const struct issuer *issuer, issuer_key_visit *visit, void *context)
{
	bool fetched = issuer_jwks(issuer).url.p != NULL;
	const struct key_set *set = issuer->source ? key_source_take(issuer->source) : NULL;
	if (set) {
		issuer_visit_set(set, visit, context);
		key_source_give_back(issuer->source, set);
	}
	issuer_visit_set(&issuer->keys, visit, context);
	if (issuer->driver->each_key)
		issuer->driver->each_key(issuer, visit, context);
	return set || !fetched;
}

struct issuer_wants issuer_wants(const struct issuer *issuer)
{
	return (struct issuer_wants){
		.type = issuer->driver->name,
		.forms = issuer->forms,
		.algorithms = issuer->algorithms,
		.encryptions = issuer->encryptions,
		.rules = &issuer->rules,
		.headers = issuer->driver->headers,
	};
}
