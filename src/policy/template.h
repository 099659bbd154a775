/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of pages: text with marks for values, and nothing that computes.
 *   {{name}}            the value, escaped
 *   {{~name}}           the value, an English text, in the reader's language
 *   {{"English text"}}  the text in the reader's language
 *   {{#name}}…{{/name}} for a value that is there, a flag that is set, each item of a list
 *   {{^name}}…{{/name}} where there is none
 *   {{>file}}           file.html stands here; {{>file.css}} as a style element
 *   {{! comment }}
 * White space with a line's end in it is one line's end in the page. */
#ifndef POLICY_TEMPLATE_H
#define POLICY_TEMPLATE_H

#include "base/arena.h"
#include "policy/catalogue.h"

enum { TEMPLATE_NAME_MAX = 40, TEMPLATE_STYLES_MAX = 4 };

/* The text of a file, and how an error calls it. */
struct template_source {
	const char *file;
	struct str text;
};

struct template_name {
	struct str text;
	const struct template_name *next;
};

/* Where templates find each other. */
struct template_files {
	/* The file of that name; false: there is none. */
	bool (*find)(void *context, struct str name, struct template_source *out);
	void *context;
	/* When set, other names of values are errors. */
	const struct template_name *known;
};

struct template_node;

/* What is parsed once and never changed. */
struct template {
	const struct template_node *nodes;
	const struct template_name *names; /* of its values, each once */
	struct str styles[TEMPLATE_STYLES_MAX]; /* "sha256-…" of each style element */
	size_t n_styles;
};

/* Parse the file of that name. false: why is "file:line: what is wrong". */
bool template_parse(struct arena *arena, const struct template_files *files, struct str name, struct template *out,
		    struct buf *why);
bool template_has_name(const struct template_name *names, struct str name);

/* A value: of text, a flag, or a list. */
struct template_value {
	const char *name;
	struct str text;
	bool on;
	struct template_scope *items;
	struct template_value *next;
};

/* Values, and those around them: an item's own hide the list's. */
struct template_scope {
	struct template_value *values;
	const struct template_scope *parent;
	struct template_scope *next; /* item of the list */
};

struct template_output {
	struct arena *arena; /* for texts that are put together */
	const struct catalogue *catalogue;
	struct buf *out;
};

void template_print(const struct template *template, const struct template_scope *scope,
		    const struct template_output *output);
/* Text, or an attribute's value in quotes. */
void template_escape(struct buf *out, struct str text);

#endif
