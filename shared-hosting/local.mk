# SPDX-License-Identifier: Apache-2.0
# For accounts on somebody else's Apache; the paths in them are the account's to change.

sharedhostingdir = $(pkgdatadir)/shared-hosting
dist_sharedhosting_SCRIPTS = %D%/gate.cgi %D%/login.cgi %D%/logout.cgi %D%/verify.cgi
dist_sharedhosting_DATA = %D%/auth.htaccess %D%/fcgid.htaccess %D%/gate.htaccess %D%/module.htaccess
