# SPDX-License-Identifier: Apache-2.0
"""Who asks the farm: users with good tokens, and tokens that were revoked, the latest ones most often."""

import os

import load


def amount(name, default):
    """How much of something this run does; tests/faults/farm sets more than the default."""
    return int(os.environ.get(f"FARM_{name}") or default)


class Crowd:
    """good: the share of questions with good tokens."""

    def __init__(self, farm, users=20, good=0.5):
        self.farm, self.share = farm, good
        self.good = [load.new_token(f"user-{i}") for i in range(users)]
        self.revoked = []

    def revoke(self, oracle, host=None, user="mallory", **claims):
        """A new token, logged out at a host (any); the token when that was acknowledged."""
        token = load.new_token(user, **claims)
        if not oracle.log_out(host or self.farm.random.choice(self.farm.hosts), token):
            return None
        self.revoked.append(token)
        return token

    def choose(self, random, host=None):
        host = host or random.choice(self.farm.hosts)
        if not self.revoked or random.random() < self.share:
            return host, random.choice(self.good)
        latest = self.revoked[-8:] if random.random() < 0.7 else self.revoked
        return host, random.choice(latest)
