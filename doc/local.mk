# SPDX-License-Identifier: Apache-2.0

dist_man_MANS += \
	%D%/man/auth-login-proxy.8 \
	%D%/man/auth-logout.8 \
	%D%/man/auth-verify.8 \
	%D%/man/authctl.8 \
	%D%/man/fcgi-auth.7 \
	%D%/man/fcgi-auth.conf.5 \
	%D%/man/mod_auth_request.8

dist_doc_DATA += \
	%D%/dependencies.md \
	%D%/internals.md \
	%D%/many-hosts.md

guidedir = $(docdir)/guide
dist_guide_DATA = \
	%D%/guide/apache.md \
	%D%/guide/forward-auth.md \
	%D%/guide/guessing.md \
	%D%/guide/lighttpd.md \
	%D%/guide/login.md \
	%D%/guide/nginx.md \
	%D%/guide/process-managers.md \
	%D%/guide/shared-hosting.md \
	%D%/guide/web-servers.md

examplesdir = $(docdir)/examples
dist_examples_DATA = \
	%D%/examples/accounts.conf \
	%D%/examples/api-keys.conf \
	%D%/examples/authjs.conf \
	%D%/examples/better-auth.conf \
	%D%/examples/clerk.conf \
	%D%/examples/farm.conf \
	%D%/examples/fcgi-auth.conf \
	%D%/examples/key-ring.conf \
	%D%/examples/local-user.conf \
	%D%/examples/nextauth.conf \
	%D%/examples/openid.conf \
	%D%/examples/profile.conf \
	%D%/examples/shared-secret.conf \
	%D%/examples/team.conf \
	%D%/examples/upstream-application.conf \
	%D%/examples/upstream-authjs.conf \
	%D%/examples/upstream-better-auth.conf \
	%D%/examples/upstream-fastapi.conf \
	%D%/examples/upstream-ruby.conf \
	%D%/examples/websocket-cors.conf

# What authctl check --live asks.
examples_probedir = $(examplesdir)
dist_examples_probe_SCRIPTS = %D%/examples/probe.cgi
dist_examples_probe_DATA = %D%/examples/probe.php

# Applications that read the records of users.
examples_perldir = $(examplesdir)/perl
dist_examples_perl_DATA = %D%/examples/perl/user.pl
examples_phpdir = $(examplesdir)/php
dist_examples_php_DATA = %D%/examples/php/user.php
examples_pythondir = $(examplesdir)/python
dist_examples_python_DATA = %D%/examples/python/user.py
