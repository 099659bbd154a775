# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that answers what a test says, byte for byte, and keeps what it was asked."""

import re
import socket
import threading

JSON = b"Content-Type: application/json\r\n"


def plain(body, fields=JSON, status=b"200 OK"):
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, fields, len(body), body)


def chunked(parts, fields=JSON, trailer=b""):
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%s0\r\n%s\r\n" % (fields, body, trailer)


class Server:
    """Answers by path what a test has put there: bytes, or an iterator of bytes. Keeps what it was sent."""

    def __init__(self, tls=None):
        self.answers, self.requests, self.connections, self.tls = {}, [], 0, tls
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            connection = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            with connection:
                while self.answer(connection):
                    pass
        except OSError:
            pass

    def answer(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return False
            request += part
        length = re.search(rb"\r\ncontent-length: *(\d+)", request.partition(b"\r\n\r\n")[0], re.IGNORECASE)
        whole = request.index(b"\r\n\r\n") + 4 + (int(length.group(1)) if length else 0)
        while len(request) < whole and (part := connection.recv(65536)):
            request += part
        self.requests.append(request.decode())
        made = self.find(request.split()[1].decode())
        made = made() if callable(made) else made
        for part in [made] if isinstance(made, bytes) else made:
            connection.sendall(part)
        # What has no length ends with the connection.
        return isinstance(made, bytes) and b"\r\nX-Ends:" not in made

    def find(self, path):
        return self.answers[path]

    def put(self, answer, path="/jwks"):
        self.answers[path] = answer
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
