/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the listening socket that was handed over, or making one. */
#include "web/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, HANDED_OVER = 3, ADDRESS_MAX = 256 };

/* unix:/path[,mode=0660][,group=NAME] */
struct unix_address {
	struct sockaddr_un name;
	mode_t mode;
	gid_t group;
	bool has_group;
};

static bool fail(struct buf *why, const char *what)
{
	buf_printf(why, "%s: %s", what, strerror(errno));
	return false;
}

/* --- addresses -------------------------------------------------------------- */

static bool read_mode(struct str text, mode_t *mode)
{
	mode_t value = 0;
	if (text.n < 3 || text.n > 4)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '7')
			return false;
		value = value * 8 + (mode_t)(text.p[i] - '0');
	}
	*mode = value;
	return value <= 0777;
}

static bool read_group(struct str text, gid_t *group)
{
	char name[ADDRESS_MAX];
	uint64_t number;
	struct buf terminated = buf_over(name, sizeof name);
	buf_add(&terminated, text);
	const struct group *found = getgrnam(buf_z(&terminated));
	if (found)
		*group = found->gr_gid;
	else if (str_to_uint(text, UINT32_MAX - 1, &number))
		*group = (gid_t)number;
	else
		return false;
	return true;
}

static bool read_unix(struct str text, struct unix_address *out, struct buf *why)
{
	struct str path, option;
	*out = (struct unix_address){.name.sun_family = AF_UNIX, .mode = 0660};
	str_split(&text, ',', &path);
	if (path.n == 0 || path.p[0] != '/' || path.n >= sizeof out->name.sun_path) {
		buf_printf(why, "unix:PATH must be an absolute path of less than %zu bytes",
			   sizeof out->name.sun_path);
		return false;
	}
	memcpy(out->name.sun_path, path.p, path.n);
	while (str_split(&text, ',', &option)) {
		bool good = false;
		if (str_starts(option, STR("mode=")))
			good = read_mode(str_skip(option, 5), &out->mode);
		else if (str_starts(option, STR("group=")))
			good = out->has_group = read_group(str_skip(option, 6), &out->group);
		if (!good) {
			buf_printf(why, "%.*s: neither mode=OCTAL nor group=NAME of a known group", STR_ARGS(option));
			return false;
		}
	}
	return true;
}

struct tcp_address {
	struct sockaddr_storage name;
	socklen_t size;
};

