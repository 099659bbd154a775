/* SPDX-License-Identifier: Apache-2.0 */
/* The files of policy/pages, compiled in by src/embed. */
#ifndef POLICY_PAGE_FILES_H
#define POLICY_PAGE_FILES_H

#include "base/str.h"

struct page_file {
	struct str name, text;
};

/* The last has no name. */
extern const struct page_file page_files[];

#endif
