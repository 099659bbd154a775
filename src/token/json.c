/* SPDX-License-Identifier: Apache-2.0 */
/* The strict JSON scanner. What a tree says is read by json_value.c. */
#include "token/json.h"

#include <string.h>

/* Up to so many members, names are compared one with another; beyond, sorted. */
enum { FEW_MEMBERS = 16 };

struct parser {
	struct arena *arena;
	const char *p, *end;
	unsigned depth, nodes;
};

static bool parse_value(struct parser *s, struct json *value);

static void skip_space(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* Is the next byte, after white space, this one? Then pass it. */
static bool eat(struct parser *s, char c)
{
	skip_space(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static struct json *new_node(struct parser *s)
{
	if (s->nodes == JSON_NODES_MAX)
		return NULL;
	s->nodes++;
	return arena_alloc(s->arena, sizeof(struct json));
}

static bool hex4(struct str s, uint32_t *out)
{
	if (s.n < 4)
		return false;
	uint32_t value = 0;
	for (size_t i = 0; i < 4; i++) {
		char c = s.p[i];
		uint32_t digit;
		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint32_t)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			digit = (uint32_t)(c - 'A') + 10;
		else
			return false;
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

static void add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_char(b, (char)(0x80 | (c & 0x3f)));
}

/* The hexadecimal digits behind "\u", and a low surrogate's behind a high one's. */
static bool unescape_unicode(struct str *rest, struct buf *out)
{
	uint32_t c, low;
	if (!hex4(*rest, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	*rest = str_skip(*rest, 4);
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!str_starts(*rest, STR("\\u")) || !hex4(str_skip(*rest, 2), &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		*rest = str_skip(*rest, 6);
		c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
	}
	add_utf8(out, c);
	return true;
}

static bool unescape(struct arena *arena, struct str raw, struct str *out)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	/* No escape is shorter than what it stands for. */
	struct buf text = arena_buf(arena, raw.n);
	for (struct str rest = raw; rest.n > 0;) {
		size_t plain = str_find(rest, '\\');
		buf_add(&text, (struct str){rest.p, plain});
		rest = str_skip(rest, plain);
		if (rest.n == 0)
			break;
		const char *letter = rest.n > 1 && rest.p[1] ? strchr(letters, rest.p[1]) : NULL;
		bool unicode = rest.n > 1 && rest.p[1] == 'u';
		if (!letter && !unicode)
			return false;
		rest = str_skip(rest, 2);
		if (letter)
			buf_char(&text, meant[letter - letters]);
		else if (!unescape_unicode(&rest, &text))
			return false;
	}
	*out = buf_str(&text);
	return !text.full;
}

/* From behind the opening quote to behind the closing one. */
static bool parse_string(struct parser *s, struct str *out)
{
	const char *start = s->p, *p = start;
	unsigned char seen = 0;
	bool escaped = false;
	for (; p < s->end && *p != '"'; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x20)
			return false;
		seen |= c;
		if (c == '\\') {
			escaped = true;
			p++;
		}
	}
	if (p >= s->end)
		return false;
	s->p = p + 1;
	struct str raw = {start, (size_t)(p - start)};
	if ((seen & 0x80) && !str_is_utf8(raw))
		return false;
	if (escaped)
		return unescape(s->arena, raw, out);
	*out = raw;
	return true;
}

static bool parse_digits(struct parser *s)
{
	const char *start = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > start;
}

static bool parse_number(struct parser *s, struct json *value)
{
	const char *start = s->p;
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!parse_digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!parse_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!parse_digits(s))
			return false;
	}
	value->type = JSON_NUMBER;
	value->text = (struct str){start, (size_t)(s->p - start)};
	return true;
}

bool json_number(struct str text, struct json *out)
{
	struct parser s = {.p = text.p, .end = text.p + text.n};
	struct json value = {.raw = text};
	if (text.n == 0 || !parse_number(&s, &value) || s.p != s.end)
		return false;
	*out = value;
	return true;
}

static bool parse_word(struct parser *s, struct json *value, struct str word, enum json_value_type type)
{
	if (!str_starts((struct str){s->p, (size_t)(s->end - s->p)}, word))
		return false;
	s->p += word.n;
	value->type = type;
	return true;
}

static bool parse_array(struct parser *s, struct json *array)
{
	array->type = JSON_ARRAY;
	const struct json **tail = &array->child;
	if (eat(s, ']'))
		return true;
	do {
		struct json *element = new_node(s);
		if (!element || !parse_value(s, element))
			return false;
		*tail = element;
		tail = &element->next;
	} while (eat(s, ','));
	return eat(s, ']');
}

static int compare_names(const struct json *a, const struct json *b)
{
	if (a->name.n != b->name.n)
		return a->name.n < b->name.n ? -1 : 1;
	return a->name.n ? memcmp(a->name.p, b->name.p, a->name.n) : 0;
}

/* Let the member at i sink to its place in a heap of n whose top is the greatest. */
static void sift_down(const struct json **heap, size_t i, size_t n)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && compare_names(heap[child], heap[child + 1]) < 0)
			child++;
		if (compare_names(heap[i], heap[child]) >= 0)
			return;
		const struct json *swap = heap[i];
		heap[i] = heap[child];
		heap[child] = swap;
	}
}

