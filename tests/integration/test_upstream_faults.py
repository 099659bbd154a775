# SPDX-License-Identifier: Apache-2.0
"""H7, R4: an auth server that does what no server should, behind the login. Every answer is bounded in time, has the
status of its cause, says it in a sentence, is in the log, and is never a yes."""

import concurrent.futures
import contextlib
import gzip
import json
import pathlib
import re
import socket
import threading
import time

import pytest

import examples
import faulty_upstream
import harness
import peers
import raw_server
import tokens
import ways
from faulty_upstream import Upstream, drip, flood
from raw_server import JSON, chunked, plain

TIMEOUT = 0.4
#: What a busy machine may take on top of what the configuration says.
SLACK = 1.5
TRACE = "NoMethodError at /login: undefined method `digest' for nil in /srv/auth/app.rb:73"
PASSWORD = tokens.password()

#: {status: (reason, the text that everybody sees)}
SAID = {502: ("upstream_answer", "The auth server's answer could not be used"),
        503: ("upstream_unavailable", "Auth server unavailable"),
        504: ("upstream_timeout", "The auth server did not answer in time")}


def site_of(url, processes=1, sections=None, **options):
    """A site (not started) with this auth server; options with _ for -."""
    upstream = {"base": url, "login": "/login", "register": "/register", "timeout": f"{int(TIMEOUT * 1000)}ms",
                "login-timeout": f"{int(TIMEOUT * 1000)}ms", "connect-timeout": f"{int(TIMEOUT * 1000)}ms"}
    given = {name.replace("_", "-"): value for name, value in options.items()}
    return harness.Site(processes=processes, sections={
        "login": {"backend": "upstream"}, "upstream": upstream | given} | (sections or {}))


def log_in(site, target="/auth/login", **more):
    return examples.post(site, target, {"username": "ann", "password": PASSWORD} | more)


def timed(function, *arguments):
    begun = time.monotonic()
    answer = function(*arguments)
    return answer, time.monotonic() - begun


def assert_refused(site, answer, took, statuses, word):
    assert answer.status in statuses, (answer.status, answer.text)
    assert took < TIMEOUT + SLACK
    reason, text = SAID[answer.status]
    assert (answer.json["reason"], answer.json["detail"]) == (reason, text)
    assert answer.json["request_id"] and not answer.cookies
    for inside in (TRACE, "app.rb", "127.0.0.1:", "curl", PASSWORD):
        assert inside not in answer.text
    lines = examples.lines_with(site, "login", "event=upstream_failed", f"reason={reason}",
                                f"rid={answer.json['request_id']}")
    assert lines and re.search(word, lines[-1].partition("text=")[2], re.I), lines


@pytest.fixture(scope="module")
def server():
    made = Upstream()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(server):
    with site_of(server.url) as running:
        yield running


@pytest.fixture
def upstream(server):
    """The one of the module, well again after each test."""
    yield server
    server.answer_instead = None


def test_it_signs_in(site, upstream):
    """Else nothing below means anything."""
    answer = log_in(site)
    assert answer.status == 200, answer.text
    token = tokens.sensitive(answer.json["token"])
    assert peers.user(site, peers.bearer(token)) == "ann"
    head, body = upstream.asked[-1]
    assert head.startswith("POST /login HTTP/1.1\r\n") and json.loads(body)["password"] == PASSWORD
    assert "auth" in answer.cookies


# --- answers that are none ----------------------------------------------------------------------------------

def html(status=b"500 Internal Server Error", fields=b""):
    body = f"<html><h1>{TRACE}</h1></html>".encode()
    return plain(body, b"Content-Type: text/html\r\n" + fields, status)


def headers(count, name="X-Field"):
    return b"".join(b"%s-%d: %032d\r\n" % (name.encode(), n, n) for n in range(count))


def cut(answer, n):
    return lambda: iter([answer[:-n]])


