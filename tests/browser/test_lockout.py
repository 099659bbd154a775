# SPDX-License-Identifier: Apache-2.0
"""Guessing passwords: the account is locked, and its owner gets in again when the time is over."""

import harness
import tokens

LOCKOUT = {"login": {"rate-limit": "off", "account-rate-limit": "off", "lockout": "2", "lockout-time": "5s"}}


def test_lockout(make_place, browser, other):
    place = make_place(sections=LOCKOUT)
    user, password = place.account("lena")
    browser.open(place.at("/auth/login"))
    for _ in range(2):
        browser.log_in(user, tokens.password())
        assert browser.status == 401
    browser.log_in(user, password)
    assert browser.status == 423, "the right one is no longer taken"
    assert browser.alert == "Too many attempts" or "Too many attempts" in browser.text
    assert "auth" not in browser.cookies
    browser.picture("locked")
    other.open(place.at("/wiki/index.html"))

    def gets_in():
        return "wiki" in other.log_in(user, password).heading

    harness.wait_for("the end of the lock", gets_in, 30)
    assert other.path == "/wiki/index.html"
