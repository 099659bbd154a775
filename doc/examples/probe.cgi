#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Tells as JSON what an application gets to know about who asks, for
# "authctl check --live": put it where a page needs a login (--live) and where none
# is needed (--public), make it executable, and take it away again afterwards. It
# shows nothing but what concerns the client, and no token. probe.php is the same
# for PHP, and for proxied applications (php -S).
import json
import os
import re
import sys

SHOWN = re.compile(r"(REDIRECT_)*(HTTP_|AUTH_|REMOTE_(USER|IDENT))")
SECRET = re.compile(r"COOKIE|AUTHORIZATION|TOKEN|KEY|SECRET|PASS")

environment = {name: "…" if SECRET.search(name) else value
               for name, value in os.environ.items() if SHOWN.match(name)}
answer = json.dumps({"fcgi-auth-probe": 1, "environment": environment})
sys.stdout.write("Content-Type: application/json\nCache-Control: no-store\n\n" + answer + "\n")
