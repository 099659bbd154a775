# SPDX-License-Identifier: Apache-2.0
"""mod_auth_request where httpd serves another path than the client's: parts, index pages, rewrites, error pages;
beside Require, Satisfy and .htaccess; and all methods. Neither bypassed, nor asked twice about the same."""

import pytest

import apache
import applications
import harness
from authorizer import Authorizer, allow, deny

CONF = """
AuthRequestBackend main fcgi:unix:{socket}
AuthRequestBackend sub /_ask proof=X-Proof
ScriptSock {folder}/cgid.sock
ScriptAlias /_ask {cgi}
<Location /_ask>
  Require expr "%{{IS_SUBREQ}} == 'true'"
</Location>
DirectoryIndex disabled
AddOutputFilter INCLUDES .shtml
Options +Includes
<Directory {htdocs}>
  AllowOverride AuthConfig
  AllowOverrideList RewriteEngine RewriteRule
  Options +Includes +FollowSymLinks
</Directory>
<Location /u>
  AuthRequest backend:main
</Location>
<Location /secret>
  AuthRequest backend:main
  AuthRequestPolicy strict
</Location>
<Location /index>
  AuthRequest backend:main
  DirectoryIndex none.html page.html
</Location>
<Location /open-index>
  DirectoryIndex /secret/page.txt
</Location>
<Location /errors>
  AuthRequest backend:main
  ErrorDocument 401 /messages/401.html
  ErrorDocument 404 /secret/page.txt
</Location>
<Location /require-alice>
  AuthRequest backend:main
  Require user alice
</Location>
<Location /require-expr>
  AuthRequest backend:main
  Require expr "%{{reqenv:AUTH_USER_ID}} == 'alice'"
</Location>
<Location /require-basic>
  AuthRequest backend:main
  AuthType Basic
  AuthName x
  AuthBasicProvider file
  AuthUserFile /dev/null
  Require valid-user
</Location>
<Location /require-none>
  AuthRequest backend:main
  Require all denied
</Location>
<Location /require-any>
  AuthRequest backend:main
  <RequireAny>
    Require user alice
    Require ip 127.0.0.9
  </RequireAny>
</Location>
<Location /satisfy-ip>
  AuthRequest backend:main
  Satisfy Any
  Require ip 127.0.0.1
</Location>
<Location /satisfy-other-ip>
  AuthRequest backend:main
  Satisfy Any
  Require ip 192.0.2.1
</Location>
<Location /satisfy-error>
  AuthRequest backend:main
  Satisfy Any
  Require ip 192.0.2.1
  ErrorDocument 401 /messages/401.html
</Location>
<Location /off>
  AuthRequest backend:main
</Location>
<Location /off/inside>
  AuthRequest off
</Location>
<Location /fallback>
  AuthRequest backend:main
  FallbackResource /fallback/front.html
</Location>
RewriteEngine On
RewriteRule ^/server-rewrite/(.*) /secret/$1 [PT]
<Location /set>
  AuthRequest backend:main
  AuthRequestSet AUTH_GROUPS %{{X-Groups}}
  AuthRequestSet GREETING "hello %{{auth_request:X-Name}}"
  AuthRequestSet REMOTE_USER %{{X-Name}}
</Location>
<Location /on-error>
  AuthRequest backend:gone
  AuthRequestOnError 403
</Location>
AuthRequestBackend gone fcgi:unix:{folder}/nobody.sock
<Location /redirect>
  AuthRequest backend:main
  AuthRequestRedirect "https://login.example/?rd=%{{escape:%{{REQUEST_URI}}}}"
</Location>
Alias /papp {htdocs}/papp
<Location /papp>
  AuthRequest backend:main
  AuthRequestHeader X-Auth-User AUTH_USER_ID
  AuthRequestHeader X-Auth-Email AUTH_EMAIL
  ProxyPass http://127.0.0.1:{backend}/
</Location>
<Location /papp/public>
  AuthRequest off
</Location>
"""

MODULES = ("cgid", "include", "rewrite", "access_compat", "authz_user", "auth_basic", "authn_file", "proxy",
           "proxy_http", "negotiation", "autoindex")
PLACES = ("u/alice", "u/bob", "secret", "public", "index", "open-index", "errors", "messages", "require-alice",
          "require-expr", "require-basic", "require-none", "require-any", "satisfy-ip", "satisfy-other-ip",
          "satisfy-error", "off/inside", "fallback", "set", "on-error", "redirect", "per-directory", "htaccess",
          "htaccess/sub", "listing", "papp")


