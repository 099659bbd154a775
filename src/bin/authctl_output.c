/* SPDX-License-Identifier: Apache-2.0 */
/* Printing for machines and for people. */
#include "bin/authctl_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PIECE = 512 };

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* In pieces, so that a text of any length needs no memory; no character is cut. */
static void print_string(struct str s)
{
	char memory[6 * PIECE + 3];
	putchar('"');
	while (s.n > 0) {
		size_t n = s.n < PIECE ? s.n : PIECE;
		while (n < s.n && n > PIECE - 4 && is_continuation(s.p[n]))
			n--;
		struct buf b = buf_over(memory, sizeof memory);
		buf_json(&b, (struct str){s.p, n});
		fwrite(b.p + 1, 1, b.n - 2, stdout);
		s = str_skip(s, n);
	}
	putchar('"');
}

static void print_name(struct document *document, const char *name)
{
	if (document->begun)
		putchar(',');
	document->begun = true;
	if (name) {
		print_string(str_of(name));
		putchar(':');
	}
}

void document_begin(struct document *document)
{
	document->begun = false;
	putchar('{');
}

void document_text(struct document *document, const char *name, struct str value)
{
	print_name(document, name);
	if (value.p)
		print_string(value);
	else
		fputs("null", stdout);
}

void document_number(struct document *document, const char *name, int64_t value)
{
	print_name(document, name);
	printf("%" PRId64, value);
}

void document_time(struct document *document, const char *name, int64_t value, int64_t absent)
{
	if (value == absent)
		document_text(document, name, STR_NONE);
	else
		document_number(document, name, value);
}

void document_bool(struct document *document, const char *name, bool value)
{
	print_name(document, name);
	fputs(value ? "true" : "false", stdout);
}

/* The depth is bounded by JSON_DEPTH_MAX. */
static void print_json(const struct json *value)
{
	bool list = value->type == JSON_ARRAY, object = value->type == JSON_OBJECT;
	if (value->type == JSON_STRING)
		print_string(value->text);
	else if (!list && !object)
		fwrite(value->raw.p, 1, value->raw.n, stdout);
	if (!list && !object)
		return;
	putchar(list ? '[' : '{');
	for (const struct json *child = value->child; child; child = child->next) {
		if (child != value->child)
			putchar(',');
		if (object) {
			print_string(child->name);
			putchar(':');
		}
		print_json(child);
	}
	putchar(list ? ']' : '}');
}

void document_json(struct document *document, const char *name, const struct json *value)
{
	print_name(document, name);
	if (value)
		print_json(value);
	else
		fputs("null", stdout);
}

void document_open(struct document *document, const char *name, const char *brackets)
{
	print_name(document, name);
	putchar(brackets[0]);
	document->begun = false;
}

void document_close(struct document *document, const char *brackets)
{
	putchar(brackets[1]);
	document->begun = true;
}

void document_end(struct document *document)
{
	document->begun = false;
	fputs("}\n", stdout);
}

/* How many bytes at s are one character that a terminal shows as such; 0: none. */
static size_t shown(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c < 0x20 || c == 0x7f || n > s.n || !str_is_utf8((struct str){s.p, n}))
		return 0;
	/* C1 controls: U+0080 to U+009F. */
	bool control = c == 0xc2 && (unsigned char)s.p[1] < 0xa0;
	/* Those that turn the direction of writing around: U+200E/F, U+202A to U+202E, U+2066 to U+2069. */
	bool turning = n == 3 && c == 0xe2 &&
		       ((s.p[1] == '\x80' &&
			 ((s.p[2] >= '\x8e' && s.p[2] <= '\x8f') || (s.p[2] >= '\xaa' && s.p[2] <= '\xae'))) ||
			(s.p[1] == '\x81' && s.p[2] >= '\xa6' && s.p[2] <= '\xa9'));
	return control || turning ? 0 : n;
}

/* Print to the stream; gives how many characters it took. */
static size_t print_text(FILE *stream, struct str text)
{
	size_t width = 0;
	while (text.n > 0) {
		size_t n = shown(text);
		if (n > 0) {
			fwrite(text.p, 1, n, stream);
			width++;
		} else {
			n = 1;
			width += (size_t)fprintf(stream, "\\x%02x", (unsigned)(unsigned char)text.p[0]);
		}
		text = str_skip(text, n);
	}
	return width;
}

void output_text(struct str text)
{
	print_text(stdout, text);
}

void output_column(struct str text, size_t width)
{
	size_t used = print_text(stdout, text);
	printf("%*s", used < width ? (int)(width - used) : 1, "");
}

const char *output_date(int64_t seconds, char memory[OUTPUT_DATE_SIZE])
{
	time_t at = (time_t)seconds;
	struct tm tm;
	if (seconds > INT64_C(253402300799) || !gmtime_r(&at, &tm) ||
	    strftime(memory, OUTPUT_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(memory, OUTPUT_DATE_SIZE, "%" PRId64, seconds);
	return memory;
}

void output_error(const char *format, ...)
{
	char text[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fflush(stdout);
	fputs("authctl: ", stderr);
	print_text(stderr, str_of(text));
	fputc('\n', stderr);
}
