# SPDX-License-Identifier: Apache-2.0
"""Verdicts of auth-verify that mod_auth_request keeps: used again, and ended by each change before it is acknowledged.

What the module does by itself is in test_mod_auth_request_cache.py.
"""

import os
import signal
import socket
import struct
import threading
import time

import pytest

import apache
import generation
import harness
from generation import fresh, log_out

CONF = """
AuthRequestBackend real fcgi:unix:{relay} timeout=5s cache={page}
<Location /app>
  AuthRequest backend:real
</Location>
<Location /named>
  AuthRequest backend:real
  AuthRequestPolicy plain
</Location>
<Location /named/admin>
  AuthRequestPolicy admin
</Location>
<Location /users>
  AuthRequest backend:real
</Location>
"""
#: One process, so that what it keeps can be counted.
ONE = "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMinSpareThreads 1\nMaxSpareThreads 8\nMaxRequestWorkers 8\n"
INVALIDATED = "Token has been invalidated"


class Relay:
    """Stands between the web server and auth-verify, and counts what is asked."""

    def __init__(self, path, to):
        self.path, self.to, self.asked = path, to, 0
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        path.chmod(0o777)
        self.listening.listen(64)
        self.connections, self.threads = [], []
        self.begin(self.accept)

    def begin(self, work, *with_):
        self.threads.append(threading.Thread(target=work, args=with_))
        self.threads[-1].start()

    def accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self.to))
            self.connections += [client, server]
            self.begin(self.count, client, server)
            self.begin(self.copy, server, client)

    def count(self, client, server):
        """Record by record: one that begins a request counts."""
        try:
            with client.makefile("rb") as records:
                while len(header := records.read(8)) == 8:
                    _, kind, _, size, padding = struct.unpack(">BBHHBx", header)
                    self.asked += kind == 1
                    server.sendall(header + records.read(size + padding))
        except OSError:
            pass
        self.end(server)

    def copy(self, server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        self.end(client)

    @staticmethod
    def end(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        for connection in [self.listening, *self.connections]:
            self.end(connection)
        for thread in self.threads:
            thread.join()
        for connection in [self.listening, *self.connections]:
            connection.close()


class Running:
    """auth-verify and auth-logout, the relay, and Apache in front."""

    def __init__(self, name):
        self.site = generation.site(processes=2, preexec=harness.drop_privileges,
                                 sections={'policy "plain"': {"path": "/plain/**"}})
        harness.give_away(self.site.folder)
        for service in ("verify", "logout"):
            self.site.services[service].start()
        folder = harness.RUN / name
        folder.mkdir()
        self.relay = Relay(folder / "relay.sock", self.site.services["verify"].path)
        conf = CONF.format(relay=self.relay.path, page=self.site.state / "generation.page")
        self.server = apache.Apache(folder, *harness.free_ports(1), (), conf, mpm_conf=ONE)
        for place in ("app", "named", "named/admin", "users/alice", "users/bob"):
            (self.server.htdocs / place).mkdir(parents=True, exist_ok=True)
            (self.server.htdocs / place / "page.txt").write_text("a page\n")
        self.server.start()

    def close(self):
        self.server.stop()
        self.relay.close()
        self.site.close()

    def ask(self, token, target="/app/page.txt", *lines, method="GET"):
        """(status, whether auth-verify was asked)"""
        before = self.relay.asked
        headers = [f"Authorization: Bearer {token}"] if token else []
        answer = self.server.request(target, [*headers, "Accept: application/json", *lines], method)
        return answer.status, self.relay.asked > before

    def keep(self, token, target="/app/page.txt", *lines):
        assert self.ask(token, target, *lines) == (200, True)
        assert self.ask(token, target, *lines) == (200, False), "it is kept"


@pytest.fixture(scope="module")
def running():
    made = Running("verdict_cache")
    yield made
    made.close()


@pytest.fixture
def make():
    made = []

    def one(name):
        made.append(Running(name))
        return made[-1]

    yield one
    for each in made:
        each.close()


# --- what is kept ---------------------------------------------------------------------

def test_a_repeated_token_costs_no_question(running):
    token, before = fresh(), running.relay.asked
    assert [running.ask(token)[0] for _ in range(50)] == [200] * 50
    assert running.relay.asked == before + 1


def test_for_every_path_of_a_policy_that_is_named(running):
    token = fresh()
    running.keep(token, "/named/page.txt")
    assert running.ask(token, "/named/other")[1] is False
    assert running.ask(token, "/named/admin/page.txt") == (403, True), "under another policy"


def test_for_one_target_where_the_path_decides(running):
    token = fresh()
    running.keep(token, "/users/alice/page.txt")
    assert running.ask(token, "/users/alice/page.txt?x=1") == (200, True)
    assert running.ask(token, "/users/bob/page.txt") == (403, True)
    assert running.ask(fresh("bob"), "/users/alice/page.txt") == (403, True)


def test_for_the_same_credentials_host_and_scheme_alone(running):
    token = fresh()
    running.keep(token)
    assert running.ask(token, "/app/page.txt", "Host: intern.example") == (403, True)
    assert running.ask(token, "/app/page.txt", "Cookie: a=b") == (200, True)
    assert running.ask(token[:-1]) == (401, True)
    assert running.ask(None, "/app/page.txt", f"Cookie: auth={token}") == (200, True)
    assert running.ask(None) == (401, True)
    assert running.ask(token) == (200, False)


def test_handshakes_and_options_are_asked_for(running):
    """A page of another site may open a WebSocket with a cookie that it does not know."""
    token = fresh()
    running.keep(token)
    handshake = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    assert running.ask(token, "/app/page.txt", *handshake)[1] is True
    assert running.ask(token, "/app/page.txt", method="OPTIONS")[1] is True
    jar = f"Cookie: auth={token}"
    running.keep(None, "/app/page.txt", jar)
    assert running.ask(None, "/app/page.txt", jar, "Origin: https://evil.example", *handshake) == (403, True)


def test_the_end_of_a_token(running):
    end = int(time.time()) + 4
    token = fresh(exp=end)
    running.keep(token)
    harness.wait_for("the end", lambda: running.ask(token)[0] == 401)
    assert end <= time.time() < end + 1


# --- what ends it ---------------------------------------------------------------------

def test_logout(running):
    token, other = fresh(), fresh()
    running.keep(token)
    running.keep(other)
    assert INVALIDATED in log_out(running.site, token)
    assert running.ask(token) == (401, True)
    assert running.ask(other) == (200, True), "all of it is asked for anew"
    assert running.ask(other) == (200, False)


@pytest.mark.parametrize("words", [("revocations", "add", "--user", "dave"), ("revocations", "add", "--token", "-")])
def test_authctl(running, words):
    token = fresh(words[-1].replace("-", "erin"), iat=int(time.time()) - 1)
    running.keep(token)
    running.site.authctl(*words, text=token if "-" in words else "")
    assert running.ask(token) == (401, True)


def test_accounts(running):
    running.site.authctl("users", "add", "carol", "--generate")
    token = fresh("carol", iat=int(time.time()) - 1)
    running.keep(token)
    running.site.authctl("users", "disable", "carol")
    assert running.ask(token) == (401, True)


def test_a_reload_with_other_rules(make):
    running, token = make("verdict_cache_reload"), fresh()
    running.keep(token)
    number = generation.Page(running.site.state)
    before = number.number()
    running.site.write_configuration({'policy "site"': {"require": "claim:roles = admin"}})
    for pid in running.site.services["verify"].workers():
        os.kill(pid, signal.SIGHUP)
    harness.wait_for("two reloads", lambda: running.site.log_text("verify").count("configuration read") >= 2)
    harness.wait_for("the page", lambda: number.number() != before)
    assert running.ask(token) == (403, True)
    number.close()


def test_another_key(make):
    running, token = make("verdict_cache_key"), fresh()
    running.keep(token)
    running.site.secret.write_text("another secret that is long enough for HS256 tokens\n")
    for pid in running.site.services["verify"].workers():
        os.kill(pid, signal.SIGHUP)
    harness.wait_for("two reloads", lambda: running.site.log_text("verify").count("configuration read") >= 2)
    assert running.ask(token) == (401, True)


@pytest.mark.parametrize("harm", ["deleted", "emptied", "overwritten"])
def test_without_the_page_each_is_asked_for(make, harm):
    running, token = make(f"verdict_cache_{harm}"), fresh()
    running.keep(token)
    path = running.site.state / "generation.page"
    if harm == "deleted":
        path.unlink()
    elif harm == "emptied":
        os.truncate(path, 0)
    else:
        path.write_bytes(b"x" * generation.SIZE)
    assert [running.ask(token) for _ in range(3)] == [(200, True)] * 3
    assert INVALIDATED in log_out(running.site, fresh())
    assert running.ask(token) == (200, True)
    assert running.ask(token) == (200, harm == "deleted"), "one that was mended is the same file"
