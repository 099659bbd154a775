# SPDX-License-Identifier: Apache-2.0
"""A get-session endpoint that answers what a test says, and a counter of who asked."""

import http.server
import json
import threading


def session(token, user="d1iiUGBF", expires="2100-01-01T00:00:00.000Z", **more):
    return json.dumps({"session": {"token": token, "userId": user, "expiresAt": expires,
                                   "createdAt": "2026-01-01T00:00:00.000Z", **more},
                       "user": {"id": user, "email": f"{user}@example.org"}})


class SessionServer:
    """answers: {token: (status, headers, body) or body}; a token that is not there is signed out."""

    def __init__(self):
        self.answers, self.asked, self.released = {}, [], threading.Event()
        self.held = set()  # tokens that wait until release()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802 - the library's name
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/api/auth/get-session"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        bearer = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        cookie = (request.headers.get("Cookie") or "").partition("=")[2]
        token = (bearer or cookie).partition(".")[0]
        self.asked.append((request.path, token, dict(request.headers)))
        if token in self.held:
            self.released.wait(20)
        made = self.answers.get(token, "null")
        status, headers, body = made if isinstance(made, tuple) else (200, {}, made)
        body = body if isinstance(body, bytes) else body.encode()
        try:
            request.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **headers}.items():
                request.send_header(name, str(value))
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            pass  # who asked has given up

    def count(self, token):
        return sum(asked == token for _, asked, _ in self.asked)

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
