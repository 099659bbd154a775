# SPDX-License-Identifier: Apache-2.0
"""Sessions of local accounts: what a token says of them, and how they end."""

import base64
import json
import re
import sqlite3
import time
import urllib.parse

import pytest

import harness
import http_client
import responder
import tokens
from test_login import log_in

COOKIE = "__Host-auth"


@pytest.fixture(scope="module")
def programs():
    running = responder.Programs(sections={"login": {"cookie": None, "password-cost": "4", "rate-limit": "off",
                                                     "account-rate-limit": "off"}})
    yield running
    running.close()


@pytest.fixture
def account(programs, request):
    name = request.node.name.replace("[", "-").replace("]", "")
    return name, programs.site.add_user(name)


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def rows(programs, user):
    with sqlite3.connect(f"file:{programs.site.state}/accounts.db?mode=ro", uri=True) as db:
        return {row[0]: row for row in db.execute(
            "SELECT sid, user, iss, address, agent, created, seen, expires FROM session WHERE user = ?", (user,))}


def bearer(token):
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def log_out(programs, token):
    answer = programs.ask("logout", "POST", "/auth/logout", bearer(token))
    assert answer.status == 200
    return json.loads(answer.body)["message"]


# --- the claims -------------------------------------------------------------------------

def test_claims_of_a_login(programs, account):
    before = int(time.time())
    first, second = (claims(programs.token(*account)) for _ in range(2))
    for one in first, second:
        assert before <= one["auth_time"] == one["iat"] <= time.time() + 1
        assert len(base64.urlsafe_b64decode(one["sid"] + "==")) == 16
    assert first["sid"] != second["sid"] and first["jti"] != second["jti"]


def test_session_is_noted(programs, account):
    answer = programs.post_json("login", "/auth/login", {"username": account[0], "password": account[1]},
                                {"User-Agent": "Lynx/2.8\t" + "x" * 300})
    token = claims(json.loads(answer.body)["token"])
    (sid, user, iss, address, agent, created, seen, expires), = rows(programs, account[0]).values()
    assert (sid, user, iss, address) == (token["sid"], account[0], tokens.ISSUER, "203.0.113.9")
    assert agent == "Lynx/2.8 " + "x" * 191
    assert created == seen == token["iat"] and expires == token["exp"]


# --- the end ----------------------------------------------------------------------------

def test_logout_ends_every_token_of_the_session(programs, account):
    """Same sid, another jti: a token that followed from the same login."""
    first, other = programs.token(*account), programs.token(*account)
    sid = claims(first)["sid"]
    later = tokens.mint(account[0], sid=sid)
    assert programs.is_good(later)
    assert log_out(programs, first) == "Successfully logged out"
    assert not programs.is_good(first) and not programs.is_good(later)
    assert programs.is_good(other)
    assert set(rows(programs, account[0])) == {claims(other)["sid"]}


def test_expired_token_does_not_end_its_session(programs, account):
    """It may be an old one that was found."""
    current = programs.token(*account)
    old = tokens.mint(account[0], lifetime=-60, sid=claims(current)["sid"])
    assert log_out(programs, old) == "Successfully logged out"
    assert programs.is_good(current)


def test_session_that_is_on_no_list(programs):
    """Made by somebody else with the same key."""
    first, later = tokens.mint("mary", sid="abc"), tokens.mint("mary", sid="abc")
    other = tokens.mint("mary", sid="abd")
    assert log_out(programs, first) == "Successfully logged out"
    assert [programs.is_good(token) for token in (first, later, other)] == [False, False, True]


def test_login_ends_the_session_that_was_there(programs, account):
    planted = programs.token(*account)
    later = tokens.mint(account[0], sid=claims(planted)["sid"])
    assert programs.log_in(*account, cookie=f"{COOKIE}={planted}").status == 303
    assert not programs.is_good(planted) and not programs.is_good(later)


