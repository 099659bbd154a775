# SPDX-License-Identifier: Apache-2.0
"""A FastCGI authorizer by script on a unix socket: it says what a test tells it to, and remembers every question."""

import os
import socket
import struct
import threading

import fastcgi

PROOF = "Variable-AUTH_REQUEST_ID: r1"


def allow(*lines):
    """An allow as auth-verify prints it, with more lines."""
    return "\r\n".join(["Status: 200 OK", *lines, PROOF, "", ""]).encode()


def deny(status=403, *lines, body=b""):
    return "\r\n".join([f"Status: {status} Denied", *lines, "", ""]).encode() + body


def alice(_):
    return allow("Variable-REMOTE_USER: alice", "Variable-AUTH_USER_ID: alice")


def parameters(stream):
    found, at = {}, 0

    def length():
        nonlocal at
        n, size = stream[at], 1
        if n & 0x80:
            n, size = struct.unpack_from(">I", stream, at)[0] & 0x7FFFFFFF, 4
        at += size
        return n

    while at < len(stream):
        name_n, value_n = length(), length()
        name, at = stream[at:at + name_n].decode(), at + name_n
        value, at = stream[at:at + value_n].decode("utf-8", "replace"), at + value_n
        assert name not in found, f"{name} twice"
        found[name] = value
    return found


class Authorizer:
    """answer(parameters) gives the bytes of STDOUT. It may be exchanged while the server runs.

    raw(connection, parameters), where set, writes the records itself; what it returns says
    whether the connection is kept."""

    def __init__(self, path, answer=alice):
        self.path, self.answer, self.raw = str(path), answer, None
        self.questions, self.connections, self.open, self.role = [], 0, [], None
        self.lock = threading.Lock()
        self.socket = None

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.socket.listen(256)
        threading.Thread(target=self._accept, args=(self.socket,), daemon=True).start()
        return self

    def stop(self):
        """Gone, with all its connections, as a program that has ended."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)
        self.hang_up()

    def hang_up(self):
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.open = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _accept(self, listening):
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                while self._answer(connection):
                    pass
            except OSError:
                pass

    def _answer(self, connection):
        """One question and its answer. False: the connection has ended."""
        reader, stream, keep, role = connection.makefile("rb"), b"", False, None
        while True:
            head = reader.read(8)
            if len(head) < 8:
                return False
            version, kind, number, size, padding = struct.unpack(">BBHHBx", head)
            content = reader.read(size + padding)[:size]
            assert (version, number) == (1, 1)
            if kind == fastcgi.BEGIN_REQUEST:
                role, flags = struct.unpack(">HB5x", content)
                keep = flags & 1
            elif kind == fastcgi.PARAMS:
                stream += content
            elif kind == fastcgi.STDIN:
                assert not content, "an authorizer gets no body"
                break
        question = parameters(stream)
        with self.lock:
            self.questions.append(question)
            self.role = role
        if self.raw:
            return self.raw(connection, question)
        connection.sendall(fastcgi.stream(fastcgi.STDOUT, self.answer(question))
                           + fastcgi.record(fastcgi.END_REQUEST, b"\0" * 8))
        return keep
