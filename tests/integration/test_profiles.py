# SPDX-License-Identifier: Apache-2.0
"""Profiles of users through lighttpd: the service of the team, and one that does what no service should."""

import concurrent.futures
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time

import pytest

import harness
import http_client
import peers
import raw_server
import tokens
from profile_service import Service, drip, flood
from raw_server import JSON, chunked, plain

APP, PAGE = "/app/app.cgi", "/app/page.txt"
ANN = "cmgoip1nt0001s89pzkw7bzlg"
ATTRIBUTES = ["AUTH_EMAIL = profile:/email, claim:email", "AUTH_NAME = profile:/displayName, profile:/name, text:none",
              "AUTH_ROLE = profile:/role"]


def profile_site(url, key=None, server=None, processes=1, **options):
    """A site (not started) with [profile "team"]; options with _ for -."""
    given = {"url": url, "active": "/isActive"} | {name.replace("_", "-"): value for name, value in options.items()}
    if key:
        given["api-key"] = f"file:{key}"
    sections = {'profile "team"': given,
                'policy "site"': {"profile": "team", "attribute": ATTRIBUTES, "unauthenticated": "401"}}
    if server:
        sections["server"] = server
    return harness.Site(sections=sections, processes=processes)


def new_key(folder):
    path = folder / f"key-{secrets.token_hex(4)}"
    path.touch(mode=0o600)
    path.write_text(tokens.sensitive("key-" + secrets.token_urlsafe(24)) + "\n")
    return path


@pytest.fixture
def service():
    made = Service()
    yield made
    made.answer_instead = None
    made.go_down()


def bearer(user="alice", **claims):
    return f"Authorization: Bearer {tokens.mint(user, **claims)}"


def ask(site, user="alice", target=APP, **claims):
    """(status, reason or None)"""
    answer = site.request(target, [bearer(user, **claims)])
    return (answer.status, None) if answer.status == 200 else (answer.status, answer.json["reason"])


def environment(site, user):
    answer = site.request(APP, [bearer(user)])
    assert answer.status == 200, answer.text
    return answer.json["environment"]


def timed(site, user="alice"):
    begun = time.monotonic()
    return ask(site, user, PAGE), time.monotonic() - begun


UNAVAILABLE = (503, "profile_unavailable")
OK = (200, None)
#: What a busy machine may take on top of what the configuration says.
SLACK = 5


# --- the team's service ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def team():
    key = new_key(harness.RUN)
    with peers.Peer("fastapi", API_KEY=key.read_text().strip()) as peer, \
            profile_site(f"{peer.url}/api/v1/users/{{user_id}}", key) as site:
        yield peer, site


def test_the_applications_get_the_profile(team):
    peer, site = team
    before = peer.get("/_test/calls").json
    ann = environment(site, ANN)
    assert (ann["AUTH_EMAIL"], ann["AUTH_NAME"], ann["AUTH_ROLE"]) == ("ann@example.com", "Ann L.", "ADMIN")
    zoe = environment(site, "u-2")
    assert (zoe["AUTH_EMAIL"], zoe["AUTH_NAME"]) == ("zoe@example.com", "Zo\u00eb \u5f20")
    assert environment(site, "42")["AUTH_NAME"] == "Int Id"  # its id is a number there
    assert environment(site, ANN)["AUTH_NAME"] == "Ann L."
    after = peer.get("/_test/calls").json
    assert sum(after.values()) - sum(before.values()) == 3


def test_inactive_and_unknown_users_are_refused(team):
    _, site = team
    assert ask(site, "u-3") == (403, "user_inactive")
    assert ask(site, "nobody") == (403, "user_unknown")
    assert ask(site, "..") == (403, "user_unknown")
    # It would be another page: the service's redirect is no profile, and the user's name is no path.
    assert ask(site, "me") == UNAVAILABLE
    assert ask(site, "x/../" + ANN) == (403, "user_unknown")


def test_a_number_is_compared_as_it_is_printed(team):
    _, site = team
    assert ask(site, "042") == (403, "user_unknown")
    assert ask(site, "42.0") == (403, "user_unknown")


