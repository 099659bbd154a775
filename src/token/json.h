/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON (RFC 8259, I-JSON where parsers differ): one pass that checks and
 * builds a tree in the arena. Refused beyond the grammar: NUL and "\u0000",
 * invalid UTF-8, lone surrogates, a member name twice in an object (compared
 * after unescaping), more than JSON_DEPTH_MAX arrays and objects inside each
 * other, more than JSON_NODES_MAX values, bytes after the document. */
#ifndef TOKEN_JSON_H
#define TOKEN_JSON_H

#include "base/arena.h"

enum { JSON_DEPTH_MAX = 16, JSON_NODES_MAX = 1000 };

enum json_value_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_value_type type;
	struct str name; /* of a member: unescaped */
	struct str text; /* a string unescaped, a number as it is written */
	struct str raw;	 /* the value as it is written */
	const struct json *child; /* first element or member */
	const struct json *next;  /* next in the same array or object */
};

/* Parse a whole document of any type. Slices point into text or the arena.
 * false: not strict JSON, or the arena is used up. */
bool json_parse(struct arena *arena, struct str text, const struct json **out);
/* The member of that name, or NULL; NULL also when object is NULL or no object. */
const struct json *json_member(const struct json *object, struct str name);
/* The value at the end of a path, or NULL when a part of it is absent. A path that
 * begins with '/' is a JSON pointer (RFC 6901): in a name "~1" stands for '/' and "~0"
 * for '~', and a number without leading zeros is an element of an array, from 0. Every
 * other one is names of members joined by dots, "realm_access.roles"; a name with dots,
 * slashes or blanks is quoted, "\"https://example.com/roles\".admin", and has no quote. */
const struct json *json_path(const struct json *object, struct str path);
/* Is it written as json_path wants it? For configuration. */
bool json_path_valid(struct str path);
/* Exactly a string. */
bool json_string(const struct json *value, struct str *out);
/* A number that is a whole one within int64_t, written without fraction or exponent. */
bool json_integer(const struct json *value, int64_t *out);
/* NumericDate (RFC 7519 section 2): a number, whole or fractional, rounded down;
 * what is beyond the range of int64_t is cut to INT64_MAX. false: no number, or
 * negative, or not finite (1e309 and more). */
bool json_date(const struct json *value, int64_t *out);
/* Make a value of a text that is exactly a number as JSON writes it. */
bool json_number(struct str text, struct json *out);
/* Order of two numbers, exact whatever their size: less than 0, 0, more than 0. */
int json_compare(const struct json *a, const struct json *b);
/* The text of a value: a string as it is, a number as written, true, false.
 * STR_NONE for null, lists, objects and absent ones. */
struct str json_scalar(const struct json *value);
/* The same, and a list of these joined by commas; STR_NONE for a list that has null,
 * an object or a list in it. */
struct str json_text(struct arena *arena, const struct json *value);
/* Print it anew: in a value's own spelling "<" may stand plain. */
void json_print(struct buf *b, const struct json *value);

#endif