def test_too_many_sessions(programs, account):
    """The one that was seen the longest ago ends; others' don't."""
    neighbour = programs.token("neighbour", programs.site.add_user("neighbour"))
    held = [programs.token(*account) for _ in range(3)]
    with sqlite3.connect(f"{programs.site.state}/accounts.db") as db:
        db.execute("UPDATE session SET seen = seen + 100 WHERE sid = ?", (claims(held[0])["sid"],))
        db.execute("UPDATE session SET seen = seen - 100 WHERE sid = ?", (claims(held[1])["sid"],))
        db.execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 47)"
                   " INSERT INTO session SELECT 'filler-' || i, ?, '', '', '', created, seen, expires"
                   " FROM n, session WHERE sid = ?", (account[0], claims(held[2])["sid"]))
    last = programs.token(*account)
    assert [programs.is_good(token) for token in (*held, last, neighbour)] == [True, False, True, True, True]
    assert len(rows(programs, account[0])) == 50


# --- the list -----------------------------------------------------------------------------

HTML = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def listed(programs, token):
    answer = programs.ask("login", "GET", "/auth/sessions", bearer(token))
    assert answer.status == 200, answer.raw
    return json.loads(answer.body)["sessions"]


def end(programs, token, value):
    return programs.post_json("login", "/auth/sessions", value, bearer(token))


def profile(programs, token, query="", **headers):
    return programs.ask("login", "GET", "/auth/profile" + query, {**HTML, "Cookie": f"{COOKIE}={token}", **headers})


def post_form(programs, token, page, fields, **headers):
    """A form of the page."""
    jar = "; ".join([f"{COOKIE}={token}"] + [line.split(";")[0] for line in page.all("Set-Cookie")])
    sent = {"csrf": responder.Fields(page.body.decode()).fields["csrf"], **fields}
    return programs.ask("login", "POST", "/auth/sessions", {**responder.BROWSER, "Cookie": jar, **headers},
                        urllib.parse.urlencode(sent).encode(), responder.FORM)


def test_list(programs, account):
    first, second = programs.token(*account), programs.token(*account)
    programs.token("stranger", programs.site.add_user("stranger"))
    both = {one["id"]: one for one in listed(programs, first)}
    assert set(both) == {claims(first)["sid"], claims(second)["sid"]}
    own = both[claims(first)["sid"]]
    assert own == {"id": claims(first)["sid"], "current": True, "created": claims(first)["iat"], "seen": own["seen"],
                   "expires": claims(first)["exp"], "address": "203.0.113.9", "agent": ""}
    assert both[claims(second)["sid"]]["current"] is False


def test_list_is_true_whatever_ended_a_session(programs, account):
    held = [programs.token(*account) for _ in range(3)]
    programs.site.authctl("revocations", "add", "--session", claims(held[1])["sid"])
    assert {one["id"] for one in listed(programs, held[0])} == {claims(held[0])["sid"], claims(held[2])["sid"]}
    programs.site.authctl("revocations", "add", "--user", account[0])
    fresh = programs.token(*account)
    assert [one["id"] for one in listed(programs, fresh)] == [claims(fresh)["sid"]]


def test_session_that_was_not_noted_comes_back(programs, account):
    token = programs.token(*account)
    with sqlite3.connect(f"{programs.site.state}/accounts.db") as db:
        db.execute("DELETE FROM session WHERE user = ?", (account[0],))
    assert [one["id"] for one in listed(programs, token)] == [claims(token)["sid"]]


def test_end_one(programs, account):
    held = [programs.token(*account) for _ in range(3)]
    answer = end(programs, held[0], {"session": claims(held[1])["sid"]})
    assert answer.status == 200 and json.loads(answer.body) == {"message": "The session has ended"}
    assert [programs.is_good(token) for token in held] == [True, False, True]
    assert end(programs, held[0], {"session": claims(held[1])["sid"]}).status == 404


def test_sessions_of_others_are_out_of_reach(programs, account):
    victim = programs.token(*account)
    attacker = programs.token("attacker", programs.site.add_user("attacker"))
    answer = end(programs, attacker, {"session": claims(victim)["sid"]})
    assert answer.status == 404 and programs.is_good(victim)
    assert claims(victim)["sid"] not in programs.ask("login", "GET", "/auth/sessions", bearer(attacker)).body.decode()


