# SPDX-License-Identifier: Apache-2.0
"""No page of another site can make a browser change anything: every address that takes a POST, by each kind of request
that a foreign page can send. Threats L2 and L6."""

import json
import re
import urllib.parse

import pytest

import harness
import tokens

#: Each address, and what it would need to do its work. A route without a row fails here.
ROUTES = {
    "login": {"username": "ada", "password": "PASSWORD"},
    "signin": {"username": "ada", "password": "PASSWORD"},
    "resume?rd=/users/ada/app.cgi": {"text": "x"},
    "sessions": {"others": "1"},
    "change-password": {"current": "PASSWORD", "new": "another password of hers"},
    "logout": {"all": "1"},
}
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


@pytest.fixture(scope="module")
def site():
    with harness.Site(sections={"login": {"password-cost": "4"}}) as running:
        running.password = running.add_user("ada")
        answer = running.request("/auth/login", ["Content-Type: application/json"], "POST",
                                 json.dumps({"username": "ada", "password": running.password}).encode())
        running.token = tokens.sensitive(answer.json["token"])
        yield running


def routes():
    """The segments of login.c's table that take a POST, and the address of auth-logout."""
    source = (harness.REPOSITORY / "src/policy/login.c").read_text()
    found = re.findall(r'^\t\{\{"([^"]+)", \d+\}, \{"(?:POST|PUT|PATCH|DELETE)", \d+\}', source, re.M)
    assert "login" in found, "the table of routes has another form by now: read it anew"
    return {*found, "logout"}


def test_every_route_has_a_row():
    assert routes() == {target.partition("?")[0] for target in ROUTES}


def state(site):
    """What a request could have changed: accounts, revocations, and whether the session is good."""
    allowed = site.request("/app/app.cgi", [f"Cookie: auth={site.token}"]).status
    return (allowed, site.authctl("users", "list", "--json").stdout,
            site.authctl("revocations", "list", "--json").stdout)


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_changed_from_elsewhere(site, route):
    before = state(site)
    assert before[0] == 200
    fields = {name: site.password if value == "PASSWORD" else value for name, value in ROUTES[route].items()}
    for sender, headers in SENDERS.items():
        for kind, (content_type, write) in KINDS.items():
            if sender == "silent" and kind in ("json", "text"):
                continue  # no page sends these without saying where it is from
            for cookies in ([f"Cookie: auth={site.token}"], []):
                answer = site.request(f"/auth/{route}", [*headers, *cookies, f"Content-Type: {content_type}"], "POST",
                                      write(fields).encode())
                case = f"{route}, {sender}, {kind}, {'with' if cookies else 'without'} cookie: {answer.text}"
                # A type that nobody takes is refused as such; who is not signed in may be told that alone.
                assert answer.status in {403, 415} | ({401} if not cookies else set()), case
                assert kind != "form" or answer.status != 415, case
                assert not answer.cookies, case
    assert state(site) == before
