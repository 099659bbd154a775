# SPDX-License-Identifier: Apache-2.0
"""The verdict cache of mod_auth_request: nothing is asked twice while nothing has changed, and nothing is allowed from
it once a change is acknowledged. VERDICT_CACHE_REQUESTS sets how many requests the random logouts run over."""

import os
import random
import socket
import struct
import threading
import time

import pytest

import apache
import fastcgi
import generation
import harness
import tokens
from authorizer import Authorizer, allow, deny

REQUESTS = int(os.environ.get("VERDICT_CACHE_REQUESTS", "4000"))

CONF = """
KeepAlive On
MaxKeepAliveRequests 0
AuthRequestBackend main fcgi:unix:{socket} cache={page}
AuthRequestBackend other fcgi:unix:{socket} cache={page}
AuthRequestBackend absent fcgi:unix:{socket} cache={folder}/no.page
<Location /app>
  AuthRequest backend:main
</Location>
<Location /other>
  AuthRequest backend:other
</Location>
<Location /policy>
  AuthRequest backend:main
  AuthRequestPolicy strict
</Location>
<Location /off>
  AuthRequest backend:main
  AuthRequestCache off
</Location>
<Location /absent>
  AuthRequest backend:absent
</Location>
"""
PLACES = ("app", "other", "policy", "off", "absent")
#: One child, so that the second request of a kind finds what the first has left.
ONE_CHILD = ("StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMinSpareThreads 1\nMaxSpareThreads 8\n"
             "MaxRequestWorkers 8\n")


class Page:
    def __init__(self, path):
        self.path, self.generation = path, random.getrandbits(63)
        self.path.write_bytes(b"FCGAUTHG" + struct.pack("=IIQ", 1, 0, self.generation) + bytes(40))

    def put(self, offset, content):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(content)

    def advance(self):
        self.generation += 1
        self.put(16, struct.pack("=Q", self.generation))


def make(folder, authorizer_path, page_path, mpm_conf=ONE_CHILD):
    server = apache.Apache(folder, *harness.free_ports(1), (), CONF.format(socket=authorizer_path, page=page_path,
                                                                         folder=folder), mpm_conf=mpm_conf)
    for place in PLACES:
        (server.htdocs / place).mkdir(exist_ok=True)
        (server.htdocs / place / "page.txt").write_text("a page\n")
        (server.htdocs / place / "other.txt").write_text("another\n")
    return server


@pytest.fixture
def site(tmp_path):
    tmp_path.chmod(0o755)
    folder = harness.RUN / f"cache-{next(harness.NUMBERS)}"
    folder.mkdir()
    page = Page(folder / "generation.page")
    authorizer = Authorizer(folder / "a.sock", lambda _: kept())
    server = make(folder, authorizer.path, page.path)
    with authorizer, server:
        yield server, authorizer, page


def kept(age=60, scope="policy", *more):
    return allow("Variable-REMOTE_USER: alice", f"Variable-AUTH_CACHE: max-age={age}; scope={scope}", *more)


def asked(site, *requests):
    """How many questions these requests, each (target, headers…), cost together."""
    server, authorizer, _ = site
    before = len(authorizer.questions)
    for target, *headers in requests:
        assert server.request(target, headers).status == 200
    return len(authorizer.questions) - before


def test_a_verdict_is_kept(site):
    assert asked(site, ("/app/page.txt", "Cookie: a=1"), ("/app/page.txt", "Cookie: a=1"),
                 ("/app/other.txt", "Cookie: a=1")) == 1
    assert site[1].questions[0]["AUTH_CACHE_WANTED"] == "1"
    log = site[0].folder / "access.log"
    harness.wait_for("the user in the log", lambda: log.read_text().count(" alice ") == 3)


def test_for_a_path(site):
    site[1].answer = lambda _: kept(60, "path")
    page = ("/app/page.txt", "Cookie: a=1")
    assert asked(site, page, page, ("/app/page.txt?x=1", "Cookie: a=1"), ("/app/other.txt", "Cookie: a=1"), page) == 3


@pytest.mark.parametrize("other", [
    ("/app/page.txt", "Cookie: a=2"), ("/app/page.txt",), ("/app/page.txt", "Cookie: a=1", "Authorization: Bearer x"),
    ("/app/page.txt", "Cookie: a=1", "Host: other.example"), ("/app/page.txt", "Cookie: a=1", "Cookie: a=1"),
    ("/app/page.txt", "Cookie: a=1", "Origin: https://o.example"), ("/other/page.txt", "Cookie: a=1"),
    ("/policy/page.txt", "Cookie: a=1"), ("/app/page.txt", "Cookie: a=1", "Upgrade: websocket")])
def test_what_it_is_kept_under(site, other):
    page = ("/app/page.txt", "Cookie: a=1")
    assert asked(site, page, other, page) == 2


def test_where_it_is_off(site):
    page = ("/off/page.txt", "Cookie: a=1")
    assert asked(site, page, page) == 2
    assert "AUTH_CACHE_WANTED" not in site[1].questions[0]


def test_preflights_are_asked_about(site):
    assert asked(site, ("/app/page.txt",)) == 1
    site[1].answer = lambda _: deny(401)
    assert site[0].request("/app/page.txt", method="OPTIONS").status == 401
    assert site[0].request("/app/page.txt").status == 200


@pytest.mark.parametrize("answer", [
    allow("Variable-REMOTE_USER: alice"), kept(0), kept(60, "site"), kept("x"), kept(60, "policy", "Set-Cookie: a=1"),
    kept(60, "policy; x=1")])
def test_what_is_not_kept(site, answer):
    site[1].answer = lambda _: answer
    assert asked(site, ("/app/page.txt",), ("/app/page.txt",)) == 2


