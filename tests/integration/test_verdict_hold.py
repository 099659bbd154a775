# SPDX-License-Identifier: Apache-2.0
"""AUTH_CACHE: which allows auth-verify says may be kept, for how long, and for which requests."""

import subprocess
import time

import pytest

import generation
import harness
import session_server
import tokens
import ways
from generation import ask, fresh, hold, parameters
from profile_service import Service

SECTIONS = {
    'issuer "main"': {"leeway": "30s", "require-exp": "off"},
    'policy "site"': {"path-user": None},
    'policy "users"': {"path": "/u/**", "path-user": "/u/{user}/**"},
    'policy "short"': {"path": "/short/**", "verdict-ttl": "7s"},
    'policy "never"': {"path": "/never/**", "verdict-ttl": "0"},
    'policy "young"': {"path": "/young/**", "max-age": "30s"},
    'policy "seen"': {"path": "/seen/**", "local-user": "on", "local-user-refresh": "9s"},
    'policy "keys"': {"path": "/keys/**", "token-from": "bearer, api-key"},
    'policy "query"': {"path": "/query/**", "token-from": "bearer, query:token"},
    'policy "socket"': {"path": "/socket/**", "token-from": "bearer, websocket-protocol"},
    'policy "cors"': {"path": "/cors/**", "cors-origin": "https://app.example"},
    'policy "everybody"': {"path": "/everybody/**", "unauthenticated": "anonymous"},
}


@pytest.fixture(scope="module", params=["fastcgi", "libfcgi"])
def site(request):
    made = generation.site(transport=request.param, sections=SECTIONS)
    made.services["verify"].start()
    yield made
    made.close()


@pytest.fixture
def make():
    made = []

    def one(**how):
        made.append(generation.site(**how))
        made[-1].services["verify"].start()
        return made[-1]

    yield one
    for each in made:
        each.close()


def held(site, token=None, target="/app/page.txt", **more):
    return hold(ask(site, parameters(token or fresh(), target, **more)))


@pytest.mark.parametrize("policy, target, want", [
    ("site", "/app/page.txt", (60, "policy")),
    (None, "/app/page.txt", (60, "path")),
    ("users", "/u/alice/page", (60, "path")),
    (None, "/u/alice/page", (60, "path")),
    ("short", "/any", (7, "policy")),
    ("never", "/any", None),
    ("seen", "/any", (9, "policy")),
    ("keys", "/any", None),
    ("query", "/any", None),
    ("socket", "/any", None),
    ("cors", "/any", None),
])
def test_how_long_and_for_what(site, policy, target, want):
    assert held(site, target=target, AUTH_POLICY=policy) == want


def test_not_beyond_the_end_of_the_token(site):
    seconds, scope = held(site, fresh(lifetime=10))
    assert seconds in (8, 9) and scope == "policy"
    assert held(site, fresh(lifetime=-5)) is None, "the leeway is for requests under way"
    assert held(site, fresh(drop=("exp",)), AUTH_POLICY="short") == (7, "policy")


def test_not_beyond_max_age(site):
    seconds, _ = held(site, fresh(iat=int(time.time()) - 20), AUTH_POLICY="young")
    assert seconds in (8, 9)
    assert held(site, fresh(iat=int(time.time()) - 30), AUTH_POLICY="young") is None


