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
    disable_nagle_algorithm = True

    def answer(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b"".join(self.chunks())
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = json.dumps({"headers": self.headers.items(), "length": len(body),
                           "sha256": hashlib.sha256(body).hexdigest()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def chunks(self):
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PROPFIND = answer

    def log_message(self, *_):
        pass


class FastCgiServer:
    """Answers each connection in a thread of its own: what answer() gives for the parameters and the body, or None
    to close without an answer. The address is the path of a socket, or a port."""

    def __init__(self, address):
        if isinstance(address, int):
            self.socket = socket.create_server(("127.0.0.1", address))
        else:
            if os.path.exists(address):
                os.unlink(address)
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(str(address))
            os.chmod(address, 0o666)
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
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            streams = {fastcgi.PARAMS: b"", fastcgi.STDIN: b""}
            reader = connection.makefile("rb")
            role = 0
            while len(head := reader.read(8)) == 8:  # up to the end of PARAMS, and of STDIN where there is one
                _, kind, _, size, padding = struct.unpack(">BBHHBx", head)
                content = reader.read(size + padding)[:size]
                if kind == fastcgi.BEGIN_REQUEST:
                    role = content[1]
                if kind in streams:
                    streams[kind] += content
                if size == 0 and kind == (fastcgi.STDIN if role == fastcgi.RESPONDER else fastcgi.PARAMS):
                    break
            try:
                self._send(connection, self.answer(read_pairs(streams[fastcgi.PARAMS]), streams[fastcgi.STDIN]))
            except OSError:
                pass  # who asked is gone

    def _send(self, connection, stdout):
        if stdout is not None:
            connection.sendall(fastcgi.stream(fastcgi.STDOUT, stdout)
                               + fastcgi.record(fastcgi.END_REQUEST, b"\0" * 8))

    def answer(self, params, body):
        raise NotImplementedError


def read_pairs(data):
    """The names and values of a PARAMS stream, in order."""
    found, at = [], 0
    while at < len(data):
        sizes = []
        for _ in range(2):
            long = data[at] >> 7
            sizes.append(int.from_bytes(data[at:at + 4], "big") & 0x7fffffff if long else data[at])
            at += 4 if long else 1
        name, value = data[at:at + sizes[0]], data[at + sizes[0]:at + sum(sizes)]
        at += sum(sizes)
        found.append((name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")))
    return found


class FastCgiEcho(FastCgiServer):
    """A FastCGI application that tells its parameters, in order and as often as they came, and its body."""

    def answer(self, params, body):
        text = json.dumps({"params": params, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()})
        return b"Content-Type: application/json\r\n\r\n" + text.encode("utf-8", "surrogateescape")


class Scripted(FastCgiServer):
    """Sends the same STDOUT to everybody; None closes without an answer."""

    def __init__(self, address, stdout):
        super().__init__(address)
        self.stdout = stdout

    def answer(self, params, body):
        return self.stdout
