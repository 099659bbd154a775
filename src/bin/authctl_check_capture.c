/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs would log at their start, as lines of `authctl check`. The
 * log has one sink, standard error: for a moment that is a file in memory, and
 * the lines, written as JSON, are read back. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "bin/authctl_check.h"
#include "token/json.h"

enum { LINES_MAX = 65536 };

void check_capture_begin(struct check_capture *capture)
{
	log_open("authctl", &(struct log_settings){LOG_TO_STDERR, LOG_AS_JSON, LOG_NOTICE});
	fflush(stderr);
	capture->file = memfd_create("authctl-log", MFD_CLOEXEC);
	capture->standard_error = dup(STDERR_FILENO);
	if (capture->file >= 0 && capture->standard_error >= 0)
		dup2(capture->file, STDERR_FILENO);
}

static void print_line(struct checkup *checkup, struct str line)
{
	struct arena *arena = checkup->tool.worker.arena;
	const struct json *document;
	struct str event, text;
	if (json_parse(arena, line, &document) && json_string(json_member(document, STR("event")), &event) &&
	    json_string(json_member(document, STR("text")), &text))
		check_line(checkup, CHECK_WARNING, "log", "%.*s: %.*s", STR_ARGS(event), STR_ARGS(text));
}

static void print_lines(struct check_capture *capture, struct checkup *checkup)
{
	char *memory = arena_alloc(checkup->tool.worker.arena, LINES_MAX);
	ssize_t n = memory ? pread(capture->file, memory, LINES_MAX, 0) : 0;
	struct str rest = {memory, n > 0 ? (size_t)n : 0}, line;
	while (str_split(&rest, '\n', &line))
		if (line.n)
			print_line(checkup, line);
}

void check_capture_end(struct check_capture *capture, struct checkup *checkup)
{
	fflush(stderr);
	if (capture->standard_error >= 0)
		dup2(capture->standard_error, STDERR_FILENO);
	log_open("authctl", &(struct log_settings){LOG_TO_STDERR, LOG_AS_LOGFMT, LOG_ERR});
	if (checkup->tool.worker.arena && capture->file >= 0)
		print_lines(capture, checkup);
	if (capture->standard_error >= 0)
		close(capture->standard_error);
	if (capture->file >= 0)
		close(capture->file);
}
