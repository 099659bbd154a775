/* SPDX-License-Identifier: Apache-2.0 */
#include "http/network.h"
#include "unit.h"

static void test_parse(void)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"192.0.2.1", NULL},
		{"192.0.2.0/24", NULL},
		{"192.0.2.128/25", NULL},
		{"0.0.0.0/1", NULL},
		{"255.255.255.255/32", NULL},
		{"2001:db8::", NULL},
		{"2001:db8::/32", NULL},
		{"::1", NULL},
		{"::1/128", NULL},
		{"::ffff:192.0.2.1", NULL},
		{"::ffff:192.0.2.0/120", NULL},
		{"", "no address"},
		{"localhost", "no address"},
		{"192.0.2", "no address"},
		{"192.0.2.256", "no address"},
		{"192.0.2.01", "no address"},
		{"192.0.2.1:80", "no address"},
		{"[::1]", "no address"},
		{"fe80::1%eth0", "no address"},
		{"unix:/run/x", "no address"},
		{" 192.0.2.1", "no address"},
		{"/8", "no address"},
		{"192.0.2.0/", "no length of a prefix"},
		{"192.0.2.0/33", "no length of a prefix"},
		{"192.0.2.0/024", "no length of a prefix"},
		{"192.0.2.0/255.255.255.0", "no length of a prefix"},
		{"2001:db8::/129", "no length of a prefix"},
		{"0.0.0.0/0", "would be everybody"},
		{"::/0", "would be everybody"},
		{"192.0.2.1/24", "has bits beyond its prefix"},
		{"192.0.2.64/25", "has bits beyond its prefix"},
		{"2001:db8::1/64", "has bits beyond its prefix"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct network network;
		UNIT_STR_EQ(str_of(network_parse(str_of(rows[i].text), &network)), str_of(rows[i].why), rows[i].text);
	}
}

static void test_have(void)
{
	static const struct {
		const char *network, *address;
		bool have;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.0/24", "::ffff:192.0.2.7", true},
		{"::ffff:192.0.2.0/120", "192.0.2.7", true},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"128.0.0.0/1", "127.255.255.255", false},
		{"128.0.0.0/1", "200.0.0.1", true},
		{"128.0.0.0/1", "::1", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"::1", "::1", true},
		{"::1", "127.0.0.1", false},
		{"127.0.0.1", "::1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		/* What holds the mapped form of every IPv4 address is a network of IPv6 all the same. */
		{"::/1", "2001:db8::1", true},
		{"::/1", "192.0.2.1", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct network network;
		struct address address;
		const char *why = network_parse(str_of(rows[i].network), &network);
		UNIT_ROW(!why && address_parse(str_of(rows[i].address), &address), rows[i].network);
		UNIT_ROW(networks_have(&(struct networks){&network, 1}, &address) == rows[i].have, rows[i].address);
	}
	struct address address;
	CU_ASSERT_TRUE_FATAL(address_parse(STR("127.0.0.1"), &address));
	CU_ASSERT_FALSE(networks_have(&(struct networks){NULL, 0}, &address));
	CU_ASSERT_FALSE(address_parse((struct str){"127.0.0.1\0", 10}, &address));
}

int main(void)
{
	static const struct unit_case cases[] = {{"parse", test_parse}, {"have", test_have}, {NULL, NULL}};
	return unit_main("network", cases);
}
