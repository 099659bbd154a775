# SPDX-License-Identifier: Apache-2.0
"""Upgraded connections through mod_auth_request: they end with the verdict that let them in."""

import select
import socket
import threading
import time

import pytest

import apache
import harness
from authorizer import Authorizer, allow, deny
from test_mod_auth_request_cache import Page

CONF = """
AuthRequestBackend paged fcgi:unix:{folder}/a.sock cache={page}
AuthRequestBackend plain fcgi:unix:{folder}/a.sock
<Location /paged>
  AuthRequest backend:paged
  ProxyPass http://127.0.0.1:{backend}/ upgrade=websocket
</Location>
<Location /plain>
  AuthRequest backend:plain
  ProxyPass ws://127.0.0.1:{backend}/
</Location>
"""
UPGRADE = "HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"


def serve(listening):
    """Says 101 to a handshake, and then back what it is told."""
    def talk(connection):
        with connection:
            reader = connection.makefile("rb")
            while reader.readline() not in (b"\r\n", b""):
                pass
            connection.sendall(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            while said := connection.recv(100):
                connection.sendall(said)

    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


@pytest.fixture(scope="module", params=["event", "prefork"])
def site(request):
    folder = harness.RUN / f"tunnel-{request.param}"
    folder.mkdir()
    port, backend = harness.free_ports(2)
    page, authorizer = Page(folder / "generation.page"), Authorizer(folder / "a.sock")
    conf = CONF.format(folder=folder, page=page.path, backend=backend)
    server = apache.Apache(folder, port, ("proxy", "proxy_http", "proxy_wstunnel"), conf, request.param)
    with socket.create_server(("127.0.0.1", backend)) as listening, authorizer, server:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        yield server, authorizer, page
        listening.shutdown(socket.SHUT_RDWR)


class Tunnel:
    def __init__(self, server, place):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 15)
        self.socket.sendall(f"GET /{place}/x {UPGRADE}".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        self.status = int(head.split()[1])

    def says(self, word):
        self.socket.sendall(word)
        return self.socket.recv(len(word), socket.MSG_WAITALL) == word

    def ends_within(self, seconds):
        readable, _, _ = select.select([self.socket], [], [], seconds)
        try:
            return bool(readable) and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def allow_until(seconds):
    return lambda _: allow("Variable-REMOTE_USER: alice", f"Variable-AUTH_EXPIRES: {int(time.time() + seconds)}")


@pytest.mark.parametrize("place", ["paged", "plain"])
def test_it_ends_when_the_verdict_expires(site, place):
    server, authorizer, _ = site
    authorizer.answer = allow_until(3)
    tunnel = Tunnel(server, place)
    assert tunnel.status == 101 and tunnel.says(b"hello")
    start = time.monotonic()
    assert tunnel.ends_within(8) and time.monotonic() - start > 1


@pytest.mark.parametrize("place,within", [("paged", 4), ("plain", 14)])
def test_it_ends_when_the_authorizer_says_no(site, place, within):
    """With a page a second or two after the change, without at the next question."""
    server, authorizer, page = site
    authorizer.answer = allow_until(600)
    tunnel = Tunnel(server, place)
    assert tunnel.says(b"hello")
    page.advance()
    assert not tunnel.ends_within(2.5) and tunnel.says(b"still"), "a change of somebody else's"
    authorizer.answer = lambda _: deny(401)
    page.advance()
    assert tunnel.ends_within(within)


def test_an_authorizer_that_is_away_for_a_moment_ends_nothing(site):
    server, authorizer, page = site
    authorizer.answer = allow_until(600)
    tunnel = Tunnel(server, "paged")
    assert tunnel.says(b"hello")
    authorizer.stop()
    page.advance()
    assert not tunnel.ends_within(2.5)
    authorizer.start()
    assert tunnel.says(b"hello")
    authorizer.answer = lambda _: deny(401)
    page.advance()
    assert tunnel.ends_within(5)


def test_a_handshake_that_is_denied(site):
    server, authorizer, _ = site
    authorizer.answer = lambda _: deny(403)
    assert Tunnel(server, "paged").status == 403


def test_it_is_forgotten_when_the_client_goes(site):
    server, authorizer, page = site
    authorizer.answer = allow_until(600)
    for _ in range(10):
        tunnel = Tunnel(server, "paged")
        assert tunnel.says(b"x")
        tunnel.socket.shutdown(socket.SHUT_RDWR)
        tunnel.socket.close()
    page.advance()
    assert server.process.poll() is None and Tunnel(server, "paged").says(b"y")
