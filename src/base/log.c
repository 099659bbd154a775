/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines and where they go. The sink is global: one of the two globals of the library. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Set before the threads start and at a reload, read by all: hence atomics. */
static struct {
	_Atomic int sink, format, level;
	_Atomic int journal;
	char program[32];
} log_state = {.level = LOG_INFO, .journal = -1, .program = "fcgi-auth"};

static int journal_connect(void)
{
	static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void log_open(const char *program, const struct log_settings *settings)
{
	/* At a reload other threads read it: the name is written once. */
	if (strcmp(log_state.program, program) != 0)
		snprintf(log_state.program, sizeof log_state.program, "%s", program);
	log_state.format = settings->format;
	log_state.level = settings->level;
	log_state.sink = settings->sink;
	if (settings->sink != LOG_TO_STDERR)
		log_reopen();
}

void log_reopen(void)
{
	if (log_state.sink == LOG_TO_SYSLOG) {
		closelog();
		openlog(log_state.program, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
	} else if (log_state.sink == LOG_TO_JOURNAL) {
		/* The descriptor keeps its number: another thread may be sending on it. */
		int old = log_state.journal, fresh = journal_connect();
		if (fresh >= 0 && old >= 0) {
			dup3(fresh, old, O_CLOEXEC);
			close(fresh);
		} else if (fresh >= 0) {
			log_state.journal = fresh;
		}
	}
}

bool log_wants(int level)
{
	return level <= log_state.level;
}

void log_begin(struct log_line *line, int level, const char *event)
{
	/* One byte stays free for the line end, one for the brace of JSON. */
	line->text = buf_over(line->memory, sizeof line->memory - 2);
	line->level = level;
	if (log_state.format == LOG_AS_JSON)
		buf_char(&line->text, '{');
	log_field(line, "event", str_of(event));
}

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return s.n > 0;
}

/* logfmt's quoted form; everything that is no printable ASCII becomes \xXX, so
 * that nothing can break the line, move the cursor or hide in a terminal. */
static void quote(struct buf *b, struct str s)
{
	buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\') {
			buf_char(b, '\\');
			buf_char(b, (char)c);
		} else if (c >= 0x20 && c < 0x7f) {
			buf_char(b, (char)c);
		} else {
			buf_add(b, STR("\\x"));
			buf_hex(b, &c, 1);
		}
	}
	buf_char(b, '"');
}

/* Add a field, or leave the line as it was when it does not fit whole. */
enum value_form { VALUE_NUMBER, VALUE_OWN, VALUE_FOREIGN };

static void add_field(struct log_line *line, const char *key, struct str value, enum value_form form)
{
	struct buf before = line->text;
	bool json = log_state.format == LOG_AS_JSON;
	bool first = line->text.n <= (json ? 1 : 0);
	if (!first)
		buf_char(&line->text, json ? ',' : ' ');
	if (json) {
		buf_json(&line->text, str_of(key));
		buf_char(&line->text, ':');
	} else {
		buf_add(&line->text, str_of(key));
		buf_char(&line->text, '=');
	}
	if (form == VALUE_NUMBER || (!json && form == VALUE_OWN && is_plain(value)))
		buf_add(&line->text, value);
	else if (json)
		buf_json(&line->text, value);
	else
		quote(&line->text, value);
	if (line->text.full)
		line->text = before;
}

enum { VALUE_MAX = 512 };

void log_field(struct log_line *line, const char *key, struct str value)
{
	if (value.n > VALUE_MAX)
		value.n = VALUE_MAX;
	if (value.p)
		add_field(line, key, value, VALUE_OWN);
}

void log_foreign(struct log_line *line, const char *key, struct str value)
{
	if (value.n > VALUE_MAX)
		value.n = VALUE_MAX;
	if (value.p)
		add_field(line, key, value, VALUE_FOREIGN);
}

void log_number(struct log_line *line, const char *key, int64_t value)
{
	char text[21];
	struct buf b = buf_over(text, sizeof text);
	buf_int(&b, value);
	add_field(line, key, buf_str(&b), VALUE_NUMBER);
}

static void journal_send(const struct log_line *line)
{
	struct buf message;
	char memory[sizeof line->memory + 128];
	message = buf_over(memory, sizeof memory);
	buf_printf(&message, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=", line->level, log_state.program);
	buf_add(&message, buf_str(&line->text));
	buf_char(&message, '\n');
	if (send(log_state.journal, message.p, message.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == ECONNREFUSED)
		log_reopen();
}

void log_end(struct log_line *line)
{
	if (!log_wants(line->level))
		return;
	line->text.cap += 2;
	if (log_state.format == LOG_AS_JSON)
		buf_char(&line->text, '}');
	if (log_state.sink == LOG_TO_SYSLOG) {
		syslog(line->level, "%.*s", STR_ARGS(buf_str(&line->text)));
	} else if (log_state.sink == LOG_TO_JOURNAL && log_state.journal >= 0) {
		journal_send(line);
	} else {
		buf_char(&line->text, '\n');
		/* A closed or full stderr loses the line, never the request. */
		ssize_t written = write(STDERR_FILENO, line->text.p, line->text.n);
		(void)written;
	}
}

void log_text(int level, const char *event, const char *format, ...)
{
	if (!log_wants(level))
		return;
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct log_line line;
	log_begin(&line, level, event);
	if (level <= LOG_ERR)
		log_field(&line, "level", STR("error"));
	log_field(&line, "text", str_of(text));
	log_end(&line);
}
