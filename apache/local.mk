# SPDX-License-Identifier: Apache-2.0
# mod_auth_request, the module of Apache httpd. It has nothing of src/ in it.

APACHE_MODULE_FILES = \
	%D%/auth_request.h \
	%D%/auth_request_answer.c \
	%D%/auth_request_apply.c \
	%D%/auth_request_cache.c \
	%D%/auth_request_config.c \
	%D%/auth_request_fcgi.c \
	%D%/auth_request_pool.c \
	%D%/auth_request_question.c \
	%D%/auth_request_subrequest.c \
	%D%/auth_request_tunnel.c \
	%D%/mod_auth_request.c

# A shared object that httpd loads: -fPIC takes back the programs' -fPIE. The ring macros of
# its headers cast a volatile away, which clang counts as ours.
if APACHE
apachemoduledir = $(APACHE_LIBEXECDIR)
apachemodule_PROGRAMS = %D%/mod_auth_request.so
endif
EXTRA_PROGRAMS = %D%/mod_auth_request.so
%C%_mod_auth_request_so_SOURCES = $(APACHE_MODULE_FILES)
%C%_mod_auth_request_so_CPPFLAGS = $(APACHE_CPPFLAGS) -D_GNU_SOURCE
%C%_mod_auth_request_so_CFLAGS = $(AM_CFLAGS) -fPIC -fvisibility=hidden -Wno-cast-qual
%C%_mod_auth_request_so_LDFLAGS = $(MODULE_LDFLAGS) $(DEV_LDFLAGS)
%C%_mod_auth_request_so_LDADD =

# Ready configuration. The files say where a distribution's package puts them; an
# installation from source puts its own folders in.
APACHE_SITE = \
	%D%/conf-available/fcgi-auth-authnz.conf %D%/conf-available/fcgi-auth-cgi.conf \
	%D%/conf-available/fcgi-auth-fcgid.conf %D%/conf-available/fcgi-auth-http.conf \
	%D%/conf-available/fcgi-auth-subrequest.conf %D%/conf-available/fcgi-auth.conf
APACHE_PARTS = \
	%D%/cors.conf %D%/headers.conf %D%/identity.conf %D%/identity.lua %D%/login.conf \
	%D%/private.conf %D%/protect-authnz.conf %D%/protect-fcgid.conf
EXTRA_DIST += $(APACHE_SITE) $(APACHE_PARTS)

apachedir = $(pkgdatadir)/apache

install-data-hook: install-apache
install-apache:
	$(MKDIR_P) "$(DESTDIR)$(apachedir)/conf-available"
	for file in $(APACHE_SITE) $(APACHE_PARTS); do \
		$(SED) -e 's|/usr/share/fcgi-auth|$(pkgdatadir)|g' -e 's|/run/fcgi-auth|$(runstatedir)/fcgi-auth|g' \
			-e 's|/var/lib/fcgi-auth|$(localstatedir)/lib/fcgi-auth|g' -e 's|/usr/bin/|$(bindir)/|g' \
			-e 's|/etc/fcgi-auth/|$(sysconfdir)/fcgi-auth/|g' \
			"$(srcdir)/$$file" > "$(DESTDIR)$(apachedir)/$${file#apache/}" || exit 1; \
	done
uninstall-hook: uninstall-apache
uninstall-apache:
	for file in $(APACHE_SITE) $(APACHE_PARTS); do rm -f "$(DESTDIR)$(apachedir)/$${file#apache/}"; done
.PHONY: install-apache uninstall-apache
