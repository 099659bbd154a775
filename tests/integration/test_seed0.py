# SPDX-License-Identifier: Apache-2.0
"""Hybrid verification against a team-management service: the sentences of that design, one by one, with the shipped
examples, real NextAuth and Auth.js servers, and a profile service as the design has it."""

import concurrent.futures
import contextlib
import time

import pytest

import examples
import harness
import peers
import profile_service
import raw_server
import test_api_keys
import test_peers_nextauth
import test_team
import test_websocket
import tokens
import websocket

ROWS = {
    "S0.1": ("HS256 and HS512 tokens are verified here with the shared secret; sub is required, exp checked; no call "
             "on the path of a valid token",
             ["test_s0_1_algorithms", "test_s0_1_refused", "test_s0_1_no_call"]),
    "S0.2": ("the real session cookies of NextAuth v4 and Auth.js v5, chunked ones too",
             ["test_s0_2_session_cookies", "test_s0_2_chunks", "test_s0_2_secrets",
              "test_s0_2_sign_in_through_us"]),
    "S0.3": ("the user is fetched by id with X-API-Key",
             ["test_s0_3_question", "test_s0_3_wrong_key"]),
    "S0.4": ("the user is kept for ten minutes: calls fall by 99 %",
             ["test_s0_4_one_call"]),
    "S0.5": ("known users go on while the service is down, for a time; then 503 with Retry-After",
             ["test_s0_5_service_down"]),
    "S0.6": ("18 fields, with fallbacks and defaults, for the application",
             ["test_s0_6_fields"]),
    "S0.7": ("the right status each time: 401, 403, 503",
             ["test_s0_7_no_token", "test_s0_7_bad_token", "test_s0_7_inactive_and_unknown",
              "test_s0_7_unreachable"]),
    "S0.8": ("a local record of each user with an id of its own",
             ["test_s0_8_local_user"]),
    "S0.9": ("API keys for machine clients: hashed, scoped, revocable",
             ["test_s0_9_api_key", "test_s0_9_scope", "test_s0_9_end_of_a_key"]),
    "S0.10": ("the token from a WebSocket's handshake; bounded calls",
              ["test_s0_10_websocket", "test_s0_10_query_and_cookie", "test_s0_10_bounded_calls"]),
    "S0.11": ("a redirect of the profile service is an error, and never followed",
              ["test_s0_11_redirect"]),
}
ANN = test_peers_nextauth.ANN
UNAVAILABLE = (503, "profile_unavailable", "Temporarily unavailable")


def test_rows():
    assert examples.without_test(ROWS, globals()) == ([], [], [])


# --- the team's service, and tokens of an application that shares a secret ----------------------------------

class Team(examples.Example):
    def __init__(self, url, key="key", places=(), **more):
        self.shared = peers.new_secret() + peers.new_secret()
        super().__init__("team", {"team-secret": self.shared, "team-api-key": key},
                         {"http://127.0.0.1:8000": url, **dict(places)}, **more)

    def token(self, user=ANN, **changes):
        return tokens.mint(user, key=self.shared, **changes)

    def ask(self, user=ANN, target=peers.APP, **changes):
        return examples.ask(self, self.token(user, **changes), target)

    def refusal(self, user=ANN, **changes):
        return examples.told(self.ask(user, **changes))


@pytest.fixture(scope="module")
def key():
    return peers.new_secret()


@pytest.fixture(scope="module")
def service(key):
    with peers.Peer("fastapi", API_KEY=key) as peer:
        yield peer


@pytest.fixture(scope="module")
def team(service, key):
    with Team(service.url, key) as site:
        yield site


def calls(service):
    return service.get("/_test/calls").json["users"]


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_s0_1_algorithms(team, algorithm):
    assert examples.environment(team, peers.bearer(team.token(algorithm=algorithm)))["REMOTE_USER"] == ANN
    # As the session cookie of that application, too.
    assert peers.user(team, peers.cookie_line({"team_session": team.token(algorithm=algorithm)})) == ANN


@pytest.mark.parametrize("changes, reason, detail", [
    ({"drop": ["sub"]}, "bad_claim", "Invalid token"),
    ({"drop": ["exp"]}, "bad_claim", "Invalid token"),
    ({"lifetime": -1}, "token_expired", "Token has expired"),
    ({"algorithm": "HS384"}, "bad_algorithm", "Invalid token"),
], ids=["no sub", "no exp", "expired", "another algorithm"])
def test_s0_1_refused(team, changes, reason, detail):
    assert team.refusal(**changes) == (401, reason, detail)


def test_s0_1_no_call(team, service):
    """A token is decided without anybody being asked: a user who is known costs no call, whatever the token."""
    assert team.ask().status == 200
    before = calls(service)
    assert {team.ask(jti=f"another-{n}").status for n in range(5)} == {200}
    assert team.refusal(lifetime=-1)[0] == 401
    assert calls(service) == before


