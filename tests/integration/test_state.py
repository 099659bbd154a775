# SPDX-License-Identifier: Apache-2.0
"""A state directory that is broken: named at the start, and never taken for "not revoked" afterwards."""

import os
import sqlite3
import subprocess

import pytest

import harness
import tokens


@pytest.fixture
def stopped_site():
    site = harness.Site()
    site.authctl("revocations", "stats")
    yield site
    site.close()


def databases(site):
    found = [path for path in site.state.iterdir() if path.suffix == ".db"]
    assert found
    return found


def start(site):
    """Start on a socket: the exit status, None for a program that still runs after 10 s, and its output."""
    process = subprocess.Popen(site.services["verify"].command, stdin=site.services["verify"].socket,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=harness.environment(), preexec_fn=site.services["verify"].preexec)
    try:
        output, _ = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return None, output
    return process.returncode, output


def test_corrupt(stopped_site):
    for path in databases(stopped_site):
        path.write_bytes(b"this is no database " * 1000)
    status, output = start(stopped_site)
    assert status == 1, output
    assert str(stopped_site.state) in output


def test_cut_off(stopped_site):
    for path in databases(stopped_site):
        os.truncate(path, 700)
    status, output = start(stopped_site)
    assert status == 1, output
    assert str(stopped_site.state) in output


def test_missing_directory(stopped_site):
    text = stopped_site.configuration.read_text()
    stopped_site.configuration.write_text(text.replace(str(stopped_site.state), "/nonexistent/state"))
    status, output = start(stopped_site)
    assert status in (1, 78), output
    assert "/nonexistent/state" in output


def test_directory_of_others(stopped_site):
    """Whoever may write there could make revoked tokens good again."""
    stopped_site.state.chmod(0o777)
    status, output = start(stopped_site)
    assert status in (1, 78), output
    assert "chmod" in output and str(stopped_site.state) in output


def test_file_of_others(stopped_site):
    """Not readable for the user that the program runs as."""
    harness.give_away(stopped_site.folder)
    for path in databases(stopped_site):
        path.chmod(0o000)
    service = stopped_site.services["verify"]
    service.preexec = harness.drop_privileges
    status, output = start(stopped_site)
    assert status == 1, output
    assert "revocations.db cannot be written" in output and "belongs to" in output


def test_locked(stopped_site):
    """Another program keeps the database for itself: said by name after bounded waiting."""
    holder = sqlite3.connect(stopped_site.state / "revocations.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    status, output = start(stopped_site)
    holder.close()
    assert status == 1, output
    assert "revocations.db" in output and "locked" in output and "fuser" in output


def overwrite(path):
    with open(path, "r+b") as file:
        file.write(b"\xff" * os.path.getsize(path))


def replace_by_empty(path):
    if path.suffix == ".db":
        sqlite3.connect(path.with_suffix(".new")).close()
        path.with_suffix(".new").touch(0o600)
        path.with_suffix(".new").rename(path)
    else:
        path.unlink()


@pytest.mark.parametrize("damage", [overwrite, lambda path: os.truncate(path, 0), os.unlink, replace_by_empty],
                         ids=["overwritten", "emptied", "deleted", "replaced"])
def test_damaged_while_running(make_site, damage):
    """A revoked token is never let in, whatever happens to the files; what cannot be known is 503."""
    site = make_site()
    token, revoked = tokens.mint(), tokens.mint("mallory")
    logged_out = site.request("/auth/logout", [f"Authorization: Bearer {revoked}", "Accept: application/json"],
                              "POST", b"")
    assert logged_out.json["message"] == "Successfully logged out"
    for path in list(site.state.glob("revocations.db*")):
        if not path.name.endswith("-shm"):
            damage(path)
    for _ in range(30):  # every worker
        assert site.request("/app/page.txt", [f"Authorization: Bearer {revoked}"]).status in (401, 503)
        answer = site.request("/app/page.txt", [f"Authorization: Bearer {token}"])
        assert answer.status in (200, 503)
        if answer.status == 503:
            assert answer.json["reason"] == "store_unavailable"
    for service in site.services.values():
        service.kill()


def test_store_without_answer(make_site):
    """The table that is asked is gone while the programs run: 503 with Retry-After, for good and revoked tokens."""
    site = make_site()
    token = tokens.mint()
    assert site.request("/app/page.txt", [f"Authorization: Bearer {token}"]).status == 200
    with sqlite3.connect(site.state / "revocations.db") as database:
        tables = [name for name, in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
        for name in tables:
            database.execute(f'DROP TABLE "{name}"')
    answer = site.request("/app/page.txt", [f"Authorization: Bearer {token}"])
    assert answer.status == 503
    assert answer.json["reason"] == "store_unavailable"
    assert int(answer.header("Retry-After")) > 0
    logged_out = site.request("/auth/logout", [f"Authorization: Bearer {token}", "Accept: application/json"],
                              "POST", b"")
    assert logged_out.status == 200 and logged_out.json["message"] == "Logout completed"
