# SPDX-License-Identifier: Apache-2.0

check_LIBRARIES = %D%/unit/libunit.a
%C%_unit_libunit_a_SOURCES = %D%/unit/unit.c %D%/unit/unit.h

# One program for each source file of src/; NAME.c is found by automake.
UNIT_TESTS = \
	%D%/unit/test_base \
	%D%/unit/test_codec \
	%D%/unit/test_conf \
	%D%/unit/test_credentials \
	%D%/unit/test_request \
	%D%/unit/test_rule \
	%D%/unit/test_str \
	%D%/unit/test_url
if UNIT_TESTS
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
UNIT_LDADD = %D%/unit/libunit.a $(LDADD) $(CUNIT_LIBS)
%C%_unit_test_base_LDADD = $(UNIT_LDADD)
%C%_unit_test_codec_LDADD = $(UNIT_LDADD)
%C%_unit_test_conf_LDADD = $(UNIT_LDADD)
%C%_unit_test_credentials_LDADD = $(UNIT_LDADD)
%C%_unit_test_request_LDADD = $(UNIT_LDADD)
%C%_unit_test_rule_LDADD = $(UNIT_LDADD)
%C%_unit_test_str_LDADD = $(UNIT_LDADD)
%C%_unit_test_url_LDADD = $(UNIT_LDADD)

# The transports around a handler that tells what it was asked.
check_PROGRAMS += %D%/web/echo_server
