/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing templates, with the files that they name: bounded in depth and number. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/style.h"
#include "policy/template_internal.h"

enum { DEPTH_MAX = 8, NODES_MAX = 4096 };

/* A block that is open, and those around it. */
struct block {
	struct str name;
	const struct block *outer;
};

struct parser {
	struct arena *arena;
	const struct template_files *files;
	struct template *out;
	struct template_source source; /* the file being read */
	struct str rest;	       /* of it */
	const struct block *block;
	unsigned nodes, depth;
	struct buf *why;
};

struct nodes {
	struct template_node *first, *last;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct parser *p, const char *at, const char *format, ...)
{
	va_list list;
	char text[256];
	unsigned line = 1;
	for (const char *c = p->source.text.p; c < at; c++)
		line += *c == '\n';
	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	buf_printf(p->why, "%s:%u: %s", p->source.file, line, text);
	return false;
}

static struct template_node *add(struct parser *p, struct nodes *nodes, enum template_kind kind, struct str text)
{
	struct template_node *node = p->nodes < NODES_MAX ? arena_alloc(p->arena, sizeof *node) : NULL;
	if (!node) {
		fail(p, p->rest.p, "is too long");
		return NULL;
	}
	*node = (struct template_node){.kind = kind, .text = text};
	p->nodes++;
	if (nodes->last)
		nodes->last->next = node;
	else
		nodes->first = node;
	nodes->last = node;
	return node;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Browsers don't run or use these: the header of the page forbids it. */
static bool check_text(struct parser *p, struct str text)
{
	static const char *const forbidden[] = {"<script", "<style", " style=", " onclick=", " onload=", "javascript:"};
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		const char *at = text.n ? memmem(text.p, text.n, forbidden[i], strlen(forbidden[i])) : NULL;
		if (at)
			return fail(p, at, "\"%s\" is forbidden by the page's Content-Security-Policy: write style.css",
				    forbidden[i]);
	}
	return true;
}

static bool add_text(struct parser *p, struct nodes *nodes, struct str text)
{
	struct buf b = arena_buf(p->arena, text.n);
	for (size_t i = 0; i < text.n;) {
		size_t end = i;
		bool line = false;
		while (end < text.n && is_blank(text.p[end]))
			line |= text.p[end++] == '\n';
		if (line)
			buf_char(&b, '\n');
		else
			buf_add(&b, (struct str){text.p + i, end - i});
		i = end;
		while (i < text.n && !is_blank(text.p[i]))
			buf_char(&b, text.p[i++]);
	}
	if (text.n == 0)
		return true;
	return check_text(p, text) && add(p, nodes, TEMPLATE_TEXT, buf_str(&b)) != NULL;
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9') ||
		      name.p[i] == '_' || name.p[i] == '-'))
			return false;
	return name.n > 0 && name.n <= TEMPLATE_NAME_MAX;
}

bool template_has_name(const struct template_name *names, struct str name)
{
	for (; names; names = names->next)
		if (str_eq(names->text, name))
			return true;
	return false;
}

static bool note_name(struct parser *p, struct str name)
{
	if (!is_name(name))
		return fail(p, name.p, "\"%.*s\" can't be the name of a value", STR_ARGS(name));
	if (p->files->known && !template_has_name(p->files->known, name))
		return fail(p, name.p, "no page has a value \"%.*s\"", STR_ARGS(name));
	if (template_has_name(p->out->names, name))
		return true;
	struct template_name *noted = arena_alloc(p->arena, sizeof *noted);
	if (!noted)
		return fail(p, name.p, "is too long");
	*noted = (struct template_name){name, p->out->names};
	p->out->names = noted;
	return true;
}

static bool parse_nodes(struct parser *p, struct nodes *nodes);

static bool parse_block(struct parser *p, struct nodes *nodes, enum template_kind kind, struct str name)
{
	struct block block = {name, p->block};
	struct nodes inner = {NULL, NULL};
	struct template_node *node = add(p, nodes, kind, name);
	if (!node || !note_name(p, name))
		return false;
	for (const struct block *outer = p->block; outer; outer = outer->outer)
		if (str_eq(outer->name, name))
			return fail(p, name.p, "{{#%.*s}} stands inside itself", STR_ARGS(name));
	if (++p->depth > DEPTH_MAX)
		return fail(p, name.p, "blocks are more than %d deep", DEPTH_MAX);
	p->block = &block;
	if (!parse_nodes(p, &inner))
		return false;
	if (!p->rest.p)
		return fail(p, name.p, "{{#%.*s}} has no end", STR_ARGS(name));
	p->block = block.outer;
	p->depth--;
	node->inner = inner.first;
	return true;
}

