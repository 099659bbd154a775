/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from standard input: tokens and passwords never stand in argv. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "bin/authctl_output.h"
#include "bin/authctl_tool.h"
#include "token/issuer.h"

/* One byte more than any token that is looked at has. */
enum { INPUT_MAX = TOKEN_MAX + 1, LINE_MAX_BYTES = 1024 };

static struct str without_line_end(struct str s)
{
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/* Read up to size bytes, or up to a line end. false: standard input fails. */
static bool read_input(char *to, size_t size, bool one_line, size_t *n)
{
	size_t length = 0;
	while (length < size && !(one_line && memchr(to, '\n', length))) {
		ssize_t got = read(STDIN_FILENO, to + length, size - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	*n = length;
	return true;
}

bool input_token(struct arena *arena, struct str *out)
{
	/* A line end behind the longest token is still one. */
	char *memory = arena_alloc(arena, INPUT_MAX + 2);
	size_t n = 0;
	if (!memory || !read_input(memory, INPUT_MAX + 2, false, &n)) {
		output_error("the token cannot be read from standard input: %s",
			     memory ? strerror(errno) : "no memory");
		return false;
	}
	*out = without_line_end((struct str){memory, n});
	return true;
}

/* Wait for a line or a signal. With the echo off a signal must not end the
 * process before the echo is on again: it waits in the descriptor. */
static bool wait_for_line(int signals)
{
	struct pollfd waits[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	while (poll(waits, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return waits[1].revents == 0;
}

static bool ask(int signals, const char *prompt, char *to, size_t size, size_t *n)
{
	fputs(prompt, stderr);
	bool good = wait_for_line(signals) && read_input(to, size, true, n);
	fputc('\n', stderr);
	return good;
}

/* Both lines into memory: the halves of it. */
static bool ask_twice(char *memory, size_t half, size_t n[2])
{
	struct termios before, silent;
	sigset_t caught, old;
	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	sigaddset(&caught, SIGHUP);
	sigaddset(&caught, SIGQUIT);
	sigaddset(&caught, SIGTSTP);
	sigprocmask(SIG_BLOCK, &caught, &old);
	int signals = signalfd(-1, &caught, SFD_CLOEXEC);
	bool good = signals >= 0 && tcgetattr(STDIN_FILENO, &before) == 0;
	if (good) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		good = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
		good = good && ask(signals, "Password: ", memory, half, &n[0]) &&
		       ask(signals, "Again: ", memory + half, half, &n[1]);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	}
	if (signals >= 0)
		close(signals);
	/* What has come meanwhile takes effect here. */
	sigprocmask(SIG_SETMASK, &old, NULL);
	return good;
}

static bool type_password(char *memory, struct str *out)
{
	enum { HALF = LINE_MAX_BYTES / 2 };
	size_t n[2] = {0};
	if (!ask_twice(memory, HALF, n)) {
		output_error("no password was read");
		return false;
	}
	if (n[0] != n[1] || !secret_equal(memory, memory + HALF, n[0])) {
		output_error("the two passwords differ");
		return false;
	}
	*out = without_line_end((struct str){memory, n[0]});
	return true;
}

static bool pipe_password(char *memory, struct str *out)
{
	size_t n = 0;
	if (!read_input(memory, LINE_MAX_BYTES, false, &n)) {
		output_error("the password cannot be read from standard input: %s", strerror(errno));
		return false;
	}
	struct str line = without_line_end((struct str){memory, n});
	if (str_find(line, '\n') < line.n) {
		output_error("standard input has more than one line: give the password alone");
		return false;
	}
	*out = line;
	return true;
}

bool input_password(struct arena *arena, struct str *out)
{
	char *memory = arena_alloc(arena, LINE_MAX_BYTES);
	if (!memory) {
		output_error("no memory");
		return false;
	}
	return isatty(STDIN_FILENO) ? type_password(memory, out) : pipe_password(memory, out);
}
