# SPDX-License-Identifier: Apache-2.0
"""mod_auth_request asks an HTTP server by sub-request, as nginx and the older module of that name do; a configuration
of the latter is used unchanged."""

import http.server
import threading

import pytest

import apache
import harness

CONF = """
<Location />
  AuthRequest /_auth
</Location>
<Location /_auth>
  AuthRequest off
  <If "%{{IS_SUBREQ}} == 'false'">
    Require all denied
  </If>
  ProxyPass http://127.0.0.1:{backend}/check
</Location>
<Location /portal>
  AuthRequest off
</Location>
<Location /redirect>
  AuthRequestRedirect https://portal.example/access
</Location>
<Location /proof>
  AuthRequest /_auth proof=Remote-User
  AuthRequestSet REMOTE_USER %{{Remote-User}}
  AuthRequestPolicy wiki
</Location>
<Location /static>
  AuthRequest /portal/page.txt
</Location>
"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers.items())))
        status = int(self.headers.get("X-Want", "202"))
        self.send_response(status)
        for name, value in self.server.more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"of the authorizer")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def running():
    folder = harness.RUN / "subrequest"
    folder.mkdir()
    port, backend = harness.free_ports(2)
    server = apache.Apache(folder, port, ("proxy", "proxy_http"), CONF.format(backend=backend))
    for place in ("app", "portal", "redirect", "proof", "static"):
        (server.htdocs / place).mkdir()
        (server.htdocs / place / "page.txt").write_text("a page\n")
    authorizer = http.server.ThreadingHTTPServer(("127.0.0.1", backend), Handler)
    threading.Thread(target=authorizer.serve_forever, daemon=True).start()
    with server:
        yield server, authorizer
    authorizer.shutdown()
    authorizer.server_close()


@pytest.fixture
def site(running):
    running[1].asked, running[1].more = [], []
    return running


@pytest.mark.parametrize("want,status", [(200, 200), (202, 200), (401, 401), (403, 403), (404, 500), (500, 500)])
def test_statuses(site, want, status):
    server, authorizer = site
    authorizer.more = [("WWW-Authenticate", "Basic realm=x"), ("X-Plain", "1")]
    answer = server.request("/app/page.txt", [f"X-Want: {want}"])
    assert answer.status == status and b"of the authorizer" not in answer.body
    assert answer.all("WWW-Authenticate") == (["Basic realm=x"] if status in (401, 403) else [])
    assert not answer.all("X-Plain")


def test_what_is_asked(site):
    server, authorizer = site
    server.request("/app/page.txt?a=b", ["Cookie: c=d", "X-Original-URI: /forged", "X-Original-Method: GET",
                                         "X-Forwarded-Proto: https", "X-Forwarded-Host: forged", "Range: bytes=0-1",
                                         "X-Real-IP: 1.2.3.4"], "POST", b"body")
    (path, headers), = authorizer.asked
    assert path == "/check" and headers["Cookie"] == "c=d"
    assert (headers["X-Original-URI"], headers["X-Original-Method"]) == ("/app/page.txt?a=b", "POST")
    assert headers["X-Forwarded-Proto"] == "http" and headers["X-Real-IP"] == "127.0.0.1"
    assert "forged" not in str(headers) and "Range" not in headers and headers.get("Content-Length", "0") == "0"


def test_the_endpoint_is_closed(site):
    assert site[0].request("/_auth").status == 403
    assert site[0].request("/portal/page.txt", ["X-Want: 403"]).status == 200


def test_redirect(site):
    answer = site[0].request("/redirect/page.txt", ["X-Want: 401"])
    assert (answer.status, answer.all("Location")) == (302, ["https://portal.example/access"])
    assert site[0].request("/redirect/page.txt", ["X-Want: 403"]).status == 403


def test_proof(site):
    server, authorizer = site
    assert server.request("/proof/page.txt").status == 502
    authorizer.more = [("Remote-User", "carol")]
    assert server.request("/proof/page.txt").status == 200
    assert authorizer.asked[-1][0] == "/check?policy=wiki"
    log = server.folder / "access.log"
    harness.wait_for("the user in the log", lambda: " carol " in log.read_text())


def test_a_file_is_no_authorizer(site):
    assert site[0].request("/static/page.txt").status == 502
