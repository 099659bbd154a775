/* SPDX-License-Identifier: Apache-2.0 */
/* Paths into one form, patterns over them, and where a login may return to. */
#include "http/url.h"

#include <string.h>

#include "base/codec.h"

/* Is one of the codes ("2f") percent-encoded in the text? */
static bool has_escape(struct str raw, const char *const codes[])
{
	for (size_t i = 0; i + 2 < raw.n; i++)
		for (size_t k = 0; raw.p[i] == '%' && codes[k]; k++)
			if (str_eq_nocase((struct str){raw.p + i + 1, 2}, str_of(codes[k])))
				return true;
	return false;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Would a second decoding change the decoded path? */
static bool has_second_encoding(struct str decoded)
{
	for (size_t i = 0; i + 2 < decoded.n; i++)
		if (decoded.p[i] == '%' && is_hex(decoded.p[i + 1]) && is_hex(decoded.p[i + 2]))
			return true;
	return false;
}

static bool is_clean(struct str decoded)
{
	return !str_has_control(decoded) && str_is_utf8(decoded) && !has_second_encoding(decoded) &&
	       str_find(decoded, '\\') == decoded.n && str_find(decoded, '#') == decoded.n;
}

static bool is_in_one_form(struct str raw)
{
	for (size_t i = 0; i + 1 < raw.n; i++)
		if (raw.p[i] == '/' && (raw.p[i + 1] == '/' || raw.p[i + 1] == '.'))
			return false;
	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = (unsigned char)raw.p[i];
		if (c <= 0x20 || c >= 0x7f || c == '%' || c == '\\' || c == '#')
			return false;
	}
	return true;
}

/* "." or ".." with a parameter ("..;x"): a name for us, the folder above for Java's servers. */
static bool is_doubtful(struct str segment)
{
	size_t dots = str_starts(segment, STR("..")) ? 2 : 1;
	return segment.n > dots && segment.p[0] == '.' && segment.p[dots] == ';';
}

/* Append one segment to the path of n bytes in out; false above the root. */
static bool add_segment(char *out, size_t *n, struct str segment)
{
	if (segment.n == 0 || str_eq(segment, STR(".")))
		return true;
	if (str_eq(segment, STR(".."))) {
		if (*n == 0)
			return false;
		while (out[--*n] != '/')
			;
		return true;
	}
	out[(*n)++] = '/';
	memmove(out + *n, segment.p, segment.n);
	*n += segment.n;
	return true;
}

bool url_normalise_decoded(struct arena *arena, struct str decoded, struct str *path)
{
	if (decoded.n == 0 || decoded.p[0] != '/' || !is_clean(decoded))
		return false;
	/* A final "/", "/." or "/.." names a folder: the form keeps the slash. */
	bool folder = str_ends(decoded, STR("/")) || str_ends(decoded, STR("/.")) || str_ends(decoded, STR("/.."));
	char *out = arena_alloc(arena, decoded.n + 1);
	struct str rest = str_skip(decoded, 1), segment;
	size_t length = 0;
	if (!out)
		return false;
	while (str_split(&rest, '/', &segment))
		if (is_doubtful(segment) || !add_segment(out, &length, segment))
			return false;
	if (length == 0 || folder)
		out[length++] = '/';
	*path = (struct str){out, length};
	return true;
}

bool url_normalise(struct arena *arena, struct str raw_path, struct str *path)
{
	/* An encoded slash or backslash: web servers differ in what they make of it. */
	static const char *const separators[] = {"2f", "5c", NULL};
	if (raw_path.n == 0 || raw_path.p[0] != '/' || has_escape(raw_path, separators))
		return false;
	/* Almost every path is in its form already and needs no copy. */
	if (is_in_one_form(raw_path)) {
		*path = raw_path;
		return true;
	}
	char *text = arena_alloc(arena, raw_path.n + 1);
	size_t n = 0;
	if (!text || !percent_decode(raw_path, false, text, &n))
		return false;
	return url_normalise_decoded(arena, (struct str){text, n}, path);
}

struct str url_without_parameters(struct arena *arena, struct str path)
{
	if (str_find(path, ';') == path.n)
		return path;
	struct buf bare = arena_buf(arena, path.n);
	bool parameter = false;
	for (size_t i = 0; i < path.n; i++) {
		parameter = path.p[i] == ';' || (parameter && path.p[i] != '/');
		if (!parameter)
			buf_char(&bare, path.p[i]);
	}
	return bare.full ? STR_NONE : buf_str(&bare);
}

