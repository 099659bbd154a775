# SPDX-License-Identifier: Apache-2.0
"""Applications and authorizers that a test writes in a few lines: a proxied one, and a FastCGI server by script."""

import hashlib
import http.server
import json
import os
import socket
import struct
import threading

import fastcgi


class Echo:
    """An HTTP server on the port that answers with the headers and the digest of the body that it got."""

    def __init__(self, port):
        self.port = port
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), EchoHandler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class EchoHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = json.dumps({"headers": self.headers.items(), "length": len(body),
                           "sha256": hashlib.sha256(body).hexdigest()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


class Scripted:
    """A FastCGI server on a unix socket that sends the same STDOUT to everybody; None closes without an answer."""

    def __init__(self, path, stdout):
        if os.path.exists(path):
            os.unlink(path)
        self.stdout = stdout
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(64)
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection):
        reader = connection.makefile("rb")
        while True:  # up to the empty PARAMS record
            head = reader.read(8)
            if len(head) < 8:
                return
            _, kind, _, size, padding = struct.unpack(">BBHHBx", head)
            reader.read(size + padding)
            if kind == fastcgi.PARAMS and size == 0:
                break
        if self.stdout is None:
            return
        connection.sendall(fastcgi.stream(fastcgi.STDOUT, self.stdout)
                           + fastcgi.record(fastcgi.END_REQUEST, b"\0" * 8))
