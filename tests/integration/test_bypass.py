# SPDX-License-Identifier: Apache-2.0
"""Each way around the authorizer is closed by one line of the shipped configuration: with that line all is denied,
without it the same request gets through. A configuration that would be safe without the line proves nothing."""

import contextlib
import re

import pytest

import cases
import tokens
from applications import Scripted

PROTECTED = ("/app/page.txt", "/app/app.cgi", "/papp/x")

# As an admin might have it who enables modules one by one, in an unlucky order.
MODULES_IN_BAD_ORDER = 'server.modules = ( "mod_setenv", "mod_magnet", "mod_cgi", "mod_proxy", "mod_fastcgi" )\n'


def without(name, pattern, replacement=""):
    """An edit that takes out of the file what matches, which must be there exactly once."""
    def edit(file, text):
        if file != name:
            return text
        changed, n = re.subn(pattern, replacement, text)
        assert n == 1, f"{pattern} is {n} times in {file}"
        return changed
    return edit


def statuses(site, targets=PROTECTED, headers=()):
    return {target: site.request(target, headers).status for target in targets}


@contextlib.contextmanager
def answering(site, stdout):
    """Put a scripted authorizer in the place of auth-verify."""
    service = site.services["verify"]
    service.path.unlink()
    with Scripted(service.path, stdout):
        yield
    service.path.unlink()
    service.path.touch()


def web_only(make_site, **how):
    """A site whose programs are not started: for what the web server does alone."""
    site = make_site(start=False, **how)
    site.web.start()
    return site


# --- B1: a handler before the authorizer -------------------------------------------------



def test_b1_order_of_modules(make_site):
    site = make_site(more=MODULES_IN_BAD_ORDER.replace(" = ", " += "))
    assert set(statuses(site).values()) == {401}


def test_b1_opens_without_the_line(make_site):
    def edit(file, text):
        if file == "05-fcgi-auth.conf":
            lines = re.sub(r"(?m)^server\.modules \+= .*$", "", text)
            assert lines != text
            return lines
        if file == "lighttpd.conf":
            return MODULES_IN_BAD_ORDER + text.replace("server.modules =", "server.modules +=", 1)
        return text
    site = make_site(edit=edit)
    assert statuses(site)["/papp/x"] == 200, "the test does not show what the line is for"


# --- B2: check-local ----------------------------------------------------------------------

def test_b2_opens_without_check_local(make_site):
    site = make_site(edit=without("protect.conf", r'(?m)^\s*"check-local" => "disable",$'))
    assert statuses(site)["/papp/x"] == 200, "the test does not show what the line is for"


# --- B3, B4: an answer that is no decision --------------------------------------------------

EMPTY_ANSWERS = {
    "B3-nothing": b"",
    "B3-line-end": b"\r\n",
    "B4-no-status": b"Content-Type: text/plain\r\n\r\n",
    "B4-identity-without-proof": b"Variable-REMOTE_USER: mallory\r\nVariable-AUTH_USER_ID: mallory\r\n\r\n",
    "status-alone": b"Status: 200 OK\r\n\r\n",
    "status-and-identity": b"Status: 200 OK\r\nVariable-REMOTE_USER: mallory\r\n\r\n",
}


@pytest.mark.parametrize("stdout", EMPTY_ANSWERS.values(), ids=EMPTY_ANSWERS)
def test_b3_b4_no_decision(make_site, stdout):
    site = web_only(make_site)
    with answering(site, stdout):
        for _ in range(2):
            assert set(statuses(site).values()) == {503}


@pytest.mark.parametrize("stdout", EMPTY_ANSWERS.values(), ids=EMPTY_ANSWERS)
def test_b3_b4_open_without_the_line(make_site, stdout):
    site = web_only(make_site, edit=without("protect.conf", r"(?m)^\s*magnet\.attract-raw-url-to .*$"))
    with answering(site, stdout):
        assert set(statuses(site).values()) == {200}, "the test does not show what the line is for"


@pytest.mark.parametrize("stdout, expected", [
    (None, 500), (b"Status: 200", 500), (b"Status: 201 Created\r\n\r\n", 201), (b"garbage\r\n\r\n", 502),
    (b"Status: 204 No Content\r\n\r\n", 204), (b"Status: 500 Internal Server Error\r\n\r\n", 500)])
