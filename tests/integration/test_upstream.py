# SPDX-License-Identifier: Apache-2.0
"""An auth server that answers what it should not: each fault has a status, a text and a line in the log, and
nothing of the server's gets through."""

import json
import ssl
import threading

import pytest

import harness
import peers
import raw_server
import tokens
import upstreams
from raw_server import JSON, plain

USER = {"username": "alice", "password": tokens.sensitive("pw-of-alice-at-the-server")}
MARK = "internal-detail-of-the-server"
GONE = (503, "upstream_unavailable", "Auth server unavailable")
LATE = (504, "upstream_timeout", "The auth server did not answer in time")
BAD = (502, "upstream_answer", "The auth server's answer could not be used")


def said(value, status=b"200 OK", fields=b""):
    return plain(json.dumps(value).encode(), JSON + fields, status)


def drip():
    yield b"HTTP/1.1 200 OK\r\n" + JSON + b"\r\n"
    ended = threading.Event()
    while not ended.wait(0.02):
        yield b" "


def flood():
    yield b"HTTP/1.1 200 OK\r\n" + JSON + b"\r\n"
    for _ in range(1 << 10):
        yield b" " * (1 << 20)


def hang():
    threading.Event().wait(5)
    yield b""


@pytest.fixture(scope="module")
def server():
    made = raw_server.Server()
    yield made
    made.close()


def sections(server, **more):
    options = {"base": f"http://127.0.0.1:{server.port}", "login-timeout": "400ms", "timeout": "400ms",
               "register": "/register", "logout": "/logout", "health": "/health", "forgot-password": "/forgot",
               "reset-password": "/reset", "verify-email": "/verify", "max-concurrent": "2", "pass-cookies": "big"}
    return {"login": {"backend": "upstream"}, "upstream": options | more}


@pytest.fixture(scope="module")
def site(server):
    with harness.Site(sections=sections(server)) as running:
        running.server = server
        yield running


def post(site_, target, value=None, *headers):
    body = json.dumps(USER if value is None else value).encode()
    return site_.request(target, [*upstreams.PROGRAM, *headers], "POST", body)


def fault(answer):
    assert not answer.cookies and MARK not in answer.text and MARK not in str(answer.headers)
    return answer.status, answer.json["reason"], answer.json["detail"]


FAULTS = [
    ("hangs", hang, LATE, "timed out"),
    ("drips", drip, LATE, "timed out"),
    ("a gigabyte", flood, BAD, "longer than allowed"),
    ("closes", lambda: [], BAD, "Empty reply"),
    ("garbage", lambda: [b"\0\1\2 " + MARK.encode() + b"\r\n\r\n"], BAD, "HTTP/0.9"),
    ("HTML", plain(b"<h1>" + MARK.encode() + b"</h1>", b"Content-Type: text/html\r\n"), BAD, "no JSON object"),
    ("truncated JSON", plain(b'{"token":"', JSON), BAD, "no JSON object"),
    ("a list", plain(b"[]", JSON), BAD, "no JSON object"),
    ("no token", said({"message": MARK}), BAD, "with no token"),
    ("no token but null", said({"token": None, "detail": MARK}), BAD, "with no token"),
    ("a token that is none", said({"token": "opaque-" + MARK}), BAD, "token_malformed"),
    ("10,000 headers", plain(b"{}", b"".join(b"X-%d: y\r\n" % i for i in range(10000))), BAD, "header is too large"),
    ("compressed", plain(b"{}", JSON + b"Content-Encoding: gzip\r\n"), BAD, "compressed"),
    ("a redirect", said({}, b"302 Found", b"Location: http://127.0.0.1:1/" + MARK.encode() + b"\r\n"), BAD,
     "a redirect, which is not followed"),
    ("a redirect to a file", said({}, b"307 X", b"Location: file:///etc/passwd\r\n"), BAD, "not followed"),
    ("500", said({"detail": MARK}, b"500 Oops"), BAD, "status 500"),
    ("502", plain(b"<html>" + MARK.encode(), b"", b"502 Bad Gateway"), GONE, "status 502"),
    ("503", said({"error": MARK}, b"503 Away", b"Retry-After: 7\r\n"), GONE, "status 503"),
    ("504", said({"error": MARK}, b"504 Late"), LATE, "status 504"),
    ("no such path", said({"detail": "Not Found"}, b"404 Not Found"), BAD, "nothing at this path"),
    ("no such method", said({"detail": "Method Not Allowed"}, b"405 X"), BAD, "no action"),
    ("another encoding", said({"detail": MARK}, b"415 X"), BAD, "login-request"),
    ("forbidden without a word", plain(MARK.encode(), b"Content-Type: text/plain\r\n", b"403 X"), BAD,
     "[upstream] host"),
    ("bad request without a word", plain(MARK.encode(), b"", b"400 X"), BAD, "[upstream] error"),
    ("a stack trace", said({"error": f"Oops\n  at {MARK}"}, b"400 X"), BAD, "[upstream] error"),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n", BAD, "status 204"),
]


