# SPDX-License-Identifier: Apache-2.0
"""Sliding sessions: a token in the last part of its life is followed by another one, the same for everybody."""

import base64
import concurrent.futures
import http.server
import json
import re
import secrets
import sqlite3
import threading
import time

import pytest

import harness
import tokens

LIFETIME, WINDOW = 3600, 900
SECTIONS = {"login": {"password-cost": "4", "rate-limit": "off", "account-rate-limit": "off", "session-max": "2h"},
            'policy "fresh"': {"path": "/keys/**", "issuer": "main", "max-age": "1h"}}
PAGE = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: document", "Accept: text/html"]
#: How each web server gives the cookie of an allow to the client; others pass none on.
SERVERS = ["lighttpd", "lighttpd-spawn", "nginx", "nginx-http", "apache-direct", "apache-subrequest", "apache-http",
           "apache-cgi", "apache-authnz", "apache-fcgid"]


class Application(http.server.ThreadingHTTPServer):
    """Sets headers of its own, and remembers what it was sent."""

    daemon_threads = True

    def __init__(self, port):
        self.port, self.asked = port, []
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Set-Cookie", "own=1")
        self.send_header("Cache-Control", "public, max-age=600")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def application():
    server = Application(*harness.free_ports(1))
    yield server
    server.shutdown()
    server.server_close()


def with_private(name, text):
    """nginx has a file more for it, as for everything that goes to the client."""
    return re.sub(r"(include \S*)protect\.conf;", r"\g<0> \1private.conf;", text) if name == "site.conf" else text


@pytest.fixture(scope="module", params=SERVERS)
def site(request, application):
    with harness.Site(server=request.param, sections=SECTIONS, backend=application.port, edit=with_private) as running:
        running.password = running.add_user("alice", "--role", "staff")
        yield running


@pytest.fixture(scope="module")
def one():
    """For what does not depend on the web server."""
    with harness.Site(sections=SECTIONS, processes=2) as running:
        running.password = running.add_user("alice", "--role", "staff")
        yield running


def old(left=WINDOW - 60, since=None, user="alice", **changes):
    """A login's token of which so many seconds are left."""
    iat = int(time.time()) + left - LIFETIME
    session = {"iat": iat, "auth_time": since or iat, "sid": secrets.token_urlsafe(16)}
    return tokens.mint(user, left, **session | changes)


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def ask(site, token, target="/app/app.cgi", headers=PAGE, **more):
    return site.request(target, [f"Cookie: auth={token}", *headers], **more)


def renewed(answer, name="auth"):
    """The token of its cookie, of which there is one at most; nothing of it leaks elsewhere."""
    assert answer.status == 200, answer
    lines = [line for line in answer.all("Set-Cookie") if line.startswith(f"{name}=")]
    assert len(lines) <= 1
    others = [value for header, value in answer.headers if header.lower() != "set-cookie"]
    token = tokens.sensitive(answer.cookies[name][0]) if lines else None
    assert not token or not any(token in text for text in [*others, answer.text])
    assert not [header for header, _ in answer.headers if header.lower().startswith("variable-")]
    return token


# --- through each web server ---------------------------------------------------------------------------

@pytest.mark.parametrize("target", ["/app/app.cgi", "/app/page.txt", "/papp/x"])
def test_cookie(site, application, target):
    token = old()
    answer = ask(site, token, target)
    new = renewed(answer)
    assert new, "no cookie"
    before, after = claims(token), claims(new)
    assert {name: after[name] for name in ("sub", "sid", "auth_time")} == \
           {name: before[name] for name in ("sub", "sid", "auth_time")}
    assert (after["iat"], after["exp"]) == (before["exp"] - WINDOW, before["exp"] - WINDOW + LIFETIME)
    assert after["roles"] == ["staff"] and after["jti"] != before["jti"]
    attributes = answer.cookies["auth"][1]
    assert {"httponly"} <= set(attributes) and (attributes["path"], attributes["samesite"]) == ("/", "Lax")
    assert abs(int(attributes["max-age"]) - (after["exp"] - time.time())) < 5
    # What the page says of caches does not hold for a shared one.
    kept = ", ".join(answer.all("Cache-Control")).lower()
    assert "private" in kept or "no-store" in kept
    # Nobody but the client is told; the old token is good beside the new one.
    assert "SET_COOKIE" not in answer.text and new not in str(application.asked)
    if target == "/papp/x":
        assert "own=1" in answer.all("Set-Cookie")
        assert "x-auth-set-cookie" not in {name.lower() for name in application.asked[-1]}
    assert renewed(ask(site, token, target)) == new
    assert renewed(ask(site, new, target)) is None


