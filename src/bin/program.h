/* SPDX-License-Identifier: Apache-2.0 */
/* What the three FastCGI programs have in common: options, start, end. */
#ifndef BIN_PROGRAM_H
#define BIN_PROGRAM_H

#include "web/adapter.h"

enum { EXIT_USAGE = 64, EXIT_CONFIGURATION = 78 };

struct program {
	const char *name;
	const char *summary; /* for --help */
	bool (*adapter_open)(struct runtime *runtime, struct adapter **out);
};

/* Run the program; returns its exit status. */
int program_main(const struct program *program, int argc, char **argv);

#endif