def test_end_all_others(programs, account):
    """Also those on no list and without a name; this session goes on with another token."""
    held = [programs.token(*account) for _ in range(2)]
    unlisted, nameless = tokens.mint(account[0], sid="unlisted"), tokens.mint(account[0])
    bystander = programs.token("bystander", programs.site.add_user("bystander"))
    answer = end(programs, held[0], {"others": True})
    assert answer.status == 200 and not answer.all("Set-Cookie")
    fresh = json.loads(answer.body)["token"]
    assert not any(programs.is_good(token) for token in (*held, unlisted, nameless))
    assert programs.is_good(fresh) and programs.is_good(bystander)
    assert [claims(fresh)[name] for name in ("sid", "auth_time")] == [claims(held[0])[name]
                                                                     for name in ("sid", "auth_time")]
    assert [(one["id"], one["current"]) for one in listed(programs, fresh)] == [(claims(held[0])["sid"], True)]
    later = programs.token(*account)
    assert {one["id"] for one in listed(programs, later)} == {claims(fresh)["sid"], claims(later)["sid"]}


def test_end_all_others_without_an_account(programs):
    """A token of somebody else with the same key: there is nothing to make a new one of."""
    token, other = tokens.mint("no-account"), tokens.mint("no-account")
    answer = end(programs, token, {"others": True})
    assert answer.status == 409 and "log out everywhere" in json.loads(answer.body)["detail"]
    assert programs.is_good(token) and programs.is_good(other)


@pytest.mark.parametrize("value", [{}, {"session": ""}, {"session": 1}, {"others": False}, {"others": "yes"},
                                   {"session": "x", "others": True}, b"[]", b"{", {"others": 1}])
def test_wrong_wishes(programs, value):
    token = tokens.mint("wisher")
    assert end(programs, token, value).status == 400
    assert programs.is_good(token)


def test_sessions_need_a_token_of_this_site(programs):
    for method, body in ("GET", b""), ("POST", b'{"others":true}'):
        answer = programs.ask("login", method, "/auth/sessions", {"Accept": "application/json"}, body,
                              "application/json")
        assert answer.status == 401


# --- the page -------------------------------------------------------------------------------

def test_profile_page(programs):
    password = programs.site.add_user("nora", "--name", "Nora <N>", "--role", "admin", "--role", "wiki")
    answer = programs.post_json("login", "/auth/login", {"username": "nora", "password": password},
                                {"User-Agent": FIREFOX})
    token = json.loads(answer.body)["token"]
    other = programs.token("nora", password)
    page = profile(programs, token)
    text = page.body.decode()
    assert page.status == 200 and page.header("Content-Type").startswith("text/html")
    assert page.header("Cache-Control") == "no-store"
    for shown in ("nora@example.org", "Nora &lt;N&gt;", "admin, wiki", "Firefox, Linux", "203.0.113.9",
                  time.strftime("%Y-%m-%d ", time.gmtime(claims(token)["iat"]))):
        assert shown in text, shown
    values = re.findall(r'name="session" value="([^"]*)"', text)
    assert values == [claims(other)["sid"]]
    assert token not in text and 'name="others" value="1"' in text


def test_profile_is_json_for_programs(programs, account):
    token = programs.token(*account)
    value = json.loads(programs.ask("login", "GET", "/auth/profile", bearer(token)).body)
    assert value["id"] == account[0] and value["claims"]["sid"] == claims(token)["sid"]
    assert "auth_time" not in value and "sid" not in value


def test_profile_of_another_issuer_has_no_sessions(make_programs):
    programs = make_programs(sections={"login": {"cookie": None, "issuer": "main"}, 'issuer "other"': {
        "type": "jwt", "algorithms": "HS256", "secret": f"text:{tokens.OTHER_SECRET}", "iss": "https://other.example",
        "cookie": "other"}})
    token = tokens.mint("ruth", key=tokens.OTHER_SECRET, iss="https://other.example", sid="s", username="ruth-r")
    page = programs.ask("login", "GET", "/auth/profile", {**HTML, "Cookie": f"other={token}"})
    text = page.body.decode()
    assert page.status == 200 and "ruth-r" in text and "<form" not in text
    assert programs.ask("login", "GET", "/auth/sessions", bearer(token)).status == 401


def test_profile_leads_to_the_login_and_back(programs, account):
    answer = programs.ask("login", "GET", "/auth/profile", HTML)
    assert answer.status == 303 and answer.header("Location") == "/auth/login?rd=/auth/profile"
    back = programs.log_in(*account, back="/auth/profile")
    assert back.status == 303 and back.header("Location") == "/auth/profile"
    assert profile(programs, responder.cookies(back)[COOKIE][0]).status == 200


