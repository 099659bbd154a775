/* SPDX-License-Identifier: Apache-2.0 */
/* Printing a parsed template with values. Parsing is in template_parse.c. */
#include "policy/template_internal.h"

#include <string.h>

void template_escape(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n && !out->full; i++) {
		switch (s.p[i]) {
		case '&': buf_add(out, STR("&amp;")); break;
		case '<': buf_add(out, STR("&lt;")); break;
		case '>': buf_add(out, STR("&gt;")); break;
		case '"': buf_add(out, STR("&quot;")); break;
		case '\'': buf_add(out, STR("&#39;")); break;
		default: buf_char(out, s.p[i]);
		}
	}
}

static const struct template_value *find(const struct template_scope *scope, struct str name)
{
	for (; scope; scope = scope->parent)
		for (const struct template_value *value = scope->values; value; value = value->next)
			if (str_eq(str_of(value->name), name))
				return value;
	return NULL;
}

/* No empty lines where marks stood on lines of their own. */
static void print_text(struct buf *out, struct str text)
{
	bool twice = text.p[0] == '\n' && (out->n == 0 || out->p[out->n - 1] == '\n');
	buf_add(out, str_skip(text, twice ? 1 : 0));
}

static void print(const struct template_node *node, const struct template_scope *scope,
		  const struct template_output *output);

static void print_block(const struct template_node *node, const struct template_scope *scope,
			const struct template_output *output)
{
	const struct template_value *value = find(scope, node->text);
	bool there = value && (value->text.n || value->on || value->items);
	if (node->kind == TEMPLATE_WITHOUT) {
		if (!there)
			print(node->inner, scope, output);
	} else if (there && value->items) {
		for (const struct template_scope *item = value->items; item && !output->out->full; item = item->next)
			print(node->inner, item, output);
	} else if (there) {
		print(node->inner, scope, output);
	}
}

static void print(const struct template_node *node, const struct template_scope *scope,
		  const struct template_output *output)
{
	for (; node && !output->out->full; node = node->next) {
		const struct template_value *value;
		switch (node->kind) {
		case TEMPLATE_TEXT: print_text(output->out, node->text); break;
		case TEMPLATE_WORDS:
			template_escape(output->out, catalogue_text(output->catalogue, output->arena, node->text));
			break;
		case TEMPLATE_VALUE:
			value = find(scope, node->text);
			template_escape(output->out, value ? value->text : STR_NONE);
			break;
		case TEMPLATE_TRANSLATED:
			value = find(scope, node->text);
			if (value)
				template_escape(output->out,
						catalogue_text(output->catalogue, output->arena, value->text));
			break;
		case TEMPLATE_WITH:
		case TEMPLATE_WITHOUT: print_block(node, scope, output); break;
		}
	}
}

void template_print(const struct template *template, const struct template_scope *scope,
		    const struct template_output *output)
{
	print(template->nodes, scope, output);
}
