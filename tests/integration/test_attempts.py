# SPDX-License-Identifier: Apache-2.0
"""Limits on attempts to sign in, and the locking of accounts."""

import hashlib
import json

import pytest

import guess
import harness
import tokens

LOCKOUT = 5
STOLEN = "correct horse battery staple"


@pytest.fixture(scope="module")
def limited():
    breached = harness.RUN / "breached"
    hashes = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in (STOLEN, "password", "letmein"))
    breached.write_text("".join(f"{word}:{count}\r\n" for count, word in enumerate(hashes)))
    with harness.Site(processes=2, sections=guess.sections(**{"rate-limit": "10/m", "account-rate-limit": "off",
                                                              "lockout": LOCKOUT,
                                                              "breached-passwords": breached})) as site:
        yield site


@pytest.fixture
def address():
    return guess.addresses()


def lock(site, user, address):
    """Statuses of so many wrong passwords and one more."""
    return [guess.log_in(site, user, tokens.password(), next(address)).status for _ in range(LOCKOUT + 1)]


def same(*answers):
    """All but what is each request's own."""
    seen = {(answer.status, json.dumps(answer.json | {"request_id": ""}),
             tuple(name for name, _ in answer.headers if name not in ("Date", "Content-Length")))
            for answer in answers}
    return len(seen) == 1


def test_an_account_is_locked_and_unlocked(limited, address):
    password = limited.add_user("ada")
    assert lock(limited, "ada", address) == [401] * LOCKOUT + [423]
    right = guess.log_in(limited, "ada", password, next(address))
    wrong = guess.log_in(limited, "ada", tokens.password(), next(address))
    assert right.status == 423 and same(right, wrong)
    assert right.json["reason"] == "account_locked" and right.json["detail"] == "Too many attempts"
    assert 890 < int(right.header("Retry-After")) <= 900
    assert "Set-Cookie" not in dict(right.headers)
    shown = json.loads(limited.authctl("users", "show", "ada", "--json").stdout)
    assert shown["locked_until"]
    assert "locked until" in limited.authctl("users", "show", "ada").stdout
    assert "ada" in limited.authctl("users", "unlock", "ada").stdout
    assert json.loads(limited.authctl("users", "show", "ada", "--json").stdout)["locked_until"] is None
    assert guess.log_in(limited, "ada", password, next(address)).status == 200


def test_every_name_of_an_account_counts(limited, address):
    password = limited.add_user("berta")
    for name in ("berta", "BERTA@example.org", "berta@example.org", "berta", "berta@Example.ORG"):
        assert guess.log_in(limited, name, tokens.password(), next(address)).status == 401
    for name in ("berta", "berta@example.org"):
        assert guess.log_in(limited, name, password, next(address)).status == 423


def test_who_does_not_exist_is_locked_as_well(limited, address):
    limited.add_user("clara")
    limited.add_user("dora")
    limited.authctl("users", "disable", "dora")
    for name in ("clara", "dora", "nobody", "nobody@example.org", "x" * 300, "Nö body"):
        assert lock(limited, name, address) == [401] * LOCKOUT + [423], name
    assert same(*(guess.log_in(limited, name, tokens.password(), next(address))
                  for name in ("clara", "dora", "nobody", "x" * 300)))


def test_a_right_password_clears_the_failures(limited, address):
    password = limited.add_user("emma")
    for _ in range(3):
        for _ in range(LOCKOUT - 1):
            assert guess.log_in(limited, "emma", tokens.password(), next(address)).status == 401
        assert guess.log_in(limited, "emma", password, next(address)).status == 200


def test_a_client_is_limited(limited, address):
    password = limited.add_user("frida")
    one, other = next(address), next(address)
    statuses = [guess.log_in(limited, f"user{i}", tokens.password(), one).status for i in range(10)]
    assert statuses == [401] * 10
    refused = guess.log_in(limited, "frida", password, one)
    assert refused.status == 429 and refused.json["reason"] == "rate_limited"
    assert 0 < int(refused.header("Retry-After")) <= 60
    assert guess.log_in(limited, "frida", password, other).status == 200
    # Whoever forges a chain of proxies is still who the web server saw.
    assert guess.log_in(limited, "frida", password, f"{other}, {one}").status == 429


