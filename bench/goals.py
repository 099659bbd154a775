# SPDX-License-Identifier: Apache-2.0
"""Ratios, the goals they are held against, and the tables."""

from statistics import median

SCENARIOS = [(kind, clients) for kind in ("new", "kept") for clients in (1, 16, 64)]
SEEN = ["seen, new", "seen, kept"]  # tokens of each kind
MIB = 1 << 20
SOAK = 10**7  # requests over which memory must be flat


def socket_scenario(kind, clients):
    return f"socket, {kind}, {clients}"


def spread(values):
    """{median, min, max} of the rounds."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def ratio(rounds, scenario, one, other, other_scenario=None, figure="per_second"):
    """The spread of the ratios of each round, or None when one of them was not measured."""
    ours = rounds.get(scenario, {}).get(one)
    theirs = rounds.get(other_scenario or scenario, {}).get(other)
    if not ours or not theirs:
        return None
    return spread([a[figure] / b[figure] for a, b in zip(ours, theirs)])


def single(value):
    return None if value is None else {"median": value, "min": value, "max": value}


def judged(goal, text, at_least, limit, value):
    """A row; value is a spread, or None when it was not measured."""
    reached = None
    if value is not None:
        reached = value["median"] >= limit if at_least else value["median"] <= limit
    return {"goal": goal, "text": text, "at_least": at_least, "limit": limit, "value": value, "reached": reached}


def goals(figures, ours="auth-verify", many="memcached"):
    """Rows of judged."""
    rounds, memory, starts = figures["rounds"], figures["memory"].get(ours, {}), figures["starts"].get(ours, {})
    rows = []

    def row(*words):
        rows.append(judged(*words))

    row("P1", "lighttpd: req/s against libfcgi no-op", True, 1.0, ratio(rounds, "lighttpd", ours, "libfcgi"))
    row("P1", "lighttpd: req/s against own-loop no-op", True, 0.85, ratio(rounds, "lighttpd", ours, "own-loop"))
    for kind, clients in SCENARIOS:
        name = socket_scenario(kind, clients)
        row("P2", f"{name}: req/s against own-loop no-op", True, 0.8, ratio(rounds, name, ours, "own-loop"))
    for name, found in core_of(figures, "kinds").items():
        row("P3", f"{name}, first time: against OpenSSL alone", False, 1.15, single(found["cold_ratio"]))
    for name, found in core_of(figures, "kinds").items():
        row("P3", f"{name}, seen before: speed of the core against HS256", True, 0.95, single(found["seen_ratio"]))
    for scenario in SEEN:
        for name in rounds.get(scenario, {}):
            if name != ours:
                row("P3", f"{scenario}, {name}: req/s against HS256", True, 0.95, ratio(rounds, scenario, name, ours))
    for name, nanoseconds in core_of(figures, "operations").items():
        if name == "verification core, HS256":
            row("P4", f"{name}, µs", False, 2.0, single(nanoseconds / 1000))
    row("P5", "lighttpd: req/s of one of many hosts, with profiles, against a single one", True, 0.8,
        ratio(rounds, "lighttpd", many, ours))
    for kind in ("new", "kept"):
        row("P9", f"{kind}, 16 clients: req/s beside idle and slow clients against without", True, 0.98,
            ratio(rounds, f"crowd, {kind}", ours, ours, f"quiet, {kind}"))
    row("P9", "memory with 1,024 idle connections, MiB", False, 16.0, mebibytes(memory.get("idle")))
    row("P10", "memory at rest, MiB", False, 12.0, mebibytes(memory.get("rest")))
    row("P10", "start to first answer, ms", False, 30.0, single(starts.get("first_answer_ms")))
    row("P10", "plain CGI above an empty C program, ms", False, 7.0,
        single(starts["cgi_ms"] - starts["empty_cgi_ms"] if starts else None))
    for found in figures["profiles"].values():
        row("P12", f"calls for profiles, {found['users']:,} users, {found['requests']:,} requests: per request", False,
            0.01, single(found["calls"] / found["requests"]))
    grown = memory["soaked"] - memory["warm"] if "soaked" in memory else None
    row("P10", f"memory grown over {figures['settings']['soak']:,} requests, MiB", False, 0.5, mebibytes(grown))
    if figures["settings"]["soak"] < SOAK:
        rows[-1]["reached"] = None
    return rows


def core_of(figures, part):
    return figures["core"][part] if figures["core"] else {}


def mebibytes(size):
    return single(None if size is None else size / MIB)


# --- tables ------------------------------------------------------------------------

def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def rate(rounds):
    """req/s, its spread, and the CPU seconds per 10,000 requests."""
    if not rounds:
        return "–"
    speed = spread([figures["per_second"] for figures in rounds])
    cpu = median(figures["cpu_per_10000"] for figures in rounds)
    text = f"{speed['median']:,.0f} ({speed['min']:,.0f}–{speed['max']:,.0f}), {cpu:.2f}"
    starved = max(figures.get("starved", 0) for figures in rounds)
    return text + (f", {starved} starved" if starved else "")


def latency(rounds):
    if not rounds:
        return "–"
    return " / ".join(f"{median(figures[key] for figures in rounds):,.0f}" for key in ("p50_us", "p99_us"))


def number(value):
    return "–" if value is None else f"{value['median']:.2f} ({value['min']:.2f}–{value['max']:.2f})"


def rates(rounds):
    """The tables of req/s and of latency of these scenarios."""
    names = list(dict.fromkeys(name for scenario in rounds.values() for name in scenario))
    return [table([title, *names], [[scenario, *[cell(found.get(name)) for name in names]]
                                    for scenario, found in rounds.items()])
            for title, cell in (("req/s, CPU s", rate), ("p50 / p99, µs", latency))]


def render(figures):
    """All tables, in Markdown."""
    rounds = figures["rounds"]
    parts = ["req/s: median (min–max) over the rounds, then CPU seconds per 10,000 requests "
             "(through lighttpd: of lighttpd and the authorizer).\n"]
    parts += rates({scenario: found for scenario, found in rounds.items() if scenario not in SEEN})
    parts.append("On the socket, 16 clients, tokens of each kind:\n")
    parts += rates({scenario: found for scenario, found in rounds.items() if scenario in SEEN})
    keys = ["rest", "warm", "idle", "soaked"]
    parts.append(table(["memory, MiB", "at rest", "after the first round", "with 1,024 idle connections",
                        "after the soak"],
                       [[name, *[f"{found[key] / MIB:.1f}" if key in found else "–" for key in keys]]
                        for name, found in figures["memory"].items()]))
    for name, found in figures["starts"].items():
        parts.append(f"{name}: start to first answer {found['first_answer_ms']:.1f} ms; plain CGI "
                     f"{found['cgi_ms']:.1f} ms, an empty C program {found['empty_cgi_ms']:.1f} ms.\n")
    if figures["core"]:
        parts.append(table(["operation", "ns of CPU time"],
                           [[name, f"{value:.0f}"] for name, value in core_of(figures, "operations").items()]))
        parts.append(table(["token", "bytes", "OpenSSL alone, ns", "first time, ns", "seen before, ns"],
                           [[name, *[f"{found[key]:.0f}" for key in ("bytes", "openssl_ns", "cold_ns", "seen_ns")]]
                            for name, found in core_of(figures, "kinds").items()]))
    parts.append(goal_table(figures["goals"], figures["settings"]["quick"]))
    return "\n".join(parts)


def goal_table(rows, quick):
    return table(["goal", "what", "limit", "measured", "reached"],
                 [[row["goal"], row["text"], ("≥ " if row["at_least"] else "≤ ") + f"{row['limit']:.3g}",
                   number(row["value"]), verdict(row, quick)] for row in rows])


def verdict(row, quick):
    if row["value"] is None:
        return "not measured"
    if quick or row["reached"] is None:
        return "not judged"
    return "yes" if row["reached"] else "**no**"
