/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the templates and languages of the pages: those compiled in, and those of
 * template-dir. */
#include "policy/page_set.h"

#include "policy/page_files.h"
#include "policy/page_folder.h"

enum { ACCENT_MAX = 300 };

static const struct str page_names[] = {
	{"login", 5},	 {"register", 8}, {"forgot", 6}, {"reset", 5},	     {"verify", 6},  {"profile", 7},
	{"password", 8}, {"resume", 6},	  {"logout", 6}, {"signed-out", 10}, {"message", 7},
};

enum { PAGES = sizeof page_names / sizeof *page_names };

static const struct str suffix = {".catalogue", 10};

/* Where templates come from. */
struct origin {
	struct page_folder *folder; /* NULL: what is compiled in alone */
	struct str accent;	    /* the style sheet of the site's colour */
};

static bool has_name(struct str file, struct str name)
{
	if (str_ends(name, STR(".css")))
		return str_eq(file, name);
	return file.n == name.n + 5 && str_starts(file, name) && str_ends(file, STR(".html"));
}

static bool find_file(void *context, struct str name, struct template_source *out)
{
	const struct origin *origin = context;
	if (str_eq(name, STR("accent.css"))) {
		*out = (struct template_source){"accent.css", origin->accent};
		return true;
	}
	for (size_t i = 0; origin->folder && i < origin->folder->n; i++)
		if (has_name(origin->folder->files[i].name, name)) {
			*out = (struct template_source){origin->folder->files[i].path, origin->folder->files[i].text};
			origin->folder->files[i].used = true;
			return true;
		}
	for (const struct page_file *file = page_files; file->name.p; file++)
		if (has_name(file->name, name)) {
			*out = (struct template_source){file->name.p, file->text};
			return true;
		}
	return false;
}

static bool read_templates(struct arena *arena, const struct template_files *files, struct page_set *set,
			   struct buf *why)
{
	struct page_template *templates = arena_array(arena, PAGES, sizeof *templates);
	for (size_t i = 0; i < PAGES && templates; i++) {
		templates[i].name = page_names[i];
		if (!template_parse(arena, files, page_names[i], &templates[i].template, why))
			return false;
	}
	set->templates = templates;
	set->n_templates = PAGES;
	return templates != NULL;
}

/* A form without it would be refused. */
static bool check_forms(const struct page_set *own, const struct page_set *built_in, struct buf *why)
{
	for (size_t i = 0; i < PAGES; i++) {
		bool needs = template_has_name(built_in->templates[i].template.names, STR("csrf"));
		if (needs && !template_has_name(own->templates[i].template.names, STR("csrf"))) {
			buf_printf(why, "%.*s.html:1: has no {{csrf}}: give its form the hidden field csrf",
				   STR_ARGS(page_names[i]));
			return false;
		}
	}
	return true;
}

/* The names of all values of all pages. */
static bool gather_names(struct arena *arena, const struct page_set *set, const struct template_name **out)
{
	const struct template_name *all = NULL;
	for (size_t i = 0; i < PAGES; i++)
		for (const struct template_name *name = set->templates[i].template.names; name; name = name->next) {
			struct template_name *one = arena_alloc(arena, sizeof *one);
			if (!one)
				return false;
			*one = (struct template_name){name->text, all};
			if (!template_has_name(all, name->text))
				all = one;
		}
	*out = all;
	return true;
}

static struct catalogue *add_catalogue(struct page_set *set, struct str language, struct buf *why)
{
	if (set->n_catalogues == PAGE_LANGUAGES_MAX) {
		buf_printf(why, "there are more than %d languages", PAGE_LANGUAGES_MAX);
		return NULL;
	}
	struct catalogue *catalogue = &set->catalogues[set->n_catalogues++];
	catalogue->language = language;
	return catalogue;
}

static struct str language_of(struct str file)
{
	return (struct str){file.p, file.n - suffix.n};
}

static bool read_built_in_catalogues(struct arena *arena, struct page_set *set, struct buf *why)
{
	if (!add_catalogue(set, STR("en"), why))
		return false;
	for (const struct page_file *file = page_files; file->name.p; file++) {
		struct catalogue *catalogue;
		if (!str_ends(file->name, suffix))
			continue;
		catalogue = add_catalogue(set, language_of(file->name), why);
		if (!catalogue || !catalogue_parse(arena, file->name.p, file->text, catalogue, why))
			return false;
	}
	return true;
}

static bool is_language(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return name.n >= 2 && name.n <= 35 && name.p[0] != '-';
}

/* The site's texts come first, then those compiled in. */
static bool read_own_catalogue(struct arena *arena, struct page_set *set, struct page_folder_file *file,
			       struct buf *why)
{
	struct str language = language_of(file->name);
	file->used = true;
	if (!is_language(language)) {
		buf_printf(why, "%s: \"%.*s\" is no language, as fr or pt-BR", file->path, STR_ARGS(language));
		return false;
	}
	struct catalogue *catalogue = NULL, *rest = NULL;
	for (size_t i = 0; i < set->n_catalogues && !catalogue; i++)
		if (str_eq_nocase(set->catalogues[i].language, language))
			catalogue = &set->catalogues[i];
	if (catalogue) {
		rest = arena_alloc(arena, sizeof *rest);
		if (!rest)
			return false;
		*rest = *catalogue;
		catalogue->rest = rest;
	} else {
		catalogue = add_catalogue(set, language, why);
	}
	return catalogue && catalogue_parse(arena, file->path, file->text, catalogue, why);
}

/* The folder's files instead of those compiled in. */
static bool read_own(struct arena *arena, struct origin *origin, struct page_set *set, struct buf *why)
{
	const struct page_set built_in = *set;
	struct template_files files = {.find = find_file, .context = origin};
	struct page_folder *folder = origin->folder;
	if (!gather_names(arena, &built_in, &files.known) || !read_templates(arena, &files, set, why) ||
	    !check_forms(set, &built_in, why))
		return false;
	for (size_t i = 0; i < folder->n; i++) {
		struct page_folder_file *file = &folder->files[i];
		if (str_ends(file->name, suffix) && !read_own_catalogue(arena, set, file, why))
			return false;
		if (!file->used) {
			buf_printf(why, "%s: no page has that name, and no template names it", file->path);
			return false;
		}
	}
	return true;
}

bool page_set_open(struct arena *arena, const struct page_own *own, struct page_set *out, struct buf *why)
{
	struct page_set set = {0};
	struct buf accent = arena_buf(arena, ACCENT_MAX);
	struct origin origin = {0};
	struct template_files files = {.find = find_file, .context = &origin};
	if (own->color)
		style_accent(*own->color, &accent);
	origin.accent = buf_str(&accent);
	if (!read_templates(arena, &files, &set, why) || !read_built_in_catalogues(arena, &set, why))
		return false;
	if (own->folder && (!page_folder_read(arena, own->folder, &origin.folder, why) ||
			    !read_own(arena, &origin, &set, why)))
		return false;
	*out = set;
	return true;
}

const struct template *page_set_template(const struct page_set *set, struct str name)
{
	for (size_t i = 0; set && i < set->n_templates; i++)
		if (str_eq(set->templates[i].name, name))
			return &set->templates[i].template;
	return NULL;
}

const struct catalogue *page_set_catalogue(const struct page_set *set, struct str language)
{
	for (size_t i = 0; i < set->n_catalogues; i++)
		if (str_eq_nocase(set->catalogues[i].language, language))
			return &set->catalogues[i];
	return NULL;
}
