# SPDX-License-Identifier: Apache-2.0
"""A folder of user records for a site, and what applications see in it."""

import itertools
import json
import sqlite3

import harness
import tokens

OTHER_ISSUER = "https://other.example"
NUMBERS = itertools.count(1)


class Records:
    """The folder of the records, and what applications see in it."""

    def __init__(self):
        self.base = harness.RUN / f"records-{next(NUMBERS)}"
        self.folder = self.base / "users"
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o750)
        self.path = self.folder / "user-records.db"
        self.other_secret = self.base / "secret"
        self.other_secret.touch(0o600)
        self.other_secret.write_text(tokens.OTHER_SECRET)

    def sections(self, **policy):
        return {
            "server": {"user-records": self.folder},
            'issuer "other"': {"algorithms": "HS256", "secret": f"file:{self.other_secret}", "iss": OTHER_ISSUER},
            'policy "site"': {"issuer": "main, other", "local-user": "on",
                              "attribute": ["AUTH_EMAIL = claim:email", "AUTH_FIRST_NAME = claim:name"]} | policy,
            'policy "admin"': {"local-user": "on", "attribute": "AUTH_ROLES = claim:roles", "unauthenticated": "401"},
            'policy "open"': {"path": "/public/**", "unauthenticated": "anonymous", "local-user": "on"},
        }

    def ask(self, query, *values):
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def attributes(self, user):
        return json.loads(self.ask("SELECT attributes FROM users WHERE user_id = ?", user)[0][0])

    def files(self):
        """What changes when anything is written."""
        return [(path.name, path.stat().st_mtime_ns, path.stat().st_size)
                for path in (self.path, self.path.with_name("user-records.db-wal"))]


def bearer(*arguments, **claims):
    return [f"Authorization: Bearer {tokens.mint(*arguments, **claims)}"]


def number(site, *arguments, path="/app/app.cgi", **claims):
    """AUTH_LOCAL_USER_ID as the application sees it."""
    answer = site.request(path, bearer(*arguments, **claims))
    assert answer.status == 200, answer.text
    return int(answer.json["environment"]["AUTH_LOCAL_USER_ID"])


def refused(site, *arguments):
    answer = site.request("/app/page.txt", bearer(*arguments))
    assert answer.status == 503, answer.status
    assert answer.json["reason"] == "store_unavailable" and int(answer.header("Retry-After")) > 0
