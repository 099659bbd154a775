# SPDX-License-Identifier: Apache-2.0
"""An auth server in Ruby behind auth-login-proxy: each of its answers, in both shapes it is known to have."""

import re

import pytest

import peers
import tokens
from upstreams import COOKIE, Upstream, kept, log_out, no_session, refused, shown, sign_in

PASSWORD = tokens.sensitive("Secret-pass-9!")
BASE = "http://127.0.0.1:4567"


def serve(peer, secret, **places):
    return Upstream("ruby", "auth-server-secret", secret, peer, BASE, places)


@pytest.fixture(scope="module", params=["doc", "real"])
def ruby(request):
    secret = peers.new_secret()
    with peers.Peer("sinatra", JWT_SECRET=secret, SHAPE=request.param, LOCK_SECONDS="600") as peer, \
            serve(peer, secret) as site:
        site.shape, site.jwt_secret = request.param, secret
        register(site, "ann")
        yield site


def register(site, name, **changes):
    return site.post("/auth/register", {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
                     | changes)


def log_in(site, name="ann", password=PASSWORD):
    return kept(site.post("/auth/login", {"username": name, "password": password}))


def test_register(ruby):
    answer = register(ruby, "bert")
    assert answer.status == 201, answer.text
    assert answer.json["message"].startswith(("User registered", "Registration successful"))
    assert answer.json["user"]["id"] >= 2
    if ruby.shape == "doc":
        assert answer.json["user"] == {"id": answer.json["user"]["id"], "username": "bert", "is_admin": False,
                                       "email": "bert@example.org", "email_verified": False}
    again = register(ruby, "bert")
    assert refused(again) == (400, "Username or email already exists") and again.json["error"]
    weak = register(ruby, "carl", password="weakweak")
    assert weak.status == 400 and weak.json["detail"].startswith("Password must be at least 8 characters")


@pytest.mark.parametrize("changes", [{"username": "a b"}, {"username": "ab"}, {"username": "x" * 51},
                                     {"username": "j\u00e4n"}, {"username": 5}, {"password": ["x"]},
                                     {"password": ""}, {"email": "a\nb@example.org"}])
def test_register_checks_what_is_sent(ruby, changes):
    answer = register(ruby, "dora", **changes)
    assert answer.status == 400 and answer.json["reason"] == "bad_request"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"username":"ann","username":"bob","password":"x"}', b""])
def test_json_is_read_strictly(ruby, body):
    assert ruby.post("/auth/login", body).status == 400


def test_login(ruby):
    answer = log_in(ruby)
    assert answer.status == 200, answer.text
    assert answer.json["message"] == "Login successful"
    assert answer.json["user"]["username"] == "ann" and answer.json["user"]["is_admin"] is False
    assert str(answer.json["user"]["id"]) == "1"
    assert ("user_id" in answer.json) == (ruby.shape == "real")
    assert peers.user(ruby, peers.bearer(answer.json["token"])) == "1"
    assert not answer.cookies, "a program has no use for one"
    assert log_in(ruby, "ann@example.org").status == 200
    by_email = kept(ruby.post("/auth/signin", {"email": "ann@example.org", "password": PASSWORD}))
    assert by_email.status == 200, by_email.text


def test_login_of_a_page(ruby):
    browser = ruby.browser()
    sent = browser.get("/app/app.cgi?a=1")
    answer = sign_in(browser, "ann", PASSWORD, sent.header("Location"))
    assert answer.status == 303 and answer.header("Location").endswith("/app/app.cgi?a=1")
    assert {"secure", "httponly"} <= set(answer.cookies[COOKIE][1])
    assert browser.get("/app/app.cgi").json["environment"]["AUTH_EMAIL"] == "ann@example.org"
    assert browser.get("/admin/app.cgi").status == 403


def test_admin(ruby):
    register(ruby, "root")
    ruby.peer.post("/_test/admin/root")
    token = log_in(ruby, "root").json["token"]
    assert peers.user(ruby, peers.bearer(token), target="/admin/app.cgi") != "1"


def test_wrong_password(ruby):
    register(ruby, "eve")
    answers = [no_session(ruby, log_in(ruby, name, "wrong")) for name in ("eve", "nobody")]
    assert [refused(answer) for answer in answers] == [(401, "Invalid credentials")] * 2
    page = no_session(ruby, sign_in(ruby.browser(), "eve", "wrong"))
    assert page.status == 401 and shown(page) == "Invalid credentials"


def test_lockout(ruby):
    register(ruby, "fred")
    for _ in range(5):
        assert log_in(ruby, "fred", "wrong").status == 401
    answer = no_session(ruby, log_in(ruby, "fred"))
    assert refused(answer) == (423, "Account locked due to too many failed attempts")
    assert answer.json["reason"] == "account_locked" and 0 < int(answer.header("Retry-After")) <= 600
    page = sign_in(ruby.browser(), "fred", PASSWORD)
    assert page.status == 423 and shown(page) == "Account locked due to too many failed attempts"


def test_profile_and_verify_token(ruby):
    token = log_in(ruby).json["token"]
    profile = ruby.request("/auth/profile", [peers.bearer(token)])
    assert profile.status == 200 and profile.json["claims"]["username"] == "ann" and profile.json["id"] == 1
    valid = ruby.request("/auth/verify-token", [peers.bearer(token)])
    assert valid.json["valid"] is True and valid.json["user"]["is_admin"] is False
    assert ruby.request("/auth/verify-token", ["Accept: application/json"]).status == 401
    log_out(ruby, peers.bearer(token))
    assert refused(ruby.request("/auth/verify-token", [peers.bearer(token)])) == (401, "Token has been invalidated")


