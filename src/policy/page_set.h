/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages are made of: templates, languages and what is the site's own. Read
 * with the configuration, never changed after that. */
#ifndef POLICY_PAGE_SET_H
#define POLICY_PAGE_SET_H

#include "base/conf.h"
#include "policy/style.h"
#include "policy/template.h"

enum { PAGE_LANGUAGES_MAX = 40 };

struct page_template {
	struct str name;
	struct template template;
};

struct page_set {
	const struct page_template *templates;
	size_t n_templates;
	/* The first is English. */
	struct catalogue catalogues[PAGE_LANGUAGES_MAX];
	size_t n_catalogues;
	const struct catalogue *forced; /* what [login] language says, or NULL */
	struct str logo;		/* the picture, or STR_NONE */
	const char *logo_type;
};

/* What the site has of its own. */
struct page_own {
	const char *folder;		 /* of templates, style sheets and catalogues, or NULL */
	const struct style_color *color; /* or NULL */
};

/* Those compiled in, and the site's own instead of them. false: why says in which
 * file and line what is wrong. */
bool page_set_open(struct arena *arena, const struct page_own *own, struct page_set *out, struct buf *why);
/* NULL: no page has that name. */
const struct template *page_set_template(const struct page_set *set, struct str name);
/* NULL: it has not that language. */
const struct catalogue *page_set_catalogue(const struct page_set *set, struct str language);

struct snapshot;
/* Read what [login] names: template-dir, language, logo, color. Sets the snapshot's pages. */
bool page_options_check(struct snapshot *snapshot, struct conf_error *error);
#endif
