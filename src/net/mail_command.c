/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a mail to a program such as sendmail(8), without a shell. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/mail.h"

enum { WORDS_MAX = 32, COMMAND_MAX = 1024, STEP_MS = 10 };

/* The words of the command, as execve(2) takes them. */
static bool split(const char *command, char memory[COMMAND_MAX], char *words[WORDS_MAX + 1])
{
	struct buf b = buf_over(memory, COMMAND_MAX);
	struct str rest = str_of(command), word;
	size_t n = 0;
	while (n < WORDS_MAX && str_split(&rest, ' ', &word)) {
		if (word.n == 0)
			continue;
		words[n++] = b.p + b.n;
		buf_add(&b, word);
		buf_char(&b, '\0');
	}
	words[n] = NULL;
	return n > 0 && !rest.p && !b.full;
}

/* Nothing of ours goes with it but the mail: no descriptor, no variable, no signal. */
static int start(char *const words[], int input, pid_t *out)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C.UTF-8";
	char *const environment[] = {path, locale, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	sigemptyset(&none);
	sigfillset(&usual);
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	posix_spawnattr_setflags(&attributes,
				 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	int error = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	for (int fd = STDOUT_FILENO; error == 0 && fd <= STDERR_FILENO; fd++)
		error = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn(out, words[0], &files, &attributes, words, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* Write all of it, unless the reader goes away or the time is over. */
static void feed(int fd, struct str text, int64_t deadline)
{
	while (text.n > 0 && clock_monotonic_ms() < deadline) {
		ssize_t n = write(fd, text.p, text.n);
		if (n > 0) {
			text = str_skip(text, (size_t)n);
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		struct pollfd ready = {.fd = fd, .events = POLLOUT};
		poll(&ready, 1, STEP_MS);
	}
}

/* Its status, as waitpid(2) has it; false: it had to be killed. */
static bool wait_for_end(pid_t pid, int64_t deadline, int *status)
{
	pid_t ended;
	while ((ended = waitpid(pid, status, WNOHANG)) <= 0) {
		if (ended < 0 && errno != EINTR) {
			/* Somebody has taken it from us: nobody knows. */
			*status = EX_SOFTWARE << 8;
			return true;
		}
		if (clock_monotonic_ms() >= deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, status, 0);
			return false;
		}
		usleep(STEP_MS * 1000);
	}
	return true;
}

static enum mail_result judge(bool ended, int status, struct buf *why)
{
	if (!ended) {
		buf_add(why, STR("the command did not end in time"));
		return MAIL_LATER;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK)
		return MAIL_SENT;
	if (WIFSIGNALED(status))
		buf_printf(why, "the command was ended by signal %d", WTERMSIG(status));
	else
		buf_printf(why, "the command ended with status %d", WEXITSTATUS(status));
	return WIFEXITED(status) && WEXITSTATUS(status) != EX_TEMPFAIL ? MAIL_REFUSED : MAIL_LATER;
}

enum mail_result mail_run(const struct mail_way *way, const struct mail *mail, struct buf *why)
{
	char memory[COMMAND_MAX], *words[WORDS_MAX + 1];
	int ends[2], status = 0;
	pid_t pid = 0;
	int64_t deadline = clock_monotonic_ms() + way->timeout_ms;
	if (!split(way->command, memory, words)) {
		buf_add(why, STR("the command is too long"));
		return MAIL_REFUSED;
	}
	if (pipe2(ends, O_CLOEXEC) != 0) {
		buf_add(why, STR("no pipe to the command"));
		return MAIL_LATER;
	}
	int error = start(words, ends[0], &pid);
	close(ends[0]);
	if (error == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
		feed(ends[1], mail->text, deadline);
	close(ends[1]);
	if (error == 0) {
		bool ended = wait_for_end(pid, deadline, &status);
		return judge(ended, status, why);
	}
	buf_printf(why, "the command cannot be started (error %d)", error);
	return error == ENOMEM || error == EAGAIN ? MAIL_LATER : MAIL_REFUSED;
}
