# SPDX-License-Identifier: Apache-2.0
"""WebSockets (RFC 6455) as far as a test needs them: a client that sends exactly what a test says, and an application
that tells what it saw of the handshake and repeats each message."""

import base64
import hashlib
import json
import os
import socketserver
import threading

import http_client

TEXT, CLOSE = 1, 8


def accept(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


def frame(payload, kind=TEXT, masked=False):
    """One whole message; a client masks what it sends."""
    bit, key = (0x80, os.urandom(4)) if masked else (0, b"\0" * 4)
    size = bytes([bit | len(payload)]) if len(payload) < 126 else bytes([bit | 126]) + len(payload).to_bytes(2)
    body = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    return bytes([0x80 | kind]) + size + (key if masked else b"") + body


def read_frame(stream):
    """(kind, payload), or (None, b"") at the end of the connection."""
    head = stream.read(2)
    if len(head) < 2:
        return None, b""
    size = head[1] & 0x7f
    if size == 126:
        size = int.from_bytes(stream.read(2))
    key = stream.read(4) if head[1] & 0x80 else b"\0" * 4
    payload = stream.read(size)
    return head[0] & 0xf, bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


class Application(socketserver.ThreadingTCPServer):
    """Says with its first message which headers came, then repeats; chooses the first protocol that is offered."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, port):
        self.port, self.handshakes = port, 0
        super().__init__(("127.0.0.1", port), Connection)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        self.thread.join()


class Connection(socketserver.StreamRequestHandler):
    def read_head(self):
        line = self.rfile.readline().decode()
        pairs = []
        for field in iter(lambda: self.rfile.readline().decode().strip(), ""):
            name, _, value = field.partition(":")
            pairs.append((name, value.strip()))
        return line.split()[1] if line else None, pairs

    def handle(self):
        target, pairs = self.read_head()
        headers = {name.lower(): value for name, value in pairs}
        if "sec-websocket-key" not in headers:
            self.wfile.write(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        self.server.handshakes += 1
        chosen = headers.get("sec-websocket-protocol", "").split(",")[0].strip()
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept(headers['sec-websocket-key'])}\r\n".encode()
            + (f"Sec-WebSocket-Protocol: {chosen}\r\n" if chosen else "").encode() + b"\r\n"
            + frame(json.dumps({"target": target, "headers": pairs}).encode()))
        while True:
            kind, payload = read_frame(self.rfile)
            if kind != TEXT:
                return
            self.wfile.write(frame(payload))


class Client:
    """A handshake; where it was accepted, the connection and what the application saw."""

    KEY = "dGhlIHNhbXBsZSBub25jZQ=="

    def __init__(self, port, target, headers=(), host="127.0.0.1"):
        self.connection = http_client.connect(port)
        lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {self.KEY}", "Sec-WebSocket-Version: 13", *headers]
        self.connection.sendall("".join(line + "\r\n" for line in lines).encode() + b"\r\n")
        self.stream = self.connection.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        self.headers = {}
        for line in iter(lambda: self.stream.readline().decode().strip(), ""):
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.open = self.status == 101
        self.seen = {}
        if self.open:
            assert self.headers["sec-websocket-accept"] == accept(self.KEY)
            told = json.loads(self.receive())
            self.seen = {name.lower(): value for name, value in told["headers"]} | {":target": told["target"]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.connection.close()

    def receive(self):
        kind, payload = read_frame(self.stream)
        assert kind == TEXT, f"kind {kind}"
        return payload

    def echo(self, text):
        """The answer to a message."""
        self.connection.sendall(frame(text.encode(), masked=True))
        return self.receive().decode()
