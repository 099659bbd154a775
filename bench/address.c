/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an address and connecting to it. */
#include "address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static bool parse_unix(const char *path, struct address *out)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof un.sun_path)
		return false;
	memcpy(un.sun_path, path, length + 1);
	memcpy(&out->socket, &un, sizeof un);
	out->length = sizeof un;
	return true;
}

static bool parse_tcp(const char *text, struct address *out)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(text, ':');
	struct addrinfo *found;
	char host[64];

	if (colon == NULL || (size_t)(colon - text) >= sizeof host)
		return false;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(&out->socket, found->ai_addr, found->ai_addrlen);
	out->length = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

bool address_parse(const char *text, struct address *out)
{
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, out);
	if (strncmp(text, "tcp:", 4) == 0)
		return parse_tcp(text + 4, out);
	return false;
}

int address_connect(const struct address *address)
{
	int descriptor = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (descriptor < 0)
		return -1;
	if (address->socket.ss_family != AF_UNIX)
		setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	if (connect(descriptor, (const struct sockaddr *)&address->socket, address->length) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}
