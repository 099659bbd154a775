/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding a FastCGI request from a file of parameters. */
#include "request.h"

#include <stdio.h>
#include <string.h>

enum { RECORD_BEGIN = 1, RECORD_PARAMS = 4, RECORD_STDIN = 5, ROLE_AUTHORIZER = 2, KEEP_CONNECTION = 1 };

static void add(struct request *request, const void *bytes, size_t length)
{
	memcpy(request->bytes + request->length, bytes, length);
	request->length += length;
}

static void put_record_header(unsigned char *at, unsigned char type, size_t length)
{
	const unsigned char header[8] = { 1, type, 0, REQUEST_ID, (unsigned char)(length >> 8), (unsigned char)length };

	memcpy(at, header, sizeof header);
}

static void add_length(struct request *request, size_t length)
{
	const unsigned char bytes[4] = { (unsigned char)(0x80 | length >> 24), (unsigned char)(length >> 16),
					 (unsigned char)(length >> 8), (unsigned char)length };

	if (length < 128)
		add(request, bytes + 3, 1);
	else
		add(request, bytes, 4);
}

static const char *add_line(struct request *request, char *line)
{
	char *equals = strchr(line, '=');
	size_t name, value;

	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0')
		return NULL;
	if (equals == NULL || equals == line)
		return "a line is not NAME=VALUE";
	name = (size_t)(equals - line);
	value = strlen(equals + 1);
	if (request->length + 8 + name + value > REQUEST_PARAMS_MAX)
		return "more parameters than one record holds";
	add_length(request, name);
	add_length(request, value);
	add(request, line, name);
	add(request, equals + 1, value);
	return NULL;
}

bool request_read(const char *path, bool keep, struct request *out, const char **why)
{
	const unsigned char begin[8] = { 0, ROLE_AUTHORIZER, keep ? KEEP_CONNECTION : 0 };
	FILE *file = fopen(path, "r");
	char line[16384];
	size_t params;

	*why = NULL;
	if (file == NULL) {
		*why = "cannot be opened";
		return false;
	}
	put_record_header(out->bytes, RECORD_BEGIN, sizeof begin);
	memcpy(out->bytes + 8, begin, sizeof begin);
	params = 8 + sizeof begin;
	out->length = params + 8;
	while (*why == NULL && fgets(line, sizeof line, file) != NULL)
		*why = add_line(out, line);
	fclose(file);
	put_record_header(out->bytes + params, RECORD_PARAMS, out->length - params - 8);
	put_record_header(out->bytes + out->length, RECORD_PARAMS, 0);
	put_record_header(out->bytes + out->length + 8, RECORD_STDIN, 0);
	out->length += 16;
	return *why == NULL;
}
