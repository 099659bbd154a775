#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# auth-logout as a CGI program, at "logout" in the folder that this file is in.
FCGI_AUTH_CONF=/ACCOUNT/fcgi-auth/fcgi-auth.conf
SCRIPT_NAME=${SCRIPT_NAME%/*}/logout
export FCGI_AUTH_CONF SCRIPT_NAME
exec /ACCOUNT/fcgi-auth/bin/auth-logout
