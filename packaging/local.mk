# SPDX-License-Identifier: Apache-2.0
# What service managers need. Without --with-systemdsystemunitdir it lies below
# $(pkgdatadir), to be copied by hand.

PACKAGING_TEMPLATES = \
	%D%/supervisor/fcgi-auth.conf.in %D%/systemd/fcgi-auth.service.in %D%/systemd/fcgi-auth.socket.in \
	%D%/sysusers.d/fcgi-auth.conf.in %D%/tmpfiles.d/fcgi-auth.conf.in
EXTRA_DIST += $(PACKAGING_TEMPLATES)

SYSTEMD_SERVICES = \
	%D%/systemd/fcgi-auth-login.service %D%/systemd/fcgi-auth-logout.service %D%/systemd/fcgi-auth-verify.service
SYSTEMD_SOCKETS = \
	%D%/systemd/fcgi-auth-login.socket %D%/systemd/fcgi-auth-logout.socket %D%/systemd/fcgi-auth-verify.socket
CLEANFILES += $(supervisor_DATA) $(systemdunit_DATA) $(sysusers_DATA) $(tmpfiles_DATA)

# Where fail2ban looks, with --sysconfdir=/etc.
fail2banfilterdir = $(sysconfdir)/fail2ban/filter.d
fail2banjaildir = $(sysconfdir)/fail2ban/jail.d
dist_fail2banfilter_DATA = %D%/fail2ban/filter.d/fcgi-auth.conf
dist_fail2banjail_DATA = %D%/fail2ban/jail.d/fcgi-auth.conf

supervisordir = $(pkgdatadir)/supervisor
supervisor_DATA = %D%/supervisor/fcgi-auth.conf
if SYSTEMD
systemdunitdir = $(SYSTEMD_UNIT_DIR)
sysusersdir = $(SYSTEMD_PREFIX)/sysusers.d
tmpfilesdir = $(SYSTEMD_PREFIX)/tmpfiles.d
else
systemdunitdir = $(pkgdatadir)/systemd
sysusersdir = $(pkgdatadir)/sysusers.d
tmpfilesdir = $(pkgdatadir)/tmpfiles.d
endif
systemdunit_DATA = $(SYSTEMD_SERVICES) $(SYSTEMD_SOCKETS)
sysusers_DATA = %D%/sysusers.d/fcgi-auth.conf
tmpfiles_DATA = %D%/tmpfiles.d/fcgi-auth.conf

# name: of the unit and its socket; program: auth-$name but for one.
PACKAGING_FILL = name=$(@F); name=$${name%.*}; name=$${name\#fcgi-auth-}; program=auth-$$name; \
	test $$name != login || program=auth-login-proxy; \
	$(MKDIR_P) $(@D) && $(SED) -e "s|@NAME""@|$$name|g" -e "s|@PROGRAM""@|$$program|g" \
		-e 's|@BINDIR''@|$(bindir)|g' -e 's|@SYSCONFDIR''@|$(sysconfdir)|g' \
		-e 's|@RUNSTATEDIR''@|$(runstatedir)|g' -e 's|@LOCALSTATEDIR''@|$(localstatedir)|g' \
		-e 's|@WEB_GROUP''@|$(WEB_GROUP)|g'

$(SYSTEMD_SERVICES): %D%/systemd/fcgi-auth.service.in Makefile
	$(AM_V_GEN)$(PACKAGING_FILL) $(srcdir)/%D%/systemd/fcgi-auth.service.in > $@
$(SYSTEMD_SOCKETS): %D%/systemd/fcgi-auth.socket.in Makefile
	$(AM_V_GEN)$(PACKAGING_FILL) $(srcdir)/%D%/systemd/fcgi-auth.socket.in > $@
$(supervisor_DATA) $(sysusers_DATA) $(tmpfiles_DATA): $(PACKAGING_TEMPLATES) Makefile
	$(AM_V_GEN)$(PACKAGING_FILL) $(srcdir)/$@.in > $@