def test_no_cookie(site):
    """Only for pages that a person opens, and tokens of a login in their last part."""
    token = old()
    for headers in (["Accept: */*"], ["Sec-Fetch-Mode: cors", "Accept: text/html"],
                    ["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"]):
        assert renewed(ask(site, token, headers=headers)) is None
    assert renewed(ask(site, token, method="POST", body=b"a=b")) is None
    assert renewed(site.request("/app/app.cgi", [f"Authorization: Bearer {token}", *PAGE])) is None
    for other in (old(WINDOW + 60), tokens.mint(lifetime=60), old(drop=["sid"]), old(drop=["auth_time"]),
                  old(user="nobody-here"), old(since=int(time.time()) - 7200)):
        assert renewed(ask(site, other)) is None
    assert renewed(site.request("/public/app.cgi", [f"Cookie: auth={token}", *PAGE])) is None


def test_never_twice(site):
    """A page of several decisions (a folder's index, an error document) gets one cookie."""
    for target in ("/app/", "/app/missing"):
        answer = ask(site, old(), target)
        assert len([line for line in answer.all("Set-Cookie") if line.startswith("auth=")]) <= 1, target


# --- whatever the web server -----------------------------------------------------------------------------

def test_at_once(one):
    """A thousand requests in the window, over several processes: one successor, and nobody is turned away."""
    token = old()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: ask(one, token, "/app/page.txt"), range(1000)))
    assert {answer.status for answer in answers} == {200}
    assert len({claims(renewed(answer))["jti"] for answer in answers}) == 1


def test_to_its_end(one):
    """The old one ends by itself, the new one goes on; the chain ends at session-max."""
    started = int(time.time()) - 5000
    token = old(WINDOW - 60, since=started)
    new = renewed(ask(one, token))
    assert claims(new)["exp"] == started + 7200
    # Of the last one there is no successor, however near its end is.
    last = tokens.mint("alice", 30, iat=int(time.time()) - 3000, auth_time=int(time.time()) - 7170,
                       sid=claims(new)["sid"])
    assert renewed(ask(one, last)) is None
    expired = old(left=-3)
    assert ask(one, expired, headers=[]).status == 401


def log_out(site, token, query=""):
    headers = [f"Authorization: Bearer {token}", "Accept: application/json"]
    return site.request("/auth/logout" + query, headers, "POST", b"")


@pytest.mark.parametrize("presented", ["old", "new"])
def test_logout_ends_both(one, presented):
    token = old()
    new = renewed(ask(one, token))
    chain = {"old": token, "new": new}
    answer = log_out(one, chain[presented])
    assert answer.json["message"] == "Successfully logged out"
    assert [ask(one, each, headers=[]).json["reason"] for each in chain.values()] == ["token_revoked"] * 2
    assert refresh(one, f"Authorization: Bearer {token}").status == 401


def test_logout_everywhere(one):
    """What is renewed from then on is not good either."""
    token = old(user="bert")
    one.add_user("bert")
    new = renewed(ask(one, token))
    log_out(one, new, "?all=1")
    for each in (token, new):
        assert ask(one, each, headers=[]).json["reason"] == "token_revoked"
        assert refresh(one, f"Authorization: Bearer {each}").status == 401


def change_carla(site, what):
    with sqlite3.connect(site.state / "accounts.db") as db:
        db.execute(f"UPDATE account SET {what} WHERE id = 'carla'")


