# SPDX-License-Identifier: Apache-2.0
"""The table of cases against every way in."""

import json
import re
import pytest

import cases
import exceptions
import expectations
import harness
import ways


def fill(text):
    """Put the tokens in place of their names."""
    return re.sub(r"\{(\w+)\}", lambda name: cases.token(name[1]), text)


#: (way, limit) of which a case has shown that it is one.
shown = set()


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_case(way, case):
    """With each kind of target behind the same addresses."""
    headers = [fill(line) for line in case.headers]
    target = fill(case.target)
    for kind in way.kinds:
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
    assert len(names) == len(set(names))
    assert json.dumps(sorted(cases.TOKENS))
    for case in cases.CASES:
        assert sum(map(bool, (case.user, case.redirect, case.reason, case.page_for, case.status))) == 1, case.name
