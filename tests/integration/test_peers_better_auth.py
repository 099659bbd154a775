# SPDX-License-Identifier: Apache-2.0
"""What a running Better Auth server gives out: cookie caches, API tokens, and sessions that only it knows."""

import contextlib

import pytest

import peers

DATA, SESSION = "better-auth.session_data", "better-auth.session_token"
ACCOUNT = {"email": "ann@example.com", "password": "a long password", "name": "Ann \u201cLab\u201d \u00e9"}


class Server:
    """A peer with one account, and how to sign in there."""

    def __init__(self, **settings):
        self.secret = peers.new_secret()
        self.peer = peers.Peer("better-auth", BETTER_AUTH_SECRET=self.secret, **settings)
        answer = self.peer.post("/api/auth/sign-up/email", ACCOUNT)
        assert answer.status == 200, answer.text
        self.user = answer.json["user"]["id"]

    def sign_in(self):
        answer = self.peer.post("/api/auth/sign-in/email", ACCOUNT)
        assert answer.status == 200, answer.text
        return peers.set_cookies(answer)

    def api_token(self, cookies):
        answer = self.peer.get("/api/auth/token", [peers.cookie_line(cookies)])
        assert answer.status == 200, answer.text
        return answer.json["token"]

    def sign_out(self, cookies):
        answer = self.peer.post("/api/auth/sign-out", None, [peers.cookie_line(cookies), f"Origin: {self.peer.url}"])
        assert answer.json == {"success": True}, answer.text

    @property
    def by_jwks(self):
        return {"jwks": f"{self.peer.url}/api/auth/jwks", "iss": self.peer.url, "audience": self.peer.url}

    @property
    def by_session(self):
        return {"session-url": f"{self.peer.url}/api/auth/get-session"}

    @contextlib.contextmanager
    def site(self, **options):
        with peers.site({"type": "better-auth"} | options) as site:
            yield site


@contextlib.contextmanager
def serve(**settings):
    server = Server(**settings)
    try:
        yield server
    finally:
        server.peer.close()


@pytest.fixture(scope="module", params=["compact", "jwt", "jwe"])
def cached(request):
    with serve(CACHE=request.param) as server, server.site(secret=f"text:{server.secret}") as server.own_site:
        server.strategy = request.param
        yield server


def test_cache(cached):
    """As a browser sends it: with the session's own cookie, which this site does not look at."""
    cookies = cached.sign_in()
    assert {DATA, SESSION} <= set(cookies)
    assert peers.user(cached.own_site, peers.cookie_line(cookies)) == cached.user
    assert peers.user(cached.own_site, peers.cookie_line({DATA: cookies[DATA]})) == cached.user
    assert peers.refusal(cached.own_site, peers.cookie_line({SESSION: cookies[SESSION]}))[0] == 401


def test_cache_with_another_secret(cached):
    cookies = cached.sign_in()
    with cached.site(secret=f"text:{peers.new_secret()}") as other:
        status, reason = peers.refusal(other, peers.cookie_line(cookies))
    assert (status, reason) == (401, "unknown_key" if cached.strategy == "jwe" else "bad_signature")


def test_cache_tampered(cached):
    value = cached.sign_in()[DATA]
    middle = len(value) // 2
    changed = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1:]
    assert peers.refusal(cached.own_site, peers.cookie_line({DATA: changed}))[0] == 401


def test_cache_under_another_name(cached):
    value = cached.sign_in()[DATA]
    for name in ("session_data", f"{DATA}-x", f"__Host-{DATA}"):
        assert peers.refusal(cached.own_site, peers.cookie_line({name: value})) == (401, "no_token")
    assert peers.refusal(cached.own_site, peers.bearer(value))[0] == 401


def test_cache_after_logout(cached):
    cookies, other = cached.sign_in(), cached.sign_in()
    answer = peers.log_out(cached.own_site, peers.cookie_line(cookies))
    assert answer.cookies[DATA][0] == ""
    assert peers.refusal(cached.own_site, peers.cookie_line(cookies)) == (401, "token_revoked")
    if cookies[DATA] != other[DATA]:
        assert peers.user(cached.own_site, peers.cookie_line(other)) == cached.user


@pytest.fixture(scope="module", params=["EdDSA", "ES256", "RS256"])
def signing(request):
    with serve(ALG=request.param) as server, \
            server.site(algorithms=request.param, **server.by_jwks) as server.own_site:
        server.algorithm = request.param
        yield server


