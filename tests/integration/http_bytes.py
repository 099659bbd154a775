# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 by hand on a unix or TCP socket: bytes out, answers in.

    with Connection("unix:/run/x.sock") as connection:
        connection.send(b"GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
        assert connection.answer().status == 200

An answer must say how long it is: everything else raises.
"""

import socket
import time

import fastcgi
from http_client import Answer


class HttpError(Exception):
    """What came is no valid answer."""


class Closed(HttpError):
    """The server closed the connection before the answer was complete."""


def encode(target="/", headers=(), method="GET", body=None, host="h", version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", f"Host: {host}", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


class Connection:
    def __init__(self, address, timeout=5):
        family, where = fastcgi.parse_address(address)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.timeout = timeout
        self.socket.settimeout(timeout)
        self.buffer = b""
        try:
            self.socket.connect(where)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, target="/", headers=(), method="GET", body=None, **how):
        self.send(encode(target, headers, method, body, **how))
        return self.answer(method == "HEAD")

    def answer(self, head=False):
        """The next one; to HEAD there is no body."""
        deadline = time.monotonic() + self.timeout
        while b"\r\n\r\n" not in self.buffer:
            self._more(deadline)
        start, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        line, *rest = start.decode("latin-1").split("\r\n")
        version, status, _ = line.split(" ", 2)
        if version != "HTTP/1.1":
            raise HttpError(f"status line {line!r}")
        headers = [tuple(part.strip() for part in header.split(":", 1)) for header in rest]
        answer = Answer(int(status), headers)
        lengths = answer.all("Content-Length")
        bodyless = int(status) < 200 or int(status) == 204
        if len(lengths) != (0 if bodyless else 1):
            raise HttpError(f"{len(lengths)} lengths: {start!r}")
        while not head and not bodyless and len(self.buffer) < int(lengths[0]):
            self._more(deadline)
        if not head and not bodyless:
            answer.body, self.buffer = self.buffer[:int(lengths[0])], self.buffer[int(lengths[0]):]
        return answer

    def closed(self):
        """Wait until the server closes; True when it sent nothing before that."""
        try:
            return self.buffer + self.socket.recv(65536) == b""
        except (ConnectionResetError, BrokenPipeError):
            return self.buffer == b""

    def _more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError) as reset:
            raise Closed("connection reset") from reset
        finally:
            self.socket.settimeout(self.timeout)
        if not data:
            raise Closed(f"closed after {self.buffer[:80]!r}")
        self.buffer += data


def request(address, target="/", headers=(), method="GET", body=None, timeout=5, **how):
    """Ask once on a connection of its own."""
    with Connection(address, timeout) as connection:
        return connection.request(target, headers, method, body, **how)
