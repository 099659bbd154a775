/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages are made of: templates, languages and what is the site's own. Read
 * with the configuration, never changed after that. */
#ifndef POLICY_PAGE_SET_H
#define POLICY_PAGE_SET_H

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
};

/* Those compiled in. NULL: why says what is wrong with them. */
const struct page_set *page_set_open(struct arena *arena, struct buf *why);
/* NULL: no page has that name. */
const struct template *page_set_template(const struct page_set *set, struct str name);

#endif
