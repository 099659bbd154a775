# SPDX-License-Identifier: Apache-2.0
"""mod_auth_request: one decision, what is asked, and what client and application get of the answer."""

import pytest

import apache
import fastcgi
import harness
import tokens
from authorizer import Authorizer, alice, allow, deny

CONF = """
AuthRequestBackend main fcgi:unix:{socket} timeout=2s
<Location /app>
  AuthRequest backend:main
  AuthRequestPolicy wiki
</Location>
<Location /real>
  AuthRequest backend:real
</Location>
AuthRequestBackend real fcgi:unix:{real}
ScriptAlias /app/cgi {cgi}
ScriptAlias /real/cgi {cgi}
"""


@pytest.fixture(scope="module")
def verify():
    """A real auth-verify, as the user of the web server."""
    site = harness.Site(preexec=harness.drop_privileges)
    harness.give_away(site.folder)
    site.services["verify"].start()
    yield site
    site.close()


@pytest.fixture(scope="module")
def folder():
    made = harness.RUN / "mod_auth_request"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def running(folder, verify):
    authorizer = Authorizer(folder / "authorizer.sock")
    conf = CONF.format(socket=authorizer.path, real=verify.services["verify"].path,
                       cgi=harness.HERE / "data" / "app.cgi")
    server = apache.Apache(folder, *harness.free_ports(1), ("cgid",), conf + f"ScriptSock {folder}/cgid.sock\n")
    for place in ("app", "real"):
        (server.htdocs / place).mkdir()
        (server.htdocs / place / "page.txt").write_text("a page\n")
    with authorizer, server:
        yield server, authorizer


@pytest.fixture
def site(running):
    """The server and the authorizer, which has nothing to tell yet."""
    server, authorizer = running
    authorizer.answer, authorizer.raw = alice, None
    authorizer.questions.clear()
    return server, authorizer


def seen(answer):
    assert answer.status == 200, answer
    return answer.json["environment"]


# --- With the real authorizer ------------------------------------------------

def test_real_allow(site):
    answer = site[0].request("/real/cgi", [f"Authorization: Bearer {tokens.mint()}"])
    environment = seen(answer)
    assert environment["REMOTE_USER"] == environment["AUTH_USER_ID"] == "alice"
    assert environment["AUTH_EMAIL"] == "alice@example.org"
    assert environment["AUTH_MATCHED_POLICY"] == "site"
    assert not [name for name, _ in answer.headers if name.startswith("Variable")]
    log = site[0].folder / "access.log"  # written behind the answer
    harness.wait_for("the user in the log", lambda: " alice " in log.read_text())


def test_real_denials(site):
    machine = site[0].request("/real/page.txt")
    assert machine.status == 401
    assert machine.header("WWW-Authenticate") == 'Bearer realm="fcgi-auth"'
    assert machine.header("Content-Type") == "application/json"
    assert machine.json["reason"] == "no_token"
    assert machine.header("Cache-Control") == "no-store"
    person = site[0].request("/real/page.txt?a=b", ["Accept: text/html"])
    assert person.status == 302
    assert person.all("Location") == ["/auth/login?rd=/real/page.txt%3Fa%3Db"]
    refused = site[0].request("/real/page.txt", [f"Authorization: Bearer {tokens.tampered(tokens.mint())}"])
    assert (refused.status, refused.json["reason"]) == (401, "bad_signature")


# --- The question ------------------------------------------------------------

