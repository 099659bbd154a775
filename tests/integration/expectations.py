# SPDX-License-Identifier: Apache-2.0
"""What must come of a case: as data, so that a documented limit of a web server can change it in one place."""

import json
import re
import urllib.parse
from dataclasses import dataclass

import cases


@dataclass(frozen=True)
class Expected:
    statuses: tuple
    #: what answers an allowed request
    kind: str = "cgi"
    #: allowed as this user
    user: str | None = None
    #: what the application must see beside that; None for what it must not
    variables: tuple = ()
    #: the denial's body is JSON and names one of these reasons
    reasons: tuple = ()
    #: the browser is sent to the login page, and from there back to this address
    back_to: str | None = None
    login: str = "/auth/login"
    #: the body is a page for people that names this account
    page_for: str | None = None
    #: a 401 has a challenge, and every denial says that it must not be stored
    has_headers: bool = True
    has_body: bool = True


def of(case, target, kind):
    """What a case says, for its target with the tokens in place."""
    if case.user:
        # A file takes no bodies.
        statuses = (200, 405) if kind == "static" and case.method not in ("GET", "HEAD") else (200,)
        return Expected(statuses, kind=kind, user=case.user, variables=case.variables)
    if case.redirect:
        return Expected((302,), back_to=target)
    if case.resume:
        return Expected((307,), back_to=target, login="/auth/resume")
    if case.page_for:
        return Expected((403,), page_for=case.page_for)
    if case.reason:
        statuses = tuple({cases.REASONS[reason][0] for reason in case.reason})
        return Expected(statuses, reasons=case.reason, has_body=case.method != "HEAD")
    return Expected(case.status, has_headers=False, has_body=False)


def problems(expected, answer):
    """What is not as expected, in words; an empty list when all is."""
    found = []

    def want(condition, words):
        if not condition:
            found.append(words)
    want(answer.status in expected.statuses, f"status {answer.status}, not {expected.statuses}")
    if found:
        return found
    if expected.user:
        check_allowed(expected, answer, want)
    else:
        check_denied(expected, answer, want)
    return found


def check_allowed(expected, answer, want):
    want(not answer.all("Set-Cookie"), "a cookie is set")
    want(not [name for name, _ in answer.headers if name.lower().startswith("variable-")], "Variable- for the client")
    want(answer.kind == expected.kind or not answer.body or answer.status != 200, f"answered by {answer.kind}")
    seen = answer.seen
    if seen is None:  # a file, or an answer without body
        return
    want(seen.get("AUTH_USER_ID") == expected.user, f"user {seen.get('AUTH_USER_ID')}")
    if answer.kind != "proxied":
        want(seen.get("REMOTE_USER") == expected.user, f"REMOTE_USER {seen.get('REMOTE_USER')}")
        want(re.fullmatch("[0-9a-f]{16}", seen.get("AUTH_REQUEST_ID", "")), "AUTH_REQUEST_ID is missing")
        want(seen.get("AUTH_MATCHED_POLICY") in ("site", "admin", "intern"), "AUTH_MATCHED_POLICY is missing")
        want(seen.get("AUTH_EXPIRES", "").isdigit(), "AUTH_EXPIRES is missing")
    for name, value in expected.variables:
        want(seen.get(name) == value, f"{name} is {seen.get(name)}, not {value}")
    want("AUTH_TOKEN" not in seen, "the token is shown")
    forged = [name for name, value in answer.pairs if "mallory" in value and name != "QUERY_STRING"]
    want(not forged, f"forged: {forged}")


def check_denied(expected, answer, want):
    want(not answer.seen, "the application was asked")
    want(b"document of" not in answer.body, "the page is shown")
    want(not [name for name, _ in answer.headers if name.lower().startswith("variable-")], "Variable- for the client")
    if expected.has_headers:
        want(answer.all("Cache-Control") == ["no-store"], f"Cache-Control: {answer.all('Cache-Control')}")
    challenge = answer.header("WWW-Authenticate")
    if answer.status == 401 and expected.has_headers:
        want(len(answer.all("WWW-Authenticate")) == 1 and challenge.startswith("Bearer realm="),
             f"challenge {answer.all('WWW-Authenticate')}")
    if expected.back_to is not None:
        check_redirect(expected, answer, want)
    if expected.page_for and expected.has_body:
        want((answer.header("Content-Type") or "").startswith("text/html"), answer.header("Content-Type"))
        want(expected.page_for in answer.text and "/auth/" in answer.text and "<script" not in answer.text, answer.text)
    if expected.reasons and expected.has_body:
        check_body(expected, answer, challenge, want)


def check_body(expected, answer, challenge, want):
    want((answer.header("Content-Type") or "").split(";")[0] == "application/json",
         f"Content-Type {answer.header('Content-Type')}")
    try:
        said = json.loads(answer.body)
    except ValueError:
        want(False, f"no JSON: {answer.text[:80]}")
        return
    reason = said["reason"]
    want(reason in expected.reasons, f"reason {reason}, not {expected.reasons}")
    status, error, detail = cases.REASONS.get(reason, (None, None, None))
    want((said["error"], said["detail"]) == (error or reason, detail), f"{said['error']}, {said['detail']}")
    want(answer.status in (status, *expected.statuses), f"status {answer.status}")
    want(re.fullmatch("[0-9a-f]{16}", said["request_id"]), "no request_id")
    want(said["login_url"].startswith("/auth/login"), f"login_url {said['login_url']}")
    want("<" not in answer.text and ">" not in answer.text, "JSON that may be read as HTML")
    if answer.status == 401 and expected.has_headers:
        named = f'error="{error}"' in challenge and f'error_description="{detail}"' in challenge
        want(named if error else "error=" not in challenge, f"challenge {challenge}")


def check_redirect(expected, answer, want):
    address, _, query = (answer.header("Location") or "").partition("?")
    want(urllib.parse.urlsplit(address).path == expected.login, f"Location {answer.header('Location')}")
    name, _, value = query.partition("=")
    want(name == "rd", f"no rd in {query}")
    want(re.fullmatch(r"[A-Za-z0-9\-._~/%:]*", value), "the whole address must be percent-encoded")
    back = urllib.parse.urlsplit(urllib.parse.unquote(value))
    want(back.hostname in (None, "127.0.0.1"), f"back to the host {back.netloc}")
    want(back._replace(scheme="", netloc="").geturl() == expected.back_to, f"back to {value}")
