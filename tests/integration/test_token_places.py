# SPDX-License-Identifier: Apache-2.0
"""A token in the address: it is taken where the policy says, and goes no further than the web server and the
application do. authctl looks in the same places."""

import json
import urllib.parse

import pytest

import harness
import tokens

SECTIONS = {
    "server": {"log-allow": "on"},
    'policy "files"': {"path": "/app/**", "issuer": "main", "token-from": "query:ticket, bearer"},
    'policy "ws"': {"path": "/ws/**", "token-from": "websocket-protocol"},
}
BROWSER = ["Accept: text/html", "Sec-Fetch-Mode: navigate"]


@pytest.fixture(scope="module")
def site():
    with harness.Site(sections=SECTIONS) as running:
        yield running


def test_allowed(site):
    token = tokens.mint()
    answer = site.request(f"/app/app.cgi?a=1&ticket={token}")
    assert answer.status == 200 and answer.json["environment"]["REMOTE_USER"] == "alice"
    assert site.request(f"/app/page.txt?%74icket={token.replace('.', '%2E')}").status == 200


def test_first_place_decides(site):
    """A bad one in the address is not made good by a header."""
    good, bad = f"Authorization: Bearer {tokens.mint()}", tokens.tampered(tokens.mint())
    assert site.request("/app/page.txt", [good]).status == 200
    assert site.request("/app/page.txt?ticket=", [good]).status == 200
    assert site.request(f"/app/page.txt?ticket={bad}", [good]).status == 401


def test_only_where_configured(site):
    assert site.request(f"/users/alice/page.txt?ticket={tokens.mint()}").status == 401
    assert site.request(f"/app/page.txt?access_token={tokens.mint()}").status == 401


def test_twice(site):
    token, other = tokens.mint(), tokens.mint()
    assert site.request(f"/app/page.txt?ticket={token}&ticket={token}").status == 200
    answer = site.request(f"/app/page.txt?ticket={token}&ticket={other}")
    assert answer.status == 400 and answer.json["reason"] == "bad_request"
    assert 'why="ticket"' in site.log_text("verify").splitlines()[-1]


def test_too_long(site):
    assert site.request("/app/page.txt?ticket=" + "a" * 17000).status in (401, 414, 431)


@pytest.mark.parametrize("query, back", [
    ("ticket=@", ""), ("a=1&ticket=@&b=2", "?a=1&b=2"), ("%74icket=@&a", "?a"), ("a=ticket", "?a=ticket")])
def test_address_for_the_login(site, query, back):
    """Its log, its page and its next address would all show the token."""
    expired = tokens.mint(lifetime=-60)
    answer = site.request(f"/app/page.txt?{query.replace('@', expired)}", BROWSER)
    assert answer.status == 302
    location = answer.header("Location")
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["rd"] == ["/app/page.txt" + back]
    assert expired not in location
    # Nor where another policy decides, or a page names the account.
    answer = site.request(f"/users/bob/page.txt?{query.replace('@', expired)}",
                          [*BROWSER, f"Authorization: Bearer {tokens.mint()}"])
    assert answer.status == 403 and expired not in answer.text


def test_no_log_shows_it(site):
    token = tokens.mint()
    site.request(f"/app/page.txt?ticket={token}")
    site.request(f"/app/page.txt?ticket={token}x")
    log = site.log_text("verify")
    assert "event=allow" in log and "event=deny" in log and token not in log and "ticket=" not in log


def verify(site, token, *words):
    done = site.authctl("token", "verify", *words, text=token, check=False)
    return json.loads(done.stdout)["reason"]


def test_authctl(site):
    token = tokens.mint()
    assert verify(site, token, "--policy", "files") == "ok"
    assert verify(site, token, "--policy", "files", "--query", "ticket") == "ok"
    assert verify(site, token, "--url", "/app/x?a=1", "--query", "ticket") == "ok"
    assert verify(site, token, "--policy", "files", "--query", "other") == "no_token"
    assert verify(site, token, "--policy", "ws") == "no_token"
    assert verify(site, token, "--policy", "site", "--query", "ticket") == "no_token"


def test_authctl_websocket(site):
    token = tokens.mint()
    assert verify(site, token, "--policy", "ws", "--websocket") == "ok"
    assert verify(site, token, "--policy", "files", "--websocket") == "no_token"


def test_authctl_explains(site):
    token = tokens.mint()
    text = site.authctl("explain", "--url", "/app/x?a=1", "--query", "ticket", text=token).stdout
    assert "/app/x?a=1\n" in text and token not in text
    assert "wanted query ticket, bearer; came query ticket, " in text
    text = site.authctl("explain", "--policy", "ws", "--websocket", text=token, check=False).stdout
    assert "wanted WebSocket protocol; came WebSocket protocol, " in text


@pytest.mark.parametrize("words", [["--query", "a&b"], ["--query", ""], ["--query", "a", "--cookie", "b"],
                                   ["--websocket", "--cookie", "b"]])
def test_authctl_usage(site, words):
    done = site.authctl("token", "verify", "--policy", "files", *words, text="x", check=False)
    assert done.returncode == 64
