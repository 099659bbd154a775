# SPDX-License-Identifier: Apache-2.0
"""What is special about nginx: the proof of an allow, denials by a second question, and what its locations inherit.
Like test_bypass.py: with a line of the shipped configuration all is denied, without it the request gets through."""

import contextlib
import re
import socket
import threading
import time

import pytest

import cases
import http_client
import tokens
from applications import Scripted
from servers_nginx import SHIPPED
from test_bypass import EMPTY_ANSWERS, echoed, forged, without

PROTECTED = ("/app/page.txt", "/app/app.cgi", "/papp/x", "/fapp/app.cgi")
GOOD = "Authorization: Bearer {}"


@pytest.fixture(scope="module", params=["nginx", "nginx-http"])
def nginx(request, backend):
    """One site for all tests that change nothing, with auth-verify over FastCGI and over HTTP."""
    import harness
    sections = {'policy "site"': {"token-from": ["bearer", "cookie", "api-key"]},
                'policy "secret"': {"issuer": "main", "require": "claim:roles = admin", "path": "/secret/**"}}
    with harness.Site(server=request.param, processes=2, backend=backend.port, sections=sections,
                      more=LOCATIONS) as site:
        for name in ("named", "outer"):
            (site.htdocs / name).symlink_to("app")
        yield site


LOCATIONS = """
location /named/ {
	include protect.conf;
	set $fcgi_auth_policy secret;
}
location /outer/ {
	include protect.conf;
	location ~ \\.txt$ {
		add_header X-Inner yes;
	}
}
location /public/ssi.html {
	ssi on;
}
location /app/ssi.html {
	include protect.conf;
	ssi on;
}
"""


def bearer(*arguments, **claims):
    return GOOD.format(tokens.mint(*arguments, **claims))


def statuses(site, headers=()):
    return {target: site.request(target, headers).status for target in PROTECTED}


@contextlib.contextmanager
def answering(site, stdout):
    """Put a scripted authorizer in the place of auth-verify."""
    path = site.services["verify"].path
    path.unlink()
    script = Scripted(path, stdout)
    path.chmod(0o666)
    with script:
        yield
    path.unlink()
    path.touch()


def web_only(make_site, **how):
    site = make_site(start=False, server="nginx", **how)
    site.web.start()
    return site


# --- B3, B4, B5: an answer that is no decision ------------------------------------------------

UNPROVED = EMPTY_ANSWERS | {
    "B5-201": b"Status: 201 Created\r\n\r\n",
    "B5-204": b"Status: 204 No Content\r\nVariable-AUTH_REQUEST_ID: 1\r\n\r\n",
    "B5-without-the-redirect": b"Status: 200 OK\r\nVariable-REMOTE_USER: x\r\nVariable-AUTH_REQUEST_ID: 1\r\n\r\n",
    "B5-other-redirect": b"Status: 200 OK\r\nX-Accel-Redirect: @fcgi_auth_changed\r\n\r\n",
    "B5-page": b"Status: 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Welcome</p>",
}
BROKEN = {"closes": None, "half": b"Status: 200", "garbage": b"garbage\r\n\r\n", "nothing": b""}


@pytest.mark.parametrize("stdout", (UNPROVED | BROKEN).values(), ids=UNPROVED | BROKEN)
def test_no_decision(make_site, stdout):
    site = web_only(make_site)
    with answering(site, stdout):
        for target in PROTECTED:
            answer = site.request(target)
            assert answer.status in (500, 503)
            assert b"document of" not in answer.body and b"environment" not in answer.body
            assert not [name for name, _ in answer.headers if name.lower().startswith("variable-")]


@pytest.mark.parametrize("name", [name for name in UNPROVED if name not in ("B3-nothing", "B5-other-redirect")])
def test_opens_without_the_status(make_site, name):
    site = web_only(make_site, edit=without("common.conf", "418 =403 @fcgi_auth_ask", "418 = @fcgi_auth_ask"))
    with answering(site, UNPROVED[name]):
        assert site.request("/app/page.txt").status == 200, "the test does not show what the line is for"


def test_proof(make_site):
    """The script's answer is the one of an allow: the test of those that are not can tell the difference."""
    site = web_only(make_site)
    with answering(site, b"Status: 200 OK\r\nX-Accel-Redirect: @fcgi_auth_allowed\r\n\r\n"):
        assert site.request("/app/page.txt").status == 200


def test_authorizer_down(make_site):
    site = web_only(make_site)
    site.services["verify"].socket.close()
    assert set(statuses(site).values()) == {503}


def test_authorizer_hangs(make_site):
    """Nobody accepts. There is one wait, not a second one for the denial."""
    site = web_only(make_site)
    started = time.monotonic()
    assert site.request("/app/page.txt").status == 503
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("target", ["/_auth", "/_auth/", "/_auth?x=1", "/./_auth"])
def test_endpoint_is_closed(nginx, target):
    assert nginx.request(target, [bearer()]).status in (401, 404)


# --- denials ------------------------------------------------------------------------------------

