# SPDX-License-Identifier: Apache-2.0
"""The documented limits of web servers: the only ways in which one may differ from the table of cases.

A row changes what is expected of the cases that it applies to. A row that no case needs
fails test_cases.py, and the guide to web servers has the words of each (test_exceptions_are_documented).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limit:
    #: ways in, as servers.create() names them
    ways: tuple
    #: in the guide, word for word
    words: str
    why: str
    #: (expected, case, kind) → is it about this one?
    applies: Callable
    #: expected → what comes instead
    change: Callable


def is_denied(expected, *_):
    return bool(expected.reasons or expected.page_for or expected.back_to is not None or expected.statuses == (204,))


LIMITS = [
    Limit(("apache-direct", "apache-cgi", "apache-subrequest", "apache-http", "apache-authnz"),
          "two Cookie headers are joined by a comma: the same cookie in both is a malformed one, not two",
          "Apache joins every header that comes twice so",
          lambda expected, case, kind: sum(line.startswith("Cookie:") for line in case.headers) > 1,
          lambda expected: replace(expected, reasons=("token_malformed",))),
    Limit(("nginx", "nginx-http"),
          "two Authorization headers are refused by nginx itself: 400, its own page",
          "nginx reads this header once",
          lambda expected, case, kind: sum(line.startswith("Authorization:") for line in case.headers) > 1,
          lambda expected: replace(expected, statuses=(400,), reasons=(), has_headers=False)),
    Limit(("apache-fcgid",),
          "every denial is a bare 401: no redirect to the login page, no 403, no reason and no body of ours",
          "mod_fcgid takes no other status from an access checker and drops Location and body",
          is_denied,
          lambda expected: replace(expected, statuses=(401,), reasons=(), back_to=None, page_for=None,
                                   has_headers=expected.statuses == (401,))),
]


def row(limit):
    """As the guide has it."""
    return f"| {', '.join(f'`{way}`' for way in limit.ways)} | {limit.words} | {limit.why} |"


def of(way):
    return [limit for limit in LIMITS if way in limit.ways]
