# SPDX-License-Identifier: Apache-2.0
# The files say where a distribution's package puts them; an installation from
# source puts its own folders in.

NGINX_CONF = \
	%D%/application.conf %D%/common.conf %D%/cors.conf %D%/denied.conf %D%/fcgi-auth.conf \
	%D%/fcgi-auth-http.conf %D%/global.conf %D%/global-http.conf %D%/page.conf %D%/private.conf %D%/protect.conf \
	%D%/refuse.conf %D%/strip.conf %D%/verify.conf %D%/verify-http.conf
EXTRA_DIST += $(NGINX_CONF)

nginxdir = $(pkgdatadir)/nginx

install-data-hook: install-nginx
install-nginx:
	$(MKDIR_P) "$(DESTDIR)$(nginxdir)"
	for file in $(NGINX_CONF); do \
		$(SED) -e 's|/usr/share/fcgi-auth|$(pkgdatadir)|g' -e 's|/run/fcgi-auth|$(runstatedir)/fcgi-auth|g' \
			"$(srcdir)/$$file" > "$(DESTDIR)$(nginxdir)/$${file##*/}" || exit 1; \
	done
uninstall-hook: uninstall-nginx
uninstall-nginx:
	for file in $(NGINX_CONF); do rm -f "$(DESTDIR)$(nginxdir)/$${file##*/}"; done
.PHONY: install-nginx uninstall-nginx
