# SPDX-License-Identifier: Apache-2.0
"""Browsers, tabs and the way back: what is open to whom, and from when on."""

import harness
import pytest

WIKI = "/wiki/index.html"
SECRET = "For members alone."


def sign_out(browser, place):
    browser.open(place.at("/auth/logout"))
    if browser.has("form"):
        browser.press("form button")
    return browser


def is_asked(browser, place):
    browser.open(place.at(WIKI))
    return browser.path.startswith("/auth/login?rd=") and browser.has("[name=password]")


def test_two_browsers(place, browser, other):
    """S1.5: each has a session of its own; the end of one is not the end of the other."""
    for one in (browser, other):
        one.open(place.at(WIKI))
        one.log_in(*place.account("bert"))
        assert SECRET in one.text
    assert browser.cookies["auth"]["value"] != other.cookies["auth"]["value"]
    sign_out(browser, place)
    assert "auth" not in browser.cookies
    assert is_asked(browser, place)
    other.open(place.at(WIKI))
    assert SECRET in other.text
    browser.log_in(*place.account("bert"))
    assert SECRET in browser.text


def test_signing_out_by_a_link(lighttpd, browser):
    """A link of the site's own page: no question."""
    browser.open(lighttpd.at(WIKI))
    browser.log_in(*lighttpd.account("bert"))
    browser.follow("Sign out")
    assert "auth" not in browser.cookies
    assert is_asked(browser, lighttpd)


@pytest.mark.parametrize("which", ["browser", "other"])
def test_back_after_signing_out(place, request, which):
    """Neither the cache nor the page that the browser has kept whole shows what is protected."""
    browser = request.getfixturevalue(which)
    browser.open(place.at("/auth/login?rd=/public/index.html"))
    browser.log_in(*place.account("bert"))
    browser.follow("To the wiki")
    browser.follow("Edit")
    browser.back()
    assert SECRET in browser.text
    sign_out(browser, place)
    for _ in range(3):
        browser.back()
        assert SECRET not in browser.text, "shown after signing out"


def test_two_tabs_at_the_login(lighttpd, browser):
    """Signed in at one, the other's form still works."""
    browser.open(lighttpd.at(WIKI))
    first = browser.driver.current_window_handle
    second = browser.tab()
    browser.open(lighttpd.at("/wiki/edit.html"))
    browser.select(first).log_in(*lighttpd.account("bert"))
    assert SECRET in browser.text
    browser.select(second).log_in(*lighttpd.account("bert"))
    assert browser.path == "/wiki/edit.html" and browser.status == 200
    browser.select(first).open(lighttpd.at(WIKI))
    assert SECRET in browser.text


def test_signed_out_in_another_tab(lighttpd, browser):
    browser.open(lighttpd.at(WIKI))
    browser.log_in(*lighttpd.account("bert"))
    first = browser.driver.current_window_handle
    second = browser.tab()
    browser.open(lighttpd.at("/wiki/edit.html"))
    browser.select(first)
    sign_out(browser, lighttpd)
    browser.select(second)
    browser.press("a[href]") if browser.has("a[href]") else browser.open(lighttpd.at(WIKI))
    assert browser.path.startswith("/auth/login")
    browser.log_in(*lighttpd.account("bert"))
    assert SECRET in browser.text


@pytest.mark.parametrize("server", ["lighttpd", "apache-direct"])
def test_session_in_use(make_place, browser, server):
    """Is renewed by opening pages, and nobody notices; what was opened before goes on as well."""
    place = make_place(server, sections={"login": {"lifetime": "1m", "renew": "59s"}})
    browser.open(place.at(WIKI))
    first = browser.driver.current_window_handle
    browser.log_in(*place.account("rena"))
    old = browser.cookies["auth"]
    browser.tab()

    def is_renewed():
        browser.open(place.at(WIKI))
        assert SECRET in browser.text
        return browser.cookies["auth"]["value"] != old["value"]

    harness.wait_for("another token", is_renewed)
    new = browser.cookies["auth"]
    assert new["expiry"] >= old["expiry"] and new["httpOnly"] and new["sameSite"] == "Lax"
    browser.select(first).follow("Edit")
    assert browser.status == 200
    sign_out(browser, place)
    assert "auth" not in browser.cookies
    assert is_asked(browser, place)