def documents(htdocs):
    for place in PLACES:
        (htdocs / place).mkdir(parents=True)
        (htdocs / place / "page.txt").write_text(f"text of {place}\n")
        (htdocs / place / "page.html").write_text(f"page of {place}\n")
    (htdocs / "public" / "of-secret.shtml").write_text('[<!--#include virtual="/secret/page.txt" -->]')
    (htdocs / "u" / "alice" / "of-bob.shtml").write_text('[<!--#include virtual="/u/bob/page.txt" -->]')
    (htdocs / "u" / "alice" / "of-herself.shtml").write_text('[<!--#include virtual="/u/alice/page.txt" -->]'
                                                             '[<!--#include virtual="/u/alice/page.txt" -->]')
    (htdocs / "u" / "alice" / "env.shtml").write_text('[<!--#echo var="AUTH_USER_ID" -->]'
                                                      '[<!--#include virtual="/public/env.shtml" -->]')
    (htdocs / "public" / "env.shtml").write_text('<!--#echo var="AUTH_USER_ID" -->')
    (htdocs / "messages" / "401.html").write_text("please sign in\n")
    (htdocs / "fallback" / "front.html").write_text("front\n")
    (htdocs / "per-directory" / ".htaccess").write_text(
        "AuthRequest backend:main\nRewriteEngine On\nRewriteRule ^other\\.txt$ page.txt\n"
        "RewriteRule ^out\\.txt$ /secret/page.txt\n")
    (htdocs / "htaccess" / ".htaccess").write_text("AuthRequest backend:main\nAuthRequestPolicy mine\n")
    (htdocs / "htaccess" / "sub" / ".htaccess").write_text("AuthRequest backend:unknown\n")
    (htdocs / "papp" / "x").write_text("x")


@pytest.fixture(scope="module", params=["event", "worker", "prefork"])
def running(request):
    """The same on each MPM: where the order of requests to threads and children differs."""
    folder = harness.RUN / f"flow-{request.param}"
    folder.mkdir()
    authorizer = Authorizer(folder / "authorizer.sock")
    port, backend = harness.free_ports(2)
    words = {"folder": folder, "socket": authorizer.path, "htdocs": folder / "htdocs", "backend": backend,
             "cgi": harness.HERE / "data" / "app.cgi"}
    modules = MODULES if request.param != "prefork" else ("cgi", *MODULES[1:])
    conf = CONF if request.param != "prefork" else CONF.replace("ScriptSock {folder}/cgid.sock\n", "")
    server = apache.Apache(folder, port, modules, conf.format(**words), request.param)
    documents(server.htdocs)
    with applications.Echo(backend), authorizer, server:
        yield server, authorizer


@pytest.fixture
def site(running):
    server, authorizer = running
    authorizer.answer = by_path
    authorizer.questions.clear()
    return server, authorizer


def by_path(question):
    """Alice, who may not see /secret nor what is bob's; a cookie with each allow."""
    path = question.get("AUTH_EFFECTIVE_PATH") or question["REQUEST_URI"]
    if path.startswith(("/secret", "/u/bob")) or question.get("HTTP_X_NO"):
        return deny(int(question.get("HTTP_X_NO", "403")), "WWW-Authenticate: Bearer", "Set-Cookie: gone=1",
                    "Content-Type: text/plain", body=question.get("HTTP_X_BODY", "").encode())
    return allow("Variable-REMOTE_USER: alice", "Variable-AUTH_USER_ID: alice", "Set-Cookie: seen=1",
                 "X-Groups: a,b", "X-Name: ALICE")


def paths(authorizer):
    """What was asked about: the path of the question, or the one that is served besides."""
    return [question.get("AUTH_EFFECTIVE_PATH") or question["REQUEST_URI"] for question in authorizer.questions]


# --- Sub-requests ------------------------------------------------------------

def test_part_of_a_protected_page_is_not_shown(site):
    server, authorizer = site
    answer = server.request("/public/of-secret.shtml")
    assert answer.status == 200 and "secret" not in answer.text
    assert paths(authorizer) == ["/secret/page.txt"]
    assert authorizer.questions[0]["AUTH_POLICY"] == "strict"
    assert authorizer.questions[0]["REQUEST_URI"] == "/public/of-secret.shtml"
    assert not answer.all("Set-Cookie") and not answer.all("WWW-Authenticate")


def test_part_of_the_same_location_is_judged_by_its_path(site):
    """The test that decided for AP_AUTH_INTERNAL_PER_URI."""
    server, authorizer = site
    answer = server.request("/u/alice/of-bob.shtml")
    assert answer.status == 200 and "text of u/bob" not in answer.text
    assert paths(authorizer) == ["/u/alice/of-bob.shtml", "/u/bob/page.txt"]


