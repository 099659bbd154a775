# SPDX-License-Identifier: Apache-2.0
# The files say where a distribution's package puts them; an installation from
# source puts its own folders in.

LIGHTTPD_CONF = \
	%D%/05-fcgi-auth-spawn.conf %D%/05-fcgi-auth.conf %D%/protect-spawn.conf %D%/protect.conf
LIGHTTPD_LUA = %D%/cors.lua %D%/identity.lua %D%/private.lua %D%/proof.lua
EXTRA_DIST += $(LIGHTTPD_CONF)

lighttpddir = $(pkgdatadir)/lighttpd
dist_lighttpd_DATA = $(LIGHTTPD_LUA)

install-data-hook: install-lighttpd
install-lighttpd:
	for file in $(LIGHTTPD_CONF); do \
		$(SED) -e 's|/usr/share/fcgi-auth|$(pkgdatadir)|g' -e 's|"/run/fcgi-auth"|"$(runstatedir)/fcgi-auth"|' \
			-e 's|"/usr/bin"|"$(bindir)"|' -e 's|"/etc/fcgi-auth/|"$(sysconfdir)/fcgi-auth/|' \
			"$(srcdir)/$$file" > "$(DESTDIR)$(lighttpddir)/$${file##*/}" || exit 1; \
	done
uninstall-hook: uninstall-lighttpd
uninstall-lighttpd:
	for file in $(LIGHTTPD_CONF); do rm -f "$(DESTDIR)$(lighttpddir)/$${file##*/}"; done
.PHONY: install-lighttpd uninstall-lighttpd
