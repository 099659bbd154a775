/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libcurl when it is first asked for: it and what it brings along cost
 * milliseconds and megabytes, which a program that asks nobody shall not pay. */
#ifndef NET_LIBRARY_H
#define NET_LIBRARY_H

#include "base/str.h"

/* A function, and the offset of the pointer to it in a struct of the caller's. */
struct library_symbol {
	const char *name;
	size_t at;
};

/* Load and initialise libcurl, and set the pointers in *out. To be called by one thread
 * before others start. false: why says what is missing. */
bool library_load(const struct library_symbol *symbols, size_t n, void *out, const char **version, struct buf *why);

#endif