HEAD = b"HTTP/1.1 200 OK\r\n" + JSON
TABLE = [
    ("a gigabyte", lambda: flood(HEAD + b"Content-Length: 1073741824\r\n\r\n"), (502,), "long|large|exceeded"),
    ("a gigabyte without length", lambda: flood(HEAD + b"\r\n"), (502,), "long|large|exceeded"),
    ("a redirect to a file", plain(b"", b"Location: file:///etc/passwd\r\n", b"302 Found"), (502,), "302|redirect"),
    ("a redirect to itself", plain(b"", b"Location: /login\r\n", b"307 Temporary Redirect"), (502,), "307|redirect"),
    ("10,000 headers", lambda: iter([HEAD + headers(10000) + b"Content-Length: 2\r\n\r\n{}"]), (502,), ""),
    ("a header of a megabyte", lambda: flood(HEAD + b"X: ", b"x" * (1 << 16), 32), (502,), ""),
    ("garbage", lambda: iter([b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(range(256))]), (502,), ""),
    ("nothing", lambda: iter([b""]), (502, 503), ""),
    ("half a JSON", plain(b'{"token":"abc'), (502,), "json"),
    ("no JSON", plain(b"[]"), (502,), ""),
    ("an empty body", plain(b""), (502,), ""),
    ("a body cut short", cut(plain(b'{"token":"abc","user":{}}'), 5), (502, 503), ""),
    ("another type", plain(b'{"token":"abc"}', b"Content-Type: text/plain\r\n"), (502,), "no json"),
    ("a page", html(b"200 OK"), (502,), "no json"),
    ("a stack trace", html(), (502, 503), "500"),
    ("a stack trace in JSON", plain(json.dumps({"trace": TRACE}).encode(), JSON, b"500 Oh"), (502, 503), "500"),
    ("200 without a token", plain(b'{"message":"ok"}'), (502,), "token"),
    ("a token that is none", plain(b'{"token":{"a":1}}'), (502,), "token"),
    ("a token of nobody", plain(b'{"token":"x.y.z"}'), (502,), "token"),
    ("chunks without sense", lambda: iter([HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"]), (502,),
     ""),
    ("chunks of another coding", lambda: iter([HEAD + b"Transfer-Encoding: xpress, chunked\r\n\r\n2\r\n{}\r\n"]),
     (502,), ""),
    ("gzip", plain(gzip.compress(b'{"token":"abc"}'), JSON + b"Content-Encoding: gzip\r\n"), (502,), "compress|encod"),
    ("204", plain(b"", b"", b"204 No Content"), (502,), "204"),
    ("101", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", (502, 503, 504), ""),
    ("a thousand times 100", lambda: flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 1000), (502, 504), ""),
]


def memory(site):
    """The most that the login program has ever had resident, in bytes."""
    pid, = site.services["login"].workers()
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024


@pytest.mark.parametrize("answer, statuses, word", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_an_answer_that_is_none(site, upstream, answer, statuses, word):
    before = memory(site)
    upstream.answer_instead = answer
    assert_refused(site, *timed(log_in, site), statuses, word)
    assert memory(site) - before < 8 << 20
    upstream.answer_instead = None
    assert log_in(site).status == 200, "it is well again at once"


def test_a_token_of_another_secret(site, upstream):
    """S4.7: the one mistake that everybody makes is named, to the admin."""
    token = tokens.mint("ann", key=tokens.OTHER_SECRET)
    upstream.answer_instead = plain(json.dumps({"token": token}).encode())
    assert_refused(site, *timed(log_in, site), (502,), "signature does not match: same secret on both sides")


@pytest.mark.parametrize("claims", [{"lifetime": -10}, {"aud": "elsewhere"}, {"iss": "https://evil.example"}])
def test_a_token_that_is_refused_here(site, upstream, claims):
    upstream.answer_instead = plain(json.dumps({"token": tokens.mint("ann", **claims)}).encode())
    assert_refused(site, *timed(log_in, site), (502,), "token")


@pytest.mark.parametrize("status", [b"500 Oh", b"503 Busy"])
def test_its_time_to_come_back_is_passed_on(site, upstream, status):
    upstream.answer_instead = plain(b'{"error":"down for repair"}', JSON + b"Retry-After: 17\r\n", status)
    answer, took = timed(log_in, site)
    assert answer.status in (502, 503) and took < TIMEOUT + SLACK and not answer.cookies
    assert answer.header("Retry-After") == "17" or status.startswith(b"500")


def test_a_flood_of_cookies(site, upstream):
    """None of its cookies is ours to set; with a token that is good the login is."""
    flooded = b"".join(b"Set-Cookie: c%d=%064d; Path=/\r\n" % (n, n) for n in range(100))
    upstream.answer_instead = lambda: upstream.good(flooded)
    answer = log_in(site)
    assert answer.status == 200 and set(answer.cookies) <= {"auth", "auth-signed-in"} and len(answer.headers) < 40
    upstream.answer_instead = lambda: upstream.good(flooded * 100)
    answer, took = timed(log_in, site)
    assert answer.status in (200, 502) and took < TIMEOUT + SLACK and set(answer.cookies) <= {"auth", "auth-signed-in"}


def test_redirects_lead_nowhere(site, upstream):
    trap = raw_server.Server()
    with contextlib.closing(trap):
        for code in (b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"):
            where = b"Location: http://127.0.0.1:%d/login\r\n" % trap.port
            upstream.answer_instead = plain(upstream.good().partition(b"\r\n\r\n")[2], JSON + where, code)
            assert_refused(site, *timed(log_in, site), (502,), "redirect|30[0-9]")
        assert trap.connections == 0


def test_a_page_for_people(site, upstream):
    """A browser gets a page with a number, which is in the log as well."""
    upstream.answer_instead = html()
    browser = site.browser()
    page = browser.get("/auth/login")
    answer = browser.submit(page, "/auth/login", {"username": "ann", "password": PASSWORD})
    assert answer.status in (502, 503)
    assert (answer.header("Content-Type") or "").startswith("text/html")
    number = re.search("Request ([0-9a-f]{16})", answer.text)[1]
    assert examples.lines_with(site, "login", "event=upstream_failed", f"rid={number}")
    assert TRACE not in answer.text and PASSWORD not in answer.text and "auth" not in browser.jar


@pytest.fixture(scope="module")
def asking(server):
    """A site that asks for everything."""
    paths = {name: f"/{name}" for name in ("profile", "verify", "forgot_password", "reset_password", "verify_email",
                                           "health")}
    with site_of(server.url, **paths) as running:
        yield running


ACTIONS = {
    "register": {"username": "ann", "email": "ann@example.org", "password": PASSWORD},
    "forgot-password": {"email": "ann@example.org"}, "reset-password": {"token": "x", "password": PASSWORD},
    "verify-email": {"token": "x"}, "profile": None, "verify-token": None, "auth-server-health": None,
}


@pytest.mark.parametrize("action", ACTIONS)
def test_other_actions(asking, upstream, action):
    """None of them waits longer, says more, or is a yes."""
    body, token = ACTIONS[action], tokens.mint("ann")

    def act():
        if body is not None:
            return examples.post(asking, f"/auth/{action}", body)
        return asking.request(f"/auth/{action}", [peers.bearer(token), "Accept: application/json"])
    health = action == "auth-server-health"  # which is well when it answers with 200, whatever it says
    for answer in [html(), lambda: iter([b""]), lambda: drip(HEAD)] + [plain(b'{"token":"abc')] * (not health):
        upstream.answer_instead = answer
        got, took = timed(act)
        assert got.status in SAID and took < TIMEOUT + SLACK and not got.cookies, (got.status, got.text)
        assert TRACE not in got.text and "valid" not in got.json
        assert health or got.json["detail"] == SAID[got.status][1]


# --- no answer at all ---------------------------------------------------------------------------------------

def test_it_hangs(site, upstream):
    released = upstream.hang()
    assert_refused(site, *timed(log_in, site), (504,), "time")
    released.set()


@pytest.mark.parametrize("head", [b"", HEAD + b"Content-Length: 1000\r\n\r\n{"], ids=["from the start", "in the body"])
def test_it_drips(site, upstream, head):
    upstream.answer_instead = lambda: drip(head)
    assert_refused(site, *timed(log_in, site), (504,), "time")


def test_it_does_not_accept():
    """The queue of its connections is full: the kernel does not even say no."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with site_of(f"http://127.0.0.1:{port}") as site:
            assert_refused(site, *timed(log_in, site), (503, 504), "time|connect")
        for one in waiting:
            one.close()


def test_nobody_listens():
    port, = harness.free_ports(1)
    with site_of(f"http://127.0.0.1:{port}") as site:
        assert_refused(site, *timed(log_in, site), (503,), "connect")
        server = Upstream()
        server.close()


def test_its_name_is_unknown():
    with site_of("https://auth.invalid") as site:
        assert_refused(site, *timed(log_in, site), (503, 504), "resolve|time")


# --- TLS ----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    return folder, faulty_upstream.certificate(folder / "ca.pem", "Test authority", authority=True)


def serve_tls(authority, *names, issuer=True, ends=faulty_upstream.DAY):
    folder, ca = authority
    path = folder / "server.pem"
    faulty_upstream.certificate(path, *names, issuer=ca if issuer else None, ends=ends)
    return contextlib.closing(Upstream(faulty_upstream.context(path)))


def only_certificate(authority):
    """The authority without its key, as an admin has it."""
    folder, (_, made) = authority
    path = folder / "authority.crt"
    path.write_bytes(made.public_bytes(faulty_upstream.serialization.Encoding.PEM))
    return path


def test_tls(authority):
    with serve_tls(authority, "localhost") as server:
        with site_of(server.url, ca_file=only_certificate(authority)) as site:
            assert log_in(site).status == 200


@pytest.mark.parametrize("names, how, word", [
    (["localhost"], {"issuer": False}, "certificate"),
    (["auth.example"], {}, "certificate|name"),
    (["localhost"], {"ends": -faulty_upstream.DAY}, "certificate|expired"),
], ids=["nobody vouches for it", "another name", "expired"])
def test_tls_that_is_wrong(authority, names, how, word):
    with serve_tls(authority, *names, **how) as server:
        with site_of(server.url, ca_file=only_certificate(authority)) as site:
            assert_refused(site, *timed(log_in, site), (502, 503), word)
        assert not server.asked, "the password has not been sent"


def test_plain_http_where_tls_was_meant(authority):
    with contextlib.closing(Upstream()) as server:
        with site_of(server.url.replace("http:", "https:"), ca_file=only_certificate(authority)) as site:
            assert_refused(site, *timed(log_in, site), (502, 503), "ssl|tls|certificate|version|connect")
        assert not server.asked


# --- H6 -----------------------------------------------------------------------------------------------------

def test_no_proxy_from_anywhere(monkeypatch):
    """Neither a client's header nor the environment sends a password elsewhere."""
    trap = raw_server.Server()
    address, real = f"http://127.0.0.1:{trap.port}", harness.environment()
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    monkeypatch.setattr(harness, "environment", lambda: real | {name: address for name in names} | {"no_proxy": ""})
    with contextlib.closing(trap), contextlib.closing(Upstream()) as server, site_of(server.url) as site:
        body = {"username": "ann", "password": PASSWORD}
        assert examples.post(site, "/auth/login", body, f"Proxy: {address}").status == 200
        assert len(server.asked) == 1 and "proxy" not in server.asked[0][0].lower()
        # As plain CGI the client's header is in the environment.
        lines = [f"Proxy: {address}", "Content-Type: application/json", "Accept: application/json"]
        answer = ways.run(site, "login", "/auth/login", lines, "POST", json.dumps(body).encode(), "/auth")
        assert answer.status == 200 and len(server.asked) == 2, answer.text
        assert trap.connections == 0


# --- stuck logins -------------------------------------------------------------------------------------------

def test_64_stuck_logins(upstream):
    """They delay neither a verification nor a logout, nor what else the login answers by itself."""
    with site_of(upstream.url, login_timeout="2s", timeout="2s") as site:
        token = tokens.sensitive(log_in(site).json["token"])

        def verification():
            assert peers.user(site, peers.bearer(token)) == "ann"

        def logout():
            spare = tokens.mint("ann")
            answer = site.request("/auth/logout", [peers.bearer(spare), "Accept: application/json"], "POST", b"")
            assert answer.json["message"] == "Successfully logged out"

        def page():
            assert site.request("/auth/login", ["Accept: text/html"]).status == 200

        def verify_token():
            assert site.request("/auth/verify-token", [peers.bearer(token)]).json["valid"] is True
        released = upstream.hang()
        begun, took = threading.Barrier(65), {}
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            def stuck(_):
                begun.wait(20)
                return timed(log_in, site)
            running = [pool.submit(stuck, n) for n in range(64)]
            begun.wait(20)
            calls = len(upstream.asked)
            harness.wait_for("logins that are under way", lambda: len(upstream.asked) > calls)
            for act in (verification, logout, page, verify_token) * 2:
                took[act.__name__] = max(took.get(act.__name__, 0), timed(act)[1])
            answers = [one.result() for one in running]
            released.set()
        assert {name: seconds for name, seconds in took.items() if seconds >= 1} == {}
        assert {answer.status for answer, _ in answers} <= {503, 504}
        assert all(seconds < 2 + 1 + SLACK for _, seconds in answers)
        assert all(answer.header("Retry-After") for answer, _ in answers if answer.status == 503)
        upstream.answer_instead = None
        harness.wait_for("the next login", lambda: log_in(site).status == 200)


def test_a_logout_waits_for_nobody(upstream):
    """The auth server is told of a logout when it can be; what it does then is no matter."""
    upstream.answer_instead = None
    with site_of(upstream.url, logout="/logout") as site:
        for answer in (None, html(), lambda: drip(HEAD), lambda: iter([b""])):
            upstream.answer_instead = answer
            token = tokens.mint("ann")
            got, took = timed(site.request, "/auth/logout", [peers.bearer(token), "Accept: application/json"], "POST",
                              b"")
            assert got.status == 200 and got.json["message"] == "Successfully logged out"
            assert took < TIMEOUT + SLACK
            assert peers.refusal(site, peers.bearer(token)) == (401, "token_revoked")
        assert any(head.startswith("POST /logout ") for head, _ in upstream.asked)
