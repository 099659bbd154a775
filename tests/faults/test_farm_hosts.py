# SPDX-License-Identifier: Apache-2.0
"""What one host does for the others, and what its restart, its death and the loss of its network do to them."""

import contextlib
import hashlib
import sqlite3
import time

import pytest

import farm
import harness
import load
import tokens
import ways
from crowd import Crowd

#: A host that says nothing holds the others up no longer; they are given as much again.
SILENT = 5.0


@pytest.fixture(scope="module")
def running():
    with farm.Farm() as started:
        yield started


@pytest.fixture
def calm(running):
    """All is as after a start, before and after the test, however that ends."""
    running.wait_until_good()
    yield running
    for host in running.hosts:
        running.network.join(host.name)
        for server in running.servers:
            running.network.heal(host.name, server.name)
        if not host.supervised:
            running.revive(host)
    running.wait_until_good()


def refusal(host, token):
    answer = host.request(token)
    return answer.status, answer.status != 200 and answer.json["reason"]


def let_in(host, token):
    """Or not yet: a machine that is busy with other things may cost an answer in time, never a wrong one."""
    status, reason = refusal(host, token)
    assert status == 200 or reason == "store_unavailable", (host.name, status, reason)
    return status == 200


def test_log_out_at_each_host(calm):
    """Known to the host at once, to the others within a second."""
    crowd, oracle = Crowd(calm, good=0.3), load.Oracle()
    with load.Load(calm, crowd.choose, oracle, calm.seed, rate=300):
        for host in calm.hosts * 3:
            token = crowd.revoke(oracle, host)
            assert token, "not acknowledged although all is well"
            assert refusal(host, token.text) == (401, "token_revoked")
        farm.pause(load.GRACE + 0.5)
    assert not oracle.violations, oracle.violations
    for host in calm.hosts:
        for token in crowd.revoked:
            assert refusal(host, token.text) == (401, "token_revoked")


def test_everywhere(calm):
    """All tokens of a user, on all hosts; those of others stay good, and so does what is issued later."""
    oracle = load.Oracle()
    own, other = [load.new_token("frank") for _ in range(6)], load.new_token("grace")
    harness.wait_for("good tokens", lambda: all(let_in(host, token.text) for host in calm.hosts
                                                for token in [*own, other]))
    assert oracle.log_out(calm.hosts[1], *own, everywhere=True)
    with load.Load(calm, lambda random: (random.choice(calm.hosts), random.choice([*own, other])), oracle, calm.seed,
                   rate=300) as asking:
        farm.pause(load.GRACE + 1)
    asking.check()
    assert not oracle.violations, oracle.violations
    assert oracle.counts["revoked", 401] > 100
    later = tokens.mint("frank")
    harness.wait_for("what is issued later", lambda: all(let_in(host, later) for host in calm.hosts))


def test_session(calm):
    """A session (sid) that ended on one host, whose program died right after the commit: its tokens end everywhere,
    those of other sessions stay good."""
    victim = calm.hosts[2]
    own, other = tokens.mint(sid="session-1"), tokens.mint(sid="session-2")
    harness.wait_for("good tokens", lambda: all(let_in(host, token) for host in calm.hosts for token in (own, other)))
    key = hashlib.sha256(f"sid\0{tokens.ISSUER}\0session-1\0".encode()).digest()[:16]
    with contextlib.closing(sqlite3.connect(victim.site.state / "revocations.db", timeout=10)) as database, database:
        database.execute("INSERT INTO revoked (k, exp, created, kind) VALUES (?, ?, ?, 2)",
                         (key, int(time.time()) + 900, int(time.time())))
        database.execute("INSERT INTO journal (k, kind) VALUES (?, 2)", (key,))
    assert refusal(victim, own) == (401, "token_revoked")
    harness.wait_for("the others", lambda: all(refusal(host, own) == (401, "token_revoked") for host in calm.hosts), 5)
    harness.wait_for("the other session", lambda: all(let_in(host, other) for host in calm.hosts))
    for server in calm.servers:
        restart_empty(calm, server)
    calm.wait_until_good()
    assert all(refusal(host, own) == (401, "token_revoked") for host in calm.hosts)


def restart_empty(running, server):
    running.kill_servers([server])
    server.start()


def test_plain_cgi(calm):
    """A program that lives for one request asks the servers too, and tells them."""
    first, second, third = calm.hosts
    token = tokens.mint()
    assert first.log_out(token)
    for host in (second, third):
        harness.wait_for("the refusal", lambda host=host: cgi(host, token).status == 401, 2)
    assert cgi(third, tokens.mint()).status == 200
    token = tokens.mint()
    answer = ways.run(second.site, "logout", "/auth/logout",
                      [f"Authorization: Bearer {token}", "Accept: application/json"], "POST", script="/auth/logout",
                      preexec=second.preexec)
    assert ways.as_json(answer) == farm.DONE
    harness.wait_for("the refusal", lambda: refusal(first, token) == refusal(third, token) == (401, "token_revoked"), 2)


