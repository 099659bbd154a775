# SPDX-License-Identifier: Apache-2.0
"""L8: users in parallel, timeouts so short that answers come late, memcached dying and hanging at random. What an
answer says of a user comes from that user's profile, always."""

import collections

import farm
import load
from crowd import amount

READS = amount("READS", 20000)
USERS, RATE = 64, 4000


def sections(running, number):
    del number
    return {
        'profile "people"': {"url": running.profile_url, "api-key": "text:test-api-key", "ttl": "1s", "stale": "10m",
                             "allow-plain-http": "on"},
        'policy "site"': {"profile": "people", "attribute": [
            "AUTH_EMAIL = claim:email", "AUTH_NAME = profile:/name", "AUTH_MAIL = profile:/email",
            "AUTH_DEPARTMENT = profile:/department"]},
    }


class Identities:
    """Every variable of an answer that allows must be that of the token's user."""

    def __init__(self):
        self.mixed, self.whole, self.users, self.refused = [], 0, set(), collections.Counter()

    def seen(self, question, reply, took):
        del took
        if reply.status != 200:
            self.refused[reply.reason] += 1
            return
        user, found = question.token.user, reply.variables
        number = user.removeprefix("user-")
        wanted = {"REMOTE_USER": user, "AUTH_USER_ID": user, "AUTH_EMAIL": f"{user}@example.org",
                  "AUTH_NAME": f"Name {number}", "AUTH_MAIL": f"{user}@example.com",
                  "AUTH_DEPARTMENT": f"department of {user}"}
        wrong = {name: found.get(name) for name, value in wanted.items() if found.get(name, value) != value}
        if wrong or found["REMOTE_USER"] != user:
            self.mixed.append((user, wrong))
        self.whole += all(name in found for name in wanted)
        self.users.add(user)


def disturb(running, server):
    """Kill it, or hold it for a moment shorter or longer than the timeout."""
    what = running.random.choice(["kill", "short", "long", "none"])
    if what == "kill":
        running.kill_servers([server])
    elif what != "none" and server.is_up():
        server.stop()
        farm.pause(running.random.uniform(0.005, 0.04) if what == "short" else running.random.uniform(0.05, 0.4))
        server.resume()


def test_no_mixed_identities():
    with farm.Farm(store={"memcached-timeout": "20ms"}, sections=sections, profiles=True) as running:
        running.keeper.servers, running.keeper.delay = True, (0.0, 0.3)
        crowd = [load.new_token(f"user-{i}") for i in range(USERS)]
        oracle, identities, kills = load.Oracle(), Identities(), 0

        def choose(random):
            return random.choice(running.hosts), random.choice(crowd)
        with load.Load(running, choose, oracle, running.seed, rate=RATE, clients=USERS // 3 + 1,
                       way=load.FastCgi(), seen=identities.seen) as asking:
            while identities.whole < READS and asking.is_alive() and not identities.mixed:
                disturb(running, running.random.choice(running.servers))
                kills += 1
                farm.pause(running.random.uniform(0.02, 0.3))
                running.check()
        asking.check()
        print(f"reads={asking.answered} with_profile={identities.whole} disturbances={kills} "
              f"{dict(oracle.counts)} {dict(identities.refused)}")
        assert not identities.mixed, identities.mixed[:5]
        assert not oracle.violations, oracle.violations[:5]
        assert len(identities.users) == USERS
        assert identities.whole >= READS
