# SPDX-License-Identifier: Apache-2.0
"""Pictures of the pages, for people to judge, and that none is wider than its screen."""

import pytest
import tokens


@pytest.fixture
def signed_in(lighttpd, browser):
    browser.open(lighttpd.at("/auth/login?rd=/public/index.html"))
    return browser.log_in(*lighttpd.account("dora"))


@pytest.mark.parametrize("language", ["en", "de"])
def test_login(lighttpd, browser, language):
    browser.speak(language)
    browser.open(lighttpd.at("/auth/login"))
    browser.picture(f"login-{language}")
    browser.log_in("dora", tokens.password())
    browser.picture(f"login-wrong-{language}")


def test_logout(lighttpd, signed_in):
    signed_in.open(lighttpd.at("/auth/logout"))
    signed_in.picture("logout")
    signed_in.open(lighttpd.at("/auth/logout?all=1"))
    signed_in.picture("logout-everywhere")


def test_errors(lighttpd, browser):
    browser.open(lighttpd.at("/auth/nothing"))
    assert browser.status == 404
    browser.picture("not-found")
