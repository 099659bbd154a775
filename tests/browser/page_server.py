# SPDX-License-Identifier: Apache-2.0
"""All pages with made-up values, as the programs would send them: show_page behind a small HTTP server."""

import functools
import http.server
import subprocess
import threading

import harness

PROGRAM = harness.BUILD_DIR / "tests" / "browser" / "show_page"
CONFIGURATION = """\
[issuer "main"]
algorithms = HS256
secret = text:0123456789abcdef0123456789abcdef-main
[policy "site"]
path = /**
"""
LOGO = b"""\
<svg xmlns="http://www.w3.org/2000/svg" width="240" height="60">
<rect width="240" height="60" rx="12" fill="#0a7d55"/></svg>
"""


@functools.cache
def names():
    """Every page, with its errors and successes."""
    return subprocess.run([PROGRAM], capture_output=True, text=True, check=True).stdout.split()


class PageServer:
    """/NAME is that page, /LANGUAGE/NAME the same in a language. more: lines of the configuration, where LOGO is the
    path of a picture."""

    def __init__(self, more=""):
        self.configuration = harness.RUN / f"pages-{next(harness.NUMBERS)}.conf"
        self.logo = harness.RUN / f"pages-{next(harness.NUMBERS)}.svg"
        self.logo.write_bytes(LOGO)
        self.configuration.write_text(CONFIGURATION + more.replace("LOGO", str(self.logo)))
        pages = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.wfile.write(b"HTTP/1.0 " + pages.answer(self.path).removeprefix(b"Status: "))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, path):
        """The bytes that a program prints for it."""
        name, _, language = reversed(("/" + path.strip("/")).rpartition("/"))
        if name == "logo":
            return b"Status: 200 OK\r\nContent-Type: image/svg+xml\r\n\r\n" + LOGO
        if name not in names():
            return b"Status: 404 Not Found\r\n\r\n"
        return subprocess.run([PROGRAM, self.configuration, name, language.strip("/") or "en"], capture_output=True,
                              check=True).stdout

    def at(self, path):
        return f"http://127.0.0.1:{self.server.server_address[1]}/{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
