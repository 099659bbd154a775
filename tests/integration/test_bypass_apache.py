# SPDX-License-Identifier: Apache-2.0
"""Ways around the authorizer on Apache: closed by a line of the shipped configuration, open without it. And an
authorizer that is away, hangs, closes early or answers nonsense: denied, in bounded time."""

import re
import subprocess
import time

import pytest

import cases
import servers_apache
import tokens
from applications import Scripted
from test_bypass import EMPTY_ANSWERS, statuses, without

GOOD = f"Authorization: Bearer {tokens.mint()}"
PAGES = ("/app/page.txt", "/app/app.cgi", "/papp/x")
#: Ways whose authorizer a test can put another in the place of.
ASKED = ("direct", "subrequest", "authnz")


def answers_instead(make_site, way, stdout, targets=PAGES, **how):
    """The statuses of a site whose authorizer answers everything with that."""
    site = make_site(start=False, server=f"apache-{way}", **how)
    verify = site.services["verify"]
    verify.socket.close()
    site.web.start()
    with Scripted(site.web.tcp_port or verify.path, stdout):
        found = statuses(site, targets)
        with_token = statuses(site, targets, [GOOD])
    verify.path.touch()
    return {*found.values(), *with_token.values()}


# --- B3, B4: an answer that is no decision ------------------------------------------------

@pytest.mark.parametrize("name", EMPTY_ANSWERS)
@pytest.mark.parametrize("way", ASKED)
def test_b3_b4_no_decision(make_site, way, name):
    """mod_authnz_fcgi asks for no proof: a user is enough for it. Ours name none without a decision."""
    if (way, name) == ("authnz", "B4-identity-without-proof"):
        return
    assert answers_instead(make_site, way, EMPTY_ANSWERS[name]) <= {401, 403, 500, 502, 503}


@pytest.mark.parametrize("stdout", [
    None, b"Status: 200", b"Status: 201 Created\r\n\r\n", b"garbage\r\n\r\n", b"Status: 204 No Content\r\n\r\n",
    b"Status: 500 Internal Server Error\r\n\r\n"])
@pytest.mark.parametrize("way", ASKED)
def test_broken_authorizer(make_site, way, stdout):
    assert not answers_instead(make_site, way, stdout, ("/app/page.txt", "/papp/x")) & {200, 304}


@pytest.mark.parametrize("proof, expected", [(" proof=Variable-AUTH_REQUEST_ID", {502}), ("", {200})])
def test_b20_whatever_answers_there(make_site, backend, proof, expected):
    """An endpoint that leads to the wrong server, which answers everything with 200."""
    def edit(file, text):
        if file == "fcgi-auth-http.conf":
            text = re.sub(" proof=\\S+", proof, text)
            return re.sub(r"unix:\S+", f"http://127.0.0.1:{backend.port}/", text)
        return text
    site = make_site(server="apache-http", edit=edit)
    assert set(statuses(site).values()) == expected


# --- away, hanging --------------------------------------------------------------------------

@pytest.mark.parametrize("way", ASKED)
def test_authorizer_down(make_site, way):
    site = make_site(start=False, server=f"apache-{way}")
    site.services["verify"].socket.close()
    site.web.start()
    assert set(statuses(site).values()) <= {500, 503}


@pytest.mark.parametrize("way", ["direct", "subrequest"])
def test_authorizer_hangs(make_site, way):
    """Nobody accepts. (mod_authnz_fcgi waits for 30 s, which nothing can change.)"""
    site = make_site(start=False, server=f"apache-{way}")
    site.web.start()
    begin = time.monotonic()
    assert site.request("/app/page.txt", [GOOD]).status == 504
    assert time.monotonic() - begin < 8


# --- B7, B14: never asked --------------------------------------------------------------------

def test_b7_opens_without_a_user_needing_require(make_site):
    edit = without("protect-authnz.conf", "Require valid-user", "Require all granted")
    site = make_site(server="apache-authnz", edit=edit)
    assert set(statuses(site).values()) == {200}, "the test does not show what the line is for"


@pytest.mark.parametrize("proof, expected", [(True, {403}), (False, {200})])
def test_b11_fcgid_authorizer_is_never_asked(make_site, proof, expected):
    """The line that wants a decision closes it even then."""
    def edit(file, text):
        if file == "protect-fcgid.conf":
            text = re.sub(r"(?m)^\s*FcgidAccessChecker ", "FcgidAuthorizer ", text)
            return text if proof else re.sub(r"(?m)^\s*Require expr .*$", "", text)
        return text
    assert set(statuses(make_site(server="apache-fcgid", edit=edit)).values()) == expected


def test_fcgid_program_that_ends(make_site):
    edit = without("protect-fcgid.conf", r"(?m)FcgidAccessChecker \S+$", "FcgidAccessChecker /bin/true")
    site = make_site(server="apache-fcgid", edit=edit)
    begin = time.monotonic()
    assert site.request("/app/page.txt", [GOOD]).status in (401, 403, 500, 503)
    assert time.monotonic() - begin < 15