def test_s0_3_question():
    """What is asked, byte by byte."""
    service, key = profile_service.Service(), peers.new_secret()
    with contextlib.closing(service), Team(f"http://127.0.0.1:{service.port}", key) as site:
        assert site.ask("ann/1").status == 200
    line, *fields = service.requests[0].splitlines()
    assert line == "GET /api/v1/users/ann%2F1 HTTP/1.1"
    assert f"X-API-Key: {key}" in fields
    assert not any(field.startswith("Authorization") for field in fields)


def test_s0_3_wrong_key(service):
    """403 there is an alarm for the admin, and nothing that a user has done."""
    with Team(service.url, peers.new_secret()) as site:
        assert site.refusal() == UNAVAILABLE
        assert examples.lines_with(site, "verify", "the key is refused", "status 403")


def test_s0_4_one_call(team, service):
    assert (examples.SHIPPED / "team.conf").read_text().count("ttl") == 0, "the default counts"
    before = calls(service)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: team.ask("42").status, range(120)))
    assert answers == [200] * 120
    assert calls(service) - before <= 1


def test_s0_6_fields(team):
    wanted = test_team.FIELDS[ANN]
    got = examples.environment(team, peers.bearer(
        team.token(groups=["dev", "ops"], picture="https://id.example/ann.png")))
    assert {name: got.get(name) for name in wanted} == wanted and len(wanted) == 18


def test_s0_7_no_token(team):
    answer = team.request(peers.APP)
    assert examples.told(answer) == (401, "no_token", "Authentication required")
    assert answer.header("WWW-Authenticate").startswith("Bearer realm=")
    assert "error=" not in answer.header("WWW-Authenticate")


def test_s0_7_bad_token(team):
    for token in (tokens.tampered(team.token()), "x.y.z", tokens.mint(ANN)):
        answer = examples.ask(team, token)
        assert (answer.status, answer.json["detail"]) == (401, "Invalid token")
        assert 'error="invalid_token"' in answer.header("WWW-Authenticate")


def test_s0_7_inactive_and_unknown(team):
    assert team.refusal("u-3") == (403, "user_inactive", "Account is not active")
    assert team.refusal("nobody") == (403, "user_unknown", "Account is not active")


def test_s0_7_unreachable():
    """The design's outer handler makes a 500 of it; here it is 503, with the time to come back."""
    port, = harness.free_ports(1)
    with Team(f"http://127.0.0.1:{port}") as site:
        answer = site.ask()
        assert examples.told(answer) == UNAVAILABLE and int(answer.header("Retry-After")) > 0
        # What is wrong with a token is said all the same.
        assert site.refusal(lifetime=-1)[:2] == (401, "token_expired")


def test_s0_11_redirect(team):
    """/users/me leads to a login page."""
    assert team.refusal("me") == UNAVAILABLE
    assert examples.lines_with(team, "verify", "307")
    trap = raw_server.Server()
    with contextlib.closing(trap), contextlib.closing(profile_service.Service()) as service, \
            Team(f"http://127.0.0.1:{service.port}") as site:
        where = f"Location: http://127.0.0.1:{trap.port}/\r\n".encode()
        service.answer_instead = raw_server.plain(b"", where, b"302 Found")
        assert site.refusal() == UNAVAILABLE
        assert trap.connections == 0 and service.asked == [ANN]


def test_s0_10_bounded_calls():
    """Twenty new users at once, a service that is slow: never more than eight calls at a time."""
    with contextlib.closing(profile_service.Service()) as service, \
            Team(f"http://127.0.0.1:{service.port}") as site:
        service.takes = 0.1
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda n: site.ask(f"user-{n}", "/app/page.txt").status, range(20)))
        assert set(answers) <= {200, 503} and 200 in answers
        assert 1 <= service.most <= 8


# --- sign-in at a portal, profiles from the team ------------------------------------------------------------

@pytest.fixture(scope="module")
def portal():
    """NextAuth v4 and Auth.js v5 in one peer."""
    v4, v5 = [peers.new_secret()], [peers.new_secret(), peers.new_secret()]
    with peers.Peer("authjs", NEXTAUTH_SECRET=v4[0], AUTH_SECRET=",".join(v5)) as peer:
        yield {"nextauth": test_peers_nextauth.Version(peer, "nextauth", "/api/auth", "next-auth.session-token", v4),
               "authjs": test_peers_nextauth.Version(peer, "authjs", "/auth", "authjs.session-token", v5)}


@pytest.fixture(scope="module", params=["nextauth", "authjs"])
def version(portal, request):
    """One of them, behind its example; the peer speaks plain http, which gives the cookie of v5 another name."""
    one = portal[request.param]
    places = {"__Secure-authjs.session-token\n": "authjs.session-token\n"} if request.param == "authjs" else {}
    with examples.Example(request.param, {f"{request.param}-secret": one.secrets[0]}, places) as site:
        one.site_of_example = site
        yield one