def test_broken_authorizer(make_site, stdout, expected):
    site = web_only(make_site)
    with answering(site, stdout):
        for target in PROTECTED:
            answer = site.request(target)
            assert answer.status in (expected, 500, 502, 503)
            assert b"document of" not in answer.body and b"environment" not in answer.body


def test_proof_does_not_outlive_the_request(make_site):
    """Two requests on one connection: neither the mark nor the proof of the first counts for the second."""
    import http_client
    site = make_site()
    good = f"Authorization: Bearer {tokens.mint()}\r\n"
    with http_client.connect(site.port) as connection:
        for lines, expected in [(good, 200), (good, 200), ("", 401), (good, 200), ("", 401)]:
            connection.sendall(f"GET /app/page.txt HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
            assert http_client.read_answer(connection).status == expected


def test_authorizer_down(make_site):
    site = web_only(make_site)
    site.services["verify"].socket.close()
    assert set(statuses(site).values()) == {503}


def test_authorizer_hangs(make_site):
    """Nobody accepts: read-timeout ends the wait."""
    site = web_only(make_site)
    assert site.request("/app/page.txt").status == 504


def test_no_timeout_without_the_line():
    """The line that ends the wait is there; lighttpd's own default is to wait for ever."""
    from servers_lighttpd import SHIPPED
    assert '"read-timeout" => 3' in (SHIPPED / "protect.conf").read_text()


# --- H1: identity headers ---------------------------------------------------------------------

def echoed(site, target, headers):
    answer = site.request(target, headers)
    assert answer.status == 200, answer.text
    return answer.json["headers"]


def forged(headers):
    return sorted(name for name, value in headers if "mallory" in value)


def test_h1_proxied_application(site):
    headers = echoed(site, "/papp/x", [f"Authorization: Bearer {tokens.mint()}", "X-Kept: yes", *cases.FORGED])
    assert forged(headers) == []
    got = {name.lower(): value for name, value in headers}
    assert got["x-auth-user"] == "alice"
    assert got["x-auth-email"] == "alice@example.org"
    assert got["x-kept"] == "yes"


def test_h1_public_path(site):
    """No identity on a path that nobody has decided about, from the client or else."""
    headers = echoed(site, "/public-papp/x", [f"Authorization: Bearer {tokens.mint()}", *cases.FORGED])
    assert forged(headers) == []
    assert not [name for name, _ in headers if name.lower().startswith("x-auth")]
    environment = site.request("/public/app.cgi", cases.FORGED).json["environment"]
    assert not [name for name, value in environment.items() if "mallory" in value]


def test_h1_opens_without_the_line(make_site):
    site = make_site(edit=without("05-fcgi-auth.conf", r"(?m)^magnet\.attract-raw-url-to .*$"))
    headers = echoed(site, "/papp/x", [f"Authorization: Bearer {tokens.mint()}", *cases.FORGED])
    names = {name.lower() for name in cases.FORGED_NAMES}
    assert {name.lower() for name in forged(headers)} == names, "the test does not show what the line is for"


def test_token_for_the_backend(make_site):
    """S3.3: pass-token gives a proxied application the token that was in the cookie."""
    site = make_site(sections={'policy "site"': {"pass-token": "on"}})
    token = tokens.mint()
    headers = dict(echoed(site, "/papp/x", [f"Cookie: auth={token}"]))
    assert headers["Authorization"] == f"Bearer {token}"


# --- what the shipped files promise --------------------------------------------------------------

def test_login_stays_open_when_all_is_protected(make_site):
    def edit(file, text):
        if file != "lighttpd.conf":
            return text
        changed = re.sub(r'\$HTTP\["url"\] !~ "\^/public" \{\n(.*\n)\}', r"\1", text)
        assert changed != text
        return changed
    site = make_site(edit=edit)
    assert site.request("/auth/login").status == 200
    assert site.request("/public/page.txt").status == 401


def test_admin_writes_at_most_twelve_lines():
    from servers_lighttpd import SHIPPED
    comment = re.search(r"#\n((?:#\t.*\n)+)", (SHIPPED / "05-fcgi-auth.conf").read_text())[1]
    assert 'include "/usr/share/fcgi-auth/lighttpd/protect.conf"' in comment
    assert len(comment.splitlines()) <= 12