@pytest.mark.parametrize("way", ["direct", "subrequest", "http", "cgi"])
def test_b14_nothing_of_require_opens(make_site, way):
    """mod_auth_request needs no Require, and none of these makes it leave the question out."""
    more = "<Location />\n<RequireAny>\nRequire ip 127.0.0.1\nRequire env NEVER\n</RequireAny>\n</Location>\n"
    site = make_site(server=f"apache-{way}", more=more)
    assert set(statuses(site).values()) == {401}


# --- B15, B16: another way to the same file -----------------------------------------------------

@pytest.mark.parametrize("way", ["direct", "subrequest"])
def test_b15_b16_index_of_a_public_folder(make_site, way):
    more = "<Location /public/>\nDirectoryIndex /admin/page.txt\n</Location>\n"
    site = make_site(server=f"apache-{way}", more=more)
    assert site.request("/public/page.txt").status == 200
    assert site.request("/public/").status in (401, 403)
    assert site.request("/public/", [GOOD]).status == 403, "judged by the policy of /admin/"


# --- B19: the endpoint from outside ----------------------------------------------------------------

@pytest.mark.parametrize("way, endpoint", [("subrequest", "verify"), ("http", "original"), ("cgi", "verify")])
def test_b19_endpoint_from_outside(make_site, way, endpoint):
    site = make_site(server=f"apache-{way}")
    assert site.request(f"/.fcgi-auth/{endpoint}", [GOOD]).status == 403
    assert site.request("/app/page.txt", [GOOD]).status == 200


def test_b19_opens_without_the_line(make_site):
    site = make_site(server="apache-subrequest", edit=without("fcgi-auth-subrequest.conf", r"(?m)^\s*Require expr.*$"))
    assert site.request("/.fcgi-auth/verify", [GOOD]).header("Variable-AUTH_USER_ID") == "alice"


# --- H1: identity headers ------------------------------------------------------------------------------

@pytest.mark.parametrize("way, file, line", [
    ("direct", "headers.conf", r"(?m)^AuthRequestHeader X-Auth-User AUTH_USER_ID$"),
    ("authnz", "identity.conf", r"(?m)^LuaHookFixups .*$")])
def test_h1_opens_without_the_line(make_site, way, file, line):
    site = make_site(server=f"apache-{way}", edit=without(file, line))
    seen = site.request("/papp/x", [GOOD, "X_Auth_User: mallory"]).json["headers"]
    assert ["X_Auth_User", "mallory"] in seen, "the test does not show what the line is for"


# --- what the shipped files promise -----------------------------------------------------------------------

@pytest.mark.parametrize("way", servers_apache.WAYS)
def test_login_stays_open_when_all_is_protected(make_site, way):
    def edit(file, text):
        return text.replace('<LocationMatch "^/(?!public)">', '<LocationMatch "^/">')
    site = make_site(server=f"apache-{way}", edit=edit)
    assert site.request("/auth/login").status == 200
    assert site.request("/public/page.txt").status == 401


@pytest.mark.parametrize("way", servers_apache.WAYS)
def test_admin_writes_at_most_twelve_lines(way):
    assert len(servers_apache.lines_to_write(servers_apache.WAYS[way])) <= 12
    guide = (servers_apache.harness.REPOSITORY / "doc" / "guide" / "apache.md").read_text()
    assert servers_apache.WAYS[way] in guide
    assert max(map(len, re.findall(r"```\n(.*?)```", guide, re.S)), default=0) < 600


@pytest.mark.parametrize("way", ["direct", "authnz"])
def test_https(make_site, way):
    """The authorizer and the login program know the scheme."""
    site = make_site(server=f"apache-{way}", tls=True)
    page = site.request("/auth/login", ["Accept: text/html"])
    assert page.status == 200 and all("secure" in attributes for _, attributes in page.cookies.values())
    answer = site.request("/app/app.cgi", [GOOD])
    assert (answer.status, answer.json["environment"]["HTTPS"]) == (200, "on")
    assert answer.json["environment"]["REQUEST_SCHEME"] == "https"
    assert site.request("/app/app.cgi", cases.NAVIGATION).status == 302


@pytest.mark.parametrize("way", ["direct", "subrequest"])
def test_http2(make_site, way):
    """Cookies come in several fields there, which are one header again."""
    site = make_site(server=f"apache-{way}", more="Protocols h2c http/1.1\n",
                     edit=lambda file, text: text + f"LoadModule http2_module {servers_apache.MODULES_FOLDER}/"
                                                    "mod_http2.so\n" if file == "apache.conf" else text)

    def status(*headers):
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--http2-prior-knowledge"]
        for header in headers:
            command += ["-H", header]
        url = f"http://127.0.0.1:{site.port}/app/page.txt"
        return subprocess.run([*command, url], capture_output=True, text=True, timeout=20, check=True).stdout
    assert status() == "2 401"
    assert status("Cookie: a=b", f"Cookie: auth={tokens.mint()}", "Cookie: c=d") == "2 200"
    assert status(f"Authorization: Bearer {tokens.mint(lifetime=-3600)}") == "2 401"