static bool is_capture(struct str segment)
{
	return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

static bool is_wild(struct str segment)
{
	return str_eq(segment, STR("*")) || is_capture(segment);
}

bool url_pattern_check(struct str pattern)
{
	if (pattern.n == 0 || pattern.p[0] != '/' || str_has_control(pattern))
		return false;
	struct str rest = str_skip(pattern, 1), segment;
	while (str_split(&rest, '/', &segment)) {
		bool last = !rest.p;
		bool any_rest = str_eq(segment, STR("**"));
		bool literal = str_find(segment, '*') == segment.n && str_find(segment, '{') == segment.n &&
			       str_find(segment, '}') == segment.n;
		if (any_rest ? !last : !literal && !is_wild(segment))
			return false;
		if ((segment.n == 0 && !last) || str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
			return false;
	}
	return true;
}

bool url_pattern_match(struct str pattern, struct str path, struct str *captured)
{
	struct str p = str_skip(pattern, 1), s = str_skip(path, 1), want, have, user = STR_NONE;
	while (str_split(&p, '/', &want)) {
		if (str_eq(want, STR("**"))) {
			p = s = STR_NONE;
			break;
		}
		if (!str_split(&s, '/', &have))
			return false;
		if (is_wild(want) ? have.n == 0 : !str_eq(want, have))
			return false;
		if (str_eq(want, STR("{user}")))
			user = have;
		/* The folder itself belongs to "/folder/" + "**". */
		if (!s.p && p.p && str_eq(p, STR("**")))
			p = STR_NONE;
	}
	if (p.p || s.p)
		return false;
	if (captured)
		*captured = user;
	return true;
}

static void weigh(struct str pattern, size_t *literal, size_t *segments)
{
	struct str rest = str_skip(pattern, 1), segment;
	*literal = *segments = 0;
	while (str_split(&rest, '/', &segment)) {
		if (str_eq(segment, STR("**")))
			continue;
		*segments += 1;
		if (!is_wild(segment))
			*literal += segment.n + 1;
	}
}

int url_pattern_compare(struct str a, struct str b)
{
	size_t literal_a, segments_a, literal_b, segments_b;
	weigh(a, &literal_a, &segments_a);
	weigh(b, &literal_b, &segments_b);
	if (literal_a != literal_b)
		return literal_a > literal_b ? 1 : -1;
	if (segments_a != segments_b)
		return segments_a > segments_b ? 1 : -1;
	bool open_a = str_ends(a, STR("**")), open_b = str_ends(b, STR("**"));
	return (int)open_b - (int)open_a;
}

bool url_next_field(struct str *rest, struct url_field *field)
{
	if (!str_split(rest, '&', &field->text))
		return false;
	size_t equal = str_find(field->text, '=');
	field->name = (struct str){field->text.p, equal};
	field->value = equal < field->text.n ? str_skip(field->text, equal + 1) : STR("");
	return true;
}

bool url_field_is(const struct url_field *field, struct str name)
{
	char decoded[256];
	size_t n;
	if (field->name.n > sizeof decoded || !percent_decode(field->name, true, decoded, &n))
		return false;
	return str_eq((struct str){decoded, n}, name);
}

bool url_field_value(struct arena *arena, const struct url_field *field, struct str *value)
{
	char *text = arena_alloc(arena, field->value.n + 1);
	size_t n;
	if (!text || !percent_decode(field->value, true, text, &n))
		return false;
	*value = (struct str){text, n};
	return true;
}

struct str url_field(struct arena *arena, struct str encoded, const char *name)
{
	struct str rest = encoded, found = STR_NONE;
	struct url_field field;
	while (url_next_field(&rest, &field)) {
		if (!str_eq(field.name, str_of(name)))
			continue;
		if (found.p || !url_field_value(arena, &field, &found))
			return STR_NONE;
	}
	return found;
}

/* Bytes that a browser drops, turns into '/', or that a log or header must not see. */
static bool has_tricks(struct str address)
{
	for (size_t i = 0; i < address.n; i++) {
		unsigned char c = (unsigned char)address.p[i];
		if (c <= 0x20 || c == 0x7f || c == '\\' || c >= 0x80)
			return true;
	}
	return false;
}

/* Is a path on this site, however often it is decoded and whoever resolves its dots? */
static bool is_plain_path(struct str address)
{
	struct str path = {address.p, str_find(address, '?')};
	path.n = str_find(path, '#');
	static const char *const tricky[] = {"2f", "5c", "25", NULL};
	if (path.n == 0 || path.p[0] != '/' || has_escape(path, tricky))
		return false;
	char decoded[2048];
	size_t n;
	if (path.n > sizeof decoded || !percent_decode(path, false, decoded, &n))
		return false;
	struct str d = {decoded, n}, rest = str_skip(d, 1), segment;
	if (str_has_control(d) || str_find(d, '\\') < n)
		return false;
	while (str_split(&rest, '/', &segment))
		if ((segment.n == 0 && rest.p) || str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
			return false;
	return true;
}

bool url_return_is_safe(struct str address, struct str own_origin, const struct str *origins, size_t n_origins)
{
	enum { ADDRESS_MAX = 2048 };
	if (address.n == 0 || address.n > ADDRESS_MAX || has_tricks(address))
		return false;
	if (address.p[0] == '/')
		return is_plain_path(address);
	for (size_t i = 0; i <= n_origins; i++) {
		struct str origin = i < n_origins ? origins[i] : own_origin;
		if (origin.n == 0 || !str_starts(address, origin))
			continue;
		struct str rest = str_skip(address, origin.n);
		if (rest.n == 0 || is_plain_path(rest))
			return true;
	}
	return false;
}