static bool is_loopback(const struct tcp_address *address)
{
	if (address->name.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&address->name;
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&address->name;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static bool read_host(struct str host, uint16_t port, struct tcp_address *out)
{
	char text[INET6_ADDRSTRLEN + 1];
	bool v6 = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	struct buf terminated = buf_over(text, sizeof text);
	buf_add(&terminated, v6 ? (struct str){host.p + 1, host.n - 2} : host);
	const char *z = buf_z(&terminated);
	struct sockaddr_in v4_name = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6_name = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	*out = (struct tcp_address){.size = v6 ? sizeof v6_name : sizeof v4_name};
	if (terminated.full || inet_pton(v6 ? AF_INET6 : AF_INET, z,
					 v6 ? (void *)&v6_name.sin6_addr : (void *)&v4_name.sin_addr) != 1)
		return false;
	memcpy(&out->name, v6 ? (const void *)&v6_name : (const void *)&v4_name, out->size);
	return true;
}

static bool read_tcp(struct str text, struct tcp_address *out, struct buf *why)
{
	size_t colon = text.n;
	uint64_t port;
	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	struct str host = {text.p, colon > 0 ? colon - 1 : 0};
	if (colon == 0 || !str_to_uint(str_skip(text, colon), UINT16_MAX, &port) || port == 0 ||
	    !read_host(host, (uint16_t)port, out)) {
		buf_printf(why, "%.*s: neither ADDRESS:PORT nor [ADDRESS]:PORT", STR_ARGS(text));
		return false;
	}
	if (is_loopback(out))
		return true;
	buf_printf(why, "%.*s: not a loopback address; whoever can connect is believed", STR_ARGS(text));
	return false;
}

/* --- unix sockets ------------------------------------------------------------ */

/* Is somebody listening at the path? */
static bool is_answered(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	bool dead = connect(fd, (const struct sockaddr *)name, sizeof *name) != 0 && errno == ECONNREFUSED;
	close(fd);
	return !dead;
}

/* Remove what a program that ended left behind. false: something else is there. */
static bool remove_dead(const struct sockaddr_un *name, struct buf *why)
{
	struct stat status;
	if (lstat(name->sun_path, &status) != 0)
		return errno == ENOENT || fail(why, name->sun_path);
	if (!S_ISSOCK(status.st_mode)) {
		buf_printf(why, "%s: exists and is no socket", name->sun_path);
		return false;
	}
	if (is_answered(name)) {
		buf_printf(why, "%s: somebody is listening there already", name->sun_path);
		return false;
	}
	return unlink(name->sun_path) == 0 || errno == ENOENT || fail(why, name->sun_path);
}

/* Two programs that start at once must not both find the same socket dead. */
static int lock_folder(const struct sockaddr_un *name)
{
	char path[sizeof name->sun_path];
	memcpy(path, name->sun_path, sizeof path);
	/* The path is absolute: cut behind its last slash. */
	strrchr(path, '/')[1] = '\0';
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Bind so that at no moment more is allowed than asked: to the owner alone until
 * the group is the right one. */
static bool bind_unix(int fd, const struct unix_address *address, struct buf *why)
{
	const char *path = address->name.sun_path;
	mode_t first = address->has_group ? address->mode & 0700 : address->mode;
	mode_t before = umask(~first & 0777);
	int result = bind(fd, (const struct sockaddr *)&address->name, sizeof address->name);
	umask(before);
	if (result != 0)
		return fail(why, path);
	if (address->has_group && (chown(path, (uid_t)-1, address->group) != 0 || chmod(path, address->mode) != 0)) {
		fail(why, path);
		unlink(path);
		return false;
	}
	return listen(fd, BACKLOG) == 0 || fail(why, path);
}

static bool open_unix(struct str text, int *descriptor, struct buf *why)
{
	struct unix_address address;
	if (!read_unix(text, &address, why))
		return false;
	int lock = lock_folder(&address.name);
	if (lock < 0)
		return fail(why, address.name.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool good = fd >= 0 ? remove_dead(&address.name, why) && bind_unix(fd, &address, why) : fail(why, "socket");
	close(lock);
	if (good)
		*descriptor = fd;
	else if (fd >= 0)
		close(fd);
	return good;
}

static bool open_tcp(struct str text, int *descriptor, struct buf *why)
{
	struct tcp_address address;
	if (!read_tcp(text, &address, why))
		return false;
	int fd = socket(address.name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Connections of the program before us may still be in TIME_WAIT. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
	    bind(fd, (const struct sockaddr *)&address.name, address.size) == 0 && listen(fd, BACKLOG) == 0) {
		*descriptor = fd;
		return true;
	}
	fail(why, "tcp");
	if (fd >= 0)
		close(fd);
	return false;
}

/* --- handed over -------------------------------------------------------------- */

static bool is_listening(int fd)
{
	int value = 0;
	socklen_t size = sizeof value;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1;
}

/* systemd's protocol, sd_listen_fds(3). */
static bool is_handed_over(void)
{
	uint64_t pid, n;
	const char *pid_text = getenv("LISTEN_PID"), *n_text = getenv("LISTEN_FDS");
	bool ours = pid_text && n_text && str_to_uint(str_of(pid_text), INT32_MAX, &pid) &&
		    pid == (uint64_t)getpid() && str_to_uint(str_of(n_text), INT32_MAX, &n) && n >= 1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return ours;
}

static enum listen_mode take(int fd, int *descriptor, struct buf *why)
{
	if (!is_listening(fd)) {
		buf_printf(why, "descriptor %d is no listening socket", fd);
		return LISTEN_NOTHING;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		fail(why, "descriptor");
		return LISTEN_NOTHING;
	}
	*descriptor = fd;
	return LISTEN_SOCKET;
}

static const struct str http_prefix = {"http:", 5};

const char *listen_transport(const char *address)
{
	return str_starts(str_of(address), http_prefix) ? "http" : NULL;
}

/* "http:unix:/path" is the socket unix:/path, "http:ADDRESS:PORT" is tcp:ADDRESS:PORT. */
static bool open_address(struct str text, int *descriptor, struct buf *why)
{
	bool http = str_starts(text, http_prefix);
	struct str rest = http ? str_skip(text, http_prefix.n) : text;
	if (str_starts(rest, STR("unix:")))
		return open_unix(str_skip(rest, 5), descriptor, why);
	if (http)
		return open_tcp(rest, descriptor, why);
	if (str_starts(rest, STR("tcp:")))
		return open_tcp(str_skip(rest, 4), descriptor, why);
	buf_printf(why, "%.*s: neither unix:/PATH nor tcp:ADDRESS:PORT, nor http:unix:/PATH nor http:ADDRESS:PORT",
		   STR_ARGS(text));
	return false;
}

enum listen_mode listen_open(const char *address, int *descriptor, struct buf *why)
{
	bool handed_over = is_handed_over();
	if (address)
		return open_address(str_of(address), descriptor, why) ? LISTEN_SOCKET : LISTEN_NOTHING;
	if (handed_over)
		return take(HANDED_OVER, descriptor, why);
	if (is_listening(STDIN_FILENO))
		return take(STDIN_FILENO, descriptor, why);
	return getenv("GATEWAY_INTERFACE") ? LISTEN_CGI : LISTEN_NOTHING;
}

void listen_close(int descriptor, const char *address)
{
	struct unix_address parsed;
	char memory[ADDRESS_MAX];
	struct buf why = buf_over(memory, sizeof memory);
	struct str text = str_of(address);

	if (str_starts(text, http_prefix))
		text = str_skip(text, http_prefix.n);
	if (!str_starts(text, STR("unix:")) || !read_unix(str_skip(text, 5), &parsed, &why)) {
		close(descriptor);
		return;
	}
	int lock = lock_folder(&parsed.name);
	close(descriptor);
	/* Dead now, unless another program has taken the path over. */
	if (lock >= 0)
		remove_dead(&parsed.name, &why);
	if (lock >= 0)
		close(lock);
}
