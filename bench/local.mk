# SPDX-License-Identifier: Apache-2.0
# Programs for the benchmark; bench/run starts them.

noinst_PROGRAMS += %D%/empty_cgi
%C%_empty_cgi_LDADD =

# Revocations for the store that bench/run measures with.
noinst_PROGRAMS += %D%/fill_store

if TRANSPORT_FASTCGI
noinst_PROGRAMS += %D%/load
%C%_load_SOURCES = \
	%D%/load_main.c \
	%D%/address.c %D%/address.h \
	%D%/answer.c %D%/answer.h \
	%D%/histogram.c %D%/histogram.h \
	%D%/load.c %D%/load.h \
	%D%/request.c %D%/request.h
%C%_load_LDADD =
endif

if TRANSPORT_LIBFCGI
noinst_PROGRAMS += %D%/floor_libfcgi
%C%_floor_libfcgi_CFLAGS = $(AM_CFLAGS) $(LIBFCGI_CFLAGS)
%C%_floor_libfcgi_LDADD = $(LIBFCGI_LIBS) -lpthread
endif

# What the core operations cost.
noinst_PROGRAMS += %D%/core
%C%_core_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
%C%_core_SOURCES = \
	%D%/core.c %D%/core_frame.h \
	%D%/core_openssl.c %D%/core_openssl.h \
	%D%/core_tokens.c \
	%D%/kinds.c %D%/kinds.h

# Tokens that bench/run measures with.
noinst_PROGRAMS += %D%/mint
%C%_mint_SOURCES = %D%/kinds.c %D%/kinds.h %D%/mint.c

# What a store costs: bench/store [-m HOST:PORT] [ENTRIES …].
noinst_PROGRAMS += %D%/store
%C%_store_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

EXTRA_DIST += \
	%D%/README.md \
	%D%/run \
	%D%/web \
	%D%/authorizer_fastapi.py \
	%D%/authorizer_jose.mjs \
	%D%/contestants.py \
	%D%/environment.py \
	%D%/goals.py \
	%D%/login \
	%D%/growth \
	%D%/machine.py \
	%D%/many.py \
	%D%/measure.py \
	%D%/web_contestants.py \
	%D%/web_goals.py \
	%D%/web_servers.py \
	%D%/web_site.py \
	tests/integration/test_bench_load.py

bench: all tests/web/echo_server$(EXEEXT)
	$(PYTHON) $(srcdir)/%D%/run --build .
	$(PYTHON) $(srcdir)/%D%/web --build .
	$(PYTHON) $(srcdir)/%D%/login --build .
.PHONY: bench
