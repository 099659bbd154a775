/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies (RFC 6265): reading one by exact name, writing one. */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "base/str.h"

/* Find the cookie of exactly that name in a Cookie header. Gives how many
 * cookies have the name with different values (0, 1, 2 for more): of two, none
 * can be trusted (cookie tossing), and value is the first one's. */
unsigned cookie_find(struct str header, struct str name, struct str *value);

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
