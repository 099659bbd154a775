# SPDX-License-Identifier: Apache-2.0
"""A login service with a blacklist that all services share: the sentences of that design, one by one, with
doc/examples/shared-secret.conf as it is shipped, and the real service in front of it."""

import base64
import json
import re
import subprocess
import time

import pytest

import examples
import harness
import peers
import tokens
from test_login import log_in
from test_logout import DONE, LOCAL_ONLY

ROWS = {
    "S1.1": ("each login gives another token, with a random jti, iat and exp",
             ["test_s1_1_tokens_of_the_service", "test_s1_1_tokens_of_ours", "test_s1_1_login_through_us",
              "test_s1_1_refused_through_us"]),
    "S1.2": ("a logout ends a token by its jti, else by its digest, until its own end",
             ["test_s1_2_ended_for_all", "test_s1_2_until_its_end", "test_s1_2_without_jti"]),
    "S1.3": ("it is durable here, and for all processes; without the shared cache the answer is no",
             ["test_s1_3_killed_and_started_again", "test_s1_3_without_the_shared_cache"]),
    "S1.4": ("a logout is always 200, and says truthfully what it did",
             ["test_s1_4_done", "test_s1_4_only_here"]),
    "S1.5": ("each browser has its own: logging out of one leaves the other alone",
             ["test_s1_5_two_browsers"]),
    "S1.6": ("the three messages, and nothing of a library's",
             ["test_s1_6_messages", "test_s1_6_order"]),
    "S1.7": ("the list costs 100 bytes a token at most, and does not slow down as it grows",
             ["test_s1_7_cost_of_the_list"]),
    "S1.8": ("operators look at the list: list, show, add, remove",
             ["test_s1_8_revocations"]),
    "S1.9": ("a logout clears every cookie, whatever else fails",
             ["test_s1_9_cookies", "test_s1_9_cookies_of_a_bad_token"]),
}
ACCOUNT = {"username": "test@example.com", "password": "password"}


def test_rows():
    assert examples.without_test(ROWS, globals()) == ([], [], [])


def shared(secret, **how):
    return examples.Example("shared-secret", {"secret": secret}, examples.CHEAP, **how)


@pytest.fixture(scope="module")
def secret():
    return peers.new_secret()


@pytest.fixture(scope="module")
def service(secret):
    with peers.Peer("fastapi", JWT_SECRET_KEY=secret) as peer:
        yield peer


@pytest.fixture(scope="module")
def site(secret):
    with shared(secret, processes=2) as running:
        yield running


def login(service):
    """The token of another login at the service."""
    answer = service.post_form("/auth/login", ACCOUNT)
    assert answer.status == 200, answer.text
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 1800)
    return tokens.sensitive(answer.json["access_token"])


def claims(token):
    text = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def log_out(site, token):
    return site.request("/auth/logout", [peers.bearer(token), *examples.JSON], "POST", b"")


def refused(site, token):
    return examples.told(examples.ask(site, token))


def rows(site, *words, **how):
    """What authctl revocations tells, an object a line."""
    return [json.loads(line) for line in site.authctl("revocations", *words, "--json", **how).stdout.splitlines()]


@pytest.fixture(scope="module")
def proxy(secret, service):
    """upstream-fastapi.conf: its login page, its accounts, its tokens."""
    with examples.Example("upstream-fastapi", {"jwt-secret-key": secret},
                          {"http://127.0.0.1:8000": service.url, **examples.UNLIMITED}) as running:
        yield running


REVOKED = (401, "token_revoked", "Token has been invalidated")


def test_s1_1_tokens_of_the_service(site, service):
    first, second = login(service), login(service)
    assert claims(first)["jti"] != claims(second)["jti"]
    assert {peers.user(site, peers.bearer(token)) for token in (first, second)} == {"test@example.com"}


