/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, path patterns, query strings and return addresses (RFC 3986). */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/arena.h"

/* Decode a path once and bring it into one form: percent-decoded, no empty
 * segment, no "." or "..", one leading '/'. What web servers understand in
 * different ways is refused (false): a path that does not begin with '/', a
 * control byte or NUL, a backslash, "%2f" and "%5c", what is still
 * percent-encoded after decoding, ".." above the root, a segment "..;x", invalid UTF-8.
 * A ';' parameter stays a part of its segment. */
bool url_normalise(struct arena *arena, struct str raw_path, struct str *path);
/* The same for a path that the web server has decoded already: decoded no second
 * time, and under the same rules. */
bool url_normalise_decoded(struct arena *arena, struct str decoded, struct str *path);

/* The path as servers see it that drop ';' parameters ("/a;x=1/b" is "/a/b" to
 * Java's); the path itself when it has none. STR_NONE: the arena is used up. */
struct str url_without_parameters(struct arena *arena, struct str path);

/* A pattern is a path of literal segments, "*" (one segment), "{name}" (one
 * segment, captured), and "**" as the last one (any rest, also none). */
bool url_pattern_check(struct str pattern);
/* Does the normalised path match? captured, when not NULL, gets what "{user}" stood for. */
bool url_pattern_match(struct str pattern, struct str path, struct str *captured);
/* For "the longest match wins": more literal bytes first, then more segments. */
int url_pattern_compare(struct str a, struct str b);

/* One field of a query or form body, as it came. */
struct url_field {
	struct str text, name, value; /* "a=b", "a", "b"; without '=' the value is empty */
};

/* Cut the next field off *rest; false at the end. */
bool url_next_field(struct str *rest, struct url_field *field);
/* Is that its name, however it is encoded? */
bool url_field_is(const struct url_field *field, struct str name);
/* Its decoded value, in the arena. false: broken encoding. */
bool url_field_value(struct arena *arena, const struct url_field *field, struct str *value);

/* The decoded value of a field in a query or form body (application/
 * x-www-form-urlencoded). STR_NONE: absent, broken encoding, or given twice. */
struct str url_field(struct arena *arena, struct str encoded, const char *name);

/* May a browser be sent to this address after login? True for a path on this
 * site in a form that every browser reads alike ("/x?y#z": no "//", no
 * backslash, no control byte, no second encoding of these), and for an http or
 * https URL whose origin ("https://wiki.example") is in origins. */
bool url_return_is_safe(struct str address, struct str own_origin, const struct str *origins, size_t n_origins);

#endif
