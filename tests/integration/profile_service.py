# SPDX-License-Identifier: Apache-2.0
"""A service that knows every user, counts who was asked for, and misbehaves when a test says so."""

import json
import socket
import threading
import urllib.parse

import raw_server
from raw_server import JSON, plain

PATH = "/api/v1/users/"


def flood(head):
    """A gigabyte, or what of it is taken."""
    yield head
    block = b"x" * (1 << 20)
    for _ in range(1 << 10):
        yield block


def drip():
    """One byte a second, after a beginning that is right."""
    yield b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Length: 1000\r\n\r\n"
    never = threading.Event()
    while not never.wait(1):
        yield b"{"


class Service(raw_server.Server):
    """profile(user): the answer's object; answer: None, or what is answered instead: bytes, or a function of the
    user that gives bytes or an iterator of them. takes: seconds for an answer."""

    def __init__(self):
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}{PATH}{{user_id}}"
        self.asked, self.answer_instead, self.open = [], None, set()
        self.takes, self.at_once, self.most = 0, 0, 0
        self.profile = lambda user: {"id": user, "email": f"{user}@profile.example", "isActive": True}

    def find(self, path):
        user = urllib.parse.unquote(path.removeprefix(PATH))
        self.asked.append(user)
        instead = self.answer_instead
        if callable(instead):
            instead = instead(user)
        return instead or self.give(user)

    def give(self, user):
        """A profile, which takes its time; how many at once is counted."""
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        threading.Event().wait(self.takes)
        self.at_once -= 1
        return plain(json.dumps(self.profile(user)).encode())

    def count(self, user):
        return self.asked.count(user)

    def hang(self):
        """From now on nobody gets an answer, until the event that is given is set."""
        released = threading.Event()

        def wait(user):
            released.wait(60)
            return self.give(user)
        self.answer_instead = wait
        return released

    def serve(self, connection):
        self.open.add(connection)
        try:
            super().serve(connection)
        finally:
            self.open.discard(connection)

    def go_down(self):
        """Nobody listens any more, and no connection is left."""
        if self.socket.fileno() >= 0:
            self.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def come_back(self):
        self.socket = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()
