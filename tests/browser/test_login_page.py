# SPDX-License-Identifier: Apache-2.0
"""Signing in at the page: what a person sees, types and gets back."""

import harness
import pytest
import tokens
from selenium.webdriver.common.keys import Keys

WIKI = "/wiki/index.html"


@pytest.fixture(scope="module")
def account(place):
    return "carol", place.add_user("carol")


@pytest.mark.parametrize("which", ["browser", "other"])
def test_the_way_there_and_back(place, account, request, which):
    """From a page for members to the login, and back to that page; with and without scripts."""
    browser = request.getfixturevalue(which)
    browser.open(place.at(WIKI + "?a=1&b=two%20words"))
    assert browser.path.startswith("/auth/login?rd=") and browser.status == 200
    browser.log_in(*account)
    assert browser.path == WIKI + "?a=1&b=two%20words"
    assert browser.heading == "The wiki" and browser.status == 200


def test_wrong_password(place, account, browser):
    browser.open(place.at(WIKI))
    browser.log_in(account[0], tokens.password())
    assert browser.status == 401 and browser.alert
    assert browser.value("username") == account[0] and browser.value("password") == ""
    assert browser.focus == "password"
    assert "auth" not in browser.cookies
    browser.keys(account[1], Keys.ENTER, leaves=True)
    assert browser.path == WIKI, "the way back is remembered"


def test_unknown_user_looks_the_same(place, account, browser):
    said = []
    for user in (account[0], "nobody"):
        browser.open(place.at("/auth/login"))
        browser.log_in(user, tokens.password())
        said.append((browser.status, browser.alert, browser.focus))
    assert said[0] == said[1]


def test_by_keyboard_alone(place, account, browser):
    """The cursor is where the typing begins; Tab leads on, Enter sends."""
    browser.open(place.at(WIKI))
    assert browser.focus == "username"
    browser.keys(account[0], Keys.TAB)
    assert browser.focus == "password"
    browser.keys(account[1], Keys.TAB)
    assert browser.driver.switch_to.active_element.get_attribute("type") == "submit"
    browser.keys(Keys.ENTER, leaves=True)
    assert browser.heading == "The wiki"


def test_cookie_as_the_browser_keeps_it(place, account, browser):
    browser.open(place.at(WIKI))
    browser.log_in(*account)
    cookie = browser.cookies["auth"]
    assert cookie["httpOnly"] and not cookie["secure"]
    assert (cookie["sameSite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "127.0.0.1")
    assert browser.driver.execute_script("return document.cookie") == "", "no script sees any cookie of ours"


def test_in_a_frame(place, browser):
    """No page can show the login inside itself."""
    browser.open(place.at("/public/index.html"))
    browser.expect("frame-ancestors|X-Frame-Options|Framing")
    browser.driver.execute_script(
        "const f = document.createElement('iframe'); f.src = '/auth/login'; f.onload = () => document.title = 'done';"
        "document.body.append(f)")
    harness.wait_for("the frame", lambda: browser.driver.title == "done")
    browser.driver.switch_to.frame(0)
    assert not browser.has("form") and not browser.has("[name=password]")
    browser.driver.switch_to.default_content()
