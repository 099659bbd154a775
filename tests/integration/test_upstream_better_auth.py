# SPDX-License-Identifier: Apache-2.0
"""A real Better Auth server behind auth-login-proxy: its sessions, in its own cookies."""

import pytest

import peers
import tokens
from upstreams import COOKIE, Upstream, kept, log_out, no_session, refused, shown, sign_in

BASE = "http://127.0.0.1:3000"
SESSION, CACHE = "better-auth.session_token", "better-auth.session_data"
ANN = {"email": "ann@example.org", "password": tokens.sensitive("a long password"), "name": "Ann \u00e9"}


def serve(peer, secret, **places):
    return Upstream("better-auth", "better-auth-secret", secret, peer, BASE, places)


@pytest.fixture(scope="module", params=["compact", "none"])
def portal(request):
    secret = peers.new_secret()
    with peers.Peer("better-auth", BETTER_AUTH_SECRET=secret, CACHE=request.param) as peer, \
            serve(peer, secret) as site:
        site.cache = request.param
        made = kept(site.post("/auth/register", ANN))
        assert made.status == 200, made.text
        site.user = made.json["user"]["id"]
        yield site


def log_in(site, **changes):
    fields = {"email": ANN["email"], "password": ANN["password"]} | changes
    return kept(site.post("/auth/login", fields))


def test_registration_begins_a_session(portal):
    answer = kept(portal.post("/auth/signup", ANN | {"email": "bob@example.org"}))
    assert answer.status == 200 and answer.json["user"]["email"] == "bob@example.org"
    assert peers.user(portal, peers.cookie_line(peers.set_cookies(answer))) == answer.json["user"]["id"]
    again = no_session(portal, portal.post("/auth/register", ANN))
    assert refused(again) == (422, "User already exists. Use another email.")
    short = no_session(portal, portal.post("/auth/register", ANN | {"email": "c@example.org", "password": "short"}))
    assert refused(short) == (400, "Password too short")
    assert portal.post("/auth/register", {"email": "c@example.org", "password": ANN["password"]}).status in (400, 422)


def test_login(portal):
    answer = log_in(portal)
    assert answer.status == 200, answer.text
    assert answer.json["message"] == "Login successful" and answer.json["user"]["id"] == portal.user
    names = {SESSION} | ({CACHE} if portal.cache == "compact" else set())
    assert set(peers.set_cookies(answer)) == names, "each of them, on a line of its own, and no other"
    assert len(answer.all("Set-Cookie")) == len(answer.cookies)
    for _, attributes in answer.cookies.values():
        assert {"httponly", "secure"} <= set(attributes) and attributes["path"] == "/"
    assert int(answer.cookies[SESSION][1]["max-age"]) == 604800
    assert peers.user(portal, peers.cookie_line(peers.set_cookies(answer))) == portal.user


def test_login_that_ends_with_the_browser(portal):
    answer = log_in(portal, rememberMe=False)
    assert "max-age" not in answer.cookies[SESSION][1]
    assert "better-auth.dont_remember" in answer.cookies


def test_login_of_a_page(portal):
    browser = portal.browser()
    sent = browser.get("/app/app.cgi")
    answer = sign_in(browser, ANN["email"], ANN["password"], sent.header("Location"))
    assert answer.status == 303 and answer.header("Location").endswith("/app/app.cgi")
    assert COOKIE not in answer.cookies, "its session is in its own cookies"
    assert browser.get("/app/app.cgi").json["environment"]["REMOTE_USER"] == portal.user


def test_wrong_password(portal):
    for email in (ANN["email"], "nobody@example.org"):
        answer = no_session(portal, log_in(portal, email=email, password="wrong"))
        assert refused(answer) == (401, "Invalid email or password")
        assert "INVALID_EMAIL" not in answer.text
    page = no_session(portal, sign_in(portal.browser(), ANN["email"], "wrong"))
    assert page.status == 401 and shown(page) == "Invalid email or password"


def test_profile(portal):
    line = peers.cookie_line(peers.set_cookies(log_in(portal)))
    profile = portal.request("/auth/profile", [line])
    assert profile.status == 200 and profile.json["user"]["email"] == ANN["email"], profile.text
    assert portal.request("/auth/verify-token", [line]).json["valid"] is True
    assert portal.request("/auth/profile", ["Accept: application/json"]).status == 401