def test_s1_1_tokens_of_ours(site):
    password = site.add_user("ann")
    given = [tokens.sensitive(examples.post(site, "/auth/login", {"username": "ann", "password": password})
                              .json["token"]) for _ in range(3)]
    for token in given:
        assert claims(token)["exp"] - claims(token)["iat"] == 7 * 24 * 3600
        assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", claims(token)["jti"]), "128 bits of base64url or more"
    assert len({claims(token)["jti"] for token in given}) == 3


def test_s1_1_login_through_us(proxy):
    """JSON here, a form there."""
    given = [examples.post(proxy, "/auth/login", ACCOUNT) for _ in range(2)]
    assert [answer.status for answer in given] == [200, 200], given[0].text
    first, second = (tokens.sensitive(answer.json["token"]) for answer in given)
    assert claims(first)["jti"] != claims(second)["jti"]
    assert peers.user(proxy, peers.bearer(first)) == ACCOUNT["username"]
    # Ended here, and there.
    assert log_out(proxy, first).json == DONE
    assert refused(proxy, first) == REVOKED
    assert peers.user(proxy, peers.bearer(second)) == ACCOUNT["username"]


def test_s1_1_refused_through_us(proxy, service):
    wrong = examples.post(proxy, "/auth/login", ACCOUNT | {"password": "wrong"})
    assert (wrong.status, wrong.json["detail"]) == (401, "Incorrect username or password")
    account = {"email": "new@example.com", "password": tokens.password(), "name": "New"}
    assert examples.post(proxy, "/auth/register", account).status == 201
    again = examples.post(proxy, "/auth/register", account)
    assert (again.status, again.json["detail"]) == (400, "Email already registered")
    short = examples.post(proxy, "/auth/register", account | {"password": "short"})
    assert short.status in (400, 422) and isinstance(short.json["detail"], str), "a list there, a text here"


def test_s1_2_ended_for_all(site, service):
    token, other = login(service), login(service)
    assert log_out(site, token).json == DONE
    assert [refused(site, token) for _ in range(8)] == [REVOKED] * 8
    assert peers.user(site, peers.bearer(other)) == "test@example.com"


def test_s1_2_until_its_end(site, secret):
    token = tokens.mint("ann", key=secret, lifetime=3 * 24 * 3600)
    log_out(site, token)
    assert rows(site, "list", "--user", "ann")[0]["expires"] >= claims(token)["exp"]


def test_s1_2_without_jti(site, secret):
    token, other = (tokens.mint("ann", key=secret, drop=["jti"], device=n) for n in range(2))
    log_out(site, token)
    assert refused(site, token) == REVOKED
    assert examples.ask(site, other).status == 200


def test_s1_3_killed_and_started_again(secret, service):
    token = login(service)
    with shared(secret) as site:
        assert log_out(site, token).json == DONE
        for one in site.services.values():
            one.kill()
            one.start()
        assert refused(site, token) == REVOKED


def test_s1_3_without_the_shared_cache(secret):
    """farm.conf, with both servers of the cache away: nobody can say that a token is good."""
    ports = harness.free_ports(2)
    places = {f"10.0.0.{n}:11211": f"127.0.0.1:{port}" for n, port in enumerate(ports, 1)}
    with examples.Example("farm", {"secret": secret}, places) as site:
        token = tokens.mint("ann", key=secret, iss="https://www.example", aud="https://www.example")
        answer = examples.ask(site, token)
        assert examples.told(answer) == (503, "store_unavailable", "Temporarily unavailable")
        assert int(answer.header("Retry-After")) > 0


def test_s1_4_done(site, service):
    answer = log_out(site, login(service))
    assert (answer.status, answer.json) == (200, DONE)


def test_s1_4_only_here(site):
    """A token that nobody knows, and none at all: logged out here, and it does not claim more."""
    for headers in ([peers.bearer(tokens.mint("ann"))], []):
        answer = site.request("/auth/logout", [*headers, *examples.JSON], "POST", b"")
        assert (answer.status, answer.json) == (200, LOCAL_ONLY)