def cgi(host, token):
    return ways.run(host.site, "verify", "/app/page.txt", [f"Authorization: Bearer {token}"], preexec=host.preexec)


def test_rolling_restart(calm):
    """TERM to all programs of a host: on the others no good request fails, and nothing revoked is accepted."""
    crowd, oracle, others = Crowd(calm), load.Oracle(), {}
    for host in calm.hosts:
        assert crowd.revoke(oracle, host)
    farm.pause(load.GRACE)

    def seen(question, reply, took):
        del took
        if question.token.asked is None and reply.status != 200:
            others.setdefault(question.host.name, []).append((reply.status, reply.reason))
    for host in calm.hosts:
        others.clear()
        with load.Load(calm, crowd.choose, oracle, calm.seed, rate=300, seen=seen):
            calm.restart(host)
            farm.pause(1)
        others.pop(host.name, None)
        assert not others, f"{host.name} was restarted"
        calm.wait_until_good()
    assert not oracle.violations, oracle.violations


def test_host_that_dies_for_good(calm):
    """The others deny for a moment at most, and go on; what it had acknowledged stays revoked."""
    victim, *others = calm.hosts
    crowd, oracle = Crowd(calm), load.Oracle()
    assert crowd.revoke(oracle, victim)
    with load.Load(calm, lambda random: crowd.choose(random, random.choice(others)), oracle, calm.seed,
                   rate=200) as asking:
        calm.die(victim)
        farm.pause(1.5)
        silent = calm.wait_until_good(4 * SILENT)
        assert crowd.revoke(oracle, others[0])
        farm.pause(load.GRACE + 0.5)
    asking.check()
    print(f"good again after {1.5 + silent:.1f} s; {dict(oracle.counts)}")
    assert not oracle.violations, oracle.violations
    assert silent <= 2 * SILENT
    calm.revive(victim)
    calm.wait_until_good()
    assert all(host.status(token.text) == 401 for host in calm.hosts for token in crowd.revoked)


def test_split(calm):
    """A host loses its network: it denies what it cannot know, the others go on, and all is told when it is back."""
    victim, *others = calm.hosts
    crowd, oracle, alone = Crowd(calm), load.Oracle(), []
    with load.Load(calm, crowd.choose, oracle, calm.seed, rate=200) as asking:
        calm.network.isolate(victim.name)
        farm.pause(1.5)
        assert refusal(victim, crowd.good[0].text) == (503, "store_unavailable")
        silent = harness.wait_for("the others", lambda: all(
            host.status(crowd.good[0].text) == 200 for host in others for _ in range(4)), 4 * SILENT)
        assert silent and crowd.revoke(oracle, others[0])
        token = load.new_token("mallory")
        assert not oracle.log_out(victim, token), "nobody else can know"
        assert refusal(victim, token.text) == (401, "token_revoked"), "its own file is enough"
        farm.pause(load.GRACE + 0.2)
        calm.network.join(victim.name)
        back = calm.wait_until_good()
        alone += [refusal(host, token.text) for host in calm.hosts]
    asking.check()
    print(f"good again after {back:.1f} s; {dict(oracle.counts)}")
    assert not oracle.violations, oracle.violations
    assert alone == [(401, "token_revoked")] * 3


@pytest.mark.parametrize("lost", ["requests", "answers", "both"])
def test_one_way_cut(calm, lost):
    """A host and a server lose each other, in one direction or both: no host denies for long, none accepts."""
    victim, server = calm.random.choice(calm.hosts), calm.random.choice(calm.servers)
    crowd, oracle = Crowd(calm), load.Oracle()
    with load.Load(calm, crowd.choose, oracle, calm.seed, rate=200) as asking:
        calm.network.cut(victim.name, server.name, requests=lost != "answers", answers=lost != "requests")
        acknowledged = 0
        for host in (*calm.hosts, *calm.hosts):
            acknowledged += crowd.revoke(oracle, host) is not None
            farm.pause(0.2)
        calm.wait_until_good(2 * SILENT)
        calm.network.heal(victim.name, server.name)
        farm.pause(load.GRACE + 0.2)
    asking.check()
    print(f"{victim.name} without {server.name}: acknowledged {acknowledged} of 6; {dict(oracle.counts)}")
    assert not oracle.violations, oracle.violations