@pytest.mark.parametrize("more", [
    {"AUTH_CACHE_WANTED": None}, {"AUTH_CACHE_WANTED": ""}, {"AUTH_CACHE_WANTED": "0"},
    {"AUTH_CACHE_WANTED": None, "HTTP_AUTH_CACHE_WANTED": "1"},
    {"REQUEST_METHOD": "OPTIONS"},
    {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"}, {"HTTP_UPGRADE": "h2c, WebSocket"},
    {"HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ=="},
    {"AUTH_EFFECTIVE_PATH": "/short/page", "AUTH_POLICY": None},
], ids=str)
def test_not_kept(site, more):
    assert held(site, **more) is None


def test_what_is_served_under_the_same_policy(site):
    assert held(site, AUTH_EFFECTIVE_PATH="/app/other.txt", AUTH_POLICY=None) == (60, "path")
    assert held(site, AUTH_EFFECTIVE_PATH="/short/page") == (60, "policy"), "the policy was named"


def test_methods_and_cookies(site):
    for method in ("HEAD", "POST", "PUT", "DELETE", "PATCH"):
        assert held(site, REQUEST_METHOD=method) == (60, "policy")
    assert held(site, HTTP_AUTHORIZATION=None, HTTP_COOKIE=f"a=b; auth={fresh()}") == (60, "policy")


def test_nobody_and_denials(site):
    answer = ask(site, parameters(None, AUTH_POLICY="everybody"))
    assert answer.status == 200 and hold(answer) is None
    assert held(site, AUTH_POLICY="everybody") == (60, "policy"), "somebody, where nobody has to be"
    for token in (None, "x.y.z", fresh(lifetime=-3600), tokens.tampered(fresh())):
        answer = ask(site, parameters(token, HTTP_ACCEPT="application/json"))
        assert answer.status == 401 and "AUTH_CACHE" not in answer.variables


def test_a_key_under_a_policy_that_takes_some(site):
    key = tokens.sensitive(site.authctl("api-keys", "add", "--owner", "alice").stdout.strip())
    answer = ask(site, parameters(key, AUTH_POLICY="keys"))
    assert answer.variables["AUTH_API_KEY_ID"] and hold(answer) is None


def test_plain_cgi(site):
    """Nobody would notice that a file has changed."""
    sent = parameters(fresh())
    done = subprocess.run([harness.program("auth-verify"), "-c", str(site.configuration)],
                          env=harness.environment() | {"GATEWAY_INTERFACE": "CGI/1.1"} | sent, capture_output=True,
                          check=True)
    assert b"Variable-REMOTE_USER: alice\r\n" in done.stdout and b"AUTH_CACHE" not in done.stdout
    assert ways.run(site, "verify", "/app/page.txt", [f"Authorization: Bearer {fresh()}"]).status == 200


@pytest.mark.parametrize("changes", [
    {"server": {"log-allow": "on"}},
    {"store": {"memcached": "127.0.0.1:1", "on-failure": "local"}},
], ids=["each is logged", "many hosts"])
def test_sites_where_nothing_is_kept(make, changes):
    assert held(make(sections=changes)) is None


def test_a_profile(make):
    service = Service()
    site = make(sections={
        'profile "p"': {"url": service.url, "api-key": "text:" + "k" * 32, "ttl": "3s", "stale": "1h",
                        "negative-ttl": "9s", "not-found": "allow", "allow-plain-http": "on"},
        'policy "site"': {"profile": "p", "path-user": None}})
    try:
        seconds, _ = held(site)
        assert seconds in (1, 2, 3)
        harness.wait_for("an old profile", lambda: held(site) is None)
        service.answer_instead = lambda user: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        seconds, _ = held(site, fresh("nobody"))
        assert seconds in (7, 8, 9)
    finally:
        service.close()


def test_an_opaque_session(make):
    """The answer is used again until session-ttl is over: so long may the verdict be kept, and no longer."""
    server = session_server.SessionServer()
    token = tokens.sensitive("A" * 32)
    server.answers[token] = session_server.session(token, "alice")
    site = make(sections={
        'issuer "sessions"': {"type": "better-auth", "session-url": server.url, "session-ttl": "6s",
                              "allow-plain-http": "on"},
        'policy "site"': {"issuer": ["main", "sessions"], "path-user": None}})
    try:
        first, _ = held(site, token)
        assert first in (5, 6)
        harness.wait_for("the half of it", lambda: (held(site, token) or (9,))[0] <= 3)
        assert server.count(token) == 1
    finally:
        server.close()
