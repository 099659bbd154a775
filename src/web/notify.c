/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram to the service manager's socket. */
#include "web/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

void notify_send(struct str assignments)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct str path = str_of(getenv("NOTIFY_SOCKET"));
	if (path.n < 2 || path.n >= sizeof address.sun_path || (path.p[0] != '/' && path.p[0] != '@'))
		return;
	memcpy(address.sun_path, path.p, path.n);
	if (path.p[0] == '@')
		address.sun_path[0] = '\0'; /* abstract: the name has no end but its length */

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n);
	(void)sendto(fd, assignments.p, assignments.n, MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
	close(fd);
}

void notify_reloading(void)
{
	char memory[64];
	struct buf text = buf_over(memory, sizeof memory);
	buf_printf(&text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_us());
	notify_send(buf_str(&text));
}
