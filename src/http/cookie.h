/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies (RFC 6265): reading one by exact name, writing one. */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "base/str.h"

/* Find the cookie of exactly that name in a Cookie header. Gives how many
 * cookies have the name with different values (0, 1, 2 for more): of two, none
 * can be trusted (cookie tossing), and value is the first one's. */
unsigned cookie_find(struct str header, struct str name, struct str *value);

/* A value that was too long for one cookie, in NAME.0, NAME.1, … (NextAuth,
 * Auth.js, Better Auth), which may stand in any order. The number is a decimal
 * without sign and leading zeros: NAME.01 and NAME.x are other sites' cookies. */
enum { COOKIE_CHUNKS_MAX = 100 };

struct cookie_chunks {
	struct str values[COOKIE_CHUNKS_MAX];
	size_t n;    /* of them, from 0 on */
	size_t size; /* bytes of all */
};

enum cookie_chunks_found {
	COOKIE_CHUNKS_NONE,
	COOKIE_CHUNKS_ALL,
	COOKIE_CHUNKS_SEVERAL, /* two different values for one chunk */
	COOKIE_CHUNKS_BROKEN   /* one is missing, or there are more than COOKIE_CHUNKS_MAX */
};

enum cookie_chunks_found cookie_find_chunks(struct str header, struct str name, struct cookie_chunks *out);
/* The values one behind the other, at the end of out. */
void cookie_join(const struct cookie_chunks *chunks, struct buf *out);
/* Is the pair ("NAME.3=value") one of the chunks that a value can have? Then its
 * number, below COOKIE_CHUNKS_MAX, and its own name. */
bool cookie_is_chunk(struct str pair, struct str name, unsigned *number, struct str *own);

struct cookie_attributes {
	struct str domain; /* or STR_NONE */
	struct str path;
	const char *same_site; /* "Lax", "Strict", "None" */
	bool secure;
	int64_t max_age; /* seconds; 0 deletes; negative: a session cookie */
};

/* The value of a Set-Cookie header. Always HttpOnly. */
void cookie_print(struct buf *out, struct str name, struct str value, const struct cookie_attributes *attributes);

#endif