def test_s1_5_two_browsers(secret):
    with shared(secret, tls=True) as site:
        password = site.add_user("ann")
        a, b = site.browser(), site.browser()
        for browser in (a, b):
            assert log_in(browser, "ann", password).status == 303
        kept = dict(a.jar)
        tokens.sensitive(kept["__Host-auth"])
        assert a.jar["__Host-auth"] != b.jar["__Host-auth"]
        assert [browser.get(peers.APP).status for browser in (a, b)] == [200, 200]
        done = a.post("/auth/logout", {})
        assert done.status == 303 and "__Host-auth" not in a.jar
        assert a.get(peers.APP).status == 302
        assert b.get(peers.APP).json["environment"]["REMOTE_USER"] == "ann"
        # Not even with the cookie that somebody has copied.
        a.jar = kept
        assert a.get(peers.APP).status == 302
        assert b.get(peers.APP).status == 200


def test_s1_6_messages(site, secret, service):
    ended, good = login(service), login(service)
    log_out(site, ended)
    assert refused(site, ended) == REVOKED
    assert refused(site, tokens.mint("ann", key=secret, lifetime=-1)) == \
        (401, "token_expired", "Token has expired")
    assert refused(site, tokens.tampered(good)) == (401, "bad_signature", "Invalid token")
    for token in ("x", "x.y.z", tokens.unsigned("ann"), tokens.mint("ann", key=secret, algorithm="HS512")):
        answer = examples.ask(site, token)
        assert (answer.status, answer.json["detail"]) == (401, "Invalid token")
        assert set(answer.json) <= {"error", "detail", "reason", "request_id", "login_url"}
        assert answer.header("WWW-Authenticate").startswith("Bearer ")


def test_s1_6_order(site, secret):
    """The signature counts before everything else: what is not signed is not said to have expired or ended."""
    token = tokens.tampered(tokens.mint("ann", key=secret, lifetime=-1))
    assert refused(site, token) == (401, "bad_signature", "Invalid token")


def test_s1_7_cost_of_the_list():
    """What bench/growth does to 10,000,000 entries, in small. How fast a verification is: bench/run."""
    text = subprocess.run([harness.BUILD_DIR / "bench" / "store", "1000", "10000"], check=True, capture_output=True,
                          text=True, timeout=60).stdout
    small, large = ([float(word) for word in line.split()] for line in text.splitlines()[1:3])
    assert large[3] <= 100, f"{large[3]} bytes an entry"
    assert large[1] < 4 * small[1] and large[2] < 4 * small[2]


def test_s1_8_revocations(site, secret):
    token = tokens.mint("operator", key=secret)
    row, = rows(site, "add", "--token", "-", text=token)
    assert refused(site, token) == REVOKED
    shown, = rows(site, "show", row["key"])
    assert shown in rows(site, "list", "--user", "operator")
    assert shown["expires"] >= time.time()
    site.authctl("revocations", "remove", row["key"])
    assert examples.ask(site, token).status == 200


def cleared(answer):
    return {name for name, (value, attributes) in answer.cookies.items()
            if value == "" and attributes["max-age"] == "0" and attributes["path"] == "/"}


def same_origin(site):
    return [f"Origin: {examples.origin(site)}", "Sec-Fetch-Site: same-origin", *examples.JSON]


def test_s1_9_cookies(site, service):
    token = login(service)
    pieces = {f"session.{n}": token[n * 100:(n + 1) * 100] for n in range(-(-len(token) // 100))}
    for cookies in ({"session": token}, pieces):
        answer = site.request("/auth/logout", [peers.cookie_line(cookies), *same_origin(site)], "POST", b"")
        assert answer.status == 200 and set(cookies) <= cleared(answer)


def test_s1_9_cookies_of_a_bad_token(site):
    for value in ("rubbish", "", tokens.mint("ann", lifetime=-9999)):
        line = f"Cookie: session={value}; session.0=x; session.1=y"
        answer = site.request("/auth/logout", [line, *same_origin(site)], "POST", b"")
        assert (answer.status, answer.json) == (200, LOCAL_ONLY)
        assert {"session", "session.0", "session.1"} <= cleared(answer)
