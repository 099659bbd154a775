/* SPDX-License-Identifier: Apache-2.0 */
/* Three encodings, one list of fields. What is read here is written again by a
 * browser, so what counts is that the same bytes come of it. */
#include "http/form_data.h"

#include <string.h>

#include "base/codec.h"

static const struct str types[FORM_ENCODINGS] = {
	[FORM_URLENCODED] = {"application/x-www-form-urlencoded", 33},
	[FORM_MULTIPART] = {"multipart/form-data", 19},
	[FORM_PLAIN] = {"text/plain", 10},
};

struct reading {
	struct arena *arena;
	struct form_data_field *fields;
	size_t n;
};

bool form_data_encoding(struct str content_type, enum form_encoding *out)
{
	struct str type = str_trim((struct str){content_type.p, str_find(content_type, ';')});
	for (int i = 0; i < FORM_ENCODINGS; i++) {
		if (!str_eq_nocase(type, types[i]))
			continue;
		*out = (enum form_encoding)i;
		return true;
	}
	return false;
}

struct str form_data_enctype(enum form_encoding encoding)
{
	return types[encoding];
}

static bool add(struct reading *r, struct form_data_field field)
{
	if (r->n == FORM_DATA_FIELDS_MAX)
		return false;
	/* A field without a name is sent by no form. */
	if (field.name.n)
		r->fields[r->n++] = field;
	return true;
}

/* --- application/x-www-form-urlencoded -------------------------------------------- */

static bool decode(struct reading *r, struct str encoded, struct str *out)
{
	char *text = arena_alloc(r->arena, encoded.n + 1);
	size_t n;
	if (!text || !percent_decode(encoded, true, text, &n))
		return false;
	*out = (struct str){text, n};
	return true;
}

static bool read_urlencoded(struct reading *r, struct str body)
{
	struct str rest = body, part;
	while (str_split(&rest, '&', &part)) {
		size_t equal = str_find(part, '=');
		struct form_data_field field = {.value = STR("")};
		if (part.n == 0)
			continue;
		if (!decode(r, (struct str){part.p, equal}, &field.name) ||
		    (equal < part.n && !decode(r, str_skip(part, equal + 1), &field.value)) || !add(r, field))
			return false;
	}
	return true;
}

/* --- text/plain -------------------------------------------------------------------- */

/* The text up to the end of the line, which is taken off as well. */
static struct str cut_line(struct str *rest)
{
	const char *end = rest->n ? memmem(rest->p, rest->n, "\r\n", 2) : NULL;
	struct str line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
	*rest = end ? str_skip(*rest, line.n + 2) : STR_NONE;
	return line;
}

/* Nothing tells a line of a value from a field. One with '=' may be a field: the
 * bytes are the same. Of one without, the value before goes on. */
static bool read_plain(struct reading *r, struct str body)
{
	struct str rest = body;
	while (rest.n) {
		struct str line = cut_line(&rest);
		size_t equal = str_find(line, '=');
		struct form_data_field *last = r->n ? &r->fields[r->n - 1] : NULL;
		if (equal == line.n && !last)
			return false;
		if (equal == line.n || equal == 0) {
			if (!last)
				return false;
			last->value.n = (size_t)(line.p + line.n - last->value.p);
		} else if (!add(r, (struct form_data_field){.name = {line.p, equal},
							    .value = str_skip(line, equal + 1)})) {
			return false;
		}
	}
	return true;
}

/* --- multipart/form-data (RFC 7578) -------------------------------------------------- */

/* The value of a parameter, quoted or not; STR_NONE: it has none of that name. In
 * quotes a browser writes a quote as %22, so that the next one is the end. */
static struct str parameter(struct str header, struct str name)
{
	struct str rest = str_skip(header, str_find(header, ';'));
	while (rest.n) {
		rest = str_trim(str_skip(rest, 1));
		size_t equal = str_find(rest, '=');
		if (equal == rest.n)
			return STR_NONE;
		bool found = str_eq_nocase(str_trim((struct str){rest.p, equal}), name);
		struct str value = str_skip(rest, equal + 1);
		bool quoted = str_starts(value, STR("\""));
		if (quoted)
			value = str_skip(value, 1);
		size_t end = str_find(value, quoted ? '"' : ';');
		if (quoted && end == value.n)
			return STR_NONE;
		if (found)
			return (struct str){value.p, end};
		rest = str_skip(value, end);
		rest = str_skip(rest, str_find(rest, ';'));
	}
	return STR_NONE;
}

