/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a language's texts, and finding one. */
#include "policy/catalogue.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 1000 };

static const struct str sign = {" = ", 3};

static int compare(const void *a, const void *b)
{
	const struct catalogue_entry *x = a, *y = b;
	size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int order = n ? memcmp(x->key.p, y->key.p, n) : 0;
	return order ? order : (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

/* What is wrong with the line; NULL: nothing. An empty line and a comment give no key. */
static const char *read_line(struct str line, struct catalogue_entry *out)
{
	if (str_ends(line, STR("\r")))
		line.n--;
	line = str_trim(line);
	*out = (struct catalogue_entry){0};
	if (line.n == 0 || line.p[0] == '#')
		return NULL;
	if (!str_is_utf8(line) || str_has_control(line))
		return "is no UTF-8, or has control characters";
	const char *at = memmem(line.p, line.n, sign.p, sign.n);
	if (!at)
		return "write: English text = text in this language";
	out->key = str_trim((struct str){line.p, (size_t)(at - line.p)});
	out->text = str_trim((struct str){at + sign.n, line.n - (size_t)(at - line.p) - sign.n});
	return out->key.n && out->text.n ? NULL : "a text is empty";
}

static bool read_entries(struct catalogue_entry *entries, size_t *n, const char *file, struct str lines,
			 struct buf *why)
{
	struct str line;
	for (unsigned number = 1; str_split(&lines, '\n', &line); number++) {
		struct catalogue_entry entry;
		const char *wrong = read_line(line, &entry);
		if (!wrong && entry.key.n && *n == ENTRIES_MAX)
			wrong = "has too many texts";
		if (wrong) {
			buf_printf(why, "%s:%u: %s", file, number, wrong);
			return false;
		}
		if (entry.key.n)
			entries[(*n)++] = entry;
	}
	return true;
}

bool catalogue_parse(struct arena *arena, const char *file, struct str lines, struct catalogue *out, struct buf *why)
{
	size_t n = 0;
	struct catalogue_entry *entries = arena_array(arena, ENTRIES_MAX, sizeof *entries);
	if (!entries) {
		buf_printf(why, "%s: no memory", file);
		return false;
	}
	if (!read_entries(entries, &n, file, lines, why))
		return false;
	qsort(entries, n, sizeof *entries, compare);
	for (size_t i = 1; i < n; i++)
		if (str_eq(entries[i - 1].key, entries[i].key)) {
			buf_printf(why, "%s: \"%.*s\" is there twice", file, STR_ARGS(entries[i].key));
			return false;
		}
	out->entries = entries;
	out->n = n;
	return true;
}

static struct str find(const struct catalogue *catalogue, struct str key)
{
	const struct catalogue_entry wanted = {.key = key};
	for (; catalogue; catalogue = catalogue->rest) {
		const struct catalogue_entry *entry = NULL;
		if (catalogue->n)
			entry = bsearch(&wanted, catalogue->entries, catalogue->n, sizeof wanted, compare);
		if (entry)
			return entry->text;
	}
	return STR_NONE;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The first number of *rest, cut off with what is before it; STR_NONE: there is none. */
static struct str next_number(struct str *rest, struct str *before)
{
	size_t from = 0, to;
	while (from < rest->n && !is_digit(rest->p[from]))
		from++;
	for (to = from; to < rest->n && is_digit(rest->p[to]); to++)
		;
	*before = (struct str){rest->p, from};
	struct str number = to > from ? (struct str){rest->p + from, to - from} : STR_NONE;
	*rest = str_skip(*rest, to);
	return number;
}

static struct str without_numbers(struct arena *arena, struct str english)
{
	struct buf b = arena_buf(arena, english.n);
	struct str rest = english, before, number;
	do {
		number = next_number(&rest, &before);
		buf_add(&b, before);
		if (number.p)
			buf_char(&b, '#');
	} while (number.p);
	return b.full ? STR_NONE : buf_str(&b);
}

static struct str with_numbers(struct arena *arena, struct str text, struct str english)
{
	struct buf b = arena_buf(arena, text.n + english.n);
	struct str rest = english, before;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '#')
			buf_add(&b, next_number(&rest, &before));
		else
			buf_char(&b, text.p[i]);
	}
	return b.full ? english : buf_str(&b);
}

struct str catalogue_text(const struct catalogue *catalogue, struct arena *arena, struct str english)
{
	struct str text = find(catalogue, english);
	if (text.p || !catalogue)
		return text.p ? text : english;
	struct str key = without_numbers(arena, english);
	if (!key.p || str_eq(key, english))
		return english;
	text = find(catalogue, key);
	return text.p ? with_numbers(arena, text, english) : english;
}

bool catalogue_is_right_to_left(const struct catalogue *catalogue)
{
	static const char *const languages[] = {"ar", "fa", "he", "ur", "yi", "ps", "sd", "ckb", "dv"};
	struct str language = {catalogue->language.p, str_find(catalogue->language, '-')};
	for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
		if (str_eq_nocase(language, str_of(languages[i])))
			return true;
	return false;
}