def test_api_token(signing):
    token = signing.api_token(signing.sign_in())
    assert peers.user(signing.own_site, peers.bearer(token)) == signing.user
    with signing.site(algorithms=signing.algorithm, **signing.by_jwks | {"audience": "other"}) as other:
        assert peers.refusal(other, peers.bearer(token)) == (401, "bad_audience")
    peers.log_out(signing.own_site, peers.bearer(token))
    assert peers.refusal(signing.own_site, peers.bearer(token)) == (401, "token_revoked")


def test_api_token_of_another_server(signing):
    with serve(ALG=signing.algorithm, ISSUER=signing.peer.url, AUDIENCE=signing.peer.url) as other:
        token = other.api_token(other.sign_in())
        assert peers.refusal(signing.own_site, peers.bearer(token)) == (401, "unknown_key")


def test_cache_signed_by_the_server():
    """The plugin's key signs the cookie cache too: typ and aud keep it apart from API tokens."""
    with serve(CACHE="jwt", ALG="ES256", SESSION_COOKIE_CACHE="1") as server:
        with server.site(algorithms="ES256", **server.by_jwks) as site:
            cookies = server.sign_in()
            token = server.api_token(cookies)
            assert peers.user(site, peers.cookie_line({DATA: cookies[DATA]})) == server.user
            assert peers.user(site, peers.bearer(token)) == server.user
            assert peers.refusal(site, peers.bearer(cookies[DATA]))[0] == 401
            assert peers.refusal(site, peers.cookie_line({DATA: token}))[0] == 401


@pytest.fixture(scope="module")
def opaque():
    with serve(CACHE="none") as server, \
            server.site(secret=f"text:{server.secret}", **server.by_session | {"session-ttl": "1h"}) as server.own_site:
        yield server


def test_session(opaque):
    cookies = opaque.sign_in()
    assert DATA not in cookies
    line = peers.cookie_line(cookies)
    assert peers.user(opaque.own_site, line) == opaque.user
    peers.log_out(opaque.own_site, line)
    assert peers.refusal(opaque.own_site, line) == (401, "token_revoked")


def test_session_as_bearer(opaque):
    """The value that sign-in answers with, and the signed one that the cookie has."""
    answer = opaque.peer.post("/api/auth/sign-in/email", ACCOUNT)
    assert peers.user(opaque.own_site, peers.bearer(answer.json["token"])) == opaque.user


def test_session_forged(opaque):
    value = opaque.sign_in()[SESSION]
    changed = ("A" if value[0] != "A" else "B") + value[1:]
    assert peers.refusal(opaque.own_site, peers.cookie_line({SESSION: changed}))[0] == 401
    with opaque.site(secret=f"text:{peers.new_secret()}", **opaque.by_session) as other:
        assert peers.refusal(other, peers.cookie_line({SESSION: value}))[0] == 401


def test_session_that_has_ended(opaque):
    cookies = opaque.sign_in()
    opaque.sign_out(cookies)
    assert peers.refusal(opaque.own_site, peers.cookie_line(cookies))[0] == 401


def test_session_ended_there_is_remembered_here_for_its_time(opaque):
    """The answer of the server is used again for session-ttl: our own logout is what ends it at once."""
    line = peers.cookie_line(opaque.sign_in())
    with opaque.site(secret=f"text:{opaque.secret}", **opaque.by_session | {"session-ttl": "0"}) as fresh:
        cookies = opaque.sign_in()
        assert peers.user(fresh, peers.cookie_line(cookies)) == opaque.user
        opaque.sign_out(cookies)
        assert peers.refusal(fresh, peers.cookie_line(cookies))[0] == 401
    assert peers.user(opaque.own_site, line) == opaque.user
    peers.log_out(opaque.own_site, line)
    assert peers.refusal(opaque.own_site, line) == (401, "token_revoked")


def test_server_away():
    """Sessions of a server that does not answer are refused with 503: nobody can tell."""
    server = Server(CACHE="none")
    try:
        line = peers.cookie_line(server.sign_in())
        with server.site(secret=f"text:{server.secret}", **server.by_session) as site:
            server.peer.close()
            assert site.request(peers.APP, [line]).status == 503
    finally:
        server.peer.close()
