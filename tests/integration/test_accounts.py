# SPDX-License-Identifier: Apache-2.0
"""Local accounts through lighttpd: passwords and their hashes."""

import base64
import hashlib
import json
import sqlite3

import pytest

import tokens
from harness import Site

COST = "5"


@pytest.fixture(scope="module")
def accounts():
    with Site(sections={"login": {"password-cost": COST}}) as site:
        yield site


def hash_of(site, user):
    with sqlite3.connect(f"file:{site.state}/accounts.db?mode=ro", uri=True) as database:
        return database.execute("SELECT password FROM account WHERE id = ?", [user]).fetchone()[0]


def post(site, target, value, *headers):
    """As a program does, in JSON."""
    lines = ["Content-Type: application/json", "Accept: application/json", *headers]
    return site.request(target, lines, "POST", json.dumps(value).encode())


def sign_in(site, user, password):
    answer = post(site, "/auth/login", {"username": user, "password": password})
    if answer.status == 200:
        tokens.sensitive(answer.json["token"])
    return answer


def bring_in(site, user, scheme, password):
    """An account from an htpasswd file."""
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()
    made = {"sha": "{SHA}" + digest,
            # htpasswd -nbBC 4 x secret-of-72
            "bcrypt 4": "$2y$04$jd0QIZ.ALF7YH7rNzzqMgeUCxSEDNZkmvI3oCtBWcFJ9x/uJdyBmq"}[scheme]
    file = site.folder / "htpasswd"
    file.write_text(f"{user}:{made}\n")
    site.authctl("users", "import-htpasswd", str(file))
    return made


# --- password-cost ------------------------------------------------------------------

def test_new_passwords_have_the_cost_of_the_configuration(accounts):
    accounts.add_user("cost")
    assert hash_of(accounts, "cost").startswith("$2b$05$")


@pytest.mark.parametrize("scheme, password", [("sha", "sesame, open"), ("bcrypt 4", "x" * 72)])
def test_an_old_hash_is_renewed_by_a_login(accounts, scheme, password):
    user = scheme.replace(" ", "-")
    old = bring_in(accounts, user, scheme, password)
    assert sign_in(accounts, user, "wrong " + password[:50]).status == 401
    assert hash_of(accounts, user) == old
    assert sign_in(accounts, user, password).status == 200
    fresh = hash_of(accounts, user)
    assert fresh.startswith("$2b$05$")
    assert sign_in(accounts, user, password).status == 200
    assert hash_of(accounts, user) == fresh
    assert sign_in(accounts, user, "wrong " + password[:50]).status == 401


def test_a_password_that_bcrypt_cuts_keeps_its_hash(accounts):
    old = bring_in(accounts, "long", "bcrypt 4", "")
    assert sign_in(accounts, "long", "x" * 80).status == 200
    assert hash_of(accounts, "long") == old


def test_a_disabled_account_keeps_its_hash(accounts):
    old = bring_in(accounts, "off", "sha", "sesame, open")
    accounts.authctl("users", "disable", "off")
    assert sign_in(accounts, "off", "sesame, open").status == 401
    assert hash_of(accounts, "off") == old
