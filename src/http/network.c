/* SPDX-License-Identifier: Apache-2.0 */
/* Reading addresses, and comparing their first bits. */
#include "http/network.h"

#include <arpa/inet.h>
#include <string.h>

enum { BITS = 128, MAPPED_BITS = 96 };

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

bool address_parse(struct str text, struct address *out)
{
	char terminated[INET6_ADDRSTRLEN];
	struct address address;
	if (text.n == 0 || text.n >= sizeof terminated || memchr(text.p, '\0', text.n))
		return false;
	memcpy(terminated, text.p, text.n);
	terminated[text.n] = '\0';
	if (inet_pton(AF_INET6, terminated, address.bytes) != 1) {
		memcpy(address.bytes, mapped, sizeof mapped);
		if (inet_pton(AF_INET, terminated, address.bytes + sizeof mapped) != 1)
			return false;
	}
	*out = address;
	return true;
}

static bool same_bits(const struct address *a, const struct address *b, unsigned n)
{
	unsigned bytes = n / 8, rest = n % 8;
	if (memcmp(a->bytes, b->bytes, bytes) != 0)
		return false;
	return rest == 0 || ((a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - rest)) == 0;
}

static bool has_bits_beyond(const struct network *network)
{
	struct address cut = {{0}};
	memcpy(cut.bytes, network->address.bytes, network->prefix / 8);
	if (network->prefix % 8)
		cut.bytes[network->prefix / 8] = (unsigned char)(network->address.bytes[network->prefix / 8] &
								 (0xff00 >> network->prefix % 8));
	return !same_bits(&cut, &network->address, BITS);
}

const char *network_parse(struct str text, struct network *out)
{
	struct str rest = text, address;
	struct network network = {.prefix = BITS};
	uint64_t prefix;
	str_split(&rest, '/', &address);
	if (!address_parse(address, &network.address))
		return "no address";
	if (rest.p) {
		/* Dots, and no colon: the prefix counts from there. */
		unsigned before = str_find(address, ':') == address.n ? MAPPED_BITS : 0;
		if (!str_to_uint(rest, BITS - before, &prefix))
			return "no length of a prefix";
		if (prefix == 0)
			return "would be everybody";
		network.prefix = before + (unsigned)prefix;
	}
	if (has_bits_beyond(&network))
		return "has bits beyond its prefix";
	*out = network;
	return NULL;
}

bool networks_have(const struct networks *networks, const struct address *address)
{
	for (size_t i = 0; i < networks->n; i++) {
		const struct network *network = &networks->items[i];
		bool same_family = network->prefix >= MAPPED_BITS || !is_v4(address);
		if (same_family && same_bits(&network->address, address, network->prefix))
			return true;
	}
	return false;
}
