/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses and the networks that they are in. */
#ifndef HTTP_NETWORK_H
#define HTTP_NETWORK_H

#include "base/str.h"

/* An IPv4 address has the form ::ffff:a.b.c.d here, in which it may also be written. */
struct address {
	unsigned char bytes[16];
};

struct network {
	struct address address;
	unsigned prefix; /* bits of those 128 */
};

struct networks {
	const struct network *items;
	size_t n;
};

/* "192.0.2.1" or "2001:db8::1", nothing else. */
bool address_parse(struct str text, struct address *out);
/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". NULL, or what is wrong with it: no
 * bit may be set beyond the prefix, and a prefix of 0 would be everybody. */
const char *network_parse(struct str text, struct network *out);
/* An IPv4 address is in networks of IPv4 alone. */
bool networks_have(const struct networks *networks, const struct address *address);

#endif