def test_forms_of_the_page(programs, account):
    held = [programs.token(*account) for _ in range(3)]
    page = profile(programs, held[0])
    done = post_form(programs, held[0], page, {"session": claims(held[1])["sid"]})
    assert done.status == 303 and done.header("Location") == "/auth/profile?done=session"
    assert [programs.is_good(token) for token in held] == [True, False, True]
    assert b"That session has ended" in profile(programs, held[0], "?done=session").body
    gone = post_form(programs, held[0], page, {"session": claims(held[1])["sid"]})
    assert gone.status == 303 and gone.header("Location") == "/auth/profile?done=gone"
    done = post_form(programs, held[0], page, {"others": "1"})
    assert done.status == 303 and done.header("Location") == "/auth/profile?done=others"
    fresh = responder.cookies(done)[COOKIE][0]
    assert [programs.is_good(token) for token in (*held, fresh)] == [False, False, False, True]


def test_foreign_forms_end_nothing(programs, account):
    held = [programs.token(*account) for _ in range(2)]
    page = profile(programs, held[0])
    for fields, headers in (
            ({"others": "1", "csrf": "x"}, {}), ({"others": "1", "csrf": ""}, {}),
            ({"others": "1"}, {"Sec-Fetch-Site": "cross-site"}), ({"others": "1"}, {"Origin": "https://evil.example"}),
            ({"others": "1"}, {"Cookie": f"{COOKIE}={held[0]}"})):
        assert post_form(programs, held[0], page, fields, **headers).status == 403
    assert all(programs.is_good(token) for token in held)


@pytest.fixture
def make_programs():
    made = []

    def make(**how):
        made.append(responder.Programs(**how))
        return made[-1]

    yield make
    for one in made:
        one.close()


# --- through web servers, as they are shipped ---------------------------------------------------

@pytest.mark.parametrize("server", ["lighttpd", "apache-direct", "nginx"])
def test_two_browsers(server):
    """S1.5: logging A out leaves B alone, also when both logged in within one second."""
    with harness.Site(server=server, sections={"login": {"password-cost": "4"}}) as site:
        password = site.add_user("alice")
        a, b = site.browser(), site.browser()
        for browser in a, b:
            assert log_in(browser, "alice", password).status == 303
        held = [claims(browser.jar["auth"]) for browser in (a, b)]
        assert held[0]["sid"] != held[1]["sid"] and held[0]["jti"] != held[1]["jti"]

        page = b.get("/auth/profile")
        assert page.status == 200 and f'value="{held[0]["sid"]}"' in page.text
        assert site.request("/auth/sessions", [f"Authorization: Bearer {b.jar['auth']}"]).status == 200
        assert a.post("/auth/logout", {}).status == 303 and "auth" not in a.jar
        assert a.get("/app/app.cgi").status == 302 and b.get("/app/app.cgi").status == 200
        assert held[0]["sid"] not in b.get("/auth/profile").text

        log_in(a, "alice", password)
        form = http_client.FormReader(b.get("/auth/profile").text).forms[0]
        kept = a.jar["auth"]
        assert b.post("/auth/sessions", {"csrf": form.fields["csrf"], "session": claims(kept)["sid"]}).status == 303
        assert a.get("/app/app.cgi").status == 302 and b.get("/app/app.cgi").status == 200

        log_in(a, "alice", password)
        old = b.jar["auth"]
        assert b.post("/auth/sessions", {"csrf": form.fields["csrf"], "others": "1"}).status == 303
        assert b.jar["auth"] != old and claims(b.jar["auth"])["sid"] == held[1]["sid"]
        assert a.get("/app/app.cgi").status == 302 and b.get("/app/app.cgi").status == 200

        signed_out = site.request("/auth/logout/signed-out", ["Accept: text/html"])
        assert signed_out.status == 200 and 'href="/auth/login"' in signed_out.text
        refused = site.request("/auth/logout/backchannel", [f"Content-Type: {responder.FORM}"], "POST",
                               b"logout_token=x")
        assert refused.status == 400 and refused.json["error"] == "invalid_request"