def test_s0_2_session_cookies(version):
    site, cookies = version.site_of_example, version.sign_in()
    got = examples.environment(site, peers.cookie_line(cookies))
    assert (got["REMOTE_USER"], got["AUTH_EMAIL"]) == (ANN, "ann@example.com")
    sent_away = site.browser().get("/app/app.cgi")
    assert sent_away.status == 302
    assert sent_away.header("Location").startswith(f"{version.base}/signin?rd=")


def test_s0_2_chunks(version):
    """The real ones have nearly 4 kB; a short one in pieces is the same to read, in any order."""
    token = version.sign_in()[version.cookie]
    pieces = {f"{version.cookie}.{n}": token[n * 40:(n + 1) * 40] for n in range(-(-len(token) // 40))}
    assert f"{version.cookie}.7" in pieces
    for order in (pieces, dict(sorted(pieces.items())), dict(reversed(pieces.items()))):
        assert peers.user(version.site_of_example, peers.cookie_line(order)) == ANN
    del pieces[f"{version.cookie}.3"]
    assert peers.refusal(version.site_of_example, peers.cookie_line(pieces))[0] == 401


def test_s0_2_secrets(version):
    """Signed by another secret, it is refused; the plain HS256 verification that the design has reads none of them."""
    token = version.sign_in()[version.cookie]
    with examples.Example(version.type, {f"{version.type}-secret": peers.new_secret()},
                          {"__Secure-authjs": "authjs"} if version.type == "authjs" else {}) as other:
        assert peers.refusal(other, peers.cookie_line({version.cookie: token}))[0] == 401
    assert token.count(".") == 4 and token.split(".")[1] == ""


def test_s0_2_sign_in_through_us(portal):
    """A page of ours, its Credentials provider: what it answers is a redirect each time, and only one is a login."""
    one = portal["authjs"]
    with examples.Example("upstream-authjs", {"authjs-secret": one.secrets[0]},
                          {"http://127.0.0.1:3000": one.peer.url, **examples.UNLIMITED}) as site:
        answer = examples.post(site, "/auth/login", {"username": "ann", "password": "pw"})
        assert answer.status == 200, answer.text
        cookies = peers.set_cookies(answer)
        assert one.cookie in cookies and not [name for name in cookies if "csrf" in name]
        assert peers.user(site, peers.cookie_line(cookies)) == ANN
        wrong = examples.post(site, "/auth/login", {"username": "ann", "password": "wrong"})
        assert wrong.status == 401 and not wrong.cookies
        out = peers.log_out(site, peers.cookie_line(cookies))
        assert out.cookies[one.cookie][0] == ""
        assert peers.refusal(site, peers.cookie_line(cookies)) == (401, "token_revoked")


def test_s0_5_service_down(portal, key):
    """profile.conf with its times made short: from the cache, then from the old copy, then 503."""
    cookie = "next-auth.session-token"
    places = {"https://team.example": None, "__Secure-next-auth.session-token": cookie,
              "ttl = 10m": "ttl = 100ms", "stale = 1h": "stale = 2s"}
    with contextlib.closing(profile_service.Service()) as service:
        service.profile = lambda user: {"id": user, "email": "ann@team.example", "displayName": "Ann L.",
                                        "role": "ADMIN", "isActive": True, "isLeader": True}
        places["https://team.example"] = f"http://127.0.0.1:{service.port}"
        secret = portal["nextauth"].secrets[0]
        with examples.Example("profile", {"nextauth-secret": secret, "team-api-key": key}, places,
                              documents=["leaders"]) as site:
            line = peers.cookie_line({cookie: portal["nextauth"].sign_in()[cookie]})
            assert examples.environment(site, line, target="/leaders/app.cgi")["REMOTE_USER"] == ANN
            assert examples.environment(site, line)["AUTH_ROLE"] == "ADMIN"
            service.go_down()
            refreshed = time.monotonic()
            while time.monotonic() - refreshed < 0.5:  # five times as long as ttl
                assert examples.environment(site, line)["AUTH_EMAIL"] == "ann@team.example"
            answer = harness.wait_for("the end of the old copy", lambda: (
                lambda got: got if got.status != 200 else None)(site.request(peers.APP, [line])))
            assert examples.told(answer) == UNAVAILABLE and int(answer.header("Retry-After")) > 0
            service.come_back()
            harness.wait_for("the service", lambda: site.request(peers.APP, [line]).status == 200)


# --- records, keys of programs, WebSockets ------------------------------------------------------------------

def test_s0_8_local_user():
    secret = peers.new_secret()
    site = examples.Example("local-user", {"secret": secret})
    (site.folder / "state-records").mkdir(mode=0o750)

    def number(user, **claims):
        token = tokens.mint(user, key=secret, iss="https://www.example.org", **claims)
        return examples.environment(site, peers.bearer(token))["AUTH_LOCAL_USER_ID"]
    with site:
        ann, bob = number("ann"), number("bob")
        assert ann.isdigit() and ann != bob
        assert number("ann", email="new@example.org", name="Ann") == ann


@pytest.fixture(scope="module")
def keyed():
    documents = ["api", "api/users/ann", "api/users/bob", "hooks"]
    with examples.Example("api-keys", {"secret": peers.new_secret()}, documents=documents) as site:
        yield site


def test_s0_9_api_key(keyed):
    key = test_api_keys.key_of(keyed, "ann", "--name", "Nightly backup", "--scope", "read", "--expires", "365d",
                               "--rate", "100/m")
    for header in (f"X-API-Key: {key}", f"Authorization: Bearer {key}"):
        got = examples.environment(keyed, header, target="/api/app.cgi")
        assert (got["REMOTE_USER"], got["AUTH_SCOPE"]) == ("ann", "read")
    assert key not in b"".join(path.read_bytes() for path in keyed.state.iterdir()).decode("latin-1")
    missing = keyed.request("/api/app.cgi")
    assert examples.told(missing) == (401, "no_token", "Authentication required")
    wrong = keyed.request("/api/app.cgi", [f"X-API-Key: {test_api_keys.made_up()}"])
    assert examples.told(wrong) == (401, "unknown_key", "Invalid token")
    # The pages for people take none.
    assert keyed.request(peers.APP, [f"X-API-Key: {key}"]).status == 401


def test_s0_9_scope(keyed):
    reading = test_api_keys.key_of(keyed, "ann", "--scope", "read")
    hooks = test_api_keys.key_of(keyed, "ann", "--scope", "read hooks")
    refused = keyed.request("/hooks/app.cgi", [f"X-API-Key: {reading}"])
    assert examples.told(refused) == (403, "rule_failed", "Not allowed")
    assert keyed.request("/hooks/app.cgi", [f"X-API-Key: {hooks}"]).status == 200
    assert keyed.request("/api/users/ann/app.cgi", [f"X-API-Key: {reading}"]).status == 200
    others = keyed.request("/api/users/bob/app.cgi", [f"X-API-Key: {reading}"])
    assert examples.told(others) == (403, "user_mismatch", "User ID mismatch")


def test_s0_9_end_of_a_key(keyed):
    key = test_api_keys.key_of(keyed, "ann")
    assert keyed.request("/api/app.cgi", [f"X-API-Key: {key}"]).status == 200
    keyed.authctl("api-keys", "revoke", test_api_keys.id_of(key))
    refused = keyed.request("/api/app.cgi", [f"X-API-Key: {key}"])
    assert examples.told(refused) == (401, "unknown_key", "Invalid token")


@pytest.fixture(scope="module")
def sockets():
    with websocket.Application(*harness.free_ports(1)) as application:
        more = test_websocket.LIGHTTPD.replace("/ws/", "/(chat|downloads)/") % application.port
        secret = peers.new_secret()
        with examples.Example("websocket-cors", {"secret": secret}, more=more) as site:
            yield site, lambda **claims: tokens.mint("ann", key=secret, iss="https://sso.example",
                                                     **{"aud": "api"} | claims)


def handshake(site, target, *headers):
    """(status, what the application saw)"""
    with websocket.Client(site.port, target, headers, f"127.0.0.1:{site.port}") as client:
        return client.status, client.seen


def test_s0_10_websocket(sockets):
    site, token = sockets
    status, seen = handshake(site, "/chat/room", f"Sec-WebSocket-Protocol: chat, bearer.{token()}",
                             "Origin: https://app.example")
    assert (status, seen["x-auth-user"], seen["sec-websocket-protocol"]) == (101, "ann", "chat")
    assert handshake(site, "/chat/room")[0] == 401
    assert handshake(site, "/chat/room", f"Sec-WebSocket-Protocol: chat, bearer.{token(lifetime=-1)}")[0] == 401


def test_s0_10_query_and_cookie(sockets):
    """A cookie is believed from the site's own pages and those that are named; a query where it is allowed."""
    site, token = sockets
    cookie = f"Cookie: __Host-auth={token()}"
    assert handshake(site, "/chat/room", cookie, "Origin: https://app.example")[0] == 101
    assert handshake(site, "/chat/room", cookie, "Origin: https://evil.example")[0] == 403
    assert handshake(site, f"/downloads/x?ticket={token()}")[0] == 101
    assert handshake(site, f"/chat/room?ticket={token()}")[0] == 401
    old = token(iat=int(time.time()) - 120)
    assert handshake(site, f"/downloads/x?ticket={old}")[0] == 403
