# SPDX-License-Identifier: Apache-2.0
"""Signing in at the page: what a person sees, types and gets back."""

import harness
import pytest
import tokens
from selenium.webdriver.common.keys import Keys

WIKI = "/wiki/index.html"


@pytest.fixture
def account(lighttpd):
    return lighttpd.account("carol")


@pytest.mark.parametrize("which", ["browser", "other"])
def test_the_way_there_and_back(place, request, which):
    """From a page for members to the login, and back to that page; with and without scripts."""
    browser = request.getfixturevalue(which)
    browser.open(place.at(WIKI + "?a=1&b=two%20words"))
    assert browser.path.startswith("/auth/login?rd=") and browser.status == 200
    browser.log_in(*place.account("wanda"))
    assert browser.path == WIKI + "?a=1&b=two%20words"
    assert browser.heading == "The wiki" and browser.status == 200


def test_wrong_password(lighttpd, account, browser):
    browser.open(lighttpd.at(WIKI))
    browser.log_in(account[0], tokens.password())
    assert browser.status == 401 and browser.alert
    assert browser.value("username") == account[0] and browser.value("password") == ""
    assert browser.focus == "password"
    assert "auth" not in browser.cookies
    browser.keys(account[1], Keys.ENTER, leaves=True)
    assert browser.path == WIKI, "the way back is remembered"


def test_unknown_user_looks_the_same(lighttpd, account, browser):
    said = []
    for user in (account[0], "nobody"):
        browser.open(lighttpd.at("/auth/login"))
        browser.log_in(user, tokens.password())
        said.append((browser.status, browser.alert, browser.focus))
    assert said[0] == said[1]


def test_by_keyboard_alone(lighttpd, account, browser):
    """The cursor is where the typing begins; Tab leads on, Enter sends."""
    browser.open(lighttpd.at(WIKI))
    assert browser.focus == "username"
    browser.keys(account[0], Keys.TAB)
    assert browser.focus == "password"
    browser.keys(account[1], Keys.TAB)
    assert browser.driver.switch_to.active_element.get_attribute("type") == "submit"
    browser.keys(Keys.ENTER, leaves=True)
    assert browser.heading == "The wiki"


def test_cookie_as_the_browser_keeps_it(lighttpd, account, browser):
    browser.open(lighttpd.at(WIKI))
    browser.log_in(*account)
    cookie = browser.cookies["auth"]
    assert cookie["httpOnly"] and not cookie["secure"]
    assert (cookie["sameSite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "127.0.0.1")
    assert browser.driver.execute_script("return document.cookie") == "", "no script sees any cookie of ours"


def test_in_a_frame(lighttpd, browser):
    """No page can show the login inside itself."""
    browser.open(lighttpd.at("/public/index.html"))
    browser.expect("frame-ancestors|X-Frame-Options|Framing")
    browser.driver.execute_script(
        "const f = document.createElement('iframe'); f.src = '/auth/login'; f.onload = () => document.title = 'done';"
        "document.body.append(f)")
    harness.wait_for("the frame", lambda: browser.driver.title == "done")
    browser.driver.switch_to.frame(0)
    assert not browser.has("form") and not browser.has("[name=password]")
    browser.driver.switch_to.default_content()


def test_in_german(lighttpd, account, browser):
    browser.speak("de-DE,de,en")
    browser.open(lighttpd.at(WIKI))
    assert browser.find("html").get_attribute("lang") == "de"
    assert browser.heading == "Anmelden" and "Passwort" in browser.text
    browser.log_in(account[0], tokens.password())
    assert browser.status == 401 and browser.alert and "password" not in browser.text.lower()
    browser.log_in(*account)
    assert browser.heading == "The wiki"


def test_not_allowed(lighttpd, account, browser):
    """Who may not see a page learns as whom he came, and can come as somebody else."""
    browser.open(lighttpd.at(WIKI))
    browser.log_in(*account)
    browser.open(lighttpd.at("/admin/index.html"))
    assert browser.status == 403 and browser.heading == "Not allowed"
    assert account[0] in browser.text
    browser.picture("not-allowed")
    browser.follow("another account")
    assert browser.has("[name=password]")
    browser.log_in(*lighttpd.account("adam", "--role", "admin"))
    assert browser.path == "/admin/index.html" and browser.status == 200


def test_over_https(make_place, browser):
    """The cookie as it is without a line about it: of this host alone, and never sent in the clear.

    With "clear = cache" nothing depends on what a browser thinks of its cache and of the pages that it has left. (On
    this machine the page that a login leads to may be shown again without it: Chromium keeps pages in spite of
    no-store until a cookie changes, and misses a change when the answers come within the same millisecond.)"""
    place = make_place(tls=True, sections={"login": {"cookie": None}, "logout": {
        "clear": "cache", "return-to": "/auth/logout/signed-out"}})
    browser.open(place.at(WIKI))
    browser.log_in(*place.account("gina"))
    assert browser.heading == "The wiki"
    cookie = browser.cookies["__Host-auth"]
    assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    assert (cookie["path"], cookie["domain"]) == ("/", "127.0.0.1")
    browser.expect('Cleared data types: "cache"')
    browser.open(place.at("/auth/logout"))
    browser.press("form button")
    assert "__Host-auth" not in browser.cookies
    assert browser.path == "/auth/logout/signed-out" and browser.status == 200
    browser.picture("signed-out")
    for _ in range(2):
        browser.back()
        assert "For members alone." not in browser.text
    browser.open(place.at("/auth/logout/signed-out"))
    browser.press("a")
    assert browser.has("[name=password]"), "and in again"


def test_cookie_that_does_not_come_back(make_place, browser):
    """The configuration does not fit the site: a page that says so, and no loop."""
    place = make_place(sections={"login": {"cookie-path": "/auth/elsewhere"}})
    browser.open(place.at(WIKI))
    browser.log_in(*place.account("lou"))
    assert browser.status == 401 and browser.heading == "You are not signed in"
    assert "did not send back the cookie" in browser.text
    browser.picture("not-signed-in")
    browser.follow("Try again")
    assert browser.has("[name=password]")


def test_without_cookies(lighttpd, account, make_browser):
    """Who keeps none cannot sign in, and is told."""
    browser = make_browser(cookies=False)
    browser.open(lighttpd.at(WIKI))
    browser.log_in(*account)
    assert browser.cookies == {}
    assert browser.status == 403 and "allow cookies" in browser.alert
    browser.check()


def test_form_that_was_open_for_too_long(lighttpd, account, browser):
    """What was typed, and the way back, are not lost."""
    browser.open(lighttpd.at(WIKI))
    browser.devtools("Network.clearBrowserCookies")
    browser.log_in(*account)
    assert browser.status == 403 and "open for too long" in browser.alert
    assert browser.value("username") == account[0] and browser.focus == "password"
    browser.picture("form-too-old")
    browser.fill(password=account[1]).submit("password")
    assert browser.path == WIKI and browser.status == 200