def test_denial_is_complete(nginx):
    """Each cookie, the challenge once, the type and the body."""
    answer = nginx.request("/app/page.txt", ["Cookie: auth=a; auth=b"])
    assert answer.status == 401
    assert len(answer.all("Set-Cookie")) >= 2
    assert len(answer.all("WWW-Authenticate")) == 1
    assert answer.header("Content-Type") == "application/json" and answer.json["reason"] == "ambiguous_token"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 10000, 5000000])
def test_bodies(nginx, size, chunked):
    body = bytes(size)
    for headers, expected in (([], 401), ([bearer()], 200)):
        answer = nginx.request("/papp/x", headers, "POST", body, chunked)
        assert answer.status == expected
        assert expected != 200 or answer.json["length"] == size


def test_questions(make_site):
    """One for a yes, a second one for a no."""
    site = make_site(server="nginx", sections={"server": {"log-allow": "on"}})
    site.request("/app/page.txt", [bearer()])
    site.request("/app/page.txt")
    events = re.findall("event=(allow|deny)", site.log_text("verify"))
    assert events == ["allow", "deny", "deny"]


def test_own_403(nginx):
    """A 403 of nginx's own is none of the authorizer's."""
    (nginx.htdocs / "app" / "folder").mkdir(exist_ok=True)
    assert nginx.request("/app/folder/").status == 401
    answer = nginx.request("/app/folder/", [bearer()])
    assert answer.status == 403 and "nginx" in answer.text
    assert nginx.request("/app/folder/none", [bearer()]).status == 404


# --- B6: sub-requests ---------------------------------------------------------------------------

def test_b6_public_page_includes_a_protected_one(nginx):
    (nginx.htdocs / "public" / "ssi.html").write_text('<!--# include virtual="/app/page.txt" -->')
    for headers in ([], [bearer()]):
        answer = nginx.request("/public/ssi.html", headers)
        assert answer.status == 200 and b"document of" not in answer.body


def test_b6_page_that_was_decided_about(nginx):
    (nginx.htdocs / "app" / "ssi.html").write_text('<!--# include virtual="/app/page.txt" -->')
    assert b"document of app" in nginx.request("/app/ssi.html", [bearer()]).body
    assert nginx.request("/app/ssi.html").status == 401


def test_b6_opens_without_the_line(make_site):
    site = make_site(server="nginx", more=LOCATIONS,
                     edit=without("protect.conf", r"if \(\$fcgi_auth_inner = 0\) \{\n.*\n\}"))
    (site.htdocs / "public" / "ssi.html").write_text('<!--# include virtual="/app/page.txt" -->')
    assert b"document of" in site.request("/public/ssi.html").body, "the test does not show what the line is for"


# --- policies -----------------------------------------------------------------------------------

def test_policy_by_name(nginx):
    assert nginx.request("/named/page.txt", [bearer()]).json["reason"] == "rule_failed"
    assert nginx.request("/named/page.txt", [bearer("root", roles=["admin"])]).body == b"document of app\n"


def test_name_does_not_stick(nginx):
    """The policy of one request on a connection says nothing about the next one."""
    lines = bearer() + "\r\n"
    with http_client.connect(nginx.port) as connection:
        for target, expected in [("/named/page.txt", 403), ("/app/page.txt", 200), ("/named/page.txt", 403)]:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
            assert http_client.read_answer(connection).status == expected


def test_location_inside_of_a_protected_one(nginx):
    """It inherits the question but no policy: closed until it has an include of its own."""
    assert nginx.request("/outer/page.txt", [bearer()]).status == 403


def test_host_of_the_request_line(nginx):
    """An absolute address decides which site it is, so it decides which policy."""
    answer = nginx.request("http://intern.example/app/page.txt", [bearer(), "Host: 127.0.0.1"])
    assert answer.json["reason"] == "rule_failed"


def test_host_opens_without_the_map(make_site):
    site = make_site(server="nginx", edit=without("verify.conf", r"\$fcgi_auth_host", "$http_host"))
    answer = site.request("http://intern.example/app/page.txt", [bearer(), "Host: 127.0.0.1"])
    assert answer.status == 200, "the test does not show what the line is for"


# --- H1: identity ---------------------------------------------------------------------------------

def test_h1_proxied_application(nginx):
    headers = echoed(nginx, "/papp/x", [bearer(), "X-Kept: yes", "Proxy: http://127.0.0.1:1", *cases.FORGED])
    assert forged(headers) == []
    got = {name.lower(): value for name, value in headers}
    assert got["x-auth-user"] == "alice" and got["x-auth-email"] == "alice@example.org" and got["x-kept"] == "yes"
    assert "proxy" not in got


def test_h1_public_path(nginx):
    headers = echoed(nginx, "/public-papp/x", [bearer(), *cases.FORGED])
    assert forged(headers) == []
    assert not [name for name, _ in headers if name.lower().startswith("x-auth")]
    environment = nginx.request("/public/app.cgi", cases.FORGED).json["environment"]
    assert not [name for name, value in environment.items() if "mallory" in value]


