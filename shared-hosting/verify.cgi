#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# auth-verify as a CGI program with the configuration of this account.
FCGI_AUTH_CONF=/ACCOUNT/fcgi-auth/fcgi-auth.conf
export FCGI_AUTH_CONF
exec /ACCOUNT/fcgi-auth/bin/auth-verify