/* By sorting: the sender chooses the names, so neither comparing each with each
 * nor a hash without a key would keep the cost of a large object in bounds. */
static bool names_differ(struct arena *arena, const struct json *object, size_t n)
{
	const struct json **heap = arena_array(arena, n, sizeof *heap);
	if (!heap)
		return false;
	size_t i = 0;
	for (const struct json *member = object->child; member; member = member->next)
		heap[i++] = member;
	for (i = n / 2; i-- > 0;)
		sift_down(heap, i, n);
	while (n > 1) {
		const struct json *greatest = heap[0];
		heap[0] = heap[--n];
		sift_down(heap, 0, n);
		if (compare_names(greatest, heap[0]) == 0)
			return false;
	}
	return true;
}

static bool parse_member(struct parser *s, struct json *member)
{
	return eat(s, '"') && parse_string(s, &member->name) && eat(s, ':') && parse_value(s, member);
}

static bool parse_object(struct parser *s, struct json *object)
{
	object->type = JSON_OBJECT;
	const struct json **tail = &object->child;
	size_t n = 0;
	if (eat(s, '}'))
		return true;
	do {
		struct json *member = new_node(s);
		if (!member || !parse_member(s, member))
			return false;
		if (n < FEW_MEMBERS && json_member(object, member->name))
			return false;
		*tail = member;
		tail = &member->next;
		n++;
	} while (eat(s, ','));
	return eat(s, '}') && (n <= FEW_MEMBERS || names_differ(s->arena, object, n));
}

static bool parse_nested(struct parser *s, struct json *value, bool (*parse)(struct parser *s, struct json *value))
{
	if (s->depth == JSON_DEPTH_MAX)
		return false;
	s->depth++;
	s->p++;
	bool good = parse(s, value);
	s->depth--;
	return good;
}

static bool parse_quoted(struct parser *s, struct json *value)
{
	value->type = JSON_STRING;
	s->p++;
	return parse_string(s, &value->text);
}

static bool parse_any(struct parser *s, struct json *value)
{
	switch (*s->p) {
	case '"':
		return parse_quoted(s, value);
	case '{':
		return parse_nested(s, value, parse_object);
	case '[':
		return parse_nested(s, value, parse_array);
	case 't':
		return parse_word(s, value, STR("true"), JSON_TRUE);
	case 'f':
		return parse_word(s, value, STR("false"), JSON_FALSE);
	case 'n':
		return parse_word(s, value, STR("null"), JSON_NULL);
	default:
		return parse_number(s, value);
	}
}

static bool parse_value(struct parser *s, struct json *value)
{
	skip_space(s);
	if (s->p == s->end)
		return false;
	const char *start = s->p;
	if (!parse_any(s, value))
		return false;
	value->raw = (struct str){start, (size_t)(s->p - start)};
	return true;
}

bool json_parse(struct arena *arena, struct str text, const struct json **out)
{
	if (text.n == 0)
		return false;
	struct parser s = {.arena = arena, .p = text.p, .end = text.p + text.n};
	struct json *root = new_node(&s);
	if (!root || !parse_value(&s, root))
		return false;
	skip_space(&s);
	if (s.p != s.end)
		return false;
	*out = root;
	return true;
}
