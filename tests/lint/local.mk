# SPDX-License-Identifier: Apache-2.0
# Rules about the source, kept by reading it. Each prints file:line: what is wrong: what to do.

LINTS = \
	%D%/banned \
	%D%/docs \
	%D%/errors \
	%D%/layers \
	%D%/manuals \
	%D%/registered \
	%D%/selftest \
	%D%/sizes \
	%D%/style \
	%D%/texts
TESTS += $(LINTS)
EXTRA_DIST += $(LINTS) %D%/lint.py

lint: all-am
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(LINTS)'
.PHONY: lint
