/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the FastCGI programs. */
#ifndef BIN_OPTIONS_H
#define BIN_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

enum options_action { OPTIONS_SERVE, OPTIONS_TEST, OPTIONS_PRINT, OPTIONS_VERSION, OPTIONS_HELP };

struct options {
	const char *configuration; /* -c, $FCGI_AUTH_CONF, or the compiled-in path */
	const char *address;	   /* -l, or NULL */
	unsigned threads;	   /* -w, or 0 */
	enum options_action action;
};

/* false: wrong usage, which has been said on stderr. */
bool options_read(int argc, char **argv, struct options *out);
void options_usage(FILE *to, const char *program, const char *summary);

#endif
