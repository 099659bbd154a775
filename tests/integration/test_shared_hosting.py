# SPDX-License-Identifier: Apache-2.0
"""An account on somebody else's Apache: .htaccess, CGI programs and files of its own, no service of ours."""

import shutil

import pytest

import cases
import harness
import tokens
import ways
from test_bypass import EMPTY_ANSWERS

SHIPPED = harness.REPOSITORY / "shared-hosting"
GOOD = f"Authorization: Bearer {tokens.mint()}"
NAVIGATION = list(cases.NAVIGATION)

#: What hosts allow their accounts.
HOST = """
<Directory {htdocs}>
	Options FollowSymLinks ExecCGI
	AllowOverride AuthConfig FileInfo Limit Indexes Options
	AddHandler cgi-script .cgi
	<FilesMatch "^\\.ht">
		Require all denied
	</FilesMatch>
</Directory>
"""


class Account:
    """Files as the guide has them copied, in the folders of a site."""

    def __init__(self, site):
        self.site, self.home = site, site.folder / "home"
        (self.home / "bin").mkdir(parents=True)
        for name in harness.SOCKETS.values():
            shutil.copy(harness.PROGRAMS / name, self.home / "bin")
        (self.home / "fcgi-auth.conf").write_text(site.configuration.read_text())
        auth = site.htdocs / "auth"
        auth.mkdir()
        for script in SHIPPED.glob("*.cgi"):
            (auth / script.name).write_text(self.local(script.read_text()))
            (auth / script.name).chmod(0o755)
        self.put("auth.htaccess", "auth")
        harness.give_away(site.folder)

    def local(self, text):
        return (text.replace("/ACCOUNT/fcgi-auth", str(self.home))
                .replace("/ACCOUNT/public_html", str(self.site.htdocs)))

    def put(self, shipped, folder):
        (self.site.htdocs / folder / ".htaccess").write_text(self.local((SHIPPED / shipped).read_text()))

    def replace_verify(self, output):
        program = self.home / "bin" / "auth-verify"
        program.unlink()
        (self.home / "answer").write_bytes(output)
        program.write_text(f"#!/bin/sh\nexec cat {self.home}/answer\n")
        program.chmod(0o755)


def host(make_site, *modules):
    site = make_site(start=False, server="apache", more=HOST)
    rules = site.web.folder / "site.conf"
    rules.write_text(rules.read_text().replace("{htdocs}", str(site.htdocs)))
    site.web.enable("actions", "rewrite", "headers", *modules)
    (site.web.folder / "mods-enabled" / "fcgid.conf").write_text(
        f"<IfModule mod_fcgid.c>\nFcgidIPCDir {site.folder}/run/fcgid\n"
        f"FcgidProcessTableFile {site.folder}/run/fcgid.table\nFcgidIOTimeout 5\n</IfModule>\n")
    account = Account(site)
    site.web.start()
    return account


@pytest.fixture(params=["gate", "module", "fcgid"])
def account(request, make_site):
    """Each of the three ways, for all that needs a login."""
    one = host(make_site, *{"gate": [], "module": ["auth_request"], "fcgid": ["fcgid"]}[request.param])
    for folder in ("app", "admin", "users"):
        one.put(f"{request.param}.htaccess", folder)
    one.way = request.param
    return one


def test_story(account):
    """Login, page, program, logout."""
    site = account.site
    password, browser = site.add_user("bob"), site.browser()
    harness.give_away(site.state)
    away = browser.get("/app/page.txt")
    assert away.status == (401 if account.way == "fcgid" else 302), away.text
    login = "/auth/login?rd=/app/page.txt" if account.way == "fcgid" else away.header("Location")
    page = browser.get(login)
    assert page.status == 200, page.text
    done = browser.submit(page, login, {"username": "bob", "password": password})
    assert (done.status, done.header("Location")) == (303, "/app/page.txt"), done.text
    assert browser.get("/app/page.txt").body == b"document of app\n"
    seen = browser.get("/app/app.cgi").json["environment"]
    assert seen["AUTH_USER_ID"] == "bob"
    page = browser.get("/auth/logout", **{"Sec-Fetch-Site": "same-origin"})
    if page.status == 200:
        page = browser.submit(page, "/auth/logout", {})
    assert page.status == 303, page.text
    assert browser.get("/app/page.txt").status == away.status


def test_denied(account):
    site = account.site
    for target in ("/app/page.txt", "/app/app.cgi", "/app/app.cgi/more", "/app/", "/users/bob/page.txt"):
        answer = site.request(target)
        assert answer.status == 401, target
        assert b"document of" not in answer.body and b"environment" not in answer.body
    cookie = f"Cookie: auth={tokens.mint()}"
    assert site.request("/users/bob/page.txt", [cookie]).status == (401 if account.way == "fcgid" else 403)
    assert site.request("/users/alice/page.txt", [cookie]).body == b"document of users/alice\n"
    assert site.request("/public/page.txt").body == b"document of public\n"


def test_bearer(account):
    """Apache keeps Authorization from CGI programs, the lines of .htaccess hand it on; mod_fcgid needs the host."""
    expected = 401 if account.way == "fcgid" else 200
    for target in ("/app/page.txt", "/app/app.cgi"):
        assert account.site.request(target, [GOOD]).status == expected


def test_identity(account):
    seen = account.site.request("/app/app.cgi", [f"Cookie: auth={tokens.mint()}", *cases.FORGED]).json["environment"]
    assert seen["AUTH_USER_ID"] == "alice"
    names = {name for name, value in seen.items() if "mallory" in value}
    assert not [name for name in names if not name.startswith("HTTP_")]
    if account.way == "gate":
        assert not names


