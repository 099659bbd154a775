# SPDX-License-Identifier: Apache-2.0
"""The browsers are what they say, and see what the other tests rely on."""

import pytest

EVIL = ("<!DOCTYPE html><html lang=en><head><title>before</title><link rel=icon href='data:,'>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src 'unsafe-inline'\"></head>"
        "<body><h1>Page</h1>{}</body></html>")


@pytest.fixture(scope="module")
def show(place):
    """Puts a page into the site; its address."""
    def write(body):
        (place.site.htdocs / "public" / "made.html").write_text(EVIL.format(body))
        return place.at("/public/made.html")
    return write


@pytest.mark.parametrize("body", [
    "<p style='color:red'>An inline style</p>", "<img src=/public/index.html alt=>", "<script>throw 1</script>",
    "<script>console.warn('look')</script>"])
def test_console_is_heard(show, browser, body):
    browser.open(show(body))
    with pytest.raises(AssertionError, match="the console shows"):
        browser.check()


def test_missing_file_is_heard(show, place, browser):
    (place.site.htdocs / "public" / "bare.html").write_text(
        "<!DOCTYPE html><title>x</title><link rel=icon href='data:,'><img src=/public/missing.png alt=>")
    browser.open(place.at("/public/bare.html"))
    with pytest.raises(AssertionError, match="missing.png"):
        browser.check()


def test_scripts(show, browser, other):
    address = show("<script>document.title = 'script'</script>")
    assert browser.open(address).driver.title == "script"
    assert other.open(address).driver.title == "before"


def test_browsers_share_nothing(place, browser, other):
    browser.open(place.at("/public/index.html"))
    browser.driver.add_cookie({"name": "mine", "value": "1"})
    assert "mine" in browser.cookies
    assert other.open(place.at("/public/index.html")).cookies == {}
    browser.forget()
    assert browser.open(place.at("/public/index.html")).cookies == {}
    browser.driver.back()
    assert browser.address == "about:blank", "no history from before"
