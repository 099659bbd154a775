# SPDX-License-Identifier: Apache-2.0
"""The table of cases against every way in."""

import json
import re
import urllib.parse

import pytest

import cases
import harness
import ways


def fill(text):
    """Put the tokens in place of their names."""
    return re.sub(r"\{(\w+)\}", lambda name: cases.token(name[1]), text)


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_case(way, case):
    headers = [fill(line) for line in case.headers]
    target = fill(case.target)
    answer = way.request(target, headers, case.method, case.body, case.chunked)
    if case.user:
        check_allowed(case, answer)
    elif case.redirect:
        check_redirect(case, answer, target)
    elif case.reason:
        check_denied(case, answer)
    else:
        assert answer.status in case.status, answer
    if not case.user:
        assert not answer.seen, "the application was asked"
        assert b"document of" not in answer.body
        assert not [name for name, _ in answer.headers if name.lower().startswith("variable-")]


def check_allowed(case, answer):
    assert answer.status == 200, answer.text
    assert not answer.all("Set-Cookie")
    if case.method == "HEAD" and answer.seen is None:
        return
    seen = answer.seen
    assert seen["REMOTE_USER"] == seen["AUTH_USER_ID"] == case.user
    assert re.fullmatch("[0-9a-f]{16}", seen["AUTH_REQUEST_ID"])
    assert seen["AUTH_MATCHED_POLICY"] in ("site", "admin", "intern")
    assert seen["AUTH_EXPIRES"].isdigit()
    for name, value in case.variables:
        assert seen.get(name) == value
    assert "AUTH_TOKEN" not in seen
    forged = {name: value for name, value in seen.items() if "mallory" in value and name != "QUERY_STRING"}
    assert not forged


def check_denied(case, answer):
    expected = {cases.REASONS[reason][0] for reason in case.reason}
    assert answer.status in expected, answer.text
    assert answer.header("Cache-Control") == "no-store"
    challenge = answer.header("WWW-Authenticate")
    if answer.status == 401:
        assert challenge.startswith("Bearer realm=")
    if case.method == "HEAD":
        return
    said = ways.as_json(answer)
    assert said["reason"] in case.reason
    status, error, detail = cases.REASONS[said["reason"]]
    assert (answer.status, said["error"], said["detail"]) == (status, error or said["reason"], detail)
    assert re.fullmatch("[0-9a-f]{16}", said["request_id"])
    assert said["login_url"].startswith("/auth/login")
    if answer.status == 401 and error:
        assert f'error="{error}"' in challenge and f'error_description="{detail}"' in challenge
    elif answer.status == 401:
        assert "error=" not in challenge
    assert "<" not in answer.text and ">" not in answer.text, "JSON may be relabelled as HTML"


def check_redirect(case, answer, target):
    assert answer.status == 302, answer.text
    assert answer.header("Cache-Control") == "no-store"
    address, _, query = answer.header("Location").partition("?")
    assert address == "/auth/login"
    name, _, value = query.partition("=")
    assert name == "rd"
    assert re.fullmatch(r"[A-Za-z0-9\-._~/%:]*", value), "the whole address must be percent-encoded"
    back = urllib.parse.urlsplit(urllib.parse.unquote(value))
    assert back.netloc in ("", urllib.parse.urlsplit("//127.0.0.1").netloc) or back.hostname == "127.0.0.1"
    assert back._replace(scheme="", netloc="").geturl() == target


def test_page_for_people(way):
    """403 for a person: which account it was, and no loop through the login."""
    answer = way.request("/users/bob/app.cgi", [*cases.NAVIGATION, fill(cases.cookie("alice"))])
    assert answer.status == 403
    assert answer.header("Content-Type").startswith("text/html")
    assert answer.header("Cache-Control") == "no-store"
    assert "alice" in answer.text and "/auth/" in answer.text and "<script" not in answer.text


def test_no_policy():
    """What no policy is for is closed, also with a good token."""
    site = harness.Site(sections={'policy "site"': {"path": "/only/**"}})
    for headers in ([], [fill(cases.bearer("alice"))], [fill(cases.bearer("root"))]):
        answer = ways.run(site, "verify", "/other/page", headers)
        assert answer.status == 403 and answer.json["reason"] == "no_policy"
    assert ways.run(site, "verify", "/only/page", [fill(cases.bearer("alice"))]).status == 200
    site.close()


def test_request_ids_differ(way):
    ids = {way.request("/app/app.cgi", [], "GET").json["request_id"] for _ in range(5)}
    assert len(ids) == 5


def test_table_is_sound():
    names = [case.name for case in cases.CASES]
    assert len(names) == len(set(names))
    assert json.dumps(sorted(cases.TOKENS))
    for case in cases.CASES:
        assert sum(map(bool, (case.user, case.redirect, case.reason, case.status))) == 1, case.name
