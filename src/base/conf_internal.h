/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that make up the configuration reader. */
#ifndef BASE_CONF_INTERNAL_H
#define BASE_CONF_INTERNAL_H

#include "base/conf.h"

/* "key = value" as it stands in the file. */
struct conf_entry {
	struct str key;
	struct conf_text text;
	const struct conf_entry *next;
};

/* Convert the entries of a section into its values, defaults first. */
bool conf_apply(struct arena *arena, struct conf_section *section, struct conf_error *error);
/* The word of the list (ends with NULL) most like key, or NULL when none is near. */
const char *conf_nearest(struct str key, const char *(*word)(const void *list, size_t i), const void *list);
__attribute__((format(printf, 4, 5))) bool conf_error_set(struct conf_error *error, const char *file, unsigned line,
							   const char *format, ...);
/* "50ms" and the like; a plain 0 needs no unit. */
bool conf_duration(struct str text, int64_t *milliseconds);
bool conf_size(struct str text, int64_t *bytes);

#endif
