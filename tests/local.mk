# SPDX-License-Identifier: Apache-2.0

check_LIBRARIES = %D%/unit/libunit.a
%C%_unit_libunit_a_SOURCES = %D%/unit/unit.c %D%/unit/unit.h

# One program for each source file of src/; NAME.c is found by automake.
UNIT_TESTS = \
	%D%/unit/test_str
if UNIT_TESTS
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
UNIT_LDADD = %D%/unit/libunit.a $(LDADD) $(CUNIT_LIBS)
%C%_unit_test_str_LDADD = $(UNIT_LDADD)