def test_a_wrong_key_is_an_alarm():
    key = new_key(harness.RUN)
    with peers.Peer("fastapi", API_KEY="another") as peer, \
            profile_site(f"{peer.url}/api/v1/users/{{user_id}}", key) as site:
        for user in (ANN, "u-2", "u-3", "42", "nobody"):
            assert ask(site, user) == UNAVAILABLE
        alarms = [line for line in site.log_text("verify").splitlines() if "the key is refused" in line]
        assert len(alarms) == 1 and "status 403" in alarms[0]
        # The right one in the file is noticed without a word, and nothing was kept against the users.
        key.write_text("another\n")
        harness.wait_for("the new key", lambda: ask(site, ANN) == OK, 30)
        assert ask(site, "u-2") == OK


# --- what an answer means --------------------------------------------------------------------------------------

def status(line, fields=b"", body=b"{}"):
    return plain(body, JSON + fields, line)


def truncated(_):
    return iter([b"HTTP/1.1 200 OK\r\n" + JSON + b'Content-Length: 100\r\n\r\n{"id":"alice"'])


def of(text, fields=JSON):
    return lambda user: plain(text.replace("USER", user).encode(), fields)


TABLE = [
    ("good", of('{"id":"USER"}'), OK),
    ("good, chunked", lambda user: chunked([b'{"id":', json.dumps(user).encode() + b"}"]), OK),
    ("good, of a type of its own", of('{"id":"USER"}', b"Content-Type: application/hal+json; charset=utf-8\r\n"), OK),
    ("without the flag", of('{"id":"USER","isActive":null}'), OK),
    ("active as 1", of('{"id":"USER","isActive":1}'), OK),
    ("inactive", of('{"id":"USER","isActive":false}'), (403, "user_inactive")),
    ("inactive as 0", of('{"id":"USER","isActive":0}'), (403, "user_inactive")),
    ("inactive as text", of('{"id":"USER","isActive":"suspended"}'), (403, "user_inactive")),
    ("inactive as object", of('{"id":"USER","isActive":{}}'), (403, "user_inactive")),
    ("another user", of('{"id":"mallory"}'), UNAVAILABLE),
    ("another case", of('{"id":"ALICE"}'), UNAVAILABLE),
    ("no id", of('{"email":"a@b"}'), UNAVAILABLE),
    ("id twice", of('{"id":"mallory","id":"USER"}'), UNAVAILABLE),
    ("id is a list", of('{"id":["USER"]}'), UNAVAILABLE),
    ("garbage", of("{{{"), UNAVAILABLE),
    ("a list", of('[{"id":"USER"}]'), UNAVAILABLE),
    ("nothing", of(""), UNAVAILABLE),
    ("html", of("<html>", b"Content-Type: text/html\r\n"), UNAVAILABLE),
    ("json that says it is html", of('{"id":"USER"}', b"Content-Type: text/html\r\n"), UNAVAILABLE),
    ("no type", of('{"id":"USER"}', b""), UNAVAILABLE),
    ("truncated", truncated, UNAVAILABLE),
    ("too large", lambda user: plain(b'{"id":"%s","x":"%s"}' % (user.encode(), b"x" * (256 << 10))), UNAVAILABLE),
    ("endless", lambda user: flood(b"HTTP/1.1 200 OK\r\n" + JSON + b"\r\n"), UNAVAILABLE),
    ("a gigabyte", lambda user: flood(b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Length: 1073741824\r\n\r\n"),
     UNAVAILABLE),
    ("a header without end", lambda user: flood(b"HTTP/1.1 200 OK\r\nX: "), UNAVAILABLE),
    ("no http", lambda user: iter([b"SSH-2.0-x\r\n"]), UNAVAILABLE),
    ("closed", lambda user: iter([b""]), UNAVAILABLE),
    ("204", status(b"204 No Content", body=b""), UNAVAILABLE),
    ("206", of('{"id":"USER"}')("alice").replace(b"200 OK", b"206 Partial"), UNAVAILABLE),
    ("304", status(b"304 Not Modified", body=b""), UNAVAILABLE),
    ("400", status(b"400 Bad"), UNAVAILABLE),
    ("401", status(b"401 Unauthorized"), UNAVAILABLE),
    ("403", status(b"403 Forbidden"), UNAVAILABLE),
    ("404", status(b"404 Not Found"), (403, "user_unknown")),
    ("410", status(b"410 Gone"), (403, "user_unknown")),
    ("429", status(b"429 Slow Down", b"Retry-After: 1\r\n"), UNAVAILABLE),
    ("500", status(b"500 Oh"), UNAVAILABLE),
    ("502", status(b"502 Oh", body=b"<html>"), UNAVAILABLE),
    ("503", status(b"503 Oh", b"Retry-After: 3600\r\n"), UNAVAILABLE),
]


@pytest.mark.parametrize("answer, want", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_an_answer_means(service, answer, want):
    with profile_site(service.url) as site:
        service.answer_instead = answer
        first = site.request(APP, [bearer()])
        assert (first.status, None if first.status == 200 else first.json["reason"]) == want
        if want == UNAVAILABLE:
            assert first.header("Retry-After")
        assert service.count("alice") == 1
        # Good or bad, it is kept for a moment at least.
        assert ask(site) == want
        assert service.count("alice") == 1 or want == UNAVAILABLE
        # What was no answer is forgotten within a second of the service's return.
        service.answer_instead = None
        if want == UNAVAILABLE:
            begun = time.monotonic()
            harness.wait_for("the profile", lambda: ask(site) == OK)
            assert time.monotonic() - begun < 1 + SLACK


BAD = [row for row in TABLE if row[2] == UNAVAILABLE]


@pytest.mark.parametrize("answer", [row[1] for row in BAD], ids=[row[0] for row in BAD])
def test_an_old_profile_goes_on_being_used(service, answer):
    with profile_site(service.url, ttl="50ms") as site:
        assert ask(site) == OK
        service.answer_instead = answer
        harness.wait_for("a call in vain", lambda: ask(site) == OK and service.count("alice") >= 2)
        assert ask(site) == OK
        assert environment(site, "alice")["AUTH_EMAIL"] == "alice@profile.example"


def test_a_user_who_has_gone_is_refused_in_spite_of_an_old_profile(service):
    with profile_site(service.url, ttl="50ms") as site:
        assert ask(site) == OK
        service.answer_instead = status(b"404 Not Found")
        harness.wait_for("the refusal", lambda: ask(site) == (403, "user_unknown"))


@pytest.mark.parametrize("not_found, want", [("deny", (403, "user_unknown")), ("allow", OK)])
def test_unknown_users(service, not_found, want):
    with profile_site(service.url, not_found=not_found, negative_ttl="300ms") as site:
        service.answer_instead = status(b"404 Not Found")
        assert [ask(site) for _ in range(3)] == [want] * 3
        assert service.count("alice") <= 2, "once in negative-ttl"
        if want == OK:
            answer = environment(site, "alice")
            assert "AUTH_ROLE" not in answer and answer["AUTH_NAME"] == "none"
        service.answer_instead = None
        harness.wait_for("who has just been made",
                         lambda: environment(site, "alice")["AUTH_EMAIL"] == "alice@profile.example"
                         if ask(site) == OK else None)


def test_a_redirect_is_never_followed(service):
    trap = raw_server.Server()
    with profile_site(service.url) as site:
        for n, code in enumerate((b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent")):
            service.answer_instead = status(code, b"Location: http://127.0.0.1:%d/api/v1/users/me\r\n" % trap.port)
            assert ask(site, f"user-{n}") == UNAVAILABLE
    assert trap.connections == 0 and "me" not in service.asked
    trap.close()


def test_what_is_sent(service, tmp_path):
    key = new_key(tmp_path)
    odd = 'a b/c?d=e&f#g%41+"<\u00e4>@x'
    with profile_site(service.url + "?with=all", key, api_key_header="X-Team-Key", host="users.example:8080") as site:
        assert ask(site, odd) == UNAVAILABLE  # the path has a query now, which Service takes for a part of the name
        line, *fields = service.requests[0].rstrip("\r\n").split("\r\n")
        assert line == ("GET /api/v1/users/a%20b%2Fc%3Fd%3De%26f%23g%2541%2B%22%3C%C3%A4%3E%40x?with=all HTTP/1.1")
        assert f"X-Team-Key: {key.read_text().strip()}" in fields and "Host: users.example:8080" in fields
        assert not [field for field in fields if field.lower().startswith(("cookie", "authorization"))]
        assert "with=all" not in site.log_text("verify")
        assert key.read_text().strip() not in site.log_text("verify")


def test_connections_are_kept(service):
    with profile_site(service.url, server={"threads": 2}) as site:
        assert [ask(site, f"u{n}") for n in range(20)] == [OK] * 20
        assert len(service.asked) == 20 and service.connections <= 2


def test_too_many_questions(service):
    with profile_site(service.url) as site:
        service.answer_instead = status(b"429 Slow Down", b"Retry-After: 2\r\n")
        assert ask(site, "u0") == UNAVAILABLE
        begun = time.monotonic()
        service.answer_instead = None
        while time.monotonic() - begun < 1:
            assert ask(site, "u1") == UNAVAILABLE
        assert service.asked == ["u0"]
        harness.wait_for("the end of the pause", lambda: ask(site, "u1") == OK)
        # The other processes know of it, too, plain CGI among them.
        service.answer_instead = status(b"429 Slow Down", b"Retry-After: 30\r\n")
        assert ask(site, "u2") == UNAVAILABLE
        calls = len(service.asked)
        for n in range(3):
            assert verify(site, f"v{n}")["reason"] == "profile_unavailable"
        assert len(service.asked) == calls


# --- a service that is away ------------------------------------------------------------------------------------

def hang(service):
    service.hang()


def drop_down(service):
    service.go_down()


def drip_bytes(service):
    service.answer_instead = lambda user: drip()


@pytest.mark.parametrize("fail", [hang, drop_down, drip_bytes])
def test_the_time_is_limited_and_nobody_else_is_slowed(service, fail):
    timeout = 0.5
    with profile_site(service.url, timeout="500ms", server={"threads": 8}, max_concurrent=4) as site:
        kept = ["kept-0", "kept-1"]
        harness.wait_for("two users who are known", lambda: {ask(site, user, PAGE) for user in kept} == {OK})
        fail(service)
        stop = threading.Event()
        cold, warm = [], []

        def press(number):
            while not stop.is_set():
                cold.append(timed(site, f"cold-{number}-{len(cold)}"))

        def go_on(user):
            while not stop.is_set():
                warm.append(timed(site, user))
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            running = [pool.submit(press, n) for n in range(8)] + [pool.submit(go_on, user) for user in kept]
            stop.wait(3 * timeout)
            stop.set()
            for one in running:
                one.result()
        assert {got for got, _ in cold} == {UNAVAILABLE}
        assert {got for got, _ in warm} == {OK}
        assert max(took for _, took in cold) < timeout + 0.1 + SLACK
        # They never wait for a call: half of them are answered long before one could be over.
        assert sorted(took for _, took in warm)[len(warm) // 2] < timeout / 2
        assert len(warm) > 20


def test_it_is_back_within_a_second(service):
    with profile_site(service.url, timeout="300ms") as site:
        for n in range(4):
            service.go_down()
            assert ask(site, f"u{n}", PAGE) == UNAVAILABLE
            service.come_back()
            begun = time.monotonic()
            harness.wait_for("a profile", lambda n=n: ask(site, f"u{n}", PAGE) == OK)
            assert time.monotonic() - begun < 1 + SLACK


def test_a_service_that_fails_now_and_then():
    with peers.Peer("fastapi", FAIL="3") as peer, \
            profile_site(f"{peer.url}/api/v1/users/{{user_id}}", api_key="text:test-api-key", ttl="20ms") as site:
        users = [ANN, "u-2", "42"]
        harness.wait_for("every user once", lambda: {ask(site, user, PAGE) for user in users} == {OK})
        for _ in range(100):
            assert {ask(site, user, PAGE) for user in users} == {OK}


def test_an_old_profile_has_an_end(service):
    with profile_site(service.url, ttl="100ms", stale="2s") as site:
        begun = time.monotonic()
        assert ask(site) == OK
        service.go_down()
        harness.wait_for("the end", lambda: ask(site) == UNAVAILABLE)
        assert time.monotonic() - begun >= 2
        # It was used up to that, with calls in vain.
        assert "profile_unavailable" in site.log_text("verify")
        service.come_back()
        harness.wait_for("a new one", lambda: ask(site) == OK)


def test_it_is_renewed_while_the_old_one_is_used(service):
    with profile_site(service.url, ttl="100ms", timeout="10s") as site:
        assert environment(site, "alice")["AUTH_NAME"] == "none"
        service.profile = lambda user: {"id": user, "name": "New"}
        released = service.hang()
        harness.wait_for("somebody who asks", lambda: ask(site, target=PAGE) == OK and service.count("alice") == 2)
        # The call hangs, the requests do not; and it remains the only one.
        for _ in range(20):
            assert environment(site, "alice")["AUTH_NAME"] == "none"
        assert service.count("alice") == 2
        service.answer_instead = None
        released.set()
        harness.wait_for("the new one", lambda: environment(site, "alice")["AUTH_NAME"] == "New")


def test_a_hung_call_does_not_keep_the_program_from_ending(service):
    with profile_site(service.url, ttl="50ms", timeout="1s") as site:
        assert ask(site) == OK
        service.hang()
        harness.wait_for("somebody who asks", lambda: ask(site) == OK and service.count("alice") == 2)
        # Site.close() asserts that it ends with status 0, in time.


# --- one call --------------------------------------------------------------------------------------------------

def crowd(site, users):
    """All at once."""
    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        start = threading.Barrier(len(users))

        def one(user):
            line = bearer(user)
            start.wait()
            return site.request(PAGE, [line]).status
        return list(pool.map(one, users))


@pytest.mark.parametrize("processes", [1, 2])
def test_64_clients_and_one_new_user(service, processes):
    service.takes = 0.2
    server = {"threads": 128}
    with profile_site(service.url, server=server, max_concurrent=96, timeout="10s", processes=processes) as site:
        for user in ("alice", "bob", "carol"):
            assert crowd(site, [user] * 64) == [200] * 64
            assert service.count(user) == 1


def test_a_page_and_its_pictures(service):
    """More at once than threads may ask: all are let in by one call that takes a moment."""
    with profile_site(service.url, timeout="10s") as site:
        assert crowd(site, ["alice"] * 24) == [200] * 24
        assert service.count("alice") == 1


def test_calls_at_once_are_limited(service):
    service.takes = 0.3
    with profile_site(service.url, max_concurrent=3) as site:
        got = crowd(site, [f"u{n}" for n in range(16)])
        assert 1 < service.most <= 3
        assert set(got) == {200, 503} and got.count(200) >= 3


def test_a_thousand_users(service):
    """100 requests of each: no call more than there are users."""
    users, requests, clients = 1000, 100, 8

    def read(connection, n):
        rest, seen = b"", 0
        while seen < n:
            part = connection.recv(1 << 18)
            assert part, "the connection was closed"
            rest += part
            seen += rest.count(b"HTTP/1.1 200 OK\r\n")
            assert b"HTTP/1.1 5" not in rest and b"HTTP/1.1 4" not in rest, rest
            rest = rest[-16:].replace(b"HTTP/1.1 200 OK\r\n", b"")

    def one(user):
        head = f"GET {PAGE} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n{bearer(user, lifetime=3600)}\r\n\r\n".encode()
        with http_client.connect(site.port, timeout=60) as connection:
            for _ in range(requests // 10):
                connection.sendall(head * 10)
                read(connection, 10)
    with profile_site(service.url, processes=2, timeout="10s") as site, \
            concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, [f"user-{n}" for n in range(users)]))
    assert len(service.asked) <= users


# --- what is kept ----------------------------------------------------------------------------------------------

def test_it_is_kept_for_the_next_start_and_thrown_away(service):
    with profile_site(service.url) as site:
        assert ask(site) == OK
        for one in site.services.values():
            one.stop()
            one.start()
        assert ask(site) == OK and ask(site, "bob") == OK
        assert service.asked == ["alice", "bob"]
        counted = json.loads(site.authctl("cache", "stats", "--json").stdout)
        assert counted["store"] == "embedded" and counted["entries"] == 2 and counted["bytes"] > 0
        assert site.authctl("cache", "stats").stdout.split()[:4] == ["store", "embedded", "entries", "2"]
        site.authctl("cache", "flush", "--profile", "team", "--user", "alice")
        assert ask(site) == OK and ask(site, "bob") == OK
        assert service.asked == ["alice", "bob", "alice"]
        site.authctl("cache", "flush")
        assert json.loads(site.authctl("cache", "stats", "--json").stdout)["entries"] == 0
        assert ask(site, "bob") == OK and service.count("bob") == 2
        assert site.authctl("cache", "flush", "--user", "alice", check=False).returncode == 64
        assert site.authctl("cache", "flush", "--profile", "x", "--user", "a", check=False).returncode == 64


def test_a_profile_does_not_outlive_a_revocation(service):
    with profile_site(service.url) as site:
        line = bearer()
        assert site.request(APP, [line]).status == 200
        site.authctl("revocations", "add", "--token", "-", text=line.split()[-1])
        assert site.request(APP, [line]).json["reason"] == "token_revoked"
        assert ask(site) == OK and service.count("alice") == 1


def test_it_is_asked_for_anew_when_the_token_ends(service):
    with profile_site(service.url, ttl="1h") as site:
        assert ask(site, lifetime=3) == OK
        assert ask(site) == OK and service.count("alice") == 1
        harness.wait_for("the end of the first token", lambda: ask(site) == OK and service.count("alice") == 2)


def test_another_url_or_key_finds_nothing(service, tmp_path):
    other = Service()
    other.profile = lambda user: {"id": user, "name": "Other"}
    with profile_site(service.url, new_key(tmp_path)) as site:
        assert environment(site, "alice")["AUTH_NAME"] == "none"
        text = site.configuration.read_text()
        site.configuration.write_text(text.replace(service.url, other.url))
        harness.wait_for("the other service", lambda: environment(site, "alice")["AUTH_NAME"] == "Other", 30)
        site.configuration.write_text(text)
        harness.wait_for("the first one", lambda: environment(site, "alice")["AUTH_NAME"] == "none", 30)
        assert service.count("alice") == 1, "what was kept of it is good still"
        site.configuration.write_text(text.replace("active =", "host = other.example\nactive ="))
        harness.wait_for("a new call", lambda: ask(site) == OK and service.count("alice") == 2, 30)
    other.go_down()


def test_a_cache_that_is_lost_or_damaged_is_no_harm(service):
    with profile_site(service.url) as site:
        assert ask(site) == OK
        for spoil in (lambda path: path.unlink(), lambda path: path.write_bytes(b"x" * 100000)):
            spoil(site.state / "cache.db")
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                assert ask(site) == OK

            def is_kept():
                before = service.count("alice")
                return [ask(site) for _ in range(40)] == [OK] * 40 and service.count("alice") == before
            harness.wait_for("a cache that works", is_kept)


# --- programs of one request, and the admin's ------------------------------------------------------------------

def verify(site, user, *words, **claims):
    done = site.authctl("token", "verify", "--policy", "site", *words, text=tokens.mint(user, **claims), check=False)
    return json.loads(done.stdout)


def cgi(site, user):
    """auth-verify as plain CGI: one request, one process."""
    parameters = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "REQUEST_URI": APP, "SERVER_PROTOCOL":
                  "HTTP/1.1", "SERVER_NAME": "x", "SCRIPT_NAME": APP, "HTTP_AUTHORIZATION": bearer(user)[15:]}
    done = subprocess.run([harness.program("auth-verify"), "-c", site.configuration], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, env=harness.environment() | parameters)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[0]


def test_plain_cgi_renews_by_itself(service):
    with profile_site(service.url, ttl="1s") as site:
        assert cgi(site, "alice") == "Status: 200 OK" == cgi(site, "alice")
        assert service.count("alice") == 1, "kept for the next process"
        harness.wait_for("a second call", lambda: cgi(site, "alice") and service.count("alice") >= 2)
        service.go_down()
        assert cgi(site, "bob") == "Status: 503 Service Unavailable"
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            assert cgi(site, "alice") == "Status: 200 OK", "the old one"


def test_authctl_says_what_it_knows(service, tmp_path):
    key = new_key(tmp_path)
    with profile_site(service.url + "/", key) as site:
        good = service.profile
        service.profile = lambda user: good(user.rstrip("/"))

        def explain(user):
            done = site.authctl("explain", "--policy", "site", "--json", text=tokens.mint(user), check=False)
            steps = {step["step"]: step for step in json.loads(done.stdout)["steps"]}
            return steps["user"]["result"], {row["what"]: row for row in steps["user"]["rows"]}
        found = verify(site, "alice")
        assert found["decision"] == "allow" and found["attributes"]["AUTH_EMAIL"] == "alice@profile.example"
        result, rows = explain("alice")
        assert result == "ok" and rows["profile"]["came"] == f'"team", {service.url}/'
        assert rows["answer"]["came"].startswith("from the cache, fetched ")
        assert rows["active"] == {"what": "active", "wanted": "/isActive not false", "came": "true"}
        assert explain("bob")[1]["answer"]["came"] == "from the service, just now"
        service.profile = lambda user: {"id": user.rstrip("/"), "isActive": False}
        result, rows = explain("carol")
        assert result == "failed" and rows["active"]["came"] == "false"
        service.answer_instead = status(b"404 Not Found")
        assert explain("dave")[1]["user"]["came"] == "it knows no such user"
        service.answer_instead = status(b"500 Oh")
        result, rows = explain("erin")
        assert result == "failed" and "status 500" in rows["answer"]["came"]
        said = site.authctl("explain", "--policy", "site", text=tokens.mint("alice"), check=False).stdout
        assert key.read_text().strip() not in said
        text = site.configuration.read_text()
        site.configuration.write_text(text.replace(f"file:{key}", f"text:{key.read_text().strip()}"))
        printed = subprocess.run([harness.program("auth-verify"), "-c", site.configuration, "-T"], text=True,
                                 capture_output=True, env=harness.environment(), check=True).stdout
        assert "\napi-key = " in printed and key.read_text().strip() not in printed


CHECKS = [("404 as it should", status(b"404 Not Found"), "ok", "status 404, as it should"),
          ("a profile for everybody", None, "warning", "whom nobody has made"),
          ("key refused", status(b"401 No"), "FAILED", "refuses our key (status 401)"),
          ("another 4xx", status(b"422 No"), "warning", "status 422"),
          ("redirect", status(b"307 Go", b"Location: /login\r\n"), "FAILED", "a redirect"),
          ("500", status(b"500 Oh"), "FAILED", "status 500")]


@pytest.mark.parametrize("answer, result, text", [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS])
def test_authctl_check(service, answer, result, text):
    service.answer_instead = answer
    site = profile_site(service.url)
    lines = [json.loads(line) for line in site.authctl("check", "--json", check=False).stdout.splitlines()]
    said = [line for line in lines if line["what"] == 'profile "team"']
    assert len(said) == 1 and said[0]["result"] == result and text in said[0]["text"], said
    assert service.asked == ["fcgi-auth-check"]
    site.close()


HUNG = """
import os, socket, subprocess, sys
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 53))
done = subprocess.run(sys.argv[2:])
silent.setblocking(False)
assert silent.recv(512), "nobody has asked the name server"
sys.exit(done.returncode)
"""


def test_a_name_server_that_does_not_answer(tmp_path):
    """In namespaces of their own, in which it is the only one: resolv.conf(5) would wait for 10 s."""
    site = profile_site("https://profiles.example.test/users/{user_id}", timeout="300ms")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    apart = ["unshare", "--map-root-user"] if os.geteuid() else ["unshare"]
    command = [*apart, "--mount", "--net", sys.executable, "-c", HUNG, str(tmp_path / "resolv.conf"),
               harness.program("authctl"), "-c", str(site.configuration), "token", "verify", "--policy", "site"]
    begun = time.monotonic()
    done = subprocess.run(command, input=tokens.mint("alice"), text=True, capture_output=True, timeout=60,
                          env=harness.environment())
    took = time.monotonic() - begun
    assert done.returncode == 1 and done.stdout, f"are namespaces allowed here? {done.stderr}"
    assert json.loads(done.stdout)["reason"] == "profile_unavailable", done.stderr
    assert took < 4, "it took as long as resolv.conf says"
    site.close()
