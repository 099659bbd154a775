# SPDX-License-Identifier: Apache-2.0
"""What somebody has typed is not lost when the session has ended before it was sent."""

import json

import pytest

TITLE = "Straße & \"quotes\" <b>'"
TEXT = "first line\n\n  third, with blanks  \nпривет, 日本 &amp; {{csrf}}\n"
SENT = [["title", TITLE], ["text", TEXT.replace("\n", "\r\n")], ["do", "save"]]
EDIT = "/wiki/edit.html"


def type_in(browser, place):
    browser.open(place.at(EDIT))
    browser.log_in(*place.account("tom"))
    assert browser.path == EDIT
    browser.fill(title=TITLE, text=TEXT)


def assert_sent(browser):
    assert browser.path == "/wiki/save.cgi?page=start" and browser.heading == "Saved"
    assert json.loads(browser.find("pre").text) == {"user": "tom", "method": "POST", "query": "page=start",
                                                    "fields": SENT}


@pytest.mark.parametrize("which", ["browser", "other"])
def test_session_expired(place, request, which):
    browser = request.getfixturevalue(which)
    type_in(browser, place)
    browser.devtools("Network.deleteCookies", name="auth", url=place.origin)
    browser.submit("text")
    assert browser.has("[name=password]"), "asked to log in, at once"
    browser.picture("resume-login")
    browser.log_in("tom", "not this one")
    assert browser.alert, "a typing error does not lose it either"
    browser.log_in(*place.account("tom"))
    browser.picture("resume")
    browser.find("summary").click()
    assert TITLE in browser.text, "what will be sent can be looked at"
    browser.press("form [type=submit]")
    assert_sent(browser)


def test_session_ended_elsewhere(lighttpd, browser, other):
    """The cookie still comes, and is worth nothing."""
    type_in(browser, lighttpd)
    other.open(lighttpd.at("/auth/login"))
    other.log_in(*lighttpd.account("tom"))
    other.open(lighttpd.at("/auth/logout?all=1"))
    other.press("form button")
    browser.submit("text")
    browser.log_in(*lighttpd.account("tom"))
    browser.press("form [type=submit]")
    assert_sent(browser)


def test_page_of_another_site(lighttpd, browser):
    """It cannot make us keep a form of its own, and have it sent after the login."""
    (lighttpd.site.htdocs / "public" / "evil.html").write_text(
        f"<!DOCTYPE html><html lang=en><title>Evil</title><link rel=icon href='data:,'>"
        f"<form method=post action='{lighttpd.at('/wiki/save.cgi')}'><input name=title value=evil><button>Win</button>")
    browser.open(lighttpd.at("/public/evil.html").replace("127.0.0.1", "localhost"))
    browser.submit("title")
    assert browser.status == 401 and "no_token" in browser.text
    browser.open(lighttpd.at(EDIT))
    browser.log_in(*lighttpd.account("tom"))
    assert browser.path == EDIT and "evil" not in browser.driver.page_source
