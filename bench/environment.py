# SPDX-License-Identifier: Apache-2.0
"""What a run needs around the programs: state, secret, token, configuration, files."""

import base64
import hashlib
import hmac
import json
import secrets
import subprocess
import time
from pathlib import Path

PAGE = b"x" * 1023 + b"\n"
THREADS = 16
# More than the idle connections that are opened beside the load.
MAX_CONNECTIONS = 4096

# What lighttpd 1.4.69 hands to an authorizer for a browser's request.
PARAMETERS = """\
QUERY_STRING=
REQUEST_URI=/auth-verify/page.html
REDIRECT_STATUS=200
SCRIPT_FILENAME=/var/www/html/auth-verify/page.html
DOCUMENT_ROOT=/var/www/html
REQUEST_METHOD=GET
SERVER_PROTOCOL=HTTP/1.1
SERVER_SOFTWARE=lighttpd/1.4.69
GATEWAY_INTERFACE=CGI/1.1
REQUEST_SCHEME=http
SERVER_PORT=80
SERVER_ADDR=127.0.0.1
SERVER_NAME=www.example.org
REMOTE_ADDR=127.0.0.1
REMOTE_PORT=56476
HTTP_HOST=www.example.org
HTTP_USER_AGENT=Mozilla/5.0 (X11; Linux x86_64; rv:128.0)
HTTP_ACCEPT=text/html,*/*;q=0.8
HTTP_COOKIE=sso={token}
"""

CONFIGURATION = """\
[server]
state-dir = {state}
threads = {threads}
max-connections = {connections}
{sections}

[issuer "main"]
{issuer}
cookie = sso
iss = https://id.example.org
audience = www

[policy "site"]
path = /**
issuer = main
unauthenticated = 401
{extra}
"""


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hs256(secret, claims):
    """A token as an issuer would mint it."""
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(base64url(part) for part in parts)
    return signed + "." + base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())


class Issuer:
    """HS256 with one shared secret; the configuration's lines and tokens of about 300 bytes."""

    def __init__(self, folder):
        self.secret = secrets.token_hex(32).encode()
        path = folder / "secret"
        path.touch(mode=0o600)
        path.write_bytes(self.secret)
        self.lines = f"type = jwt\nalgorithms = HS256\nsecret = file:{path}"

    def token(self, secret=None, user="alice"):
        now = int(time.time())
        claims = {"iss": "https://id.example.org", "aud": "www", "sub": user, "iat": now,
                  "exp": now + 10 * 365 * 86400, "jti": secrets.token_hex(16), "email": f"{user}@example.org"}
        return hs256(secret or self.secret, claims)


class Minted:
    """A token of one kind by bench/mint, and the lines of the issuer that takes it."""

    def __init__(self, program, kind):
        text = subprocess.run([program, kind], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.text, _, self.lines = text.partition("\n")

    def forged(self):
        """With another last but one character: that one has no unused bits."""
        return self.text[:-2] + ("A" if self.text[-2] != "A" else "B") + self.text[-1]


class Environment:
    """One temporary folder; everything of the run is below it."""

    def __init__(self, folder, build):
        self.folder, self.build = Path(folder), Path(build)
        self.issuer = Issuer(self.folder)
        self.token = self.issuer.token()
        self.tokens = {}
        self.documents = self.folder / "documents"
        self.state, self.state_of_many = self.folder / "state", self.folder / "state-of-many"
        self.state.mkdir(mode=0o700)
        self.state_of_many.mkdir(mode=0o700)
        self.many_hosts = ""  # the sections of a host that shares with others; set when there is a memcached

    def program(self, name):
        """The built program of that name (a path below the build folder, or a program of ours), or None."""
        for path in (self.build / name, self.build / "src" / "bin" / name, self.build / "src" / name):
            if path.is_file():
                return path
        return None

    def parameters(self, token):
        """The request's parameters; without a token when that is None."""
        lines = PARAMETERS.format(token=token).splitlines()
        pairs = dict(line.split("=", 1) for line in lines)
        if token is None:
            del pairs["HTTP_COOKIE"]
        return pairs

    def parameter_file(self, name, token):
        path = self.folder / f"{name}.parameters"
        path.write_text(PARAMETERS.format(token=token))
        return path

    def minted(self, kind):
        """The same each time."""
        if kind not in self.tokens:
            self.tokens[kind] = Minted(self.program("bench/mint"), kind)
        return self.tokens[kind]

    def configuration(self, name, extra="", issuer=None):
        """A configuration file; all that are made share the state folder, as the programs of a host do."""
        return self.write(name, self.state, "", issuer or self.issuer, extra)

    def configuration_of_many(self, name):
        """One of a host that shares revocations and profiles with others, by memcached."""
        return self.write(name, self.state_of_many, self.many_hosts, self.issuer, "profile = users")

    def write(self, name, state, sections, issuer, extra):
        path = self.folder / f"{name}.conf"
        path.write_text(CONFIGURATION.format(state=state, threads=THREADS, connections=MAX_CONNECTIONS,
                                             sections=sections, issuer=issuer.lines, extra=extra))
        return path

    def fill_revocations(self, entries):
        """Revoke that many tokens that nobody asks for, in the stores of all configurations."""
        for state in (self.state, self.state_of_many):
            subprocess.run([self.program("bench/fill_store"), state, str(entries)], check=True)

    def revoke(self, token, configuration):
        """Revoke one token as its user does, by auth-logout as plain CGI; its answer says whether it is durable."""
        request = self.parameters(None) | {"REQUEST_METHOD": "POST", "REQUEST_URI": "/auth/logout",
                                           "CONTENT_LENGTH": "0", "HTTP_ACCEPT": "application/json",
                                           "HTTP_AUTHORIZATION": f"Bearer {token}"}
        command = [self.program("auth-logout"), "-c", configuration]
        answer = subprocess.run(command, env=request, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
        return b"Token has been invalidated" in answer.stdout

    def lighttpd(self, port, contestants):
        """lighttpd's configuration: a folder for each contestant, guarded by it, and one that nobody guards."""
        for name in ["unprotected"] + [server.name for server in contestants]:
            (self.documents / name).mkdir(parents=True)
            (self.documents / name / "page.html").write_bytes(PAGE)
        guards = "".join(
            f'$HTTP["url"] =~ "^/{server.name}/" {{\n'
            f'  fastcgi.server = ( "/" => (( "socket" => "{server.path}", "mode" => "authorizer",'
            ' "check-local" => "disable" )) )\n}\n' for server in contestants)
        path = self.folder / "lighttpd.conf"
        path.write_text(
            f'server.document-root = "{self.documents}"\n'
            f'server.bind = "127.0.0.1"\nserver.port = {port}\n'
            f'server.errorlog = "{self.folder}/lighttpd.log"\n'
            'server.modules = ( "mod_fastcgi" )\n'
            'server.max-fds = 4096\nserver.max-keep-alive-requests = 100000000\n'
            'mimetype.assign = ( ".html" => "text/html" )\n' + guards)
        return path