def test_parameters(site):
    server, authorizer = site
    server.request("/app/cgi/more?x=1&y=%20", ["Authorization: Bearer abc", "Cookie: a=b", "Host: wiki.example",
                                               "X-Long: " + "z" * 5000, "X_Odd: 1", "X.Odd: 2", "Proxy: http://p"])
    question, = authorizer.questions
    assert authorizer.role == fastcgi.AUTHORIZER
    assert question["REQUEST_METHOD"] == "GET"
    assert question["REQUEST_URI"] == "/app/cgi/more?x=1&y=%20"
    assert question["REQUEST_SCHEME"] == "http"
    assert "HTTPS" not in question
    assert question["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert question["SERVER_PORT"].isdigit()
    assert question["REMOTE_ADDR"] == "127.0.0.1"
    assert int(question["REMOTE_PORT"]) > 1023
    assert question["HTTP_AUTHORIZATION"] == "Bearer abc"
    assert question["HTTP_COOKIE"] == "a=b"
    assert question["HTTP_HOST"] == "wiki.example"
    assert question["HTTP_X_LONG"] == "z" * 5000
    assert question["AUTH_POLICY"] == "wiki"
    assert not {"HTTP_X_ODD", "HTTP_PROXY", "REMOTE_USER", "AUTH_EFFECTIVE_PATH", "AUTH_CACHE_WANTED",
                "CONTENT_LENGTH", "QUERY_STRING", "SCRIPT_NAME"} & set(question)


def test_parameters_over_many_records(site):
    """More than one record holds: 64 KiB."""
    server, authorizer = site
    server.request("/app/page.txt", [f"X-{i}: " + chr(97 + i) * 8000 for i in range(12)])
    question, = authorizer.questions
    assert all(question[f"HTTP_X_{i}"] == chr(97 + i) * 8000 for i in range(12))


# --- The answer --------------------------------------------------------------

def test_allow_gives_variables_and_cookies_alone(site):
    server, authorizer = site
    authorizer.answer = lambda _: allow(
        "Variable-REMOTE_USER: bob", "Variable-AUTH_NAME: B\u00f6b", "Variable-PATH: /evil", "Variable-HTTP_X: evil",
        "Variable-AUTH_CACHE: max-age=1; scope=policy", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "X-Plain: 1",
        "Cache-Control: no-store")
    answer = server.request("/app/cgi")
    environment = seen(answer)
    assert (environment["REMOTE_USER"], environment["AUTH_NAME"]) == ("bob", "B\u00f6b")
    assert environment["PATH"] != "/evil"
    assert "HTTP_X" not in environment and "AUTH_CACHE" not in environment
    assert answer.all("Set-Cookie") == ["a=1; Path=/", "b=2"]
    assert not answer.all("X-Plain")
    # With a cookie no shared cache may keep the page; what else the authorizer says of caches is not passed on.
    assert answer.all("Cache-Control") == ["private"]
    assert not [name for name, _ in answer.headers if name.startswith("Variable")]


def test_allow_without_user(site):
    server, authorizer = site
    authorizer.answer = lambda _: allow("Variable-AUTH_MATCHED_POLICY: open")
    environment = seen(server.request("/app/cgi"))
    assert "REMOTE_USER" not in environment and environment["AUTH_MATCHED_POLICY"] == "open"


@pytest.mark.parametrize("status", [400, 401, 403, 429, 503])
def test_denial_with_a_body(site, status):
    server, authorizer = site
    authorizer.answer = lambda _: deny(
        status, "Content-Type: application/json", "WWW-Authenticate: Bearer realm=x", "Set-Cookie: a=; Max-Age=0",
        "Set-Cookie: b=; Max-Age=0", "Retry-After: 5", "Cache-Control: no-store", "Vary: Origin",
        "Access-Control-Allow-Origin: https://o.example", "X-Plain: 1", "Variable-REMOTE_USER: eve",
        body=b'{"no": true}')
    answer = server.request("/app/page.txt")
    assert (answer.status, answer.body) == (status, b'{"no": true}')
    assert answer.all("Content-Type") == ["application/json"]
    assert answer.all("WWW-Authenticate") == ["Bearer realm=x"]
    assert answer.all("Set-Cookie") == ["a=; Max-Age=0", "b=; Max-Age=0"]
    assert answer.all("Retry-After") == ["5"] and answer.all("Cache-Control") == ["no-store"]
    assert answer.all("Vary") == ["Origin"]
    assert answer.all("Access-Control-Allow-Origin") == ["https://o.example"]
    assert not answer.all("X-Plain") and not answer.all("Variable-REMOTE_USER")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("body", [b"", b"go there"])
def test_redirect(site, status, body):
    server, authorizer = site
    authorizer.answer = lambda _: deny(status, "Location: /auth/login?rd=%2F", "Set-Cookie: a=1", body=body)
    answer = server.request("/app/page.txt")
    assert answer.status == status
    assert answer.all("Location") == ["/auth/login?rd=%2F"] and answer.all("Set-Cookie") == ["a=1"]


@pytest.mark.parametrize("status,given", [(404, 500), (500, 500), (418, 500), (302, 500), (201, 502), (204, 502)])
def test_other_statuses_are_no_decision(site, status, given):
    server, authorizer = site
    authorizer.answer = lambda _: deny(status, "Set-Cookie: a=1", "X-Secret: 1", body=b"of the authorizer")
    answer = server.request("/app/page.txt")
    assert answer.status == given
    assert b"of the authorizer" not in answer.body and not answer.all("Set-Cookie")


def test_preflight_is_answered(site):
    server, authorizer = site
    authorizer.answer = lambda _: deny(204, "Access-Control-Allow-Origin: https://o.example", "Vary: Origin",
                                       "Access-Control-Allow-Methods: GET")
    answer = server.request("/app/page.txt", ["Origin: https://o.example"], "OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.all("Access-Control-Allow-Methods") == ["GET"] and answer.all("Vary") == ["Origin"]


# --- Configuration -----------------------------------------------------------

@pytest.mark.parametrize("lines,said", [
    ("AuthRequestBackend main", "takes a name and an address"),
    ("AuthRequestBackend main ftp://x", "ftp://x is no address: write fcgi:unix:/path"),
    ("AuthRequestBackend main fcgi:unix:run/x", "the path must begin with /"),
    ("AuthRequestBackend main fcgi:unix:/" + "x" * 110, "has less than 108 bytes"),
    ("AuthRequestBackend main fcgi://127.0.0.1", "write fcgi://host:port"),
    ("AuthRequestBackend main fcgi://no.such.invalid:9000", "the host is not known"),
    ("AuthRequestBackend main fcgi:unix:/x timeout=0", "timeout=0: write a time"),
    ("AuthRequestBackend main fcgi:unix:/x connect=fast", "connect=fast: write a time"),
    ("AuthRequestBackend main fcgi:unix:/x pool=many", "pool=many: write a number"),
    ("AuthRequestBackend main fcgi:unix:/x prof=none", "prof=none is no option: connect=, timeout="),
    ("AuthRequestBackend main fcgi:unix:/x proof=a:b", "write the name of a header, or none"),
    ("AuthRequestBackend main fcgi:unix:/x cache=page", "give the one path"),
    ("<Location />\nAuthRequestBackend main fcgi:unix:/x\n</Location>", "not allowed in <Location> context"),
    ("<Location />\nAuthRequest main\n</Location>", "write backend:NAME, the /path of a location, or off (not main)"),
    ("<Location />\nAuthRequest backend:other\n</Location>",
     "AuthRequest backend:other: no AuthRequestBackend of this server has that name"),
    ("<Location />\nAuthRequest /auth prof=X\n</Location>", "prof=X is no option: proof=HEADER is"),
    ("<Location />\nAuthRequest off proof=X\n</Location>", "does not belong behind off"),
    ("<Location />\nAuthRequestRedirect \"%{nonsense:x}\"\n</Location>", "no expression"),
    ("<Location />\nAuthRequestHeader X_User AUTH_USER_ID\n</Location>", "a header has letters, digits and -"),
    ("<Location />\nAuthRequestHeader X-User AUTH-USER\n</Location>", "a variable has letters, digits and _"),
    ("<Location />\nAuthRequestSet A-B %{X}\n</Location>", "a variable has letters, digits and _"),
    ("<Location />\nAuthRequestSet A \"%{nonsense:x}\"\n</Location>", "no expression"),
    ("<Location />\nAuthRequestOnError 200\n</Location>", "write a status from 400 to 599"),
])
def test_mistakes_are_named(tmp_path, lines, said):
    status, text = apache.Apache(tmp_path, 1, (), lines + "\n").check()
    assert status != 0 and said in text


def test_the_place_of_an_unknown_backend_is_named(tmp_path):
    lines = "<Location />\nAuthRequest backend:other\n</Location>\n"
    server = apache.Apache(tmp_path, 1, (), lines)
    _, text = server.check()
    line = server.configuration.read_text().splitlines().index("AuthRequest backend:other") + 1
    assert f"{server.configuration}:{line}: AuthRequest backend:other" in text


def test_a_backend_may_follow_its_use(tmp_path):
    lines = """<VirtualHost *:1>
<Location /a>
AuthRequest backend:own
</Location>
<Location /b>
AuthRequest backend:main
</Location>
AuthRequestBackend own fcgi://127.0.0.1:9000
AuthRequestBackend own fcgi://[::1]:9000/ connect=1s timeout=1500ms pool=0 proof=none
</VirtualHost>
AuthRequestBackend main fcgi:unix:/x
"""
    assert apache.Apache(tmp_path, 1, (), lines).check()[0] == 0

