/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs may be asked: an http or https one in a form that leaves nothing to
 * interpret, so that what is checked here is what libcurl connects to. */
#include "net/fetch.h"

#include <arpa/inet.h>
#include <string.h>

enum { URL_MAX = 2048, HOST_MAX = 255, PORT_MAX = 65535 };

/* One fault of the URL, with what to do about it. */
static bool fail(struct buf *why, struct str url, const char *fault)
{
	buf_printf(why, "\"%.*s\" %s", STR_ARGS(url), fault);
	return false;
}

static bool has_only(struct str s, const char *punctuation)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alphanumeric && (c == '\0' || !strchr(punctuation, c)))
			return false;
	}
	return s.n > 0;
}

/* Is the host, without brackets, the address or the name of this machine? libcurl
 * resolves "localhost" by itself. */
static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
	return str_eq_nocase(str_of(host), STR("localhost"));
}

/* Split "host", "host:port", "[address]", "[address]:port"; the host is copied,
 * as inet_pton wants it. */
static bool split_authority(struct str authority, char host[HOST_MAX + 1], struct str *port)
{
	bool bracket = authority.n > 0 && authority.p[0] == '[';
	struct str rest = bracket ? str_skip(authority, 1) : authority;
	size_t end = str_find(rest, bracket ? ']' : ':');
	if (end == 0 || end > HOST_MAX || (bracket && end == rest.n))
		return false;
	memcpy(host, rest.p, end);
	host[end] = '\0';
	rest = str_skip(rest, bracket ? end + 1 : end);
	*port = STR_NONE;
	if (rest.n == 0)
		return true;
	*port = str_skip(rest, 1);
	return rest.p[0] == ':';
}

static bool is_host(const char *host, bool bracket)
{
	struct in6_addr v6;
	return bracket ? inet_pton(AF_INET6, host, &v6) == 1 : has_only(str_of(host), "-._");
}

static struct str authority_of(struct str url)
{
	struct str rest = str_skip(url, str_starts(url, STR("http://")) ? 7 : 8);
	size_t path = str_find(rest, '/'), query = str_find(rest, '?');
	return (struct str){rest.p, path < query ? path : query};
}

bool fetch_is_local(struct str url)
{
	char host[HOST_MAX + 1];
	struct str port;
	return split_authority(authority_of(url), host, &port) && is_loopback(host);
}

bool fetch_check_url(struct str url, bool allow_plain_http, struct buf *why)
{
	const struct str secure = STR("https://"), plain = STR("http://");
	bool is_plain = str_starts(url, plain);
	if (url.n > URL_MAX)
		return fail(why, STR("URL"), "is too long: 2048 bytes at most");
	if (!is_plain && !str_starts(url, secure))
		return fail(why, url, "is no URL that can be asked: it must begin with https:// or http://");
	if (!has_only(url, "-._~:/?[]@!$&'()*+,;=%"))
		return fail(why, url,
			    "has characters that a URL cannot have, or a fragment: percent-encode or remove them");
	struct str authority = authority_of(url), port;
	if (str_find(authority, '@') < authority.n)
		return fail(why, STR("URL"), "has a user name or password in it: remove what stands before the @");
	char host[HOST_MAX + 1];
	uint64_t number = 1;
	if (!split_authority(authority, host, &port) || !is_host(host, authority.p[0] == '[') ||
	    (port.p && (!str_to_uint(port, PORT_MAX, &number) || number == 0)))
		return fail(why, url, "has no valid host and port");
	if (is_plain && !allow_plain_http && !is_loopback(host))
		return fail(why, url, "goes over plain http: who is between can forge the answer; write https://, or "
				      "set allow-plain-http = on");
	return true;
}
