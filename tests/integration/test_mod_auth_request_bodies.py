# SPDX-License-Identifier: Apache-2.0
"""mod_auth_request leaves the body to the application: every way to ask, every kind of application; and HTTP/2."""

import hashlib
import random
import subprocess

import pytest

import apache
import applications
import harness
from authorizer import Authorizer, alice, deny

CGI = """#!/usr/bin/python3
import hashlib, json, sys
body = sys.stdin.buffer.read()
print("Content-Type: application/json\\n")
print(json.dumps({"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}))
"""
#: As an authorizer it reads what it can get of the body before it answers.
ASKED = """#!/usr/bin/python3
import sys
body = sys.stdin.buffer.read()
print("Status: 200 OK")
print("Variable-REMOTE_USER: alice")
print("Variable-AUTH_REQUEST_ID: %d bytes" % len(body))
print()
"""

CONF = """
AuthRequestBackend direct fcgi:unix:{folder}/a.sock
AuthRequestBackend fcgi /_fcgi
AuthRequestBackend http /_http proof=none
AuthRequestBackend cgi /_cgi/asked.cgi
{cgid}
ScriptAlias /_cgi/ {folder}/cgi/
<Location /_fcgi>
  ProxyPass unix:{folder}/a.sock|fcgi://localhost/ enablereuse=on
</Location>
<Location /_http>
  ProxyPass http://127.0.0.1:{backend}/
</Location>
{locations}
"""
WAYS = ("direct", "fcgi", "http", "cgi")
LOCATION = """
<Location /{way}>
  AuthRequest backend:{way}
</Location>
ScriptAlias /{way}/cgi {folder}/cgi/application.cgi
ProxyPass /{way}/proxy http://127.0.0.1:{backend}/
ProxyPass /{way}/fastcgi unix:{folder}/application.sock|fcgi://application/
"""


@pytest.fixture(scope="module", params=["event", "prefork"])
def server(request):
    folder = harness.RUN / f"bodies-{request.param}"
    (folder / "cgi").mkdir(parents=True)
    for name, text in (("application.cgi", CGI), ("asked.cgi", ASKED)):
        (folder / "cgi" / name).write_text(text)
        (folder / "cgi" / name).chmod(0o755)
    port, backend = harness.free_ports(2)
    words = {"folder": folder, "backend": backend, "cgid": ""}
    module = "cgi" if request.param == "prefork" else "cgid"
    if module == "cgid":
        words["cgid"] = f"ScriptSock {folder}/cgid.sock"
    locations = "".join(LOCATION.format(way=way, **words) for way in WAYS)
    modules = (module, "proxy", "proxy_http", "proxy_fcgi") + (("http2",) if module == "cgid" else ())
    conf = CONF.format(locations=locations, **words) + ("Protocols h2c http/1.1\n" if module == "cgid" else "")
    made = apache.Apache(folder, port, modules, conf, request.param)
    (made.htdocs / "direct").mkdir()
    (made.htdocs / "direct" / "page.txt").write_text("a page\n")
    made.authorizer = Authorizer(folder / "a.sock", alice)
    application = applications.FastCgiEcho(str(folder / "application.sock"))
    with applications.Echo(backend), application, made.authorizer, made:
        yield made


@pytest.mark.parametrize("kind", ["cgi", "proxy", "fastcgi"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size,chunked,expect", [(0, False, False), (10_000, False, False), (10_000, True, False),
                                                 (10_000, False, True), (5_000_000, False, False),
                                                 (5_000_000, True, True)])
def test_body(server, way, kind, size, chunked, expect):
    body = random.Random(size).randbytes(size)
    answer = server.request(f"/{way}/{kind}", ["Expect: 100-continue"] if expect else [], "POST", body, chunked)
    assert answer.status == 200, answer
    assert (answer.json["length"], answer.json["sha256"]) == (size, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("chunked", [False, True])
def test_denial_of_a_body(server, chunked):
    """It is read away: the connection serves the next request."""
    server.authorizer.answer = lambda _: deny(403, "Content-Type: text/plain", body=b"no")
    try:
        answer = server.request("/direct/cgi", ["Connection: keep-alive"], "POST", bytes(1_000_000), chunked)
        assert (answer.status, answer.text) == (403, "no")
        told = server.request("/direct/cgi", ["Expect: 100-continue"], "POST", b"x" * 1000)
        assert told.status == 403
    finally:
        server.authorizer.answer = alice


def curl(server, *words):
    run = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-i", *words], capture_output=True, text=True,
                         timeout=20, check=True)
    return run.stdout


def test_http2(server):
    if server.mpm == "prefork":
        return  # mod_http2 does not serve there
    base = f"http://127.0.0.1:{server.port}"
    page = curl(server, f"{base}/direct/page.txt")
    assert page.startswith("HTTP/2 200") and page.endswith("a page\n")
    posted = curl(server, "--data-binary", "x" * 10_000, f"{base}/direct/cgi")
    assert posted.startswith("HTTP/2 200") and '"length": 10000' in posted
    server.authorizer.answer = lambda _: deny(401, "WWW-Authenticate: Bearer", "Content-Type: text/plain",
                                              "Set-Cookie: a=1", "Set-Cookie: b=2", body=b"no")
    try:
        denied = curl(server, f"{base}/direct/page.txt")
    finally:
        server.authorizer.answer = alice
    assert denied.startswith("HTTP/2 401") and denied.endswith("no")
    assert "www-authenticate: Bearer" in denied and denied.count("set-cookie:") == 2
