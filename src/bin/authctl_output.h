/* SPDX-License-Identifier: Apache-2.0 */
/* What authctl prints: JSON documents, one a line, and text that is safe on a terminal. */
#ifndef BIN_AUTHCTL_OUTPUT_H
#define BIN_AUTHCTL_OUTPUT_H

#include "token/json.h"

/* A JSON object on standard output, printed member by member; objects and lists may nest. */
struct document {
	bool begun; /* a comma is due */
};

void document_begin(struct document *document);
/* Text, or null for STR_NONE. */
void document_text(struct document *document, const char *name, struct str value);
void document_number(struct document *document, const char *name, int64_t value);
/* A number, or null for an absent one. */
void document_time(struct document *document, const char *name, int64_t value, int64_t absent);
void document_bool(struct document *document, const char *name, bool value);
/* A value that was parsed, written anew on one line; NULL gives null. */
void document_json(struct document *document, const char *name, const struct json *value);
/* What follows up to the close is inside the member; brackets is "{}" or "[]".
 * A member of a list has no name: NULL. */
void document_open(struct document *document, const char *name, const char *brackets);
void document_close(struct document *document, const char *brackets);
/* The end of the object and of the line. */
void document_end(struct document *document);

/* Foreign text for people: what could move the cursor or hide is shown as \xXX. */
void output_text(struct str text);
/* The same, filled up with blanks to a column's width. */
void output_column(struct str text, size_t width);
enum { OUTPUT_DATE_SIZE = 32 };
/* "2026-03-01T12:00:00Z", the plain number for what no calendar has. */
const char *output_date(int64_t seconds, char memory[OUTPUT_DATE_SIZE]);
/* "authctl: …" on standard error, safe as output_text. */
__attribute__((format(printf, 1, 2))) void output_error(const char *format, ...);

#endif
