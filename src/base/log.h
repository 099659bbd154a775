/* SPDX-License-Identifier: Apache-2.0 */
/* One line per event, in logfmt or JSON, to stderr, syslog or the journal.
 * Levels are syslog's. A line is built in fixed memory and written at once;
 * what does not fit is cut, never split. Foreign bytes are escaped here.
 * No secret, token, cookie or password ever goes into a line. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <syslog.h>

#include "base/err.h"

enum log_sink { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_JOURNAL };
enum log_format { LOG_AS_LOGFMT, LOG_AS_JSON };

struct log_settings {
	enum log_sink sink;
	enum log_format format;
	int level; /* least important syslog level that is written */
};

/* Set the sink; program is the name in syslog. Before the first call: stderr, logfmt, info. */
void log_open(const char *program, const struct log_settings *settings);
/* Open the sink again (SIGUSR1). */
void log_reopen(void);
/* Would a line of that level be written? */
bool log_wants(int level);

struct log_line {
	struct buf text;
	int level;
	char memory[4096];
};

/* Begin a line; event is its first field. `client` goes next, user-supplied values last. */
void log_begin(struct log_line *line, int level, const char *event);
void log_field(struct log_line *line, const char *key, struct str value);
/* The same for what a client chose: always in quotes. */
void log_foreign(struct log_line *line, const char *key, struct str value);
void log_number(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);
/* A whole line with one text: event=… text="…". */
__attribute__((format(printf, 3, 4))) void log_text(int level, const char *event, const char *format, ...);

#endif
