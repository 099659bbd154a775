# SPDX-License-Identifier: Apache-2.0
"""The simulation can fail: hosts that share nothing break the promise, and that is found."""

import farm
import harness
import load
from crowd import Crowd


def test_hosts_that_share_nothing():
    with farm.Farm(servers=0) as running:
        crowd, oracle = Crowd(running, good=0.2), load.Oracle()
        assert crowd.revoke(oracle, running.hosts[0])
        with load.Load(running, crowd.choose, oracle, running.seed, rate=300):
            harness.wait_for("violations", lambda: len(oracle.violations) > 3)
        assert all(text.startswith(("h1 accepted", "h2 accepted")) for text in oracle.violations)
        assert oracle.counts["revoked", 401] > 0, "the host that took the logout refuses"


def test_good_token_that_is_refused():
    with farm.Farm(servers=0, hosts=1) as running:
        oracle = load.Oracle()
        token = load.new_token()
        assert running.hosts[0].log_out(token.text)  # behind the oracle's back
        with load.Load(running, lambda random: (running.hosts[0], token), oracle, rate=200):
            harness.wait_for("violations", lambda: oracle.violations)
        assert "401 token_revoked to a good token" in oracle.violations[0]


def test_network():
    """What is cut is lost in silence, in the direction that was asked for, and heals."""
    with farm.Farm(hosts=2, servers=2, store=False) as running:
        first, second = running.hosts
        server, other = running.servers
        assert first.asks(server) and second.asks(server)
        running.network.cut(first.name, server.name)
        assert not first.asks(server) and second.asks(server) and first.asks(other)
        running.network.heal(first.name, server.name)
        assert first.asks(server)
        for lost in ("requests", "answers"):
            running.network.cut(first.name, server.name, **{"requests": False, "answers": False, lost: True})
            assert not first.asks(server)
            running.network.heal(first.name, server.name)
        running.network.isolate(first.name)
        assert not first.asks(server) and not first.asks(other) and second.asks(server)
        running.network.join(first.name)
        harness.wait_for("the network", lambda: first.asks(server))


def test_slow_network():
    """A relay makes one host's way to one server slow."""
    with farm.Farm(hosts=2, servers=1, store=False, relayed=True) as running:
        first, second = running.hosts
        server, = running.servers
        running.network.slow(server.name, 120, first.name)
        assert 0.12 < first.asks(server) < 0.5 and second.asks(server) < 0.1
        running.network.slow(server.name, 0, first.name)
        assert first.asks(server) < 0.1