def test_denials_are_not_kept(site):
    server, authorizer, _ = site
    authorizer.answer = lambda _: deny(403, "Variable-AUTH_CACHE: max-age=60; scope=policy")
    assert server.request("/app/page.txt").status == 403
    authorizer.answer = lambda _: kept()
    assert server.request("/app/page.txt").status == 200


def test_its_end(site):
    site[1].answer = lambda _: kept(1)
    assert asked(site, ("/app/page.txt",), ("/app/page.txt",)) == 1
    harness.wait_for("the end of a second", lambda: asked(site, ("/app/page.txt",)) == 1, 5)


def test_a_change_ends_all(site):
    page = ("/app/page.txt", "Cookie: a=1")
    assert asked(site, page, page) == 1
    for _ in range(5):
        site[2].advance()
        assert asked(site, page, page) == 1


def test_a_change_while_it_is_asked(site):
    """The answer may be from before the change: it is used for this request, and not kept."""
    def change(_):
        site[2].advance()
        return kept()

    site[1].answer = change
    page = ("/app/page.txt", "Cookie: a=1")
    assert asked(site, page, page, page) == 3


@pytest.mark.parametrize("spoil", [
    lambda page: page.path.unlink(), lambda page: os.truncate(page.path, 10), lambda page: page.put(0, b"XXXX"),
    lambda page: page.put(8, b"\2")], ids=["gone", "cut", "no page", "another version"])
def test_a_page_that_is_spoilt(site, spoil):
    page = ("/app/page.txt", "Cookie: a=1")
    assert asked(site, page, page) == 1
    spoil(site[2])
    assert asked(site, page, page) == 2


def test_no_page_at_start(site):
    page = ("/absent/page.txt", "Cookie: a=1")
    assert asked(site, page, page) == 2
    assert "no verdict of absent is kept until the next restart" in site[0].log_text()


def test_more_users_than_places(site):
    """1024 are kept; the rest is asked about, and answered right."""
    users = random.sample(range(10_000), 1500)
    assert asked(site, *[("/app/page.txt", f"Cookie: a={n}") for n in users]) == 1500
    again = asked(site, *[("/app/page.txt", f"Cookie: a={n}") for n in users])
    assert 400 <= again <= 1500


# --- With the real authorizer ------------------------------------------------

class Client:
    """One kept connection, as fast as it goes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.reader = self.socket.makefile("rb")

    def status(self, target, token):
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: site\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        first, length = self.reader.readline(), 0
        while (line := self.reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.reader.read(length)
        return int(first.split()[1])


def log_out(site, token):
    answer = fastcgi.request(f"unix:{site.services['logout'].path}", {
        "REQUEST_METHOD": "POST", "REQUEST_URI": "/auth/logout", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "site",
        "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": "2", "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": f"Bearer {token}"}, b"{}", fastcgi.RESPONDER, timeout=20)
    assert answer.status == 200 and b"Token has been invalidated" in answer.body, answer.raw


@pytest.fixture
def real():
    site = generation.site(processes=2, preexec=harness.drop_privileges)
    harness.give_away(site.folder)
    for name in ("verify", "logout"):
        site.services[name].start()
    folder = site.folder / "httpd"
    folder.mkdir()
    server = make(folder, site.services["verify"].path, site.state / "generation.page", None)
    with server:
        yield site, server
    site.close()


def test_the_real_verdict_is_kept(real):
    """Nobody can be asked any more, and the answer is there: on one connection, which is one child's."""
    site, server = real
    client, token = Client(server.port), tokens.mint()
    assert client.status("/app/page.txt", token) == 200
    site.services["verify"].stop()
    assert client.status("/app/page.txt", token) == 200
    assert client.status("/app/other.txt", token) in (503, 504), "that path has not been asked about"
    log_out(site, token)
    assert client.status("/app/page.txt", token) in (503, 504)


def test_random_logouts(real):
    """0 allowed after the acknowledgement, whatever child and thread has it, over requests with random tokens."""
    site, server = real
    good = [tokens.mint(f"user{n}") for n in range(60)]
    ended, wrong, late, counts = {}, [], [0], {200: 0, 401: 0}
    lock, left = threading.Lock(), [REQUESTS]

    def ask(seed):
        client, choice = Client(server.port), random.Random(seed)
        while left[0] > 0:
            number = choice.randrange(len(good))
            token = good[number]
            was_ended = token in ended  # acknowledged before this request is sent
            status = client.status("/app/page.txt", token)
            with lock:
                left[0] -= 1
                counts[status] = counts.get(status, 0) + 1
                late[0] += was_ended
                if was_ended and status != 401:
                    wrong.append((number, status))
                if not was_ended and status not in (200, 401):
                    wrong.append((number, status))

    def end():
        choice, client = random.Random(1), Client(server.port)
        while left[0] > 0:
            number = choice.randrange(len(good))
            token = good[number]
            assert client.status("/app/page.txt", token) in (200, 401)
            log_out(site, token)
            ended[token] = True
            for _ in range(3):  # at once
                if client.status("/app/page.txt", token) != 401:
                    wrong.append((number, "at once"))
            harness.wait_for("requests with it", lambda: late[0] > len(ended) * 3 or left[0] <= 0)
            good[number] = tokens.mint(f"user{number}")

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)] + [threading.Thread(target=end)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(counts.values())} requests {counts}, {len(ended)} logouts, {late[0]} requests with an ended token, "
          f"{len(wrong)} wrong, {time.monotonic() - start:.0f} s")
    assert not wrong
    assert len(ended) >= REQUESTS / 2000 and counts[200] > REQUESTS / 2
