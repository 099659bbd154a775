# SPDX-License-Identifier: Apache-2.0
"""No page of another site can make a browser change anything: every address that takes a POST, by each kind of request
that a foreign page can send. Threats L2 and L6."""

import contextlib
import json
import re
import sqlite3
import urllib.parse

import pytest

import faulty_upstream
import harness
import tokens

REGISTER = {"username": "eve", "email": "eve@example.org", "password": "a password of hers", "name": "Eve"}
MAIL, CODE = {"email": "ada@example.org"}, {"token": "x" * 40, "password": "a password of hers"}
#: Each address, and what it would need to do its work. A route without a row fails here.
ROUTES = {
    "login": {"username": "ada", "password": "PASSWORD"},
    "signin": {"username": "ada", "password": "PASSWORD"},
    "resume?rd=/users/ada/app.cgi": {"text": "x"},
    "refresh": {},
    "signout": {"all": "1"},
    "register": REGISTER, "signup": REGISTER,
    "forgot-password": MAIL, "forgot_password": MAIL,
    "reset-password": CODE, "reset_password": CODE,
    "verify-email": CODE, "verify_email": CODE,
    "sessions": {"others": "1"},
    "change-password": {"current": "PASSWORD", "new": "another password of hers"},
    "logout": {"all": "1"},
}
#: What it does anybody may make a browser do: it takes no more than a session's use does.
HARMLESS = {"refresh"}
EVIL = "https://evil.example"
#: How a browser says that a page of elsewhere sends it; None: nothing, as an old browser.
SENDERS = {
    "foreign": (f"Origin: {EVIL}", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
    "without-fetch-metadata": (f"Origin: {EVIL}",),
    "sandboxed": ("Origin: null",),
    "without-origin": ("Sec-Fetch-Site: cross-site",),
    "sibling": ("Origin: http://other.127.0.0.1", "Sec-Fetch-Site: same-site"),
    "silent": (),
}
KINDS = {
    "form": ("application/x-www-form-urlencoded", urllib.parse.urlencode),
    "json": ("application/json", json.dumps),
    "text": ("text/plain", json.dumps),
    "multipart": ("multipart/form-data; boundary=x", lambda fields: "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()) + "--x--\r\n"),
}


def rows(site, database, table):
    with contextlib.closing(sqlite3.connect(f"file:{site.state / database}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def revocations(site):
    return [rows(site, "revocations.db", table) for table in ("revoked", "mark")]


class Local:
    """Accounts of our own."""

    def __init__(self):
        login = {"password-cost": "4", "registration": "on", "url": "https://login.example/auth"}
        mail = {"from": "auth@login.example", "command": "/bin/false"}
        self.site = harness.Site(sections={"login": login, "mail": mail}).start()
        self.password = self.site.add_user("ada")
        answer = self.site.request("/auth/login", ["Content-Type: application/json"], "POST",
                                   json.dumps({"username": "ada", "password": self.password}).encode())
        self.token = tokens.sensitive(answer.json["token"])

    def state(self):
        """What a request could have changed: accounts, revocations, and whether the session is good."""
        allowed = self.site.request("/app/app.cgi", [f"Cookie: auth={self.token}"]).status
        return allowed, rows(self.site, "accounts.db", "account"), revocations(self.site)

    def close(self):
        self.site.close()


class Upstream:
    """An auth server elsewhere, which must not be asked at all."""

    def __init__(self):
        self.server = faulty_upstream.Upstream()
        paths = {name: f"/{name}" for name in ("login", "register", "forgot-password", "reset-password",
                                               "verify-email", "logout")}
        self.site = harness.Site(sections={"login": {"backend": "upstream"},
                                           "upstream": {"base": self.server.url} | paths}).start()
        self.password, self.token = tokens.password(), self.server.token()

    def state(self):
        allowed = self.site.request("/app/app.cgi", [f"Cookie: auth={self.token}"]).status
        return allowed, list(self.server.asked), revocations(self.site)

    def close(self):
        self.site.close()
        self.server.close()


BACKENDS = {"local": Local, "upstream": Upstream}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    made = BACKENDS[request.param]()
    yield made
    made.close()


def routes():
    """{segment: the backends with which it takes a POST}: login.c's table, and the address of auth-logout."""
    source = (harness.REPOSITORY / "src/policy/login.c").read_text()
    rows = re.findall(r'^\t\{\{"([^"]+)", \d+\}, \{"(?:POST|PUT|PATCH|DELETE)", \d+\}, \{(\w+), (\w+)\}\},', source,
                      re.M)
    assert source.count('{"POST"') == len(rows) > 5, "the table of routes has another form by now: read it anew"
    found = {segment: {name for name, function in zip(BACKENDS, functions) if function != "NULL"}
             for segment, *functions in rows}
    return found | {"logout": set(BACKENDS)}


def test_every_route_has_a_row():
    assert routes().keys() == {target.partition("?")[0] for target in ROUTES}


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_changed_from_elsewhere(backend, route):
    there = type(backend).__name__.lower() in routes()[route.partition("?")[0]]
    wanted = {403, 415} if there else {404}
    before = backend.state()
    assert before[0] == 200
    fields = {name: backend.password if value == "PASSWORD" else value for name, value in ROUTES[route].items()}
    for sender, headers in SENDERS.items():
        for kind, (content_type, write) in KINDS.items():
            if sender == "silent" and (route in HARMLESS or kind in ("json", "text")):
                continue  # no page sends the latter two without saying where it is from
            for cookies in ([f"Cookie: auth={backend.token}"], []):
                answer = backend.site.request(f"/auth/{route}", [*headers, *cookies, f"Content-Type: {content_type}"],
                                              "POST", write(fields).encode())
                case = f"{route}, {sender}, {kind}, {'with' if cookies else 'without'} cookie: {answer.text}"
                # A type that nobody takes is refused as such; who is not signed in may be told that alone.
                assert answer.status in wanted | ({401} if not cookies else set()), case
                assert kind != "form" or answer.status != 415, case
                assert not answer.cookies, case
    assert backend.state() == before