def test_account_as_it_is_now(one):
    """Changed, it goes into the next token; disabled or removed, there is none, and the old one ends."""
    one.add_user("carla", "--role", "staff")
    token = old(user="carla")
    change_carla(one, "roles = 'admin'")
    assert claims(renewed(ask(one, token)))["roles"] == ["admin"]
    change_carla(one, "disabled = 1")  # and not by authctl, which ends the sessions as well
    assert renewed(ask(one, token)) is None
    assert refresh(one, f"Authorization: Bearer {token}").json["reason"] == "user_inactive"


def test_max_age_is_from_the_login(one):
    """A renewed token is not younger than its login."""
    token = old(since=int(time.time()) - 3500)
    assert ask(one, token, "/keys/app.cgi").status == 200
    token = old(since=int(time.time()) - 3700)
    new = renewed(ask(one, token))
    assert claims(new)["iat"] > time.time() - 3600
    assert ask(one, new, "/keys/app.cgi", headers=[]).json["reason"] == "rule_failed"


def test_not_kept(make_site):
    """Apache keeps no verdict that brings a cookie, and none beyond the time of the next token."""
    site = make_site(server="apache-direct", sections=SECTIONS)
    site.add_user("alice")
    token = old()
    tellings = {renewed(ask(site, token)) for _ in range(5)}
    assert len(tellings) == 1 and None not in tellings
    assert renewed(ask(site, token, headers=[])) is None  # another kind of request between them
    assert {renewed(ask(site, token)) for _ in range(3)} == tellings


# --- POST /refresh -----------------------------------------------------------------------------------------

def refresh(site, *headers, body=b""):
    return site.request("/auth/refresh", ["Accept: application/json", *headers], "POST", body)


def test_refresh_for_programs(one):
    token = old()
    answer = refresh(one, f"Authorization: Bearer {token}")
    assert answer.status == 200 and not answer.cookies and answer.all("Cache-Control") == ["no-store"]
    new = tokens.sensitive(answer.json["token"])
    assert answer.json["renewed"] and answer.json["expires_at"] == claims(new)["exp"]
    assert new == renewed(ask(one, token)), "the same successor"
    again = refresh(one, f"Authorization: Bearer {new}")
    assert again.json["token"] == new and not again.json["renewed"]
    assert again.json["expires_at"] == claims(new)["exp"]


def test_refresh_for_pages(one):
    token = old()
    own = [f"Cookie: auth={token}", f"Origin: http://127.0.0.1:{one.port}", "Sec-Fetch-Site: same-origin"]
    answer = refresh(one, *own)
    assert answer.status == 200 and "token" not in answer.json and answer.json["renewed"]
    assert answer.cookies["auth"][0] == renewed(ask(one, token))
    for foreign in (["Origin: https://evil.example"], ["Sec-Fetch-Site: cross-site"], ["Origin: null"]):
        refused = refresh(one, f"Cookie: auth={token}", *foreign)
        assert refused.status == 403 and not refused.cookies


@pytest.mark.parametrize("make, status, reason", [
    (lambda: "", 401, "no_token"), (lambda: "x", 401, "token_malformed"),
    (lambda: old(left=-100), 401, "token_expired"),
    (lambda: tokens.mint(key=tokens.OTHER_SECRET), 401, "bad_signature"),
    (lambda: old(user="nobody-here"), 403, "user_inactive")],
    ids=["none", "malformed", "expired", "signature", "removed"])
def test_refresh_refuses(one, make, status, reason):
    token = make()
    answer = refresh(one, *([f"Authorization: Bearer {token}"] if token else []))
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert not answer.cookies


# --- other configurations -------------------------------------------------------------------------------------

@pytest.mark.parametrize("renew, left, is_renewed", [("0s", 10, False), ("10m", 590, True), ("10m", 610, False)])
def test_window(make_site, renew, left, is_renewed):
    site = make_site(sections={"login": {"renew": renew}})
    site.add_user("alice")
    assert bool(renewed(ask(site, old(left)))) == is_renewed


def test_window_longer_than_the_token():
    site = harness.Site(sections={"login": {"renew": "1h"}})
    done = site.authctl("check", check=False)
    assert done.returncode == 78 and "renew: is the last part of lifetime" in done.stderr + done.stdout
    site.close()
