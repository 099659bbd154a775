/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of an answer: one that a web server would let pass as "allow"
 * by accident (no status, no output, another request's) is wrong here. */
#include "answer.h"

#include <stdbool.h>
#include <string.h>

#include "request.h"

enum { RECORD_END = 3, RECORD_STDOUT = 6, RECORD_STDERR = 7 };

struct output {
	char text[ANSWER_MAX + 1];
	size_t length;
	bool ended;
};

static const char *check_text(const struct expectation *expected, struct output *output)
{
	const char *status = output->text + strlen("Status: ");
	size_t digits = strlen(expected->status);
	char *end;

	output->text[output->length] = '\0';
	if (!output->ended)
		return "END_REQUEST before the end of STDOUT";
	if (strncmp(output->text, "Status: ", strlen("Status: ")) != 0)
		return "the output does not begin with a status";
	if (strncmp(status, expected->status, digits) != 0 || strchr(" \r", status[digits]) == NULL)
		return "another status than expected";
	end = strstr(output->text, "\r\n\r\n");
	if (end == NULL)
		return "the head has no end";
	*end = '\0';
	if (expected->contains != NULL && strstr(output->text, expected->contains) == NULL)
		return "the head lacks the expected text";
	return NULL;
}

static const char *check_output(struct output *output, const unsigned char *content, size_t length)
{
	if (output->ended)
		return "STDOUT after its end";
	output->ended = length == 0;
	memcpy(output->text + output->length, content, length);
	output->length += length;
	return NULL;
}

static const char *check_end(const unsigned char *content, size_t length, size_t rest)
{
	static const unsigned char complete[5]; /* appStatus 0, FCGI_REQUEST_COMPLETE */

	if (length != 8)
		return "a malformed END_REQUEST";
	if (memcmp(content, complete, sizeof complete) != 0)
		return "END_REQUEST with a status that is not 0";
	if (rest != 0)
		return "bytes after END_REQUEST";
	return NULL;
}

static enum answer_state verdict(const char *wrong, const char **why)
{
	if (wrong == NULL)
		return ANSWER_RIGHT;
	*why = wrong;
	return ANSWER_WRONG;
}

enum answer_state answer_check(const struct expectation *expected, const unsigned char *bytes, size_t length,
			       const char **why)
{
	struct output output;
	size_t at = 0;

	output.length = 0;
	output.ended = false;
	while (length - at >= 8) {
		const unsigned char *header = bytes + at, *content = header + 8;
		size_t size = (size_t)header[4] << 8 | header[5], whole = 8 + size + header[6];
		const char *wrong;

		if (header[0] != 1)
			return verdict("a record of another version", why);
		if (header[2] != 0 || header[3] != REQUEST_ID)
			return verdict("a record of another request", why);
		if (header[1] != RECORD_STDOUT && header[1] != RECORD_END)
			return verdict(header[1] == RECORD_STDERR ? "STDERR" : "a record of another type", why);
		if (length - at < whole)
			break;
		at += whole;
		if (header[1] == RECORD_STDOUT) {
			wrong = check_output(&output, content, size);
			if (wrong != NULL)
				return verdict(wrong, why);
			continue;
		}
		wrong = check_end(content, size, length - at);
		return verdict(wrong != NULL ? wrong : check_text(expected, &output), why);
	}
	return length < ANSWER_MAX ? ANSWER_INCOMPLETE : verdict("an answer without end", why);
}
