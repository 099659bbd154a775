/* SPDX-License-Identifier: Apache-2.0 */
/* A token of each kind, all with the same claims, and the lines of an [issuer] that
 * takes it: with fresh keys, a derived one where the site's library derives it. */
#ifndef BENCH_KINDS_H
#define BENCH_KINDS_H

#include "token/issuer.h"
#include "token/jwe.h"

/* What all configurations of the benchmark have in their [issuer]. */
#define KIND_COOKIE "sso"
#define KIND_COMMON "cookie = " KIND_COOKIE "\niss = https://id.example.org\naudience = www\n"

struct kind; /* of an algorithm or an encryption */

/* Kind n, NULL after the last; the first is HS256. */
const struct kind *kind_at(size_t n);
const struct kind *kind_find(const char *name);
const char *kind_name(const struct kind *kind);

struct kind_token {
	const struct kind *kind;
	struct arena *arena;
	struct token_thread *thread;
	struct conf *conf;
	struct issuer *issuer;
	struct jwe_key *key; /* NULL for a signed token */
	char lines[4096];    /* of the [issuer], without the common ones */
	char memory[4096];
	struct str text;
};

/* Good for lifetime seconds from now on. t must not move. false: stderr says why. */
bool kind_open(const struct kind *kind, int64_t now, int64_t lifetime, struct kind_token *t);
void kind_close(struct kind_token *t);

#endif
