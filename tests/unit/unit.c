/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <CUnit/Basic.h>
#include <stdio.h>

int unit_main(const char *suite, const struct unit_case *cases)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite(suite, NULL, NULL);
	for (const struct unit_case *c = cases; s && c->name; c++)
		if (!CU_add_test(s, c->name, c->run))
			return 1;
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned run = CU_get_number_of_tests_run();
	unsigned failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return run > 0 && failed == 0 ? 0 : 1;
}

void unit_str_eq(struct str got, struct str want, const char *what, const char *file, unsigned line)
{
	if (str_eq(got, want)) {
		CU_PASS("equal");
		return;
	}
	char text[600];
	snprintf(text, sizeof text, "%s: got \"%.*s\", want \"%.*s\"", what, STR_ARGS(got), STR_ARGS(want));
	CU_assertImplementation(CU_FALSE, line, text, file, "", CU_FALSE);
}

void unit_row(bool holds, const char *row, const char *file, unsigned line)
{
	CU_assertImplementation(holds, line, row, file, "", CU_FALSE);
}
