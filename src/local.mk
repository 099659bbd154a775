# SPDX-License-Identifier: Apache-2.0
# The source list is the registry: a driver is its file and its line here.

DRIVERS = \
	%D%/token/issuer_jwt.c \
	%D%/store/store_embedded.c
if TRANSPORT_FASTCGI
DRIVERS += %D%/web/transport_fastcgi.c
endif
if TRANSPORT_LIBFCGI
DRIVERS += %D%/web/transport_libfcgi.c
endif

noinst_LIBRARIES += %D%/libfcgi_auth.a
%C%_libfcgi_auth_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SQLITE_CFLAGS) $(CRYPT_CFLAGS) $(LIBFCGI_CFLAGS)
%C%_libfcgi_auth_a_SOURCES = \
	%D%/base/arena.c %D%/base/arena.h \
	%D%/base/clock.c %D%/base/clock.h \
	%D%/base/codec.c %D%/base/codec.h \
	%D%/base/conf.c %D%/base/conf.h \
	%D%/base/conf_internal.h \
	%D%/base/conf_print.c \
	%D%/base/conf_value.c \
	%D%/base/err.c %D%/base/err.h \
	%D%/base/log.c %D%/base/log.h \
	%D%/base/secret.c %D%/base/secret.h \
	%D%/base/str.c %D%/base/str.h \
	%D%/http/cookie.c %D%/http/cookie.h \
	%D%/http/negotiate.c %D%/http/negotiate.h \
	%D%/http/reply.c %D%/http/reply.h \
	%D%/http/request.c %D%/http/request.h \
	%D%/http/url.c %D%/http/url.h \
	%D%/web/adapter.c %D%/web/adapter.h \
	%D%/web/adapter_internal.h

# Every program and test links these.
LDADD = %D%/libfcgi_auth.a $(CRYPTO_LIBS) $(SQLITE_LIBS) $(CRYPT_LIBS) $(LIBFCGI_LIBS) -lpthread

EXTRA_DIST += %D%/layers %D%/drivers
