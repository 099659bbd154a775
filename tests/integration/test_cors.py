# SPDX-License-Identifier: Apache-2.0
"""Pages of other origins through the web server: preflights, answers and denials that they may read. And what
browsers may keep of an answer."""

import http.server
import re
import threading

import fastcgi
import harness
import pytest
import tokens

APP, EVIL = "https://app.example", "https://evil.example"
SECTIONS = {
    "server": {"log-allow": "on"},
    'policy "api"': {"path": "/app/**, /papp/**", "issuer": "main", "cors-origin": APP,
                     "cors-headers": "Authorization, X-Own"},
    'policy "open"': {"path": "/users/**", "issuer": "main", "token-from": "bearer", "cors-origin": "*"},
}


class Application(http.server.ThreadingHTTPServer):
    """Counts what reaches it, and sets the headers that the path asks for."""

    daemon_threads = True

    def __init__(self, port):
        self.port, self.asked = port, []
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.server.asked.append((self.command, dict(self.headers)))
        self.send_response(200)
        if self.path == "/papp/own":
            self.send_header("Access-Control-Allow-Origin", "https://of-its-own.example")
        if self.path == "/papp/kept":
            self.send_header("Cache-Control", "private, max-age=60")
        if self.path == "/papp/vary":
            self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_OPTIONS = answer

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def application():
    server = Application(*harness.free_ports(1))
    yield server
    server.shutdown()
    server.server_close()


def with_headers(name, text):
    """nginx has files more for what it adds to an answer."""
    if name != "site.conf":
        return text
    return re.sub(r"(include \S*)protect\.conf;", r"\g<0> \1cors.conf; \1private.conf;", text)


@pytest.fixture(scope="module", params=["lighttpd", "nginx", "nginx-http", "apache-direct", "apache-cgi",
                                         "apache-subrequest", "apache-http", "apache-authnz"])
def site(request, application):
    with harness.Site(server=request.param, sections=SECTIONS, backend=application.port, edit=with_headers) as running:
        yield running


def preflight(site, target, origin, method="PUT", *more):
    headers = [f"Origin: {origin}", f"Access-Control-Request-Method: {method}",
               "Access-Control-Request-Headers: authorization", "Sec-Fetch-Mode: cors", *more]
    return site.request(target, headers, method="OPTIONS")


def cors(answer):
    """The headers that matter, and nothing that is for web servers alone."""
    assert not [name for name, _ in answer.headers if name.lower().startswith("variable-")]
    names = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Vary")
    # In any order, on one line or several.
    lists = [sorted(word.strip() for line in answer.all(name) for word in line.split(",")) for name in names]
    return tuple(", ".join(words) or None for words in lists)


