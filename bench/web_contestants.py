# SPDX-License-Identifier: Apache-2.0
"""Who is measured behind Apache and nginx: one table of authorizers, one of ways to ask them."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environment import MAX_CONNECTIONS, THREADS

HERE = Path(__file__).resolve().parent
WORKERS = str(os.cpu_count())  # processes of what has one thread in each


@dataclass(frozen=True)
class Authorizer:
    """A program that listens at the SOCKET or the PORT of its contestant."""
    command: Callable  # of the site and the place
    needs: tuple = ()  # as Site.missing takes them
    judges: bool = True  # it denies what must be denied
    blacklist: str = "fcgi-auth"  # who tells it what is revoked: fcgi-auth, redis, or nobody
    settings: Callable = lambda site: {}  # its environment


@dataclass(frozen=True)
class Contestant:
    name: str
    what: str
    guard: str = ""  # lines of the web server's configuration; @WORD@ is replaced
    modules: tuple = ()  # of Apache, beside those that all have
    authorizer: str = ""  # of AUTHORIZERS
    inside: Authorizer | None = None  # who judges inside the web server
    cached: bool = False  # not each request is a question

    @property
    def server(self):
        return self.name.partition(",")[0]

    @property
    def judge(self):
        return self.inside or AUTHORIZERS.get(self.authorizer)


def auth_verify(address):
    return lambda site, place: [site.program("auth-verify"), "-c", site.configurations[THREADS],
                                "-l", place.fill(address)]


def noop(address, *options):
    return lambda site, place: [site.program("tests/web/echo_server"), "--noop", "-w", THREADS, "-c", MAX_CONNECTIONS,
                                *options, "-l", place.fill(address)]


def fastapi(site, place):
    return [sys.executable, "-m", "uvicorn", "--app-dir", HERE, "--workers", WORKERS, "--uds", place.socket,
            "--no-access-log", "--log-level", "warning", "authorizer_fastapi:app"]


def jose(site, place):
    return [site.node, HERE / "authorizer_jose.mjs", place.socket, WORKERS]


FASTAPI = ("python:fastapi", "python:uvicorn", "python:redis", "redis-server")
AUTHORIZERS = {
    "unix": Authorizer(auth_verify("unix:@SOCKET@"), ("auth-verify",)),
    "tcp": Authorizer(auth_verify("tcp:127.0.0.1:@PORT@"), ("auth-verify",)),
    "http": Authorizer(auth_verify("http:unix:@SOCKET@"), ("auth-verify", "linked:libhttp_parser")),
    "noop": Authorizer(noop("unix:@SOCKET@"), ("tests/web/echo_server",), judges=False, blacklist=""),
    "noop http": Authorizer(noop("http:unix:@SOCKET@"), ("tests/web/echo_server", "linked:libhttp_parser"),
                            judges=False, blacklist=""),
    "fastapi": Authorizer(fastapi, FASTAPI, blacklist="redis", settings=lambda site: site.settings),
    "fastapi parsed": Authorizer(fastapi, FASTAPI, blacklist="redis",
                                 settings=lambda site: site.settings | {"PARSE_ONCE": "1"}),
    "jose": Authorizer(jose, ("node", "npm:jose"), blacklist="", settings=lambda site: site.settings),
}

# --- Apache --------------------------------------------------------------------

DIRECT = """\
AuthRequestBackend verify fcgi:unix:@SOCKET@ {options}
<Location "/">
  AuthRequest backend:verify
  AuthRequestPolicy site
</Location>
"""
SUB_REQUEST = """\
<Location "/">
  AuthRequest /_auth proof={proof}
</Location>
<Location "/_auth">
  AuthRequest off
  ProxyPass {target}
  CGIPassAuth On
  Require expr "%{{IS_SUBREQ}} == 'true'"
</Location>
"""
AUTHNZ_FCGI = """\
AuthnzFcgiDefineProvider authn verify fcgi://127.0.0.1:@PORT@/
<Location "/">
  CGIPassAuth On
  AuthType Bearer
  AuthName sso
  AuthnzFcgiCheckAuthnProvider verify Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:AUTH_USER_ID}"
  Require valid-user
</Location>
"""
FCGID = """\
FcgidIPCDir "@FOLDER@"
FcgidProcessTableFile "@FOLDER@/fcgid.table"
FcgidPassHeader Authorization
FcgidInitialEnv FCGI_AUTH_CONF @CONFIGURATION_1@
FcgidIOTimeout 5
<Location "/">
  FcgidAccessChecker @AUTH_VERIFY@
</Location>
"""
OPENIDC = """\
OIDCOAuthVerifySharedKeys plain##@SECRET@
OIDCOAuthVerifyCertFiles @CERTIFICATE@
<Location "/">
  AuthType oauth20
  Require valid-user
