/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and reading template-dir, bounded in number and size. */
#include "policy/page_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FILES_MAX = 60, FILE_MAX = 64 << 10 };

static bool is_ours(struct str name)
{
	return name.p[0] != '.' && (str_ends(name, STR(".html")) || str_ends(name, STR(".css")) ||
				    str_ends(name, STR(".catalogue")));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct page_folder_file *)a)->path, ((const struct page_folder_file *)b)->path);
}

static bool list(struct arena *arena, DIR *dir, const char *path, struct page_folder *folder, struct buf *why)
{
	const struct dirent *entry;
	while ((entry = readdir(dir))) {
		struct str name = str_of(entry->d_name);
		if (!is_ours(name))
			continue;
		if (folder->n == FILES_MAX) {
			buf_printf(why, "%s: has more than %d files", path, FILES_MAX);
			return false;
		}
		struct str whole = arena_printf(arena, "%s/%s", path, entry->d_name);
		if (!whole.p)
			return false;
		folder->files[folder->n++] =
			(struct page_folder_file){.name = str_skip(whole, whole.n - name.n), .path = whole.p};
	}
	qsort(folder->files, folder->n, sizeof *folder->files, by_name);
	return true;
}

bool page_folder_list(struct arena *arena, const char *path, struct page_folder **out, struct buf *why)
{
	struct page_folder *folder = arena_alloc(arena, sizeof *folder);
	DIR *dir = opendir(path);
	if (!dir) {
		buf_printf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	bool good = folder && (folder->files = arena_array(arena, FILES_MAX, sizeof *folder->files)) &&
		    list(arena, dir, path, folder, why);
	closedir(dir);
	if (good)
		*out = folder;
	return good;
}

bool page_folder_read(struct arena *arena, const char *path, struct page_folder **out, struct buf *why)
{
	struct page_folder *folder;
	if (!page_folder_list(arena, path, &folder, why))
		return false;
	for (size_t i = 0; i < folder->n; i++)
		if (!file_load(arena, folder->files[i].path, FILE_MAX, &folder->files[i].text, why))
			return false;
	*out = folder;
	return true;
}
