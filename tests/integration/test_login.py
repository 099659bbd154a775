# SPDX-License-Identifier: Apache-2.0
"""Login by form and by JSON through lighttpd."""

import json
import re
import urllib.parse

import pytest

import tokens
from harness import Site

PAGE = "/auth/login"


@pytest.fixture(scope="session")
def account(site):
    """(user, password) of an account that every test of the site may use."""
    return "carol", site.add_user("carol")


def log_in(browser, user, password, target=PAGE, **fields):
    """Open the page, fill in the form, send it; the answer to the form."""
    page = browser.get(target)
    assert page.status == 200, page.text
    answer = browser.submit(page, target, {"username": user, "password": password} | fields)
    for value in browser.jar.values():
        tokens.sensitive(value)
    return answer


def without_request_id(text):
    return re.sub(r"\b[0-9a-f]{16}\b", "ID", re.sub(r'value="[^"]*"', "", text))


# --- the page -----------------------------------------------------------------

def test_page(site):
    page = site.browser().get(PAGE)
    assert page.status == 200
    assert page.header("Content-Type").lower().startswith("text/html")
    assert "no-store" in page.header("Cache-Control")
    assert "default-src 'none'" in page.header("Content-Security-Policy")
    assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")
    assert page.header("X-Content-Type-Options") == "nosniff"
    assert "<script" not in page.text
    assert 'type="password"' in page.text and 'autocomplete="current-password"' in page.text
    assert '<html lang="' in page.text and "viewport" in page.text and "<label" in page.text


def test_page_escapes_what_it_is_given(site):
    evil = '/x"><script>alert(1)</script>'
    page = site.browser().get(PAGE + "?rd=" + urllib.parse.quote(evil, safe="") + "&user=" +
                              urllib.parse.quote(evil, safe=""))
    assert page.status == 200
    assert "<script>" not in page.text


# --- the form -------------------------------------------------------------------

def test_the_way_back(site, account):
    """From a page to the login, and back to that page."""
    browser = site.browser()
    sent_away = browser.get("/app/app.cgi?a=1&b=two%20words")
    assert sent_away.status == 302
    answer = log_in(browser, *account, sent_away.header("Location"))
    assert answer.status == 303, answer.text
    back = urllib.parse.urlsplit(answer.header("Location"))
    assert back.netloc in ("", f"127.0.0.1:{site.port}")
    assert back._replace(scheme="", netloc="").geturl() == "/app/app.cgi?a=1&b=two%20words"
    shown = browser.get(back._replace(scheme="", netloc="").geturl())
    assert shown.status == 200
    seen = shown.json["environment"]
    assert seen["REMOTE_USER"] == seen["AUTH_USER_ID"] == account[0]
    assert seen["AUTH_EMAIL"] == f"{account[0]}@example.org"


def test_cookie(site, account):
    answer = log_in(site.browser(), *account)
    assert answer.status == 303 and answer.header("Location") == "/"
    value, attributes = answer.cookies["auth"]
    assert value.count(".") == 2
    assert {"httponly"} <= set(attributes) and "secure" not in attributes
    assert (attributes["samesite"], attributes["path"]) == ("Lax", "/")
    assert "domain" not in attributes
    assert len(answer.all("Set-Cookie")) == len(answer.cookies)
    assert "no-store" in answer.header("Cache-Control")


def test_login_by_email(site, account):
    browser = site.browser()
    assert log_in(browser, f"{account[0]}@example.org", account[1]).status == 303
    assert browser.get("/app/app.cgi").json["environment"]["REMOTE_USER"] == account[0]


def test_each_login_gives_another_token(site, account):
    values = set()
    for _ in range(2):
        browser = site.browser()
        log_in(browser, *account)
        values.add(browser.jar["auth"])
    assert len(values) == 2


def test_wrong_credentials_look_alike(site, account):
    wrong = tokens.password()
    known = log_in(site.browser(), account[0], wrong)
    unknown = log_in(site.browser(), "nobody", wrong)
    assert known.status == unknown.status == 401
    assert "auth" not in known.cookies and "auth" not in unknown.cookies
    assert wrong not in known.text
    assert (without_request_id(known.text).replace(account[0], "USER")
            == without_request_id(unknown.text).replace("nobody", "USER"))
    names = [[name for name, _ in answer.headers if name not in ("Date", "Content-Length")]
             for answer in (known, unknown)]
    assert names[0] == names[1]


@pytest.mark.parametrize("user, password", [
    ("", ""), ("carol", ""), ("carol", "x" * 70000), ("carol\n", "y"), ("x" * 5000, "y"), ("' OR 1=1 --", "y"),
    ("carol\0", "y"), ("%s%n", "y")])
def test_odd_credentials(site, account, user, password):
    answer = log_in(site.browser(), user, password)
    assert 400 <= answer.status < 500
    assert "auth" not in answer.cookies


def test_disabled_account(site):
    password = site.add_user("dora")
    site.authctl("users", "disable", "dora")
    answer = log_in(site.browser(), "dora", password)
    assert answer.status in (401, 403) and "auth" not in answer.cookies
    site.authctl("users", "enable", "dora")
    assert log_in(site.browser(), "dora", password).status == 303


# --- L1, L4: where to go afterwards ----------------------------------------------

@pytest.mark.parametrize("back", [
    "https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "/%5cevil.example",
    "javascript:alert(1)", "data:text/html,x", "http:evil.example", "https:///evil.example", "///evil.example",
    "/\t/evil.example", "/\n/evil.example", " //evil.example", "http://127.0.0.1@evil.example/",
    "http://127.0.0.1.evil.example/", "/x/..//evil.example", "\r\nSet-Cookie: a=b", "/x\r\nSet-Cookie: a=b"])
