/* SPDX-License-Identifier: Apache-2.0 */
/* The files of template-dir that pages are made of. */
#ifndef POLICY_PAGE_FOLDER_H
#define POLICY_PAGE_FOLDER_H

#include "base/arena.h"

struct page_folder_file {
	struct str name;
	const char *path;
	struct str text;
	bool used;
};

struct page_folder {
	struct page_folder_file *files; /* sorted by name */
	size_t n;
};

/* Read all *.html, *.css and *.catalogue of the folder. false: why says what is wrong. */
bool page_folder_read(struct arena *arena, const char *path, struct page_folder **out, struct buf *why);
/* The same without reading them: names and paths. */
bool page_folder_list(struct arena *arena, const char *path, struct page_folder **out, struct buf *why);

#endif
