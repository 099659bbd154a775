# SPDX-License-Identifier: Apache-2.0
"""The goals of bench/web, and its tables. Rounds are {kind of token: {contestant: figures of each round}}."""

from statistics import median

from goals import goal_table, judged, number, ratio, spread, table
from web_contestants import CONTESTANTS

CPU = "cpu_per_10000"

# Goal, contestant, another, and how many times the other's it must have at least (of CPU seconds, at most): with HS256,
# with RS256.
SPEED = [
    ("P6", "Apache, mod_auth_request", "Apache, unprotected", 0.62, 0.62),
    ("P6", "Apache, mod_auth_request", "Apache, mod_authnz_fcgi", 1.5, 1.5),
    ("P6", "Apache, mod_auth_request with cache", "Apache, unprotected", 0.85, 0.85),
    ("P6", "Apache, mod_auth_request with cache", "Apache, mod_auth_openidc", 1, 1),
    ("P7", "nginx, FastCGI", "nginx, FastCGI no-op", 0.9, 0.9),
    ("P7", "nginx, HTTP", "nginx, HTTP no-op", 0.9, 0.9),
    ("P8", "nginx, FastCGI", "nginx, FastAPI", 4, 25),
    ("P8", "nginx, HTTP", "nginx, FastAPI", 4, 25),
]
COST = [
    ("P6", "Apache, mod_auth_request with cache", "Apache, mod_auth_openidc", 1, 1),
    ("P8", "nginx, FastCGI", "nginx, FastAPI", 1 / 6, 1 / 6),
    ("P8", "nginx, HTTP", "nginx, FastAPI", 1 / 6, 1 / 6),
    ("P8", "Apache, mod_auth_request", "Apache, FastAPI", 1 / 6, 1 / 6),
]


def goals(rounds):
    """Rows of goals.judged."""
    rows = []
    for what, figure, at_least, comparisons in (("req/s", "per_second", True, SPEED), ("CPU", CPU, False, COST)):
        for goal, one, other, *limits in comparisons:
            for kind, limit in zip(rounds, limits):
                text = f"{one}, {kind}: {what} against {other.partition(', ')[2]}"
                rows.append(judged(goal, text, at_least, limit, ratio(rounds, kind, one, other, figure=figure)))
    return sorted(rows, key=lambda row: row["goal"])


def figures_of(rounds, kind, name):
    """The cells of one kind of token."""
    found = rounds[kind].get(name)
    if not found:
        return ["–"] * 4
    speed = spread([figures["per_second"] for figures in found])
    return [f"{speed['median']:,.0f} ({speed['min']:,.0f}–{speed['max']:,.0f})",
            f"{median(figures[CPU] for figures in found):.2f}",
            number(ratio(rounds, kind, name, name.partition(",")[0] + ", unprotected")),
            " / ".join(f"{median(figures[key] for figures in found):,.0f}" for key in ("p50_us", "p99_us"))]


def render(figures):
    """All tables, in Markdown."""
    rounds = figures["rounds"]
    parts = ["req/s: median (min–max) over the rounds; CPU: seconds per 10,000 requests, of the web server and of whom "
             "it asks, all processes; ratio: to the unprotected page with the same token, in the same round.\n"]
    for kind in rounds:
        head = [kind, "req/s", "CPU, s", "ratio", "p50 / p99, µs"]
        parts.append(table(head, [[contestant.name, *figures_of(rounds, kind, contestant.name)]
                                  for contestant in CONTESTANTS]))
    parts += [f"{name}: not measured, {', '.join(missing)} missing.\n" for name, missing in figures["missing"].items()]
    parts.append(goal_table(figures["goals"], figures["settings"]["quick"]))
    return "\n".join(parts)