@pytest.mark.parametrize("target", ["/app/page.txt", "/app/app.cgi", "/papp/x"])
def test_preflight(site, application, target):
    before = len(application.asked)
    answer = preflight(site, target, APP)
    assert answer.status == 204 and answer.body == b""
    assert cors(answer) == (APP, "true", "Origin")
    assert answer.all("Access-Control-Allow-Methods") == ["GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]
    assert answer.all("Access-Control-Allow-Headers") == ["Authorization, X-Own"]
    assert answer.all("Access-Control-Max-Age") == ["600"]
    assert len(application.asked) == before


def test_preflight_without_cookies(site):
    answer = preflight(site, "/users/alice/page.txt", EVIL, "PROPFIND")
    assert answer.status == 204 and cors(answer) == ("*", None, "Origin")
    assert answer.header("Access-Control-Allow-Methods").endswith(", PROPFIND")


@pytest.mark.parametrize("origin", [EVIL, "null", "https://app.example.evil.example", "http://app.example"])
def test_preflight_of_another_origin(site, application, origin):
    before = len(application.asked)
    answer = preflight(site, "/papp/x", origin)
    assert answer.status == 401 and cors(answer) == (None, None, None)
    assert len(application.asked) == before


def test_options_without_the_question(site):
    """No preflight: it needs a token as everything does."""
    assert site.request("/papp/x", [f"Origin: {APP}"], method="OPTIONS").status == 401
    assert site.request("/papp/x", ["Access-Control-Request-Method: PUT"], method="OPTIONS").status == 401


def test_allowed(site):
    bearer = f"Authorization: Bearer {tokens.mint()}"
    assert cors(site.request("/app/page.txt", [bearer, f"Origin: {APP}"])) == (APP, "true", "Origin")
    assert cors(site.request("/papp/x", [bearer, f"Origin: {APP}"], method="PUT", body=b"x")) == (APP, "true", "Origin")
    assert cors(site.request("/papp/vary", [bearer, f"Origin: {APP}"])) == (APP, "true", "Accept-Encoding, Origin")
    assert cors(site.request("/papp/own", [bearer, f"Origin: {APP}"])) == ("https://of-its-own.example", None, None)
    assert cors(site.request("/app/missing.txt", [bearer, f"Origin: {APP}"])) == (APP, "true", "Origin")
    assert cors(site.request("/users/alice/page.txt", [bearer, f"Origin: {EVIL}"])) == ("*", None, "Origin")


def test_not_allowed_to_read(site):
    bearer = f"Authorization: Bearer {tokens.mint()}"
    for origin in ([], [f"Origin: {EVIL}"]):
        answer = site.request("/app/page.txt", [bearer, *origin])
        assert answer.status == 200 and cors(answer) == (None, None, None)


def test_denied(site):
    """A page may read why."""
    answer = site.request("/app/page.txt", [f"Origin: {APP}", "Sec-Fetch-Mode: cors"])
    assert answer.status == 401 and cors(answer) == (APP, "true", "Origin") and answer.json["reason"] == "no_token"
    answer = site.request("/app/page.txt", [f"Origin: {EVIL}", "Sec-Fetch-Mode: cors"])
    assert answer.status == 401 and cors(answer) == (None, None, None)
    answer = site.request("/users/bob/page.txt", [f"Authorization: Bearer {tokens.mint()}", f"Origin: {EVIL}"])
    assert cors(answer)[0] == "*"


def test_application_sees_nothing_of_it(site, application):
    site.request("/papp/x", [f"Authorization: Bearer {tokens.mint()}", f"Origin: {APP}"])
    headers = {name.lower() for name in application.asked[-1][1]}
    assert "x-auth-user" in headers and "x-auth-cors-origin" not in headers


# --- the program alone ----------------------------------------------------------------------------------

@pytest.fixture(scope="module", params=["fastcgi", "libfcgi"])
def program(request):
    with harness.Site(transport=request.param, sections=SECTIONS) as running:
        yield running


def ask(program, role, **more):
    sent = {"REQUEST_METHOD": "OPTIONS", "REQUEST_URI": "/app/x?access_token=x", "HTTP_HOST": "127.0.0.1",
            "HTTP_ORIGIN": APP, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    return fastcgi.request(f"unix:{program.services['verify'].path}", sent | more, role=role)


@pytest.mark.parametrize("role, more, status", [
    (fastcgi.AUTHORIZER, {}, 204), (fastcgi.RESPONDER, {}, 401), (fastcgi.RESPONDER, {"AUTH_PREFLIGHT": "answer"}, 204),
    (fastcgi.RESPONDER, {"AUTH_PREFLIGHT": "on"}, 401), (fastcgi.RESPONDER, {"HTTP_AUTH_PREFLIGHT": "answer"}, 401),
    (fastcgi.RESPONDER, {"AUTH_PREFLIGHT": "answer", "REQUEST_METHOD": "GET"}, 401),
    (fastcgi.AUTHORIZER, {"AUTH_EFFECTIVE_PATH": "/admin/x"}, 401)])
def test_roles(program, role, more, status):
    """204 is an allow to nginx and others: only who says how it is asked gets one."""
    assert ask(program, role, **more).status == status


def test_log(program):
    ask(program, fastcgi.AUTHORIZER)
    line = [line for line in program.log_text("verify").splitlines() if "event=preflight" in line][-1]
    assert "status=204" in line and f'origin="{APP}"' in line and "access_token" not in line


@pytest.mark.parametrize("target", ["/app/page.txt", "/app/app.cgi", "/papp/x"])
def test_what_is_kept(site, target):
    """A page for members is not there any more when its reader has signed out; its parts are asked for anew."""
    bearer = f"Authorization: Bearer {tokens.mint()}"
    for more in ([], ["Sec-Fetch-Dest: document"], ["Sec-Fetch-Dest: empty"], ["Sec-Fetch-Dest: imagex"]):
        assert site.request(target, [bearer, *more]).all("Cache-Control") == ["no-store"]
    answer = site.request(target, [bearer, "Sec-Fetch-Dest: image"])
    assert answer.all("Cache-Control") == ["private, no-cache"]
    assert answer.header("Vary") is None


def test_what_an_application_says_about_keeping(site):
    bearer = f"Authorization: Bearer {tokens.mint()}"
    assert site.request("/papp/kept", [bearer]).all("Cache-Control") == ["private, max-age=60"]


def test_what_is_for_everybody_may_be_kept(site):
    answer = site.request("/public/page.txt")
    assert answer.status == 200 and answer.all("Cache-Control") == []
