/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the templates and languages of the pages. */
#include "policy/page_set.h"

#include "policy/page_files.h"

static const struct str page_names[] = {
	{"login", 5},	 {"register", 8}, {"forgot", 6}, {"reset", 5},	     {"verify", 6},  {"profile", 7},
	{"password", 8}, {"resume", 6},	  {"logout", 6}, {"signed-out", 10}, {"message", 7},
};

enum { PAGES = sizeof page_names / sizeof *page_names };

/* The compiled-in file; its own name is what errors call it. */
static bool find_built_in(struct str name, struct template_source *out)
{
	bool style = str_ends(name, STR(".css"));
	for (const struct page_file *file = page_files; file->name.p; file++) {
		bool same = style ? str_eq(file->name, name)
				  : file->name.n == name.n + 5 && str_starts(file->name, name) &&
					    str_ends(file->name, STR(".html"));
		if (!same)
			continue;
		*out = (struct template_source){file->name.p, file->text};
		return true;
	}
	return false;
}

static bool find_file(void *context, struct str name, struct template_source *out)
{
	(void)context;
	return find_built_in(name, out);
}

static bool read_templates(struct arena *arena, struct page_set *set, struct buf *why)
{
	const struct template_files files = {.find = find_file};
	struct page_template *templates = arena_array(arena, PAGES, sizeof *templates);
	for (size_t i = 0; i < PAGES && templates; i++) {
		templates[i].name = page_names[i];
		if (!template_parse(arena, &files, page_names[i], &templates[i].template, why))
			return false;
	}
	set->templates = templates;
	set->n_templates = PAGES;
	return templates != NULL;
}

static bool read_catalogues(struct arena *arena, struct page_set *set, struct buf *why)
{
	const struct str suffix = STR(".catalogue");
	set->catalogues[set->n_catalogues++] = (struct catalogue){.language = STR("en")};
	for (const struct page_file *file = page_files; file->name.p; file++) {
		if (!str_ends(file->name, suffix))
			continue;
		struct catalogue *catalogue = &set->catalogues[set->n_catalogues++];
		catalogue->language = (struct str){file->name.p, file->name.n - suffix.n};
		if (!catalogue_parse(arena, file->name.p, file->text, catalogue, why))
			return false;
	}
	return true;
}

const struct page_set *page_set_open(struct arena *arena, struct buf *why)
{
	struct page_set *set = arena_alloc(arena, sizeof *set);
	if (!set || !read_templates(arena, set, why) || !read_catalogues(arena, set, why))
		return NULL;
	return set;
}

const struct template *page_set_template(const struct page_set *set, struct str name)
{
	for (size_t i = 0; set && i < set->n_templates; i++)
		if (str_eq(set->templates[i].name, name))
			return &set->templates[i].template;
	return NULL;
}