def test_programs_are_closed(account):
    """Their own addresses give nothing away: neither a verdict nor a file."""
    site = account.site
    for target in ("/auth/verify.cgi", "/auth/gate.cgi", "/auth/gate.cgi/app/page.txt",
                   "/auth/verify.cgi/app/page.txt"):
        answer = site.request(target, [GOOD])
        assert answer.status in (401, 403), target
        assert b"document of" not in answer.body
    assert site.request("/app/.htaccess", [GOOD]).status in (401, 403, 404)


# --- the gate -----------------------------------------------------------------------------------------

@pytest.fixture
def gate(make_site):
    one = host(make_site)
    one.put("gate.htaccess", "app")
    return one


NO_ANSWERS = EMPTY_ANSWERS | {"empty-redirect": b"Status: 200 OK\r\nLocation: /public/page.txt\r\n\r\n",
                              "cut": b"Status: 200 OK\r\nVariable-AUTH_REQUEST_ID: 1", "201": b"Status: 201 X\r\n\r\n"}


@pytest.mark.parametrize("output", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_gate_wants_proof(gate, output):
    gate.replace_verify(output)
    for target in ("/app/page.txt", "/app/app.cgi"):
        assert gate.site.request(target, [GOOD]).status == 503


def test_gate_can_be_opened(gate):
    gate.replace_verify(b"Status: 200 OK\r\nVariable-AUTH_REQUEST_ID: 1\r\n\r\n")
    assert gate.site.request("/app/page.txt").body == b"document of app\n"


def test_gate_renews(gate):
    """What comes with an allow for the client gets there, and to no application."""
    gate.replace_verify(b"Status: 200 OK\r\nVariable-AUTH_REQUEST_ID: 1\r\nSet-Cookie: auth=next; Path=/\r\n\r\n")
    for target in ("/app/page.txt", "/app/app.cgi"):
        answer = gate.site.request(target)
        assert answer.status == 200 and answer.all("Set-Cookie") == ["auth=next; Path=/"]
        assert answer.header("Cache-Control") in ("private", "no-store") and "auth=next" not in answer.text


def test_gate_without_the_program(gate):
    (gate.home / "bin" / "auth-verify").unlink()
    assert gate.site.request("/app/page.txt", [GOOD]).status == 503


def test_gate_as_a_server(gate):
    site = gate.site
    answer = site.request("/app/page.txt", [GOOD], "HEAD")
    assert answer.status == 200 and answer.body == b""
    assert answer.header("Cache-Control") == "no-store"
    assert site.request("/app/page.txt", [GOOD, "Sec-Fetch-Dest: style"]).header("Cache-Control") == "private, no-cache"
    assert site.request("/app/page.txt", [GOOD], "POST", b"x").status == 405
    assert site.request("/app/page.txt/more", [GOOD]).status == 404
    assert site.request("/app/none.txt", [GOOD]).status == 404
    (site.htdocs / "app" / "index.html").write_text("<p>index")
    assert site.request("/app/", [GOOD]).body == b"<p>index"
    (site.htdocs / "app" / "secret.php").write_text("<?php $password = 'x';")
    assert b"password" not in site.request("/app/secret.php", [GOOD]).body
    body = bytes(100000)
    told = site.request("/app/app.cgi/more?a=b", [GOOD], "POST", body).json
    assert told["length"] == len(body)
    environment = told["environment"]
    assert (environment["SCRIPT_NAME"], environment["PATH_INFO"], environment["QUERY_STRING"]) == (
        "/app/app.cgi", "/more", "a=b")


UNREAD = bytes(150000)  # more than a socket or pipe holds


def test_gate_refuses_a_body(gate):
    """Apache's mod_cgid loses the answer of a program that ends while there is something it has not read."""
    for target, headers, status in [("/app/page.txt", [GOOD], 405), ("/app/page.txt", [], 401),
                                    ("/app/none.txt", [GOOD], 404)]:
        answers = [gate.site.request(target, headers, "POST", UNREAD).status for _ in range(10)]
        assert answers == [status] * 10, target


def test_program_refuses_a_body(gate):
    answers = [gate.site.request("/auth/login", ["Content-Type: application/json"], "POST", UNREAD).status
               for _ in range(10)]
    assert answers == [413] * 10


# --- Authorization behind a redirect -------------------------------------------------------------------

@pytest.fixture
def as_cgi(cgi_site, monkeypatch):
    made = ways.environment

    def ask(headers, **more):
        monkeypatch.setattr(ways, "environment", lambda *arguments: made(*arguments) | more)
        return ways.run(cgi_site, "verify", "/app/page.txt", headers)
    return ask


def test_redirected_authorization(as_cgi):
    token = f"Bearer {tokens.mint()}"
    assert as_cgi([], REDIRECT_HTTP_AUTHORIZATION=token).status == 200
    assert as_cgi([], REDIRECT_HTTP_AUTHORIZATION=token, HTTP_AUTHORIZATION="").status == 200
    assert as_cgi(["Authorization: Bearer x"], REDIRECT_HTTP_AUTHORIZATION=token).status == 401, "the header decides"


def test_redirected_authorization_from_a_client(as_cgi):
    """A header of that name arrives under another one."""
    assert as_cgi([f"Redirect-Http-Authorization: Bearer {tokens.mint()}"]).status == 401


def test_redirected_authorization_over_fastcgi(site):
    """There the web server hands the header over itself: nobody looks at the other one."""
    import fastcgi
    params = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/app/page.txt", "HTTP_HOST": "127.0.0.1",
              "REMOTE_ADDR": "127.0.0.1", "REDIRECT_HTTP_AUTHORIZATION": f"Bearer {tokens.mint()}"}
    assert fastcgi.request(f"unix:{site.services['verify'].path}", params).status == 401