def test_an_ipv6_network_is_one_client(limited, address):
    statuses = [guess.log_in(limited, f"six{i}", tokens.password(), f"2001:db8:1:2::{i}").status for i in range(11)]
    assert statuses == [401] * 10 + [429]
    assert guess.log_in(limited, "six", tokens.password(), "2001:db8:1:3::1").status == 401


def test_the_page_says_it(limited, address):
    limited.add_user("gerda")
    lock(limited, "gerda", address)
    browser = limited.browser()
    client = {"X-Forwarded-For": next(address)}
    page = browser.get(guess.TARGET, **client)
    answer = browser.submit(page, guess.TARGET, {"username": "gerda", "password": tokens.password()}, **client)
    assert answer.status == 423 and "quarter of an hour" in answer.text and 'value="gerda"' in answer.text
    assert 890 < int(answer.header("Retry-After")) <= 900
    german = browser.submit(page, guess.TARGET, {"username": "gerda", "password": tokens.password()},
                            **client | {"Accept-Language": "de"})
    assert german.status == 423 and "Viertelstunde" in german.text
    for i in range(10):
        answer = browser.submit(page, guess.TARGET, {"username": f"g{i}", "password": tokens.password()}, **client)
    assert answer.status == 429 and "wait a minute" in answer.text and answer.header("Retry-After")


def test_locks_survive_the_programs(limited, address):
    password = limited.add_user("hanna")
    lock(limited, "hanna", address)
    guess.restart(limited)
    assert guess.log_in(limited, "hanna", password, next(address)).status == 423


def test_the_current_password_is_counted_apart(limited, address):
    password = limited.add_user("irma")
    token = guess.log_in(limited, "irma", password, next(address)).json["token"]

    def change(current):
        return guess.ask(limited, "/auth/change-password", {"current": current, "new": tokens.password()},
                         next(address), f"Authorization: Bearer {token}")

    assert [change(tokens.password()).status for _ in range(LOCKOUT)] == [401] * LOCKOUT
    refused = change(password)
    assert refused.status == 423 and int(refused.header("Retry-After")) > 890
    assert guess.log_in(limited, "irma", password, next(address)).status == 200
    limited.authctl("users", "unlock", "irma")
    assert lock(limited, "irma", address)[-1] == 423
    changed = change(password)
    assert changed.status == 200, "who is signed in is not locked out by strangers"
    tokens.sensitive(changed.json["token"])


def test_stolen_passwords(limited, address):
    password = limited.add_user("karla")
    token = guess.log_in(limited, "karla", password, next(address)).json["token"]
    answer = guess.ask(limited, "/auth/change-password", {"current": password, "new": STOLEN}, next(address),
                       f"Authorization: Bearer {token}")
    assert answer.status == 400 and "stolen elsewhere" in answer.json["detail"]
    assert guess.log_in(limited, "karla", password, next(address)).status == 200
    refused = limited.authctl("users", "passwd", "karla", text=STOLEN + "\n", check=False)
    assert refused.returncode == 1 and "breached-passwords" in refused.stderr
    assert "in order at 4096 places" in limited.authctl("check", check=False).stdout


def test_nobody_gets_in_where_nobody_can_count(limited, address):
    password = limited.add_user("jutta")
    site = limited
    files = [site.state / name for name in ("login-clients.limits", "login-accounts.limits")]
    site.services["login"].stop()
    for file in files:
        file.rename(file.with_suffix(".away"))
        file.mkdir()
    site.services["login"].start()
    try:
        refused = guess.log_in(site, "jutta", password, next(address))
        assert refused.status == 503 and refused.json["reason"] == "store_unavailable"
    finally:
        for file in files:
            file.rmdir()
            file.with_suffix(".away").rename(file)
    assert harness.wait_for("counting again",
                            lambda: guess.log_in(site, "jutta", password, next(address)).status == 200)
