/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the address of a server. */
#include "store/memcache_address.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "store/memcache.h"

static bool keep(struct str host, size_t max, struct memcache_address *out)
{
	if (host.n == 0 || host.n > max || memchr(host.p, '\0', host.n))
		return false;
	memcpy(out->host, host.p, host.n);
	out->host[host.n] = '\0';
	return true;
}

static bool parse_socket(struct str path, struct memcache_address *out)
{
	out->is_socket = true;
	out->port = 0;
	return path.n > 1 && path.p[0] == '/' && !str_has_control(path) &&
	       keep(path, sizeof((struct sockaddr_un *)NULL)->sun_path - 1, out);
}

static bool is_name(struct str host)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alphanumeric && c != '.' && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool parse_host(struct str host, struct memcache_address *out)
{
	struct in6_addr ipv6;
	struct in_addr ipv4;
	bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (bracketed)
		host = (struct str){host.p + 1, host.n - 2};
	if (!keep(host, MEMCACHE_HOST_MAX, out))
		return false;
	out->is_name = !bracketed && inet_pton(AF_INET, out->host, &ipv4) != 1;
	return bracketed ? inet_pton(AF_INET6, out->host, &ipv6) == 1 : is_name(host);
}

bool memcache_address_parse(struct str text, struct memcache_address *out, struct buf *why)
{
	struct memcache_address address = {0};
	struct str socket = STR("unix:");
	size_t colon = text.n;
	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	uint64_t port = 0;
	bool good;
	if (str_starts(text, socket))
		good = parse_socket(str_skip(text, socket.n), &address);
	else
		good = colon > 1 && str_to_uint(str_skip(text, colon), UINT16_MAX, &port) && port > 0 &&
		       parse_host((struct str){text.p, colon - 1}, &address);
	if (!good) {
		buf_printf(why, "\"%.*s\" is not HOST:PORT, [IPV6]:PORT or unix:/path", STR_ARGS(text));
		return false;
	}
	address.port = (uint16_t)port;
	*out = address;
	return true;
}

bool memcache_address_valid(struct str address, struct buf *why)
{
	struct memcache_address parsed;
	return memcache_address_parse(address, &parsed, why);
}
