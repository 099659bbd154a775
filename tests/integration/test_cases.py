# SPDX-License-Identifier: Apache-2.0
"""The table of cases against every way in."""

import collections
import json
import re
import pytest

import cases
import exceptions
import expectations
import harness
import ways


def fill(text, origin=None):
    """Put the tokens in place of their names."""
    return re.sub(r"\{(\w+)\}", lambda name: origin if name[1] == "origin" else cases.token(name[1]), text)


#: (way, words of a limit) of which a case has shown that it is one; how many cases have run for a way.
shown, ran = set(), collections.Counter()


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_case(way, case):
    """With each kind of target behind the same addresses."""
    target = fill(case.target)
    ran[way.name] += 1
    for kind in way.kinds:
        headers = [fill(line, way.origin(kind)) for line in case.headers]
        answer = way.request(target, headers, case.method, case.body, case.chunked, kind)
        found = expectations.problems(expected_of(way.name, case, target, kind), answer)
        assert not found, f"{kind}: {found}: {answer}"
        for limit in exceptions.of(way.name):
            if expectations.problems(expected_of(way.name, case, target, kind, without=limit), answer):
                shown.add((way.name, limit.words))


def expected_of(way, case, target, kind, without=None):
    expected = expectations.of(case, target, kind)
    for limit in exceptions.of(way):
        if limit is not without and limit.applies(expected, case, kind):
            expected = limit.change(expected)
    return expected


#: The test plan of an application that verified its tokens itself; the last line is test_renewal.
PLAN = {"bad signature": "other-key", "expired": "expired", "wrong issuer": "J5-wrong-issuer",
        "another user's resource": "others-folder", "tampering": "tampered"}


def test_renewal(way):
    """The old token has expired, a new one is good, and the old one does not become good beside it."""
    old, new = (fill(cases.cookie(name)) for name in ("expired", "alice_again"))
    statuses = [way.request("/app/app.cgi", [line]).status for line in (old, new, old, new)]
    assert statuses == [401, 200, 401, 200]


def test_no_limit_is_left_over(way):
    """Runs when the whole table has: each limit was needed by a case, so that none hides what works."""
    if ran[way.name] >= len(cases.CASES):
        needed = {words for name, words in shown if name == way.name}
        assert needed == {limit.words for limit in exceptions.of(way.name)}


def test_limits_are_documented():
    """The guide has them word for word, and no other."""
    guide = (harness.REPOSITORY / "doc" / "guide" / "web-servers.md").read_text()
    table = [line for line in guide.splitlines() if line.startswith("| `")]
    assert table == [exceptions.row(limit) for limit in exceptions.LIMITS]


def test_no_policy():
    """What no policy is for is closed, also with a good token."""
    site = harness.Site(sections={'policy "site"': {"path": "/only/**"}})
    for headers in ([], [fill(cases.bearer("alice"))], [fill(cases.bearer("root"))]):
        answer = ways.run(site, "verify", "/other/page", headers)
        assert answer.status == 403 and answer.json["reason"] == "no_policy"
    assert ways.run(site, "verify", "/only/page", [fill(cases.bearer("alice"))]).status == 200
    site.close()


def test_request_ids_differ(way):
    ids = {way.request(f"/app/app.cgi?{n}", [fill(cases.bearer("alice"))]).seen["AUTH_REQUEST_ID"] for n in range(5)}
    assert len(ids) == 5


def test_table_is_sound():
    names = [case.name for case in cases.CASES]
    assert len(names) == len(set(names)) >= 120
    assert set(PLAN.values()) <= set(names)
    assert json.dumps(sorted(cases.TOKENS))
    for case in cases.CASES:
        assert sum(map(bool, (case.user, case.redirect, case.resume, case.reason, case.page_for,
                              case.status))) == 1, case.name
