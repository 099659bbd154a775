# SPDX-License-Identifier: Apache-2.0
"""L14: what clients and issuers write never becomes a key of memcached, and touches no other entry."""

import re

import pytest

import farm
import fastcgi
import harness
import load
import tokens
import ways

#: What we make: see the table of keys in doc/internals.md.
OURS = re.compile(r"[ruk][A-Za-z0-9_-]{22}|[mgh][0-9a-f]{8}(:[0-9a-f]{16})?|canary-\d")
#: Entries that hosts renew all the time.
ALIVE = re.compile(r"[mgh][0-9a-f]{8}")
ODD = {
    "line end": "x\r\nset canary-1 0 0 4\r\ngone\r\nget x",
    "line feed": "x\nflush_all\n", "flush": "\r\nflush_all\r\n", "delete": "x\r\ndelete canary-1\r\n",
    "blanks": "a b  c ", "noreply": "canary-1 0 0 4 noreply", "tab": "a\tb", "250 bytes": "j" * 250,
    "251 bytes": "j" * 251, "5000 bytes": "j" * 5000, "utf-8": "jürgen-张-\U0001f600", "del": "a\x7fb", "esc": "\x1b[2J",
    "blank alone": " ", "canary": "canary-1",
}
BIG = "j" * 1000000


@pytest.fixture(scope="module")
def running():
    with farm.Farm(hosts=2, servers=2, sections={"server": {"max-request-headers": "64k"}}) as started:
        for server in started.servers:
            for n in (1, 2):
                assert server.ask(f"set canary-{n} 0 0 4\r\nsing") == "STORED\r\n"
        yield started


def contents(server):
    """{key: value} of all that may not change by itself."""
    return {key: server.value(key) for key in server.keys() if not ALIVE.match(key)}


def changes(running, act):
    """What act() adds on each server; nothing else may change, and every key must be of our making."""
    before = [contents(server) for server in running.servers]
    act()
    added = []
    for server, old in zip(running.servers, before, strict=True):
        assert all(OURS.fullmatch(key) for key in server.keys()), server.keys()
        now = contents(server)
        assert {key: now.get(key) for key in old} == old
        assert now["canary-1"] == now["canary-2"] == "sing"
        added.append({key: value for key, value in now.items() if key not in old})
    return added


def is_revocation(added):
    (key, value), = added.items()
    return re.fullmatch(r"r[A-Za-z0-9_-]{22}", key) and value == "t" + value[1:] and value[1:] in key


@pytest.mark.parametrize("jti", ODD.values(), ids=ODD)
def test_jti(running, jti):
    """A token with that id is logged out: one entry more on each server, of fixed form."""
    token = tokens.mint(jti=jti)
    good = running.hosts[0].status(token) == 200  # some are no ids at all
    for entries in changes(running, lambda: running.hosts[0].log_out(token)):
        assert is_revocation(entries) if good else not entries, (entries, good)
    harness.wait_for("the refusal", lambda: running.hosts[1].status(token) != 200)


@pytest.mark.parametrize("jti", ["a\0b", "\0", "x\0\r\nflush_all"], ids=["inside", "alone", "and more"])
def test_jti_with_nul(running, jti):
    token = tokens.mint(jti=jti)
    assert running.hosts[0].status(token) == 401
    assert changes(running, lambda: running.hosts[0].log_out(token)) == [{}, {}]


@pytest.mark.parametrize("claim", ["jti", "sub", "sid"])
def test_a_million_bytes(running, claim):
    """Too large for web servers, for the programs, and for a CGI environment."""
    token = tokens.mint(**{claim: BIG})

    def ask():
        running.hosts[0].request(token)
        parameters = ways.environment("/auth/logout", [f"Authorization: Bearer {token}"], "POST", "/auth/logout")
        try:
            answer = fastcgi.request(f"unix:{running.hosts[0].service('logout').path}", parameters,
                                     role=fastcgi.RESPONDER)
            assert answer.status in (400, 200, 431), answer.status
        except (fastcgi.Closed, ConnectionError):
            pass
        running.hosts[0].site.authctl("revocations", "add", "--token", text=token + "\n", check=False)
    for entries in changes(running, ask):
        assert not entries or is_revocation(entries)
    assert running.hosts[0].status(tokens.mint()) == 200


@pytest.mark.parametrize("user", ODD.values(), ids=ODD)
def test_user_id(running, user):
    """Logged out everywhere: at most the mark of the user and the entry of the token."""
    token = tokens.mint(user)
    good = running.hosts[0].status(token) == 200
    for entries in changes(running, lambda: running.hosts[0].log_out(token, everywhere=True)):
        kinds = sorted(key[0] for key in entries)
        assert kinds == (["r", "u"] if good else []), (entries, good)


@pytest.mark.parametrize("kid", [*ODD.values(), "a\0b"], ids=[*ODD, "nul"])
def test_kid(running, kid):
    token = tokens.mint(header={"kid": kid})
    changes(running, lambda: running.hosts[0].log_out(token))
    bad = tokens.mint(header={"kid": kid}, key=tokens.OTHER_SECRET)
    assert changes(running, lambda: (running.hosts[0].log_out(bad), running.hosts[0].status(bad))) == [{}, {}]


def test_different_ids_are_different_entries(running):
    """Ids that end alike, or differ in case, or where one begins like the other, do not meet."""
    ids = ["a", "A", "aa", "j" * 250 + "1", "j" * 250 + "2", "x\r\ny", "x y"]
    made = {jti: tokens.mint(jti=jti) for jti in ids}
    for n, jti in enumerate(ids):
        added = changes(running, lambda jti=jti: load.Oracle().log_out(running.hosts[0], load.Token("a", made[jti])))
        assert all(is_revocation(entries) for entries in added)
        for other in ids[n + 1:]:
            assert running.hosts[0].status(made[other]) == 200