</Location>
"""

# --- nginx ---------------------------------------------------------------------

NGINX_FASTCGI = """\
location / { auth_request /_auth; }
location = /_auth {
  internal;
  fastcgi_pass unix:@SOCKET@;
  fastcgi_pass_request_body off;
  fastcgi_param CONTENT_LENGTH "";
  fastcgi_param REQUEST_METHOD $request_method;
  fastcgi_param REQUEST_URI    $request_uri;
  fastcgi_param REMOTE_ADDR    $remote_addr;
  fastcgi_param HTTPS          $https if_not_empty;
  fastcgi_param AUTH_POLICY    site;
  fastcgi_connect_timeout 1s;
  fastcgi_read_timeout    3s;
  fastcgi_buffer_size 16k;
  fastcgi_buffers 4 16k;
}
"""
NGINX_HTTP = """\
location / { auth_request /_auth; }
location = /_auth {
  internal;
  proxy_pass http://authorizer@TARGET@;
  proxy_http_version 1.1;
  proxy_pass_request_body off;
  proxy_set_header Connection        "";
  proxy_set_header Content-Length    "";
  proxy_set_header Host              $http_host;
  proxy_set_header X-Original-URI    $request_uri;
  proxy_set_header X-Original-Method $request_method;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Real-IP         $remote_addr;
}
"""

REQUEST, PROXY = ("auth_request",), ("auth_request", "proxy")
CONTESTANTS = [
    Contestant("Apache, unprotected", "the page alone"),
    Contestant("Apache, no-op", "our module, which asks a no-op on our own loop",
               DIRECT.format(options="proof=Variable-REMOTE_USER"), REQUEST, "noop"),
    Contestant("Apache, mod_auth_request", "our module, which asks auth-verify by FastCGI each time",
               DIRECT.format(options=""), REQUEST, "unix"),
    Contestant("Apache, mod_auth_request with cache", "the same with its verdict cache",
               DIRECT.format(options="cache=@STATE@/generation.page"), REQUEST, "unix", cached=True),
    Contestant("Apache, sub-request by FastCGI", "our module, which asks auth-verify through mod_proxy_fcgi",
               SUB_REQUEST.format(proof="Variable-AUTH_REQUEST_ID",
                                  target="unix:@SOCKET@|fcgi://localhost/ enablereuse=on timeout=3"),
               (*PROXY, "proxy_fcgi"), "unix"),
    Contestant("Apache, mod_authnz_fcgi", "auth-verify on TCP, which is all it can", AUTHNZ_FCGI,
               ("authn_core", "authz_user", "authnz_fcgi"), "tcp"),
    Contestant("Apache, mod_fcgid", "auth-verify as it starts it, a process for each request at a time", FCGID,
               ("fcgid",), inside=Authorizer(None, ("auth-verify",))),
    Contestant("Apache, mod_auth_openidc", "verifies inside Apache, without revocation", OPENIDC,
               ("authn_core", "authz_user", "auth_openidc"), inside=Authorizer(None, blacklist="")),
    Contestant("Apache, FastAPI", f"FastAPI, PyJWT and Redis, {WORKERS} processes, by our module's sub-request",
               SUB_REQUEST.format(proof="X-Auth-User", target="unix:@SOCKET@|http://localhost/verify timeout=10"),
               (*PROXY, "proxy_http"), "fastapi"),
    Contestant("nginx, unprotected", "the page alone", "location / { }\n"),
    Contestant("nginx, FastCGI no-op", "a no-op on our own loop", NGINX_FASTCGI, (), "noop"),
    Contestant("nginx, FastCGI", "auth-verify by FastCGI", NGINX_FASTCGI, (), "unix"),
    Contestant("nginx, HTTP no-op", "a no-op on our HTTP listener", NGINX_HTTP.replace("@TARGET@", "/original"), (),
               "noop http"),
    Contestant("nginx, HTTP", "auth-verify by its HTTP listener",
               NGINX_HTTP.replace("@TARGET@", "/original?policy=site"), (), "http"),
    Contestant("nginx, FastAPI", f"FastAPI, PyJWT and Redis, {WORKERS} processes",
               NGINX_HTTP.replace("@TARGET@", "/verify"), (), "fastapi"),
    Contestant("nginx, FastAPI, key parsed once", "the same, but it does not parse its public key at each request",
               NGINX_HTTP.replace("@TARGET@", "/verify"), (), "fastapi parsed"),
    Contestant("nginx, jose", f"Node and jose, {WORKERS} processes, without revocation",
               NGINX_HTTP.replace("@TARGET@", "/"), (), "jose"),
]