@pytest.mark.parametrize("answer, expected, logged", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_fault(site, answer, expected, logged):
    before = len(site.log_text("login"))
    site.server.put(answer, "/login")
    got = post(site, "/auth/login")
    assert fault(got) == expected
    if expected[0] == 503:
        assert int(got.header("Retry-After")) > 0
    lines = [line for line in site.log_text("login")[before:].splitlines() if "upstream_failed" in line]
    assert len(lines) == 1 and logged in lines[0] and "/login" in lines[0] and "rid=" in lines[0], lines


REFUSALS = [
    (said({"detail": "Wrong"}, b"401 X"), (401, "bad_credentials", "Wrong")),
    (plain(MARK.encode(), b"", b"401 X"), (401, "bad_credentials", "Invalid user name or password")),
    (said({"error": "Not confirmed"}, b"403 X"), (403, "upstream_refused", "Not confirmed")),
    (said({"error": "User not known"}, b"404 X"), (404, "bad_request", "User not known")),
    (said({"message": "Taken"}, b"409 X"), (409, "bad_request", "Taken")),
    (said({"detail": [{"loc": ["body", "email"], "msg": "is bad"}]}, b"422 X"), (422, "bad_request", "email: is bad")),
    (said({"error": "Locked"}, b"423 X", b"Retry-After: 60\r\n"), (423, "account_locked", "Locked")),
    (plain(b"slow down", b"Retry-After: 60\r\n", b"429 X"), (429, "rate_limited", "Too many attempts")),
]


@pytest.mark.parametrize("answer, expected", REFUSALS, ids=[str(row[1][0]) + row[1][2] for row in REFUSALS])
def test_refusal(site, answer, expected):
    site.server.put(answer, "/login")
    got = post(site, "/auth/login")
    assert fault(got) == expected and got.json["error"]
    assert got.header("Retry-After") == ("60" if expected[0] in (423, 429) else None)


def test_what_is_sent(site):
    """Nothing of the client's but what a login is, and its address."""
    site.server.put(said({"token": tokens.mint()}), "/login")
    before = len(site.server.requests)
    answer = post(site, "/auth/login", USER | {"is_admin": True}, "Cookie: other=1; auth=x",
                  "X-Forwarded-For: 10.1.2.3", "Proxy: http://127.0.0.1:1", "Sec-Fetch-Site: same-origin",
                  f"Origin: http://127.0.0.1:{site.port}")
    assert answer.status == 200 and answer.json["user"]["email"] == "alice@example.org", answer.text
    head, _, body = site.server.requests[before].partition("\r\n\r\n")
    line, *fields = head.split("\r\n")
    assert line == "POST /login HTTP/1.1" and json.loads(body) == USER
    assert sorted(field.split(":")[0] for field in fields) == [
        "Accept", "Content-Length", "Content-Type", "Host", "User-Agent", "X-Forwarded-For"]
    assert "X-Forwarded-For: 127.0.0.1" in fields


def test_the_answer_is_the_servers_and_ours(site):
    token = tokens.mint()
    site.server.put(said({"success": True, "data": {"token": token, "user": {"id": 1, "name": "</script>"}}},
                         fields=b"X-Internal: " + MARK.encode() + b"\r\nSet-Cookie: sid=1\r\n"), "/login")
    answer = post(site, "/auth/login")
    assert answer.json == {"message": "Login successful", "token": token, "user": {"id": 1, "name": "</script>"},
                           "success": True, "data": {"token": token, "user": {"id": 1, "name": "</script>"}}}
    assert "<" not in answer.text and not answer.cookies and answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Internal") is None
    own = post(site, "/auth/login", None, "Sec-Fetch-Site: same-origin", f"Origin: http://127.0.0.1:{site.port}")
    assert own.cookies["auth"][0] == token


def test_cookies_of_the_server(site):
    """As long as browsers take them, in chunks, each on a line of its own; others are not passed on, nor sent."""
    chunk = "x" * 3936
    lines = b"".join(b"Set-Cookie: big.%d=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000; Secure\r\n"
                     % (i, chunk.encode()) for i in range(4))
    lines += b"Set-Cookie: other=1\r\nSet-Cookie: big=; Max-Age=0\r\n"
    site.server.put(said({"token": tokens.mint()}, fields=lines), "/login")
    answer = post(site, "/auth/login")
    assert answer.status == 200 and answer.cookies.keys() == {"big", "big.0", "big.1", "big.2", "big.3"}
    assert all(answer.cookies[f"big.{i}"] == (chunk, {"path": "/", "httponly": "", "samesite": "Lax", "secure": "",
                                                      "max-age": "2592000"}) for i in range(4))
    site.server.put(said({}), "/logout")
    left = site.request("/auth/logout", [peers.bearer(tokens.mint()), "Cookie: big.0=a; big.1=b; c=d",
                                         "Accept: application/json"], "POST", b"")
    assert {name for name, (value, _) in left.cookies.items() if not value} >= {"big", "big.0", "big.1"}
    assert "\r\nCookie: big.0=a; big.1=b\r\n" in site.server.requests[-1]


PAGES = [
    ("forgot-password", "/forgot", {"email": "alice@example.org"}),
    ("reset-password?token=code-1", "/reset", {"password": tokens.sensitive("new-pw-of-alice")}),
    ("verify-email?token=code-2", "/verify", {}),
    ("register", "/register", {"username": "alice", "email": "alice@example.org", "password": "pw-of-alice"}),
]


@pytest.mark.parametrize("page, path, fields", PAGES, ids=[row[1] for row in PAGES])
def test_page(site, page, path, fields):
    """What the form says is sent as JSON; what comes of it stands on a page, in the server's words."""
    browser = site.browser()
    target = f"/auth/{page}"
    form = browser.get(target)
    assert form.status == 200 and 'role="alert"' not in form.text
    site.server.put(said({"error": "Not like that, <alice>".replace("<alice>", "alice")}, b"400 X"), path)
    refused = browser.submit(form, target, fields)
    assert refused.status == 400 and upstreams.shown(refused) == "Not like that, alice", refused.text
    assert "pw-of-alice" not in refused.text
    site.server.put(said({"message": "All is well"}), path)
    done = browser.submit(refused, target, fields)
    assert done.status == 200 and "All is well" in done.text and 'role="status"' in done.text
    sent = json.loads(site.server.requests[-1].partition("\r\n\r\n")[2])
    code = page.partition("token=")[2]
    assert sent == fields | ({"token": code} if code else {})
    foreign = site.request(target, ["Content-Type: application/x-www-form-urlencoded"], "POST", b"email=a&token=b")
    assert foreign.status == 403


def test_links_to_the_other_pages(site):
    page = site.browser().get("/auth/login").text
    assert "forgot-password" in page and "register" in page


def test_a_token_that_was_planted_ends(site):
    old, new = tokens.mint(), tokens.mint()
    site.server.put(said({"token": new}), "/login")
    browser = site.browser()
    browser.jar["auth"] = old
    page = browser.get("/auth/login")
    answer = browser.submit(page, "/auth/login", USER)
    assert answer.status == 303 and answer.cookies["auth"][0] == new
    assert peers.refusal(site, peers.cookie_line({"auth": old})) == (401, "token_revoked")
    # The same token once more is no old one.
    again = browser.submit(browser.get("/auth/login"), "/auth/login", USER)
    assert again.status == 303 and peers.user(site, peers.cookie_line({"auth": new})) == "alice"


@pytest.mark.parametrize("claims, reason", [({"lifetime": -60}, "token_expired"), ({"aud": "other"}, "bad_audience"),
                                            ({"key": tokens.OTHER_SECRET}, "bad_signature")])
def test_a_token_that_we_refuse_is_no_login(site, claims, reason):
    site.server.put(said({"token": tokens.mint(**claims), "user": {"id": 1}}), "/login")
    browser = site.browser()
    answer = browser.submit(browser.get("/auth/login"), "/auth/login", USER)
    assert answer.status == 502 and "auth" not in answer.cookies
    assert fault(post(site, "/auth/login")) == BAD
    assert reason in site.log_text("login")


def test_logins_that_hang_stop_nothing_else(site):
    """Two are let in, some wait a little, the others are told at once; tokens are verified and ended meanwhile."""
    token = tokens.mint()
    site.server.put(hang, "/login")
    site.server.put(said({}), "/logout")
    statuses, threads = [], []
    for _ in range(16):
        threads.append(threading.Thread(target=lambda: statuses.append(post(site, "/auth/login").status)))
        threads[-1].start()
    assert site.request("/auth/verify-token", [peers.bearer(token)]).json["valid"] is True
    peers.log_out(site, peers.bearer(token))
    for thread in threads:
        thread.join()
    assert statuses.count(503) >= 6 and statuses.count(504) >= 2 and set(statuses) == {503, 504}


def test_logout_does_not_depend_on_the_server(site):
    for answer, logged in ((said({}), False), (said({"detail": "x"}, b"401 X"), False), (said({}, b"500 X"), True)):
        site.server.put(answer, "/logout")
        before, seen = len(site.log_text("logout")), len(site.server.requests)
        token = tokens.mint()
        peers.log_out(site, peers.bearer(token))
        assert f"Authorization: Bearer {token}" in site.server.requests[seen]
        assert ("upstream_failed" in site.log_text("logout")[before:]) is logged
    site.server.put(hang, "/logout")
    seen = len(site.server.requests)
    for _ in range(3):
        peers.log_out(site, peers.bearer(tokens.mint()))
    assert len(site.server.requests) == seen + 1, "who found it away spares the next ones the wait"
    peers.log_out(site, peers.bearer(tokens.mint()), "Cookie: auth=x")


def test_logout_without_a_good_token_is_told_to_nobody(site):
    seen = len(site.server.requests)
    answer = site.request("/auth/logout", ["Accept: application/json", peers.bearer(tokens.unsigned())], "POST", b"")
    assert answer.json["message"] == "Logout completed" and len(site.server.requests) == seen


def test_health(site):
    site.server.put(said({"status": "ok"}), "/health")
    assert site.request("/auth/auth-server-health").json == {"status": "ok"}
    for answer in (said({}, b"500 X"), hang, said({}, b"302 X", b"Location: /\r\n")):
        site.server.put(answer, "/health")
        assert fault(site.request("/auth/auth-server-health")) == GONE


def test_nobody_there(make_site):
    port, = harness.free_ports(1)
    away = {"login": {"backend": "upstream"}, "upstream": {"base": f"http://127.0.0.1:{port}"},
            "logout": {"upstream": "off"}}
    site_ = make_site(sections=away)
    assert fault(post(site_, "/auth/login")) == GONE
    assert site_.request("/auth/auth-server-health").status == 404
    checked = site_.authctl("check", check=False)
    assert checked.returncode == 1 and "nobody can sign in" in checked.stdout


def test_certificates(make_site, tmp_path):
    harness.make_certificate(tmp_path / "server.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    secure = raw_server.Server(tls)
    secure.put(said({"token": tokens.mint()}), "/login")
    base = {"base": f"https://localhost:{secure.port}"}
    site_ = make_site(sections=sections(secure, **base))
    assert fault(post(site_, "/auth/login")) == GONE
    assert "certificate" in site_.log_text("login") and not secure.requests
    assert "ca-file" in site_.authctl("check", check=False).stdout
    text = site_.configuration.read_text()
    site_.configuration.write_text(text.replace("[upstream]\n", f"[upstream]\nca-file = {tmp_path / 'server.pem'}\n"))
    harness.wait_for("the new configuration", lambda: post(site_, "/auth/login").status == 200)
    secure.close()
