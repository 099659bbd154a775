# SPDX-License-Identifier: Apache-2.0
"""authctl check --live before real web servers: the shipped configuration has no fault, and each way around the
authorizer and each thing that a web server may lose is found, on a server that was misconfigured on purpose."""

import json
import re
import shutil
import subprocess

import pytest

import harness
from applications import Scripted
from harness import REPOSITORY, free_ports, wait_for

EXAMPLES = REPOSITORY / "doc" / "examples"


@pytest.fixture(scope="module")
def probe_port():
    """The probe as a proxied application."""
    import http_client
    port, = free_ports(1)
    process = subprocess.Popen(["php", "-S", f"127.0.0.1:{port}", str(EXAMPLES / "probe.php")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def answers():
        try:
            return http_client.connect(port)
        except OSError:
            return None
    wait_for("php", answers).close()
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def make(probe_port):
    """Sites with the probe on protected and public pages; all end with the test."""
    made = []

    def make_one(start=True, **how):
        site = harness.Site(backend=probe_port, **how)
        for folder in ("app", "public"):
            shutil.copy(EXAMPLES / "probe.cgi", site.htdocs / folder)
        made.append(site)
        return site.start() if start else site

    yield make_one
    for site in made:
        site.close()


def check(site, *words, scheme="http", host="127.0.0.1", text="", status=None):
    """The rows of a check; words are options with paths in place of URLs."""
    base = f"{scheme}://{host}:{site.port}"
    options = ("--live", "--public", "--endpoint")
    full = [base + word if i and words[i - 1] in options else word for i, word in enumerate(words)]
    done = site.authctl("--json", "check", *full, text=text, check=False)
    assert done.stderr == "" and done.returncode in (0, 1), done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == any(row["result"] == "FAILED" for row in rows)
    return [row for row in rows if row["what"].startswith("live ")]


def found(rows, result="FAILED"):
    """{what: [rows]} of that result."""
    by_what = {}
    for row in rows:
        if row["result"] == result:
            by_what.setdefault(row["what"].removeprefix("live "), []).append(row)
    return by_what


def only(rows, what, result="FAILED"):
    """The findings, which must all be of that kind."""
    by_what = found(rows, result)
    assert set(by_what) == {what}, json.dumps([row for row in rows if row["result"] != "ok"], indent=1)
    return by_what[what]


def without(name, pattern, replacement=""):
    """An edit that takes out of the file what matches, which must be there exactly once."""
    def edit(file, text):
        if file != name:
            return text
        changed, n = re.subn(pattern, replacement, text)
        assert n == 1, f"{pattern} is {n} times in {file}"
        return changed
    return edit


ALL_PAGES = ("--live", "/app/page.txt", "--live", "/app/app.cgi", "--live", "/app/probe.cgi", "--live", "/papp/x",
             "--public", "/public/page.txt", "--public", "/public/probe.cgi", "--public", "/public-papp/x",
             "--endpoint", "/_auth")

# --- as shipped -------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["lighttpd", "lighttpd-spawn"])
def test_shipped_configuration_has_no_fault(make, server):
    rows = check(make(server=server), *ALL_PAGES)
    assert not found(rows) and not found(rows, "warning"), json.dumps(rows, indent=1)
    assert set(found(rows, "skipped")) == {"unseen"}
    good = found(rows, "ok")
    for what in ("token", "protected", "method", "path", "host", "headers", "below", "bad token", "path-user",
                 "program", "navigation", "denial", "login", "login cookie", "login redirect", "cookie", "identity",
                 "public", "endpoint", "revoked", "leak", "clock"):
        assert what in good, what
    assert good["server"][0]["text"] == "lighttpd"
    assert not [row for row in rows if row["result"] == "ok" and "remedy" in row]


def test_lines_for_people(make):
    site = make()
    done = site.authctl("check", "--live", f"http://127.0.0.1:{site.port}/app/page.txt")
    assert re.search(rf"^ok +live protected http://127\.0\.0\.1:{site.port}/app/page\.txt: without a token it is "
                     r"answered with 401$", done.stdout, re.M)
    assert re.search(r"^skipped +live identity ", done.stdout, re.M), "what was not judged is said"


def test_what_is_sent(make):
    """Each way of asking arrives at the server as it is written."""
    from raw_server import Server, plain
    server = Server()
    server.find = lambda path: plain(b"{}", b"", b"401 Unauthorized")
    site = make(start=False)
    site.authctl("check", "--live", f"http://127.0.0.1:{server.port}/app/page.txt", check=False)
    lines = [request.split("\r\n")[0] for request in server.requests]
    for line in ("get /app/page.txt", "BREW /app/page.txt", "GET //app/page.txt", "GET /./app/page.txt",
                 "GET /app//page.txt", "GET /app/%2e/page.txt", "GET /fcgi-auth-check/../app/page.txt",
                 "GET /%61pp/page.txt", "GET /app/page.txt;x=1", "GET /APP/PAGE.TXT", "GET \\app/page.txt",
                 f"GET http://127.0.0.1:{server.port}/app/page.txt", "TRACE /app/page.txt",
                 "GET http://fcgi-auth-check.invalid/app/page.txt", "GET /app/page.txt#/auth/login"):
        assert line + " HTTP/1.1" in lines, line
    assert [request for request in server.requests if "\r\nHost: fcgi-auth-check.invalid\r\n" in request]
    server.close()


def test_no_token_in_arguments_or_output(make):
    site = make()
    token = site.authctl("token", "issue", "--user", "alice").stdout.strip()
    rows = check(site, "--live", "/app/probe.cgi", "--token", "-", text=token)
    assert "token" in found(rows, "ok") and not found(rows)
    assert [row for row in rows if row["what"] == "live revoked"][0]["result"] == "skipped"
    assert site.request("/app/page.txt", [f"Authorization: Bearer {token}"]).status == 200, "it was revoked"
    assert token not in json.dumps(rows)


# --- the command line ---------------------------------------------------------------------------

@pytest.mark.parametrize("words, part", [
    (["--public", "http://127.0.0.1/x"], "--live URL"),
    (["--live", "ftp://127.0.0.1/x"], "https:// or http://"),
    (["--live", "http://u:p@127.0.0.1/x"], "user name"),
    (["--live", "http://127.0.0.1/x", "--timeout", "soon"], "--timeout"),
    (["--live", "http://127.0.0.1/x", "--timeout", "0s"], "--timeout"),
    (["--live", "http://127.0.0.1/x", "--login", "mailto:x"], "https:// or http://"),
    (["--live", "http://127.0.0.1/x", "--user", " "], "--user"),
    (["--live", "http://127.0.0.1/x", "--claim", "sub=x"], "sub"),
    (["--live", "http://127.0.0.1/x"] * 17, "16 pages"),
])
def test_wrong_use(make, words, part):
    done = make(start=False).authctl("check", *words, check=False)
    assert done.returncode == 64 and part in done.stderr


def test_nobody_answers(make):
    site = make(start=False)
    rows = check(site, "--live", "/app/page.txt", "--timeout", "2s")
    assert {"protected", "login", "token"} <= set(found(rows))
    assert "clock" in found(rows, "skipped")


# --- B1 to B20 on lighttpd ------------------------------------------------------------------------

def test_b1_order_of_modules(make):
    bad = 'server.modules += ( "mod_setenv", "mod_magnet", "mod_cgi", "mod_proxy", "mod_fastcgi" )\n'

    def edit(file, text):
        if file == "05-fcgi-auth.conf":
            return re.sub(r"(?m)^server\.modules \+= .*$", "", text)
        return bad + text.replace("server.modules =", "server.modules +=", 1) if file == "lighttpd.conf" else text
    rows = check(make(edit=edit), "--live", "/papp/x", "--live", "/app/page.txt")
    row, = found(rows)["protected"]
    assert row["url"].endswith("/papp/x") and "mod_fastcgi before mod_cgi and mod_proxy" in row["remedy"]


def test_b2_check_local(make):
    site = make(edit=without("protect.conf", r'(?m)^\s*"check-local" => "disable",$'))
    rows = check(site, "--live", "/papp/x", "--live", "/app/page.txt")
    row, = found(rows)["protected"]
    assert row["url"].endswith("/papp/x") and '"check-local" => "disable"' in row["remedy"]
    row, = found(rows)["below"]
    assert row["url"].endswith("/app/page.txt") and '"check-local" => "disable"' in row["remedy"]


@pytest.mark.parametrize("stdout", [b"", b"Content-Type: text/plain\r\n\r\n", b"Status: 200 OK\r\n\r\n"],
                         ids=["B3-nothing", "B4-no-status", "B20-always-yes"])
def test_b3_b4_b20_an_authorizer_that_decides_nothing(make, stdout):
    """What is behind it cannot be seen from outside, but that everybody is let in."""
    site = make(start=False, edit=without("protect.conf", r"(?m)^\s*magnet\.attract-raw-url-to .*$"))
    site.web.start()
    site.services["verify"].path.unlink()
    with Scripted(site.services["verify"].path, stdout):
        rows = check(site, "--live", "/app/page.txt")
    site.services["verify"].path.touch()
    assert found(rows)["protected"][0]["url"].endswith("/app/page.txt")


def test_down(make):
    site = make(start=False)
    site.web.start()
    site.services["verify"].socket.close()
    row, = found(check(site, "--live", "/app/page.txt"))["protected"]
    assert "503" in row["text"] and "is auth-verify running" in row["remedy"]


def test_any_token_is_let_in(make):
    """Whoever asks looks whether there is a token, not whether it is good."""
    site = make(edit=around_protect('$REQUEST_HEADER["Authorization"] == ""'))
    texts = [row["text"] for row in found(check(site, "--live", "/app/page.txt"))["bad token"]]
    assert len(texts) == 4 and all("not auth-verify" in text for text in texts), texts


# --- what a client says of itself -------------------------------------------------------------------

def around_protect(condition):
    """An edit that puts the inclusion of protect.conf into one more condition."""
    return without("lighttpd.conf", r'(?m)^\s*include "([^"]*protect\.conf)"$',
                   condition + r' {\n include "\1"\n}')


@pytest.mark.parametrize("condition, what, how", [
    ('$HTTP["request-method"] == "GET"', "method", "asked with POST and a form"),
    ('$HTTP["request-method"] != "OPTIONS"', "method", "asked with OPTIONS"),
    ('$REQUEST_HEADER["X-Forwarded-For"] == ""', "headers", "asked with X-Forwarded-For: 127.0.0.1"),
    ('$HTTP["useragent"] !~ "kube-probe"', "headers", "asked with User-Agent: kube-probe"),
    ('$HTTP["host"] =~ "^127"', "host", "asked with Host: fcgi-auth-check.invalid"),
    ('$HTTP["querystring"] !~ "/auth/login"', "path", "?fcgi-auth-check=/auth/login"),
    ('$HTTP["url"] !~ ";"', "path", "asked for as /app/app.cgi;x=1"),
], ids=["post", "options", "forwarded", "user-agent", "host", "query", "parameter"])
def test_conditions_that_clients_choose(make, condition, what, how):
    page = "/papp/x" if what == "path" and ";" in condition else "/app/probe.cgi"
    rows = check(make(edit=around_protect(condition)), "--live", page)
    texts = [row["text"] for row in only(rows, what)]
    assert [text for text in texts if how.replace("/app/app.cgi", page) in text], texts


def test_case_is_folded(make):
    """As on a file system that does not tell A from a."""
    site = make(edit=around_protect('$HTTP["url"] =~ "^/(app|users)/"'),
                more='server.force-lowercase-filenames = "enable"\n')
    texts = [row["text"] for row in only(check(site, "--live", "/app/page.txt"), "path")]
    assert [text for text in texts if "/APP/PAGE.TXT" in text], texts


def lua(script):
    """An edit that runs a script for each request before everything else."""
    def edit(file, text):
        if file != "05-fcgi-auth.conf":
            return text
        path = re.search(r'"([^"]*)/identity\.lua"', text)[1] + "/test.lua"
        with open(path, "w", encoding="utf-8") as out:
            out.write(script)
        changed = text.replace("magnet.attract-raw-url-to += (", f'magnet.attract-raw-url-to += ( "{path}",')
        assert changed != text
        return changed
    return edit


def test_authorization_is_eaten(make):
    site = make(edit=lua('lighty.r.req_header["Authorization"] = nil\nreturn 0\n'))
    row, = only(check(site, "--live", "/app/page.txt"), "bearer")
    assert "reach the authorizer" in row["text"] and "Authorization" in row["remedy"]


def test_cookie_is_eaten(make):
    site = make(edit=lua('if lighty.r.req_header["Authorization"] then return 0 end\n'
                         'lighty.r.req_header["Cookie"] = nil\nreturn 0\n'))
    rows = check(site, "--live", "/app/page.txt")
    assert "in the cookie auth" in found(rows)["cookie"][0]["text"]


def test_forged_headers(make):
    site = make(edit=without("05-fcgi-auth.conf", r"(?m)^magnet\.attract-raw-url-to .*$"))
    rows = found(check(site, *ALL_PAGES))["identity"]
    pages = {row["url"].split("/", 3)[3] for row in rows}
    assert pages == {"app/probe.cgi", "papp/x", "public/probe.cgi", "public-papp/x"}
    assert all("identity.lua" in row["remedy"] for row in rows)
    names = {re.search(r"has sent as (\S+),", row["text"])[1] for row in rows}
    assert {"X-Auth-User", "X-Auth-Email", "Remote-User"} <= names


def test_one_spelling_is_forgotten(make):
    """The usual one is taken out, the one with '_' is not."""
    script = ('for _, name in ipairs({ "X-Auth-User", "X.Auth.User" }) do lighty.r.req_header[name] = nil end\n'
              'return 0\n')

    def edit(file, text):
        return script if file == "identity.lua" else text
    site = make(edit=edit)
    assert [row for row in found(check(site, "--live", "/papp/x"))["identity"] if "as X-Auth-User," in row["text"]]


# --- denials and login ------------------------------------------------------------------------------

def test_login_page_is_protected(make):
    site = make(edit=without("protect.conf", r'\$HTTP\["url"\] !~ "\^/auth/" \{', '$HTTP["url"] !~ "^/none/" {'))
    rows = found(check(site, "--live", "/app/page.txt"))
    assert "nobody gets to it" in rows["login"][0]["text"], rows


def test_login_page_is_missing(make):
    rows = found(check(make(), "--live", "/app/page.txt", "--login", "/public/none"))
    assert "is answered with 404" in rows["login"][0]["text"]
    assert "the login page is" in rows["navigation"][0]["text"]


def test_cookie_that_browsers_refuse(make):
    site = make(sections={"login": {"cookie": "__Host-auth"}})
    assert "neither take nor send over http" in only(check(site, "--live", "/app/page.txt"), "cookie")[0]["text"]


@pytest.mark.parametrize("login, key", [({"cookie-domain": "example.org"}, "cookie-domain"),
                                        ({"cookie-path": "/wiki"}, "cookie-path")])
def test_cookie_that_does_not_come_here(make, login, key):
    row, = only(check(make(sections={"login": login}), "--live", "/app/page.txt"), "cookie")
    assert key in row["text"]


def test_clock(make):
    site = make(more='setenv.set-response-header = ( "Date" => "Sun, 06 Nov 1994 08:49:37 GMT" )\n')
    row, = only(check(site, "--live", "/app/page.txt"), "clock")
    assert "behind" in row["text"]


def test_denial_loses_its_headers(make):
    site = make(more='setenv.set-response-header = ( "WWW-Authenticate" => "", "Cache-Control" => "max-age=60", '
                     '"Set-Cookie" => "", "Content-Type" => "text/html" )\n')
    rows = found(check(site, "--live", "/app/page.txt"), "warning")["denial"]
    texts = "\n".join(row["text"] for row in rows)
    for part in ("WWW-Authenticate", "no-store", "Set-Cookie", "Content-Type"):
        assert part in texts


# --- what comes out elsewhere -------------------------------------------------------------------------

def test_included_by_a_public_page(make):
    site = make(edit=without("lighttpd.conf", r'"mod_redirect" \)', '"mod_redirect", "mod_ssi" )'),
                more='ssi.extension = ( ".shtml" )\n', start=False)
    (site.htdocs / "public" / "page.shtml").write_text('<p><!--#include virtual="/app/page.txt" --></p>\n')
    site.start()
    rows = check(site, "--live", "/app/page.txt", "--public", "/public/page.shtml")
    row, = only(rows, "public")
    assert "what stands on the protected page" in row["text"] and "mod_ssi" in row["remedy"]
    # Without a token that could show the page a text of it does.
    rows = check(site, "--live", "/app/page.txt", "--public", "/public/page.shtml", "--text", "document of app",
                 "--token", "-", text="none")
    assert "public" in found(rows)


def test_index_page_of_a_public_folder(make):
    site = make(more='index-file.names = ( "/app/page.txt" )\n')
    assert only(check(site, "--live", "/app/page.txt", "--public", "/public/"), "public")


def test_refused_page_comes_out_through_an_allowed_one(make):
    """What B16 shows: an inner page is judged by the policy of the outer one."""
    site = make(edit=without("lighttpd.conf", r'"mod_redirect" \)', '"mod_redirect", "mod_ssi" )'),
                more='ssi.extension = ( ".shtml" )\n', start=False)
    (site.htdocs / "app" / "page.shtml").write_text('<p><!--#include virtual="/admin/page.txt" --></p>\n')
    site.start()
    rows = check(site, "--live", "/app/page.shtml", "--live", "/admin/page.txt", "--text", "document of admin")
    assert only(rows, "included")[0]["url"].endswith("/app/page.shtml")
    assert [row for row in found(rows, "ok")["token"] if "as configured (rule_failed)" in row["text"]]


def test_endpoint_is_open(make):
    def edit(file, text):
        if file != "05-fcgi-auth.conf":
            return text
        return text + ('$HTTP["url"] =~ "^/_auth" {\nfastcgi.server = ( "/_auth" => (( "socket" => '
                       'var.fcgi_auth_sockets + "/verify.sock", "check-local" => "disable" )) )\n}\n')
    site = make(edit=lambda file, text: around_protect('$HTTP["url"] !~ "^/_auth"')(file, edit(file, text)))
    rows = found(check(site, "--live", "/app/page.txt"))
    assert set(rows) == {"endpoint", "leak"} and "Variable-" in rows["leak"][0]["text"]


# --- path-user and revocation ----------------------------------------------------------------------------

def test_path_user_is_not_asked_about(make):
    site = make(edit=around_protect('$HTTP["url"] =~ "^/app/"'))
    row, = only(check(site, "--live", "/app/page.txt"), "path-user")
    assert row["url"].endswith("/users/fcgi-auth-somebody-else/fcgi-auth-check")


def test_revocation_elsewhere(make, tmp_path):
    """authctl works on another state-dir than the programs that are asked."""
    site = make()
    (tmp_path / "state").mkdir(mode=0o700)
    text = site.configuration.read_text().replace(f"state-dir = {site.state}", f"state-dir = {tmp_path}/state")
    site.configuration.write_text(text)
    row, = only(check(site, "--live", "/app/page.txt"), "revoked")
    assert "another state-dir" in row["text"]


def test_rules_want_more(make):
    site = make()
    rows = check(site, "--live", "/admin/page.txt")
    assert "rule_failed" in found(rows, "warning")["token"][0]["text"] and not found(rows)
    rows = check(site, "--live", "/admin/page.txt", "--user", "root", "--claim-json", 'roles=["admin"]')
    assert not found(rows) and not found(rows, "warning")


def test_other_configuration(make, tmp_path):
    """The token is good here, but the programs that are asked know another secret."""
    site = make()
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text("another-secret-" * 4)
    site.configuration.write_text(site.configuration.read_text().replace(f"file:{site.secret}",
                                                                         f"file:{tmp_path}/secret"))
    assert "although this configuration lets it in" in found(check(site, "--live", "/app/page.txt"))["token"][0]["text"]


def test_page_without_policy(make):
    site = make(sections={'policy "site"': {"path": "/app/**"}})
    rows = check(site, "--live", "/papp/x")
    assert "policy" in found(rows, "warning")


@pytest.mark.parametrize("carrier", ["bearer", "cookie"])
def test_tokens_in_one_place_alone(make, carrier):
    """What the configuration does not take is no fault of the web server."""
    rows = check(make(sections={'policy "site"': {"token-from": carrier}}), "--live", "/app/page.txt")
    assert not found(rows) and found(rows, "ok")["token"][0]["text"] == f"a good token is let in ({carrier})"


# --- who answers --------------------------------------------------------------------------------------------

def test_server_that_does_not_say_who_it_is(make):
    site = make(more='server.tag = ""\n', edit=without("protect.conf", r'(?m)^\s*"check-local" => "disable",$'))
    row, = found(check(site, "--live", "/papp/x"))["protected"]
    assert all(f"{server}: " in row["remedy"] for server in ("lighttpd", "Apache", "nginx"))


def test_anonymous_pages(make):
    site = make(sections={'policy "site"': {"unauthenticated": "anonymous"}})
    rows = check(site, "--live", "/app/probe.cgi")
    assert "anonymous" in found(rows, "skipped")["protected"][0]["text"] and not found(rows)
    assert [row for row in found(rows, "ok")["identity"] if "without a token" in row["text"]]