/* What browsers write in place of a quote and of the two bytes of a line end. */
static struct str unescape(struct arena *arena, struct str name)
{
	static const struct {
		struct str code;
		char stands_for;
	} codes[] = {{{"%22", 3}, '"'}, {{"%0D", 3}, '\r'}, {{"%0A", 3}, '\n'}};
	struct buf b = arena_buf(arena, name.n + 1);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		for (size_t k = 0; k < 3 && name.p[i] == '%' && c == '%'; k++)
			if (str_starts(str_skip(name, i), codes[k].code))
				c = codes[k].stands_for;
		i += c != name.p[i] ? 2 : 0;
		buf_char(&b, c);
	}
	return b.cap ? buf_str(&b) : STR_NONE;
}

static bool read_part(struct reading *r, struct str part)
{
	static const struct str disposition = {"Content-Disposition:", 20};
	const char *end = memmem(part.p, part.n, "\r\n\r\n", 4);
	if (!end)
		return false;
	struct str head = {part.p, (size_t)(end - part.p)}, rest = head;
	struct form_data_field field = {.value = str_skip(part, head.n + 4)};
	while (rest.n) {
		struct str line = cut_line(&rest);
		if (line.n < disposition.n || !str_eq_nocase((struct str){line.p, disposition.n}, disposition))
			continue;
		struct str name = parameter(line, STR("name")), file = parameter(line, STR("filename"));
		field.name = unescape(r->arena, name);
		field.is_file = file.p != NULL;
		if (file.p)
			field.value = unescape(r->arena, file);
	}
	return field.name.p && add(r, field);
}

static bool read_multipart(struct reading *r, struct str content_type, struct str body)
{
	struct str boundary = parameter(content_type, STR("boundary")), rest = body;
	if (boundary.n == 0 || boundary.n > 70)
		return false;
	struct str line = arena_printf(r->arena, "\r\n--%.*s", STR_ARGS(boundary));
	/* The first boundary has no line before it. */
	if (!line.p || !str_starts(rest, str_skip(line, 2)))
		return false;
	rest = str_skip(rest, line.n - 2);
	while (!str_starts(rest, STR("--"))) {
		const char *end = str_starts(rest, STR("\r\n")) ? memmem(rest.p, rest.n, line.p, line.n) : NULL;
		/* Without a head the next boundary's own line end follows at once. */
		if (!end || end == rest.p || !read_part(r, (struct str){rest.p + 2, (size_t)(end - rest.p) - 2}))
			return false;
		rest = str_skip(rest, (size_t)(end - rest.p) + line.n);
	}
	return true;
}

/* --- character encodings --------------------------------------------------------------- */

/* windows-1252 from 0x80 to 0x9f, as browsers read and write it (Encoding standard). */
static const uint16_t high[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

static void add_character(struct buf *b, unsigned char byte)
{
	unsigned c = byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte;
	if (c < 0x80) {
		buf_char(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
	} else {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_char(b, (char)(0x80 | (c & 0x3f)));
}

static bool to_utf8(struct arena *arena, struct str *text)
{
	struct buf b = arena_buf(arena, 3 * text->n + 1);
	for (size_t i = 0; i < text->n; i++)
		add_character(&b, (unsigned char)text->p[i]);
	*text = buf_str(&b);
	return b.cap > 0;
}

/* The whole form is in one of the two. false: a NUL, or no memory. */
static bool settle_encoding(struct reading *r, bool *windows_1252)
{
	*windows_1252 = false;
	for (size_t i = 0; i < r->n; i++) {
		const struct form_data_field *field = &r->fields[i];
		if (str_find(field->name, '\0') < field->name.n || str_find(field->value, '\0') < field->value.n)
			return false;
		*windows_1252 = *windows_1252 || !str_is_utf8(field->name) || !str_is_utf8(field->value);
	}
	for (size_t i = 0; *windows_1252 && i < r->n; i++)
		if (!to_utf8(r->arena, &r->fields[i].name) || !to_utf8(r->arena, &r->fields[i].value))
			return false;
	return true;
}

bool form_data_read(struct arena *arena, struct str content_type, struct str body, struct form_data *out)
{
	struct form_data data;
	struct reading r = {.arena = arena, .fields = arena_array(arena, FORM_DATA_FIELDS_MAX, sizeof *r.fields)};
	bool good = r.fields && form_data_encoding(content_type, &data.encoding);
	if (!good)
		return false;
	switch (data.encoding) {
	case FORM_URLENCODED: good = read_urlencoded(&r, body); break;
	case FORM_PLAIN: good = read_plain(&r, body); break;
	case FORM_MULTIPART: good = read_multipart(&r, content_type, body); break;
	case FORM_ENCODINGS: good = false; break;
	}
	if (!good || !settle_encoding(&r, &data.windows_1252))
		return false;
	data.fields = r.fields;
	data.n = r.n;
	*out = data;
	return true;
}
