# SPDX-License-Identifier: Apache-2.0
"""Making an account, and coming back into one whose password is forgotten, with the mails read from the spool."""

import conftest
import mail_server
import pytest
import tokens

WIKI = "/wiki/index.html"


@pytest.fixture(scope="module")
def mail():
    with mail_server.MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def club(mail):
    """A site that people join by themselves."""
    place = conftest.Place("lighttpd", sections={
        "login": {"registration": "on", "url": "@ORIGIN@/auth", "title": "The club"},
        "mail": {"from": "The club <club@mail.example>", "smtp": mail.url}})
    with place.site:
        yield place


def link(mail, address, count=1):
    target, token = mail_server.link_in(mail.wait(address, count))
    tokens.sensitive(token)
    return target


def test_joining(club, mail, other):
    address, password = "nora@mail.example", tokens.password()
    other.open(club.at(WIKI))
    other.follow("Create an account")
    other.picture("register")
    other.fill(username="nora", email=address, name="Nora Möller", password="short").submit("email")
    assert other.status == 400 and other.alert
    assert other.value("username") == "nora" and other.value("email") == address and other.value("password") == ""
    other.picture("register-weak")
    other.fill(password=password).submit("email")
    assert other.status == 200 and "sent you a mail" in other.text
    other.picture("registered")
    other.open(club.at(WIKI))
    other.log_in("nora", password)
    assert other.status == 403 and "Confirm your e-mail address first" in other.alert
    target = link(mail, address)
    other.open(club.at(target))
    other.picture("verify")
    other.press("form button")
    assert other.status == 200 and other.has("[role=status]")
    other.picture("verified")
    other.open(club.at(WIKI))
    other.log_in("nora", password)
    assert other.path == WIKI
    other.open(club.at(target))
    other.press("form button")
    assert "used already" in other.alert


def test_forgotten_password(club, mail, browser, other):
    """A new one by mail; whoever was signed in with the old one is not any more."""
    user, old = club.account("fritz")
    address, new = "fritz@example.org", tokens.password()
    other.open(club.at(WIKI))
    other.log_in(user, old)
    browser.open(club.at(WIKI))
    browser.follow("Forgot your password?")
    browser.picture("forgot")
    browser.fill(email=address).submit("email")
    assert browser.status == 200 and browser.has("[role=status]")
    browser.picture("forgot-sent")
    target = link(mail, address)
    browser.open(club.at(target))
    browser.picture("reset")
    browser.fill(password="short").submit("password")
    assert browser.status == 400 and browser.alert, "the link is good for another try"
    browser.fill(password=new).submit("password")
    assert browser.status == 200 and browser.has("[role=status]")
    browser.picture("reset-done")
    other.open(club.at(WIKI))
    assert other.path.startswith("/auth/login"), "the old session is dead"
    other.log_in(user, old)
    assert other.status == 401
    other.log_in(user, new)
    assert other.path == WIKI
    browser.open(club.at(target))
    browser.has("[name=password]") and browser.fill(password=old).submit("password")
    assert "used already" in browser.alert
    browser.picture("reset-used")


def test_forgotten_by_nobody(club, browser):
    """An address without an account is told the same."""
    said = []
    for address in ("nobody@mail.example", "fritz@example.org"):
        club.account("fritz")
        browser.open(club.at("/auth/forgot-password"))
        browser.fill(email=address).submit("email")
        said.append((browser.status, browser.text))
    assert said[0] == said[1]