def test_logout(portal):
    """It wants an Origin with its cookies; four lines of Set-Cookie come, of which none is the client's matter."""
    cookies = peers.set_cookies(log_in(portal))
    line = peers.cookie_line(cookies)
    answer = log_out(portal, line)
    assert answer.cookies[SESSION][0] == "" and answer.cookies[SESSION][1]["max-age"] == "0"
    assert portal.peer.get("/api/auth/get-session", [peers.cookie_line({SESSION: cookies[SESSION]})]).text == "null"
    assert portal.request("/app/app.cgi", [line]).status != 200
    log_out_again = portal.request("/auth/verify-token", [line])
    assert log_out_again.status == 401


def test_session_that_was_ended_there(portal):
    """Its own logout: the profile and verify-token know at once, as they ask; what is cached holds for its time."""
    cookies = peers.set_cookies(log_in(portal))
    line = peers.cookie_line(cookies)
    ended = portal.peer.post("/api/auth/sign-out", None, [line, f"Origin: {portal.peer.url}"])
    assert ended.json == {"success": True}
    answer = portal.request("/auth/verify-token", [peers.cookie_line({SESSION: cookies[SESSION]})])
    assert answer.status == 401 and answer.json.get("valid") is None


def test_passwords_and_addresses(portal):
    forgot = portal.post("/auth/forgot-password", {"email": ANN["email"]})
    assert forgot.status == 400 and "reset" in forgot.json["detail"].lower(), forgot.text
    reset = portal.post("/auth/reset-password", {"token": "x", "password": tokens.password()})
    assert refused(reset) == (400, "Invalid token")
    verify = portal.post("/auth/verify-email", {"token": "a b&c=/"})
    assert verify.status == 401 and "token" in verify.json["detail"].lower()


def test_health(portal):
    assert portal.request("/auth/auth-server-health").json == {"status": "ok"}


# --- another origin, another secret, another way --------------------------------------------------

def test_an_origin_that_it_does_not_want():
    secret = peers.new_secret()
    with peers.Peer("better-auth", BETTER_AUTH_SECRET=secret) as peer:
        with serve(peer, secret, **{f"origin = {peer.url}": "origin = http://evil.example"}) as site:
            answer = no_session(site, site.post("/auth/register", ANN))
            assert answer.status == 502, answer.text
            assert any("[upstream] origin" in line for line in site.lines())


def test_sessions_with_another_secret():
    with peers.Peer("better-auth", BETTER_AUTH_SECRET=peers.new_secret()) as peer, \
            serve(peer, peers.new_secret()) as site:
        answer = no_session(site, site.post("/auth/register", ANN))
        assert answer.status == 502
        assert any("same secret on both sides?" in line for line in site.lines())


def test_a_token_in_exchange_for_the_session():
    """A login that gives a token that anybody can verify by the public keys: our cookie has it."""
    secret = peers.new_secret()
    with peers.Peer("better-auth", BETTER_AUTH_SECRET=secret) as peer:
        places = {"session = cookies": "exchange = /api/auth/token",
                  "type = better-auth\n": f"type = better-auth\njwks = {peer.url}/api/auth/jwks\niss = {peer.url}\n"
                                          f"audience = {peer.url}\n"}
        with serve(peer, secret, **places) as site:
            made = site.post("/auth/register", ANN)
            token = tokens.sensitive(made.json["token"])
            assert token.count(".") == 2 and peers.user(site, peers.bearer(token)) == made.json["user"]["id"]
            browser = site.browser()
            assert sign_in(browser, ANN["email"], ANN["password"]).status == 303
            assert peers.user(site, peers.cookie_line({COOKIE: browser.jar[COOKIE]})) == made.json["user"]["id"]


def test_limits_of_its_own():
    secret = peers.new_secret()
    with peers.Peer("better-auth", BETTER_AUTH_SECRET=secret, RATE="1") as peer, serve(peer, secret) as site:
        for _ in range(10):
            answer = log_in(site, password="wrong")
            if answer.status == 429:
                break
        assert answer.status == 429 and answer.json["reason"] == "rate_limited"