def test_a_part_is_asked_about_and_has_no_cookie(site):
    server, authorizer = site
    answer = server.request("/u/alice/of-herself.shtml")
    assert answer.text == "[text of u/alice\n][text of u/alice\n]"
    assert answer.all("Set-Cookie") == ["seen=1"]


def test_the_user_of_a_part(site):
    assert site[0].request("/u/alice/env.shtml").text == "[alice][alice]"


def test_index_page(site):
    server, authorizer = site
    answer = server.request("/index/")
    assert (answer.status, answer.text) == (200, "page of index\n")
    assert answer.all("Set-Cookie") == ["seen=1"]
    assert len(paths(authorizer)) == len(set(paths(authorizer))), "asked twice about the same"


def test_index_page_of_another_location(site):
    server, authorizer = site
    assert server.request("/open-index/").status == 403
    assert paths(authorizer) == ["/secret/page.txt"]


def test_fallback_resource(site):
    server, authorizer = site
    answer = server.request("/fallback/no/such/page")
    assert (answer.status, answer.text) == (200, "front\n")
    assert answer.all("Set-Cookie") == ["seen=1"]
    assert len(paths(authorizer)) == len(set(paths(authorizer)))


def test_rewrite_of_the_server(site):
    server, authorizer = site
    assert server.request("/server-rewrite/page.txt").status == 403
    assert paths(authorizer) == ["/secret/page.txt"]
    assert authorizer.questions[0]["REQUEST_URI"] == "/server-rewrite/page.txt"


def test_rewrite_of_a_directory(site):
    server, authorizer = site
    answer = server.request("/per-directory/other.txt")
    assert (answer.status, answer.text) == (200, "text of per-directory\n")
    assert answer.all("Set-Cookie") == ["seen=1"]
    assert len(paths(authorizer)) == len(set(paths(authorizer)))
    assert server.request("/per-directory/out.txt").status == 403


# --- Error pages -------------------------------------------------------------

def test_error_page(site):
    server, _ = site
    answer = server.request("/errors/page.txt", ["X-No: 401"])
    assert (answer.status, answer.text) == (401, "please sign in\n")
    assert answer.all("WWW-Authenticate") == ["Bearer"] and answer.all("Set-Cookie") == ["gone=1"]


def test_error_page_yields_to_a_body(site):
    answer = site[0].request("/errors/page.txt", ["X-No: 401", "X-Body: why"])
    assert (answer.status, answer.text) == (401, "why")


def test_protected_error_page(site):
    """Its own denial is nothing to the client."""
    server, authorizer = site
    answer = server.request("/errors/missing")
    assert answer.status == 404 and "text of secret" not in answer.text
    assert not answer.all("WWW-Authenticate") and answer.all("Set-Cookie") == ["seen=1"]


# --- Require, Satisfy, sections ----------------------------------------------

@pytest.mark.parametrize("place,user,status", [
    ("require-alice", "alice", 200), ("require-alice", "bob", 403), ("require-expr", "alice", 200),
    ("require-expr", "bob", 403), ("require-basic", "alice", 200), ("require-none", "alice", 403),
    ("require-any", "alice", 200), ("require-any", "bob", 403)])
def test_require(site, place, user, status):
    server, authorizer = site
    authorizer.answer = lambda _: allow(f"Variable-REMOTE_USER: {user}", f"Variable-AUTH_USER_ID: {user}")
    answer = server.request(f"/{place}/page.txt")
    assert answer.status == status and not answer.all("WWW-Authenticate")


@pytest.mark.parametrize("place", ["require-alice", "require-basic", "require-any"])
def test_require_does_not_mend_a_denial(site, place):
    server, authorizer = site
    authorizer.answer = lambda _: deny(403)
    assert server.request(f"/{place}/page.txt", ["Authorization: Basic YTpi"]).status == 403


def test_satisfy_any(site):
    server, _ = site
    passed = server.request("/satisfy-ip/page.txt", ["X-No: 401", "X-Body: why"])
    assert (passed.status, passed.text) == (200, "text of satisfy-ip\n")
    assert not passed.all("WWW-Authenticate") and not passed.all("Set-Cookie")
    denied = server.request("/satisfy-other-ip/page.txt", ["X-No: 401", "X-Body: why"])
    assert (denied.status, denied.text) == (401, "why")
    assert denied.all("WWW-Authenticate") == ["Bearer"] and denied.all("Set-Cookie") == ["gone=1"]
    assert server.request("/satisfy-other-ip/page.txt").status == 200


