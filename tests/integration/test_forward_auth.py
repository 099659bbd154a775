# SPDX-License-Identifier: Apache-2.0
"""Proxies that ask over HTTP, with the configuration that doc/guide/forward-auth.md shows."""

import json
import re
import urllib.parse

import pytest

import applications
import harness
import tokens
from tokens import mint

SERVERS = ["caddy", "haproxy"]


@pytest.fixture(scope="module")
def application():
    with applications.Echo(*harness.free_ports(1)) as server:
        yield server


@pytest.fixture(scope="module", params=SERVERS)
def site(request, application):
    with harness.Site(server=request.param, transport="http", backend=application.port) as running:
        yield running


def bearer(token):
    return f"Authorization: Bearer {token}"


def seen(answer):
    assert answer.status == 200, answer
    return {name.lower(): value for name, value in answer.json["headers"]}


def test_allowed(site):
    for method, body in ("GET", None), ("POST", b"x" * 100000), ("PUT", b"y"):
        answer = site.request("/app/page?a=b", [bearer(mint())], method, body)
        assert seen(answer)["x-auth-user"] == "alice"
        assert answer.json["length"] == len(body or b"")


def test_denied(site):
    answer = site.request("/app/page", [bearer(mint(lifetime=-100))])
    assert (answer.status, answer.json["reason"]) == (401, "token_expired")
    assert 'error="invalid_token"' in answer.header("WWW-Authenticate")
    assert answer.header("Cache-Control") == "no-store"
    answer = site.request("/users/bob/x", [bearer(mint())])
    assert (answer.status, answer.json["reason"]) == (403, "user_mismatch")
    answer = site.request("/admin/x", ["Accept: text/html", "Sec-Fetch-Mode: navigate"])
    assert (answer.status, answer.json["reason"]) == (401, "no_token")
    answer = site.request("/app/page?a=b", ["Accept: text/html", "Sec-Fetch-Mode: navigate"])
    assert answer.status == 302 and answer.header("Location") == "/auth/login?rd=/app/page%3Fa%3Db"
    for method in "POST", "OPTIONS", "DELETE", "HEAD":
        assert site.request("/app/page", [], method).status == 401
    assert site.request("/app/page", [], "POST", b"z" * 50000, chunked=True).status == 401


@pytest.mark.parametrize("forged", [
    ["X-Forwarded-Uri: /users/alice/x"], ["X-Forwarded-Method: OPTIONS"], ["X-Forwarded-Host: intern.example"],
    ["X-Original-URI: /users/alice/x"], ["X_Forwarded_Uri: /users/alice/x"],
    ["X-Forwarded-Uri: /users/alice/x", "X-Forwarded-Uri: /users/alice/y"]])
def test_the_original_request_decides(site, forged):
    answer = site.request("/users/bob/x", [bearer(mint()), *forged])
    assert (answer.status, answer.json["reason"]) == (403, "user_mismatch")


def test_the_client(site):
    """The address in the log is that of whoever connected to the proxy, whatever was sent along."""
    before = len(site.log_text("verify").splitlines())
    for forged in [], ["X-Forwarded-For: 6.6.6.6"], ["X-Real-IP: 6.6.6.6"], ["Forwarded: for=6.6.6.6"]:
        assert site.request("/app/page", forged).status == 401
    lines = site.log_text("verify").splitlines()[before:]
    assert len(lines) == 4 and all("event=deny client=127.0.0.1 " in line for line in lines), lines


@pytest.mark.parametrize("name", ["X-Auth-User", "x-auth-user", "X_Auth_User", "X-Auth_User", "x_auth_USER",
                                  "X-Auth-Email", "X_Auth_Email", "X-Auth-Admin", "Variable-AUTH_USER_ID"])
def test_forged_identity(site, name):
    """Never the client's own, in no spelling: also where the token has no such claim."""
    for token in mint(), mint(drop=("email",)):
        got = seen(site.request("/app/page", [bearer(token), f"{name}: mallory"]))
        assert "mallory" not in json.dumps(got), got
        assert got["x-auth-user"] == "alice"
    assert site.request("/app/page", [f"{name}: mallory"]).status == 401


def test_login_and_logout(site):
    password = site.add_user("dora")
    browser = site.browser()
    target = browser.get("/app/page?a=1").header("Location")
    answer = browser.submit(browser.get(target), target, {"username": "dora", "password": password})
    for value in browser.jar.values():
        tokens.sensitive(value)
    assert answer.status == 303, answer.text
    back = urllib.parse.urlsplit(answer.header("Location"))._replace(scheme="", netloc="").geturl()
    assert back == "/app/page?a=1" and seen(browser.get(back))["x-auth-user"] == "dora"
    # The client of a failed login.
    wrong = site.browser()
    page = wrong.get(target)
    assert wrong.submit(page, target, {"username": "dora", "password": "x" * 20}).status == 401
    assert re.search(r"event=login_failed client=127\.0\.0\.1 ", site.log_text("login"))
    assert browser.submit(browser.get("/auth/logout"), "/auth/logout", {}).status == 303
    assert browser.get("/app/page").status == 302


def test_the_query_of_the_client_is_no_order(application):
    """A slip in Caddy's configuration, with which the client's query comes along: it names no policy."""
    def slip(_, text):
        return text.replace("uri /forwarded?\n", "uri /forwarded\n")

    with harness.Site(server="caddy", transport="http", backend=application.port, edit=slip) as site:
        assert site.request("/app/page", [bearer(mint())]).status == 200
        for query in "policy=site", "a=b", "policy=site&policy=site", "preflight=answer":
            assert site.request(f"/admin/page?{query}", [bearer(mint())]).status == 400
            assert site.request(f"/app/page?{query}", [bearer(mint())]).status == 400


def test_nobody_answers(site):
    """Closed when auth-verify is away. The last test: it does not come back."""
    assert site.services["verify"].stop() == [0]
    site.services["verify"].socket.close()
    assert site.request("/app/page", [bearer(mint())]).status in (500, 502, 503, 504)
