/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of every unit test: a table of cases run by CUnit. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/CUnit.h>

#include "base/str.h"

struct unit_case {
	const char *name;
	void (*run)(void);
};

/* Run the cases (the last has no name) and return main's exit status. */
int unit_main(const char *suite, const struct unit_case *cases);

/* Compare slices and say both when they differ. */
void unit_str_eq(struct str got, struct str want, const char *what, const char *file, unsigned line);
#define UNIT_STR_EQ(got, want, what) unit_str_eq((got), (want), (what), __FILE__, __LINE__)
/* A condition of a row in a table: says the row's name when it does not hold. */
void unit_row(bool holds, const char *row, const char *file, unsigned line);
#define UNIT_ROW(holds, row) unit_row((holds), (row), __FILE__, __LINE__)

#endif