def test_open_redirect(site, account, back):
    answer = log_in(site.browser(), *account, rd=back)
    assert answer.status == 303, answer.text
    assert "a" not in answer.cookies
    where = urllib.parse.urlsplit(urllib.parse.urljoin(f"http://127.0.0.1:{site.port}/auth/login",
                                                       answer.header("Location").replace("\\", "/")))
    assert (where.scheme, where.netloc) == ("http", f"127.0.0.1:{site.port}")


# --- L2: forms of other sites -----------------------------------------------------

@pytest.mark.parametrize("changes", [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Origin": None, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": None},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://other.example"}])
def test_cross_site_form(site, account, changes):
    browser = site.browser()
    page = browser.get(PAGE)
    answer = browser.submit(page, PAGE, {"username": account[0], "password": account[1]}, **changes)
    assert answer.status == 403
    assert "auth" not in answer.cookies


def test_form_without_its_token(site, account):
    browser = site.browser()
    browser.get(PAGE)
    answer = browser.post(PAGE, {"username": account[0], "password": account[1]})
    assert answer.status == 403 and "auth" not in answer.cookies


def test_form_token_of_another_browser(site, account):
    page = site.browser().get(PAGE)
    other = site.browser()
    other.get(PAGE)
    answer = other.submit(page, PAGE, {"username": account[0], "password": account[1]},
                          **{"Origin": None, "Sec-Fetch-Site": None})
    assert answer.status == 403 and "auth" not in answer.cookies


# --- L3: a session brought along -----------------------------------------------------

def test_session_fixation(site, account):
    planted = tokens.mint("mallory")
    browser = site.browser()
    browser.jar["auth"] = planted
    log_in(browser, *account)
    assert browser.jar["auth"] != planted
    assert browser.get("/app/app.cgi").json["environment"]["REMOTE_USER"] == account[0]


# --- JSON ---------------------------------------------------------------------------

def post_json(site, target, value, *headers):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return site.request(target, ["Content-Type: application/json", "Accept: application/json", *headers], "POST", body)


def test_json_login(site, account):
    answer = post_json(site, PAGE, {"username": account[0], "password": account[1]})
    assert answer.status == 200, answer.text
    token = tokens.sensitive(answer.json["token"])
    assert answer.json["message"]
    assert account[0] in json.dumps(answer.json["user"])
    shown = site.request("/app/app.cgi", [f"Authorization: Bearer {token}"])
    assert shown.json["environment"]["REMOTE_USER"] == account[0]


def test_json_wrong_password(site, account):
    answers = [post_json(site, PAGE, {"username": user, "password": tokens.password()})
               for user in (account[0], "nobody")]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].json["reason"] == "bad_credentials"
    said = [{key: value for key, value in answer.json.items() if key != "request_id"} for answer in answers]
    assert said[0] == said[1]
    assert not answers[0].cookies


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'"x"', b"null", b'{"username":1,"password":2}', b'{"username":"carol"}', b"\xff\xfe",
    b'{"username":"carol","username":"root","password":"x"}', b'{"username":"carol","password":"x"} trailing',
    b"[" * 5000])
def test_json_malformed(site, body):
    answer = post_json(site, PAGE, body)
    assert answer.status in (400, 401)
    assert "auth" not in answer.cookies


def test_json_from_another_site(site, account):
    answer = post_json(site, PAGE, {"username": account[0], "password": account[1]},
                       "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
    assert answer.status == 403 and not answer.cookies


# --- the other routes -----------------------------------------------------------------

def test_profile_and_verify_token(site, account):
    token = tokens.sensitive(post_json(site, PAGE, {"username": account[0], "password": account[1]}).json["token"])
    bearer = f"Authorization: Bearer {token}"
    verified = site.request("/auth/verify-token", [bearer])
    assert verified.status == 200 and verified.json["valid"] is True
    assert account[0] in verified.text
    assert account[0] in site.request("/auth/profile", [bearer]).text
    for target in ("/auth/verify-token", "/auth/profile"):
        assert site.request(target).status == 401
        assert site.request(target, ["Authorization: Bearer x"]).status == 401


def test_health(site):
    assert site.request("/auth/health").status == 200


@pytest.mark.parametrize("target", ["/auth/nothing", "/auth/", "/auth/login/more", "/auth//login/../x"])
def test_unknown_route(site, target):
    assert site.request(target).status in (302, 303, 400, 404)


def test_wrong_method(site):
    assert site.request(PAGE, method="DELETE").status == 405
    assert site.request("/auth/profile", method="POST", body=b"").status == 405


# --- https ------------------------------------------------------------------------------

def test_cookie_on_https(make_site):
    """The default cookie: bound to the host, never sent in the clear."""
    site: Site = make_site(tls=True, sections={"login": {"cookie": None}})
    password = site.add_user("alice")
    browser = site.browser()
    sent_away = browser.get("/app/app.cgi")
    assert sent_away.status == 302
    answer = log_in(browser, "alice", password, sent_away.header("Location"))
    assert answer.status == 303
    assert answer.header("Location").endswith("/app/app.cgi")
    _, attributes = answer.cookies["__Host-auth"]
    assert {"secure", "httponly"} <= set(attributes)
    assert (attributes["samesite"], attributes["path"]) == ("Lax", "/")
    assert "domain" not in attributes
    assert browser.get("/app/app.cgi").json["environment"]["REMOTE_USER"] == "alice"
