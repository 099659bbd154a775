/* SPDX-License-Identifier: Apache-2.0 */
/* Slices of bytes that somebody else owns, and one bounded buffer to print into. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n bytes at p, no terminator; p may be NULL when n is 0. An absent value is
 * {NULL, 0}, an empty one has a p. */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For printf's "%.*s". */
#define STR_ARGS(s) (int)(s).n, (s).p ? (s).p : ""

/* The bytes of a C string, which must outlive the slice; NULL gives STR_NONE. */
struct str str_of(const char *text);
bool str_eq(struct str a, struct str b);
/* ASCII letters alone are folded. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Offset of the first c, or s.n. */
size_t str_find(struct str s, char c);
/* What is left after the first n bytes (n at most s.n). */
struct str str_skip(struct str s, size_t n);
/* Without blanks (space, tab) at both ends. */
struct str str_trim(struct str s);
/* Cut the part up to the next sep off *rest; false when *rest is STR_NONE.
 * "a,,b" gives "a", "", "b"; "" gives one empty part. */
bool str_split(struct str *rest, char sep, struct str *part);
/* A decimal number without sign, blanks or leading zeros, at most max. */
bool str_to_uint(struct str s, uint64_t max, uint64_t *out);
/* Has it a byte below 0x20 or 0x7f? */
bool str_has_control(struct str s);
/* Is it UTF-8 (RFC 3629: no overlong form, no surrogate)? */
bool str_is_utf8(struct str s);

/* A buffer of fixed capacity over memory of the caller. What does not fit is
 * left out and `full` set: nothing printed after that is added either. */
struct buf {
	char *p;
	size_t n, cap;
	bool full;
};

struct buf buf_over(void *memory, size_t capacity);
void buf_add(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_uint(struct buf *b, uint64_t value);
void buf_int(struct buf *b, int64_t value);
void buf_hex(struct buf *b, const unsigned char *bytes, size_t n);
/* A JSON string with its quotes. Control bytes, quotes, backslash and the HTML
 * bytes < > & are escaped (web servers may relabel a JSON body as HTML);
 * what is no UTF-8 becomes U+FFFD. */
void buf_json(struct buf *b, struct str s);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *format, ...);
struct str buf_str(const struct buf *b);
/* Terminate for a C call and return the text; sets full when no byte is left. */
const char *buf_z(struct buf *b);

#endif
