# SPDX-License-Identifier: Apache-2.0
"""A browser that signs in and comes back without its cookie gets a page that says why, not the form again."""

import pytest

import faulty_upstream
from responder import SIGNED_IN as MARK
from responder import Programs, cookies


@pytest.fixture(scope="module", params=["local", "upstream"])
def programs(request):
    """With accounts of our own, and with an auth server elsewhere that lets everybody in."""
    login, server = {"cookie": None, "backend": request.param}, faulty_upstream.Upstream()
    programs = Programs(sections={"login": login} | (
        {"upstream": {"base": server.url}} if request.param == "upstream" else {}))
    yield programs
    programs.close()
    server.close()


@pytest.fixture(scope="module")
def account(programs):
    return "lou", programs.site.add_user("lou")


@pytest.fixture(scope="module")
def session(programs, account):
    """The cookies of somebody who has signed in, as {name: value}."""
    answer = programs.log_in(*account)
    assert answer.status == 303
    return {name: value for name, (value, _) in cookies(answer).items()}


def visit(programs, jar, **params):
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    return programs.ask("login", "GET", "/auth/login", {"Accept": "text/html", "Cookie": header or None}, **params)


def test_mark(programs, account):
    value, attributes = cookies(programs.log_in(*account))[MARK]
    assert value == "1" and attributes["max-age"] == "60" and "httponly" in attributes and "secure" not in attributes


def test_without_its_cookie(programs, session):
    answer = visit(programs, {MARK: session[MARK]})
    assert answer.status == 401 and b"did not send back the cookie" in answer.body
    assert b"<form" not in answer.body and b'href="./login"' in answer.body
    assert cookies(answer)[MARK][1]["max-age"] == "0"


def test_over_http(programs, session):
    answer = visit(programs, {MARK: session[MARK]}, HTTPS=None, SERVER_PORT="80")
    assert answer.status == 401 and b"over https only" in answer.body


@pytest.mark.parametrize("with_session", [True, False])
def test_form_is_shown(programs, session, with_session):
    """With the session's cookie, whatever it is worth, and without the mark."""
    answer = visit(programs, session if with_session else {})
    assert answer.status == 200 and b"<form" in answer.body


def test_logout_takes_the_mark_back(programs, session):
    header = "; ".join(f"{name}={value}" for name, value in session.items())
    answer = programs.ask("logout", "POST", "/auth/logout", {"Cookie": header})
    assert answer.status == 200 and cookies(answer)[MARK][1]["max-age"] == "0"
