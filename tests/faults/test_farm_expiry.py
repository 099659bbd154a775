# SPDX-License-Identifier: Apache-2.0
"""F4: tokens that live longer than memcached's relative times reach, its absolute ones, and the year 2038."""

import time

import farm
import harness
import load
from crowd import Crowd

DAY = 86400
LIFETIMES = {
    "29 days": 29 * DAY, "31 days": 31 * DAY, "400 days": 400 * DAY,
    "2038": (1 << 31) - int(time.time()) + DAY, "2106": (1 << 32) + 9 - int(time.time()), "far": 1 << 40,
}


def refused_everywhere(running, crowd):
    answers = [host.request(token.text) for token in crowd.revoked for host in running.hosts]
    assert 200 not in {answer.status for answer in answers}
    return all(answer.json["reason"] == "token_revoked" for answer in answers)


def revocations(running):
    """Their keys on each server."""
    return {server.name: {key for key in server.keys() if key.startswith("r")} for server in running.servers}


def test_long_lives():
    with farm.Farm() as running:
        crowd, oracle = Crowd(running), load.Oracle()
        for what, lifetime in LIFETIMES.items():
            host = running.random.choice(running.hosts)
            token = harness.wait_for(f"the logout of {what}", lambda host=host, lifetime=lifetime: crowd.revoke(
                oracle, host, lifetime=lifetime))
            assert token.acknowledged
        farm.pause(load.GRACE)
        harness.wait_for("refusals", lambda: refused_everywhere(running, crowd))
        held = revocations(running)
        print({name: len(keys) for name, keys in held.items()})
        assert {len(keys) for keys in held.values()} == {len(LIFETIMES)}, "memcached has dropped some"
        for server in running.servers:
            running.kill_servers([server])
        for server in running.servers:
            server.start()
        running.wait_until_good()
        harness.wait_for("refusals", lambda: refused_everywhere(running, crowd))
        assert revocations(running) == held
