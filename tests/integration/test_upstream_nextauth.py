# SPDX-License-Identifier: Apache-2.0
"""The Credentials provider of Auth.js v5 and NextAuth v4, as they are, behind auth-login-proxy: all its answers to
a login are redirects."""

import pytest

import peers
import tokens
from upstreams import COOKIE, Upstream, kept, log_out, no_session, refused, shown, sign_in

BASE = "http://127.0.0.1:3000"
ANN = "cmgoip1nt0001s89pzkw7bzlg"
NEXTAUTH = {"type = authjs": "type = nextauth", "authjs.session-token": "next-auth.session-token",
            " = /auth/": " = /api/auth/"}


@pytest.fixture(scope="module", params=["authjs", "nextauth"])
def portal(request):
    secret = peers.new_secret()
    with peers.Peer("authjs", AUTH_SECRET=secret, NEXTAUTH_SECRET=secret) as peer:
        places = NEXTAUTH if request.param == "nextauth" else {}
        with Upstream("authjs", "authjs-secret", secret, peer, BASE, places) as site:
            site.cookie = "authjs.session-token" if request.param == "authjs" else "next-auth.session-token"
            yield site


def test_login(portal):
    answer = kept(portal.post("/auth/login", {"username": "ann", "password": "pw"}))
    assert answer.status == 200, answer.text
    assert answer.json["message"] == "Login successful" and answer.json["user"]["id"] == ANN
    assert answer.json["user"]["email"] == "ann@example.com"
    assert set(peers.set_cookies(answer)) == {portal.cookie}, "the others are between the two servers"
    assert answer.header("Location") is None
    attributes = answer.cookies[portal.cookie][1]
    assert {"httponly", "secure", "expires"} <= set(attributes) and attributes["samesite"] == "Lax"
    assert peers.user(portal, peers.cookie_line(peers.set_cookies(answer))) == ANN


def test_login_of_a_page(portal):
    browser = portal.browser()
    sent = browser.get("/app/app.cgi?a=1")
    answer = sign_in(browser, "ann", "pw", sent.header("Location"))
    assert answer.status == 303 and answer.header("Location").endswith("/app/app.cgi?a=1")
    assert COOKIE not in answer.cookies
    assert browser.get("/app/app.cgi").json["environment"]["AUTH_EMAIL"] == "ann@example.com"


def test_wrong_password(portal):
    for user in ("ann", "nobody"):
        answer = no_session(portal, portal.post("/auth/login", {"username": user, "password": "wrong"}))
        assert refused(answer) == (401, "Invalid user name or password")
        assert answer.json["reason"] == "bad_credentials"
    page = no_session(portal, sign_in(portal.browser(), "ann", "wrong"))
    assert page.status == 401 and shown(page) == "Invalid user name or password"


def test_logout_and_verify_token(portal):
    line = peers.cookie_line(peers.set_cookies(kept(portal.post("/auth/login", {"username": "ann",
                                                                               "password": "pw"}))))
    assert portal.request("/auth/verify-token", [line]).json["valid"] is True
    answer = log_out(portal, line)
    assert answer.cookies[portal.cookie][0] == ""
    assert peers.refusal(portal, line) == (401, "token_revoked")
    assert not [text for text in portal.lines("logout") if "upstream_failed" in text]


def test_health(portal):
    assert portal.request("/auth/auth-server-health").json == {"status": "ok"}


def test_another_secret():
    with peers.Peer("authjs", AUTH_SECRET=peers.new_secret()) as peer, \
            Upstream("authjs", "authjs-secret", peers.new_secret(), peer, BASE) as site:
        answer = no_session(site, site.post("/auth/login", {"username": "ann", "password": "pw"}))
        assert refused(answer) == (502, "The auth server's answer could not be used")
        assert any("same secret on both sides?" in line for line in site.lines())


def test_without_its_proof_of_origin():
    """Where csrf is not configured every login comes back without a session, and is none."""
    secret = tokens.sensitive(peers.new_secret())
    with peers.Peer("authjs", AUTH_SECRET=secret) as peer, \
            Upstream("authjs", "authjs-secret", secret, peer, BASE, {"csrf = /auth/csrf\n": ""}) as site:
        answer = no_session(site, site.post("/auth/login", {"username": "ann", "password": "pw"}))
        assert answer.status == 502
        assert any("MissingCSRF" in line for line in site.lines())
