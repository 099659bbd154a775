# SPDX-License-Identifier: Apache-2.0
"""Sessions of local accounts: what a token says of them, and how they end."""

import base64
import json
import sqlite3
import time

import pytest

import responder
import tokens

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
