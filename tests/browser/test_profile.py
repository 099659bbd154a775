# SPDX-License-Identifier: Apache-2.0
"""The page of one's account: where one is signed in, and ending that from here."""

import tokens

WIKI = "/wiki/index.html"


def sign_in(place, user, *browsers):
    for one in browsers:
        one.open(place.at(WIKI))
        one.log_in(*place.account(user))
        assert one.heading == "The wiki"


def test_ending_another_session(place, browser, other):
    sign_in(place, "sue", browser, other)
    browser.follow("Profile")
    assert browser.status == 200 and "sue@example.org" in browser.text
    browser.picture("profile")
    assert browser.text.count("This device") == 1 and browser.text.count("Chrome") == 2
    browser.press("form[action$=sessions]:has([name=session]) button")
    assert browser.status == 200 and browser.path.startswith("/auth/profile") and browser.has("[role=status]")
    browser.picture("profile-session-ended")
    assert not browser.has("[name=session]"), "the other one is gone from the list"
    other.open(place.at(WIKI))
    assert other.path.startswith("/auth/login")
    browser.open(place.at(WIKI))
    assert browser.heading == "The wiki", "this one goes on"


def test_ending_all_others(lighttpd, browser, other):
    sign_in(lighttpd, "sven", browser, other)
    other.open(lighttpd.at("/auth/profile"))
    other.press("form:has([name=others]) button")
    assert not other.has("[name=others]") and "This device" in other.text
    browser.open(lighttpd.at(WIKI))
    assert browser.path.startswith("/auth/login")
    browser.log_in(*lighttpd.account("sven"))
    other.open(lighttpd.at("/auth/logout?all=1"))
    other.press("form button")
    for one in (browser, other):
        one.open(lighttpd.at(WIKI))
        assert one.path.startswith("/auth/login"), "everywhere means here as well"


def test_signed_out(lighttpd, browser):
    sign_in(lighttpd, "sid", browser)
    browser.open(lighttpd.at("/auth/profile"))
    browser.follow("Sign out")
    assert "auth" not in browser.cookies
    browser.open(lighttpd.at("/auth/profile"))
    assert browser.path.startswith("/auth/login?rd="), "a person is led to the login, and back"
    browser.log_in(*lighttpd.account("sid"))
    assert browser.path == "/auth/profile"


def test_changing_the_password(lighttpd, browser, other):
    """The old session goes on with a new token, the other browser's ends."""
    sign_in(lighttpd, "paul", browser, other)
    old, new = lighttpd.account("paul")[1], tokens.password()
    browser.follow("Profile").follow("Change password")
    assert browser.focus == "current"
    browser.picture("password")
    browser.fill(current="not this one", new=new).submit("new")
    assert browser.status == 401 and browser.alert == "The current password is wrong."
    browser.fill(current=old, new="short").submit("new")
    assert browser.status == 400 and "12 characters" in browser.alert
    browser.picture("password-short")
    browser.fill(current=old, new=new).submit("new")
    assert browser.path.startswith("/auth/profile") and "Your password is changed" in browser.find("[role=status]").text
    browser.open(lighttpd.at(WIKI))
    assert browser.heading == "The wiki"
    other.open(lighttpd.at(WIKI))
    other.log_in("paul", old)
    assert other.status == 401
    other.log_in("paul", new)
    assert other.heading == "The wiki"


def test_password_page_waits_for_the_login(lighttpd, other):
    other.open(lighttpd.at("/auth/change-password"))
    other.log_in(*lighttpd.account("pia"))
    assert other.path == "/auth/change-password" and other.has("[name=new]")