def test_verify_email(ruby):
    answer = ruby.peer.post("/register", {"username": "gina", "email": "gina@example.org", "password": PASSWORD})
    code = tokens.sensitive(answer.header("X-Test-Verify-Token"))
    for target in ("/auth/verify-email", "/auth/verify_email"):
        wrong = ruby.post(target, {"token": "x"})
        assert refused(wrong) == (400, "Invalid or expired verification token")
    done = ruby.post("/auth/verify_email", {"token": code})
    assert done.status == 200 and done.json["message"] == "Email verified successfully"


def test_forgot_password(ruby):
    answers = [ruby.post("/auth/forgot_password", {"email": email}) for email in ("ann@example.org", "no@example.org")]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    assert answers[0].json["message"] == "If that email exists, a password reset link has been sent."
    assert not answers[0].all("X-Test-Reset-Token"), "nothing of its headers is passed on"
    assert ruby.post("/auth/forgot-password", {}).status == 400


def test_what_it_has_not_is_not_there(ruby):
    for target in ("/auth/reset-password", "/auth/change-password"):
        assert ruby.post(target, {"token": "x", "password": "y"}).status == 404
    assert ruby.request("/auth/jwks.json", ["Accept: application/json"]).status == 404


def test_health(ruby):
    answer = ruby.request("/auth/auth-server-health")
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert ruby.request("/auth/health").json == {"status": "ok"}
    checked = ruby.authctl("check")
    assert re.search(r"upstream.*answers", checked.stdout), checked.stdout


def test_cross_site(ruby):
    body = {"username": "ann", "password": PASSWORD}
    for lines in (["Origin: https://evil.example"], ["Sec-Fetch-Site: cross-site"]):
        answer = no_session(ruby, ruby.post("/auth/login", body, *lines))
        assert answer.status == 403 and answer.json["reason"] == "cross_site"
    form = b"username=ann&password=x"
    answer = ruby.request("/auth/login", ["Content-Type: application/x-www-form-urlencoded"], "POST", form)
    assert answer.status == 403


# --- servers of their own ---------------------------------------------------------------------

def test_no_limit_is_passed_over():
    secret = peers.new_secret()
    with peers.Peer("sinatra", JWT_SECRET=secret, RATE="1") as peer, serve(peer, secret) as site:
        assert log_in(site, "nobody", "x").status == 401
        answer = log_in(site, "nobody", "x")
        assert refused(answer) == (429, "Too many requests") and answer.header("Retry-After") == "60"


def test_a_token_with_another_secret_is_no_success():
    with peers.Peer("sinatra", JWT_SECRET=peers.new_secret()) as peer, serve(peer, peers.new_secret()) as site:
        register(site, "ann")
        answer = no_session(site, log_in(site))
        assert refused(answer) == (502, "The auth server's answer could not be used")
        page = no_session(site, sign_in(site.browser(), "ann", PASSWORD))
        assert page.status == 502
        line, = {re.sub(r"rid=\S+ ", "", line) for line in site.lines() if "upstream_failed" in line}
        assert "signature does not match: same secret on both sides?" in line
        assert f"url={peer.url}/login" in line or f'url="{peer.url}/login"' in line


def test_the_host_it_wants():
    secret = peers.new_secret()
    hosts = {"# Where PERMITTED_HOSTS of the auth server has a name: host = auth.example": "host = auth.example"}
    with peers.Peer("sinatra", JWT_SECRET=secret, PERMITTED_HOSTS="auth.example,127.0.0.1") as peer:
        with serve(peer, secret, **hosts) as site:
            assert register(site, "ann").status == 201
            assert log_in(site).status == 200


def test_a_host_that_it_does_not_want():
    """Until it is known to be up it is asked by its address; the site asks by the name alone."""
    secret = peers.new_secret()
    hosts = {"# Where PERMITTED_HOSTS of the auth server has a name: host = auth.example": "host = other.example"}
    with peers.Peer("sinatra", JWT_SECRET=secret, PERMITTED_HOSTS="auth.example,127.0.0.1") as peer, \
            serve(peer, secret, **hosts) as site:
        assert log_in(site).status == 502
        assert any("[upstream] host" in line for line in site.lines())


def test_unverified_address():
    secret = peers.new_secret()
    with peers.Peer("sinatra", JWT_SECRET=secret, REQUIRE_VERIFIED="1") as peer, serve(peer, secret) as site:
        register(site, "ann")
        assert refused(log_in(site)) == (401, "Email not verified")


def test_server_away():
    secret = peers.new_secret()
    peer = peers.Peer("sinatra", JWT_SECRET=secret)
    try:
        with serve(peer, secret) as site:
            register(site, "ann")
            token = log_in(site).json["token"]
            peer.close()
            for answer in (log_in(site), register(site, "bert"), site.request("/auth/auth-server-health")):
                assert refused(answer) == (503, "Auth server unavailable") and answer.header("Retry-After")
            assert sign_in(site.browser(), "ann", PASSWORD).status == 503
            assert any("upstream_failed" in line and "/login" in line for line in site.lines())
            # Who is signed in stays it, and can end it.
            assert peers.user(site, peers.bearer(token)) == "1"
            assert site.request("/auth/verify-token", [peers.bearer(token)]).json["valid"] is True
            log_out(site, peers.bearer(token))
            checked = site.authctl("check", check=False)
            assert checked.returncode == 1 and "upstream" in checked.stdout
    finally:
        peer.close()