def test_h1_opens_without_the_line(make_site):
    site = make_site(server="nginx", edit=without("fcgi-auth.conf", r"(?m)^include .*strip\.conf;$"))
    headers = echoed(site, "/public-papp/x", cases.FORGED)
    assert {name.lower() for name in forged(headers)} == {
        name.lower() for name in cases.FORGED_NAMES if re.fullmatch("[A-Za-z-]+", name)}


def test_refuse_instead_of_strip(make_site):
    site = make_site(server="nginx", edit=without("fcgi-auth.conf", r"strip\.conf;", "refuse.conf;"))
    for line in cases.FORGED:
        for target in ("/public-papp/x", "/papp/x"):
            answer = site.request(target, [bearer(), line])
            if re.match("[A-Za-z-]+:", line):
                assert answer.status == 400, line
            else:
                assert answer.status == 200 and forged(answer.json["headers"]) == []
    assert site.request("/papp/x", [bearer()]).status == 200


def test_name_in_basic(nginx):
    """nginx itself would hand it to an application as REMOTE_USER."""
    basic = ["Authorization: Basic bWFsbG9yeTp4", f"Cookie: auth={tokens.mint()}"]
    assert nginx.request("/app/app.cgi", basic).status == 400


def test_token_for_the_backend(make_site):
    site = make_site(server="nginx", sections={'policy "site"': {"pass-token": "on"}})
    token = tokens.mint()
    headers = dict(echoed(site, "/papp/x", [f"Cookie: auth={token}"]))
    assert headers["Authorization"] == f"Bearer {token}"
    environment = site.request("/app/app.cgi", [f"Cookie: auth={token}"]).json["environment"]
    assert environment["AUTH_TOKEN"] == token and environment["HTTP_AUTHORIZATION"] == f"Bearer {token}"


@pytest.mark.parametrize("line", ["X-API-Key: {}", "Authorization: Bearer {}"])
def test_no_application_sees_the_api_key(nginx, line):
    key = nginx.authctl("api-keys", "add", "--owner", "alice", "--expires", "1d").stdout.strip().splitlines()[-1]
    for target in ("/papp/x", "/app/app.cgi"):
        answer = nginx.request(target, [line.format(key)])
        assert answer.status == 200 and key not in answer.text and "alice" in answer.text


def test_no_application_sees_a_key_beside_a_token(nginx):
    key = nginx.authctl("api-keys", "add", "--owner", "alice", "--expires", "1d").stdout.strip().splitlines()[-1]
    for target in ("/papp/x", "/app/app.cgi"):
        answer = nginx.request(target, [bearer(), f"X-API-Key: {key}"])
        assert answer.status == 200 and key not in answer.text
        assert "other-key" in nginx.request(target, [bearer(), "X-API-Key: other-key"]).text


# --- login, WebSocket -------------------------------------------------------------------------------

def test_login_and_logout(make_site):
    site = make_site(server="nginx")
    password, browser = site.add_user("bob"), site.browser()
    away = browser.get("/app/page.txt?a=1")
    assert away.status == 302
    page = browser.get(away.header("Location"))
    done = browser.submit(page, away.header("Location"), {"username": "bob", "password": password})
    assert (done.status, done.header("Location")) == (303, "/app/page.txt?a=1")
    assert browser.get("/app/page.txt").body == b"document of app\n"
    page = browser.get("/auth/logout", **{"Sec-Fetch-Site": "same-origin"})
    if page.status == 200:
        page = browser.submit(page, "/auth/logout", {})
    assert page.status == 303
    assert browser.get("/app/page.txt").status == 302


def test_websocket(make_site):
    """The question is about the handshake; what follows goes through untouched."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def serve():
            connection, _ = listening.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(4096)
                assert b"Upgrade: websocket" in head and b"X-Auth-User: alice" in head
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                   b"Connection: Upgrade\r\n\r\n")
                connection.sendall(connection.recv(100).upper())
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        site = make_site(server="nginx", edit=without("site.conf", r"(location /papp/ [^}]*127\.0\.0\.1:)\d+",
                                                      rf"\g<1>{listening.getsockname()[1]}"))
        upgrade = "GET /papp/chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        with http_client.connect(site.port) as connection:
            connection.sendall(f"{upgrade}\r\n".encode())
            assert http_client.read_answer(connection).status == 401
        with http_client.connect(site.port) as connection:
            connection.sendall(f"{upgrade}{bearer()}\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            assert head.startswith(b"HTTP/1.1 101 ")
            connection.sendall(b"hello")
            assert connection.recv(100) == b"HELLO"
        thread.join(5)


def test_admin_writes_at_most_twelve_lines():
    comment = re.search(r"#\n((?:#\t.*\n)+)", (SHIPPED / "fcgi-auth.conf").read_text())[1]
    assert 'include /usr/share/fcgi-auth/nginx/protect.conf' in comment
    assert len(comment.splitlines()) <= 12
