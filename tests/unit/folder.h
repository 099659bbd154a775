/* SPDX-License-Identifier: Apache-2.0 */
/* A new folder for a test that needs files, and what is in it. */
#ifndef TESTS_UNIT_FOLDER_H
#define TESTS_UNIT_FOLDER_H

#include "base/str.h"

struct folder {
	char path[256];
	char file[512]; /* folder_file()'s last answer */
};

/* Make one below $TMPDIR, mode 0700; ends the test program when it cannot. */
void folder_open(struct folder *folder);
/* Remove it with the files in it. */
void folder_close(struct folder *folder);
/* The path of a file in it; holds until the next call. */
const char *folder_file(struct folder *folder, const char *name);
/* Write a file there. */
void folder_write(struct folder *folder, const char *name, struct str bytes);
/* Its mode bits, or 0 when it is not there. */
unsigned folder_mode(struct folder *folder, const char *name);
bool folder_has(struct folder *folder, const char *name);
/* How many files it holds. */
unsigned folder_count(struct folder *folder);
/* The number on its generation.page (store/generation.h), 0 when there is none. */
uint64_t folder_generation(struct folder *folder);

#endif
