# SPDX-License-Identifier: Apache-2.0
"""R2 over a farm: a logout is acknowledged, and at once the host that took it, memcached, or both are killed."""

import collections
import signal

import farm
import harness
import load
from crowd import Crowd, amount

ROUNDS = amount("ROUNDS", 8)
VICTIMS = ("host", "one server", "all servers", "host and one server", "host and all servers", "all hosts")


def strike(running, host, victim):
    """kill -9 of what the words say; the process managers start it again."""
    if victim == "all hosts":
        for one in running.hosts:
            running.kill_host(one)
    elif "host" in victim:
        running.kill_host(host)
    if "all servers" in victim:
        running.kill_servers(running.servers)
    elif "one server" in victim:
        running.kill_servers([running.random.choice(running.servers)])


def lose(running, host, server):
    """The host and a server begin to lose each other, so that a revocation may be missing there; what ends that."""
    way = running.random.choice(["nothing", "nothing", "stopped", "requests", "answers"])
    if way == "nothing":
        return lambda: None
    if way == "stopped":
        process = server.process
        process.send_signal(signal.SIGSTOP)
        return lambda: process.send_signal(signal.SIGCONT)
    running.network.cut(host.name, server.name, requests=way == "requests", answers=way == "answers")
    return lambda: running.network.heal(host.name, server.name)


def one_round(running, crowd, oracle):
    """(victim, was the logout acknowledged)"""
    random = running.random
    host, victim = random.choice(running.hosts), random.choice(VICTIMS)
    # Soon, or so late that nobody can be told by the host itself in time.
    running.keeper.delay = random.choice([(0, 0.5), (0, 0.5), (1.5, 3)])
    find = lose(running, host, random.choice(running.servers))
    farm.pause(random.uniform(0, 0.1))
    token = crowd.revoke(oracle, host)
    farm.pause(random.uniform(0, 0.02))
    strike(running, host, victim)
    farm.pause(random.uniform(0.2, 2), lambda: bool(oracle.violations))
    find()
    return victim, token is not None


def test_killed_after_logout():
    """No acknowledged revocation is accepted anywhere after one second, by the host that took it never; no good token
    is refused."""
    with farm.Farm() as running:
        running.keeper.servers = True
        crowd, oracle, acknowledged = Crowd(running), load.Oracle(), 0
        with load.Load(running, crowd.choose, oracle, running.seed, rate=200) as asking:
            tried = 0
            while acknowledged < ROUNDS and tried < 5 * ROUNDS:
                victim, done = one_round(running, crowd, oracle)
                tried += 1
                if tried % 100 == 0:
                    print(f"rounds={tried} acknowledged={acknowledged} {dict(oracle.counts)}", flush=True)
                acknowledged += done
                running.check()
                assert not oracle.violations, (victim, oracle.violations)
            recovered = running.wait_until_good()
            farm.pause(1.1)
        print(f"rounds={tried} acknowledged={acknowledged} answers={asking.answered} not_asked={asking.missed} "
              f"good_again={recovered:.2f}s {dict(oracle.counts)}")
        assert acknowledged == ROUNDS
        everything_is_refused(running, crowd)


def everything_is_refused(running, crowd):
    """Each revoked token at each host, when all is well again."""
    oracle = load.Oracle()
    left = {host: collections.deque(crowd.revoked) for host in running.hosts}

    def choose(random, host):
        del random
        return host, left[host].popleft() if left[host] else crowd.revoked[-1]
    with load.Load(running, choose, oracle, rate=None, clients=2, way=load.FastCgi()) as asking:
        harness.wait_for("all answers", lambda: not any(left.values()) or asking.failure, 60)
    assert not oracle.violations and oracle.counts["revoked", 401] > 0.9 * sum(oracle.counts.values()), oracle.counts