static bool add_style(struct parser *p, struct nodes *nodes, const struct template_source *source)
{
	struct buf b = arena_buf(p->arena, source->text.n + 16);
	struct template *out = p->out;
	buf_add(&b, STR("<style>"));
	size_t begin = b.n;
	style_shorten(source->text, &b);
	struct str style = str_skip(buf_str(&b), begin);
	if (style.n == 0)
		return true;
	if (memmem(style.p, style.n, "</", 2))
		return fail(p, p->rest.p, "%s has \"</\", which would end the style sheet", source->file);
	if (out->n_styles == TEMPLATE_STYLES_MAX || !style_hash(p->arena, style, &out->styles[out->n_styles]))
		return fail(p, p->rest.p, "has more than %d style sheets", TEMPLATE_STYLES_MAX);
	out->n_styles++;
	buf_add(&b, STR("</style>"));
	return add(p, nodes, TEMPLATE_TEXT, buf_str(&b)) != NULL;
}

/* Another file, as if its text stood here. */
static bool parse_file(struct parser *p, struct nodes *nodes, struct str name)
{
	struct parser outer = *p;
	struct template_source source;
	bool style = str_ends(name, STR(".css"));
	struct str stem = style ? (struct str){name.p, name.n - 4} : name;
	if (!is_name(stem) || !p->files->find(p->files->context, name, &source))
		return fail(p, name.p, "there is no file \"%.*s%s\"", STR_ARGS(name), style ? "" : ".html");
	if (style)
		return add_style(p, nodes, &source);
	if (++p->depth > DEPTH_MAX)
		return fail(p, name.p, "files name each other more than %d deep", DEPTH_MAX);
	p->source = source;
	p->rest = source.text;
	p->block = NULL;
	if (!str_is_utf8(source.text))
		return fail(p, source.text.p, "is no UTF-8");
	if (!parse_nodes(p, nodes))
		return false;
	p->source = outer.source;
	p->rest = outer.rest;
	p->block = outer.block;
	p->depth--;
	return true;
}

static bool parse_words(struct parser *p, struct nodes *nodes, struct str words)
{
	if (words.n < 3 || words.p[words.n - 1] != '"')
		return fail(p, words.p, "a text ends with \"}}");
	words = (struct str){words.p + 1, words.n - 2};
	return add(p, nodes, TEMPLATE_WORDS, words) != NULL;
}

/* What stands between {{ and }}. *end: it closes the block that is open. */
static bool parse_mark(struct parser *p, struct nodes *nodes, struct str mark, bool *end)
{
	struct str name = str_trim(str_skip(mark, mark.n ? 1 : 0));
	switch (mark.n ? mark.p[0] : '\0') {
	case '!': return true;
	case '"': return parse_words(p, nodes, mark);
	case '>': return parse_file(p, nodes, name);
	case '#': return parse_block(p, nodes, TEMPLATE_WITH, name);
	case '^': return parse_block(p, nodes, TEMPLATE_WITHOUT, name);
	case '~': return note_name(p, name) && add(p, nodes, TEMPLATE_TRANSLATED, name) != NULL;
	case '/':
		if (!p->block || !str_eq(p->block->name, name))
			return fail(p, mark.p, "{{%.*s}} ends no block that is open", STR_ARGS(mark));
		*end = true;
		return true;
	default: return note_name(p, mark) && add(p, nodes, TEMPLATE_VALUE, mark) != NULL;
	}
}

/* Up to the end of the block that is open, or of the file: then p->rest is STR_NONE. */
static bool parse_nodes(struct parser *p, struct nodes *nodes)
{
	bool end = false;
	while (!end) {
		const char *open = memmem(p->rest.p, p->rest.n, "{{", 2);
		if (!open) {
			bool good = add_text(p, nodes, p->rest);
			p->rest = STR_NONE;
			return good;
		}
		size_t before = (size_t)(open - p->rest.p);
		struct str inside = str_skip(p->rest, before + 2);
		const char *close = memmem(inside.p, inside.n, "}}", 2);
		if (!add_text(p, nodes, (struct str){p->rest.p, before}))
			return false;
		if (!close)
			return fail(p, open, "{{ without }}");
		struct str mark = {inside.p, (size_t)(close - inside.p)};
		p->rest = str_skip(inside, mark.n + 2);
		if (!parse_mark(p, nodes, mark, &end))
			return false;
	}
	return true;
}

bool template_parse(struct arena *arena, const struct template_files *files, struct str name, struct template *out,
		    struct buf *why)
{
	struct template template = {0};
	struct nodes nodes = {NULL, NULL};
	struct parser parser = {.arena = arena, .files = files, .out = &template, .why = why};
	if (!files->find(files->context, name, &parser.source)) {
		buf_printf(why, "%.*s.html: there is no such file", STR_ARGS(name));
		return false;
	}
	if (!parse_file(&parser, &nodes, name))
		return false;
	template.nodes = nodes.first;
	*out = template;
	return true;
}
