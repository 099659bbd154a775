/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the pages in another language: one line "English text = other text"
 * each, '#' before comments. A '#' inside stands for a number. */
#ifndef POLICY_CATALOGUE_H
#define POLICY_CATALOGUE_H

#include "base/arena.h"

struct catalogue_entry {
	struct str key, text;
};

struct catalogue {
	struct str language; /* as HTML's lang has it */
	const struct catalogue_entry *entries; /* sorted */
	size_t n;
	const struct catalogue *rest; /* where other texts are looked up, or NULL */
};

/* false: why is "file:line: what is wrong". */
bool catalogue_parse(struct arena *arena, const char *file, struct str lines, struct catalogue *out, struct buf *why);
/* The English text in the catalogue's language; itself where there is no other.
 * Numbers in it are filled in. */
struct str catalogue_text(const struct catalogue *catalogue, struct arena *arena, struct str english);

/* Is its script written from right to left? */
bool catalogue_is_right_to_left(const struct catalogue *catalogue);

#endif
