# SPDX-License-Identifier: Apache-2.0

noinst_PROGRAMS += %D%/core

# What the embedded store costs: bench/store [ENTRIES …].
noinst_PROGRAMS += %D%/store
%C%_store_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
