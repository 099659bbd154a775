/* SPDX-License-Identifier: Apache-2.0 */
/* A site's own files: a template that may name itself and a style sheet, and the same bytes as a
 * catalogue and as a style sheet. What is taken prints no value unescaped and no end of a style. */
#include <string.h>

#include "fuzz.h"
#include "policy/style.h"
#include "policy/template.h"

enum { ARENA_SIZE = 16 << 20, INPUT_MAX = 1 << 16, PAGE_MAX = 60 << 10 };

/* The byte in the middle comes from values alone, where the input has none. */
static const struct str evil = {"\"<\x01>&'", 6};
static const struct str escaped = {"&quot;&lt;\x01&gt;&amp;&#39;", 25};

static bool find(void *context, struct str name, struct template_source *out)
{
	const struct str *input = context;
	*out = (struct template_source){"x", *input};
	return str_eq(name, STR("main")) || str_eq(name, STR("a.css"));
}

static bool has_mark(struct str text)
{
	return text.n > 0 && memchr(text.p, evil.p[2], text.n) != NULL;
}

static void check_escaped(struct str page)
{
	for (size_t i = 0; i < page.n; i++)
		FUZZ_CHECK(page.p[i] != evil.p[2] ||
			   (i >= 10 && i + 15 <= page.n && memcmp(page.p + i - 10, escaped.p, escaped.n) == 0));
}

static void print(struct arena *arena, const struct template *template, const struct catalogue *catalogue)
{
	static char memory[PAGE_MAX];
	struct template_scope second = {0}, first = {.next = &second}, page = {0};
	struct template_value own = {.name = "b", .text = evil}, a = {.name = "a", .text = evil};
	struct template_value list = {.name = "list", .items = &first, .next = &a};
	struct template_value flag = {.name = "flag", .on = true, .next = &list};
	struct buf out = buf_over(memory, sizeof memory);
	first.parent = second.parent = &page;
	second.values = &own;
	page.values = &flag;
	template_print(template, &page, &(struct template_output){arena, catalogue, &out});
	FUZZ_CHECK(out.n <= sizeof memory);
	if (!out.full)
		check_escaped(buf_str(&out));
}

static void check_catalogue(struct arena *arena, const struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		FUZZ_CHECK(entry->key.n && entry->text.n && str_is_utf8(entry->text));
		FUZZ_CHECK(str_eq(catalogue_text(catalogue, arena, entry->key), entry->text));
	}
	(void)catalogue_text(catalogue, arena, STR("1 a 22 b 333"));
}

static void check_style(struct arena *arena, struct str sheet)
{
	struct buf once = arena_buf(arena, sheet.n + 1), twice = arena_buf(arena, sheet.n + 1);
	style_shorten(sheet, &once);
	FUZZ_CHECK(!once.full && once.n <= sheet.n);
	style_shorten(buf_str(&once), &twice);
	FUZZ_CHECK(!twice.full && twice.n <= once.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena = NULL;
	struct str input = {(const char *)data, size};
	struct catalogue catalogue = {.language = STR("x")};
	struct template_files files = {.find = find, .context = &input};
	struct template template;
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	if (size > INPUT_MAX || (!arena && !arena_open(ARENA_SIZE, &arena)))
		return 0;
	arena_reset(arena);
	check_style(arena, input);
	bool translated = size > 0 && catalogue_parse(arena, "x", input, &catalogue, &why);
	FUZZ_CHECK(translated || size == 0 || why.n > 0);
	if (translated)
		check_catalogue(arena, &catalogue);
	why.n = 0;
	why.full = false;
	if (has_mark(input))
		return 0;
	if (template_parse(arena, &files, STR("main"), &template, &why))
		print(arena, &template, translated ? &catalogue : NULL);
	else
		FUZZ_CHECK(why.n > 0);
	return 0;
}
