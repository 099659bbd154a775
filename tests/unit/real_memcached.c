/* SPDX-License-Identifier: Apache-2.0 */
#include "real_memcached.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { START_MS = 10000 };

static void give_up(const char *what)
{
	fprintf(stderr, "memcached: %s: %s\n", what, strerror(errno));
	exit(99);
}

static int reach(const struct real_memcached *server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = START_MS / 1000};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", server->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		give_up("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static void execute(const struct real_memcached *server)
{
	char *argv[24] = {0};
	size_t n = 0;
	const char *fixed[] = {"memcached", "-u", "root", "-t", "1", "-a", "0600", "-s", server->path};
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		argv[n++] = strdup(fixed[i]);
	for (size_t i = 0; server->options[i]; i++)
		argv[n++] = strdup(server->options[i]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp("memcached", argv);
	fprintf(stderr, "memcached cannot be started (%s): install the package memcached (packages.debian)\n",
		strerror(errno));
	_exit(99);
}

static void wait_until_it_answers(struct real_memcached *server)
{
	int64_t deadline = clock_monotonic_ms() + START_MS;
	int fd = -1;
	while ((fd = reach(server)) < 0) {
		int status;
		if (waitpid(server->pid, &status, WNOHANG) == server->pid || clock_monotonic_ms() > deadline) {
			fprintf(stderr, "memcached did not start\n");
			exit(99);
		}
		usleep(2000);
	}
	close(fd);
}

void real_memcached_restart(struct real_memcached *server)
{
	real_memcached_kill(server);
	unlink(server->path);
	server->pid = fork();
	if (server->pid < 0)
		give_up("fork");
	if (server->pid == 0)
		execute(server);
	wait_until_it_answers(server);
}

void real_memcached_start(struct real_memcached *server, const char *folder, const char *name,
			  const char *const *options)
{
	*server = (struct real_memcached){0};
	if (snprintf(server->path, sizeof server->path, "%s/%s", folder, name) >= (int)sizeof server->path) {
		errno = ENAMETOOLONG;
		give_up(folder);
	}
	snprintf(server->address, sizeof server->address, "unix:%s", server->path);
	for (size_t i = 0; options && options[i]; i++)
		server->options[i] = options[i];
	real_memcached_restart(server);
}

void real_memcached_kill(struct real_memcached *server)
{
	if (!server->pid)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	unlink(server->path);
	server->pid = 0;
}

void real_memcached_stop(struct real_memcached *server)
{
	int status;
	kill(server->pid, SIGSTOP);
	if (waitpid(server->pid, &status, WUNTRACED) != server->pid || !WIFSTOPPED(status))
		give_up("SIGSTOP");
}

void real_memcached_go_on(struct real_memcached *server)
{
	kill(server->pid, SIGCONT);
}

/* A list, as those of stats and get, ends with a line END. */
static bool is_whole(struct str answer)
{
	bool list = str_starts(answer, STR("STAT ")) || str_starts(answer, STR("VALUE "));
	return str_ends(answer, list ? STR("END\r\n") : STR("\r\n"));
}

void real_memcached_say(struct real_memcached *server, const char *line, struct buf *answer)
{
	struct str said = str_of(line);
	int fd = reach(server);
	if (fd < 0 || send(fd, said.p, said.n, MSG_NOSIGNAL) != (ssize_t)said.n)
		give_up(line);
	while (!is_whole(buf_str(answer))) {
		char part[4096];
		ssize_t n = recv(fd, part, sizeof part, 0);
		if (n <= 0)
			give_up(line);
		buf_add(answer, (struct str){part, (size_t)n});
		if (answer->full)
			give_up("a long answer");
	}
	close(fd);
}

uint64_t real_memcached_count(struct real_memcached *server, const char *name)
{
	static const char line[] = "stats\r\n";
	char memory[16384], row[100];
	struct buf answer = buf_over(memory, sizeof memory);
	real_memcached_say(server, line, &answer);
	snprintf(row, sizeof row, "STAT %s ", name);
	const char *found = strstr(buf_z(&answer), row);
	return found ? strtoull(found + strlen(row), NULL, 10) : UINT64_MAX;
}