def test_satisfy_any_with_an_error_page(site):
    answer = site[0].request("/satisfy-error/page.txt", ["X-No: 401"])
    assert (answer.status, answer.text) == (401, "please sign in\n")
    assert answer.all("WWW-Authenticate") == ["Bearer"]


def test_off_below(site):
    server, authorizer = site
    assert server.request("/off/inside/page.txt", ["X-No: 403"]).status == 200
    assert not authorizer.questions


def test_htaccess(site):
    server, authorizer = site
    assert server.request("/htaccess/page.txt").status == 200
    assert authorizer.questions[0]["AUTH_POLICY"] == "mine"
    assert server.request("/htaccess/page.txt", ["X-No: 403"]).status == 403
    assert server.request("/htaccess/sub/page.txt").status == 500
    assert "no AuthRequestBackend of this server has that name" in server.log_text()


# --- Directives --------------------------------------------------------------

def test_set(site):
    answer = site[0].request("/set/page.txt")
    assert answer.status == 200
    log = site[0].folder / "access.log"
    harness.wait_for("the user in the log", lambda: ' ALICE "GET /set/page.txt' in log.read_text())


def test_on_error(site):
    assert site[0].request("/on-error/page.txt").status == 403


def test_redirect(site):
    server, _ = site
    answer = server.request("/redirect/page.txt", ["X-No: 401", "X-Body: why"])
    assert answer.status == 302
    assert answer.all("Location") == ["https://login.example/?rd=/redirect/page.txt"]
    assert answer.all("Set-Cookie") == ["gone=1"] and not answer.all("WWW-Authenticate")
    assert server.request("/redirect/page.txt", ["X-No: 403"]).status == 403


SPELLINGS = ["X-Auth-User", "x-auth-user", "X_Auth_User", "X.Auth.User", "X-Auth_User", "x.auth-user", "X~Auth~User",
             "X-Auth-Email", "X_AUTH_EMAIL"]


@pytest.mark.parametrize("target,value", [("/papp/x", "alice"), ("/papp/public/x", None)])
def test_request_headers(site, target, value):
    server, _ = site
    answer = server.request(target, [f"{name}: mallory" for name in SPELLINGS] + ["X-Auth-Users: kept"])
    assert answer.status == 200
    names = {name.lower(): text for name, text in answer.json["headers"]}
    assert "mallory" not in answer.text
    assert names.get("x-auth-user") == value and names["x-auth-users"] == "kept"
    assert "x-auth-email" not in names


# --- Methods -----------------------------------------------------------------

def test_methods_of_a_file(site):
    server, authorizer = site
    page = "/u/alice/page.txt"
    head = server.request(page, method="HEAD")
    assert (head.status, head.body) == (200, b"") and head.header("Content-Length") == "16"
    part = server.request(page, ["Range: bytes=0-3"])
    assert (part.status, part.text) == (206, "text")
    tag = head.header("ETag")
    again = server.request(page, [f"If-None-Match: {tag}"])
    assert again.status == 304 and again.all("Set-Cookie") == ["seen=1"]
    assert server.request("/u/alice/missing").status == 404
    assert len(authorizer.questions) == 4
    assert [question["REQUEST_METHOD"] for question in authorizer.questions] == ["HEAD", "GET", "GET", "GET"]


def test_head_of_a_denial(site):
    answer = site[0].request("/u/alice/page.txt", ["X-No: 403", "X-Body: why"], "HEAD")
    assert (answer.status, answer.body, answer.header("Content-Length")) == (403, b"", "3")


def test_options_is_checked(site):
    server, authorizer = site
    assert server.request("/u/alice/page.txt", ["X-No: 401"], "OPTIONS").status == 401
    assert server.request("/u/alice/page.txt", method="OPTIONS").status == 200
    assert [question["REQUEST_METHOD"] for question in authorizer.questions] == ["OPTIONS", "OPTIONS"]


def test_trace_shows_the_client_itself_alone(site):
    """By the core, without any hook; to a proxied application it is a request as any other."""
    server, authorizer = site
    answer = server.request("/set/page.txt", ["X-Mine: 1"], "TRACE")
    assert answer.status == 200 and "X-Mine: 1" in answer.text and "ALICE" not in answer.text
    assert not authorizer.questions
    assert server.request("/papp/x", ["X-No: 403"], "TRACE").status == 403


def test_other_methods_are_asked_about(site):
    server, authorizer = site
    for method in ("POST", "PUT", "DELETE", "PROPFIND", "UNKNOWN"):
        assert server.request("/u/alice/page.txt", ["X-No: 403"], method, b"").status == 403
    assert len(authorizer.questions) == 5
