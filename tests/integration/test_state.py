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
    """Start on a socket; a program that runs after 2 s counts as started."""
    process = subprocess.Popen(site.services["verify"].command, stdin=site.services["verify"].socket,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=harness.environment())
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


def test_found_corrupt_while_running(make_site):
    """Overwritten in place under the running programs: 503, never 200."""
    site = make_site()
    token, revoked = tokens.mint(), tokens.mint("mallory")
    site.request("/auth/logout", [f"Authorization: Bearer {revoked}", "Accept: application/json"], "POST", b"")
    for path in site.state.iterdir():
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            if not path.name.endswith("-shm"):
                file.write(b"\xff" * size)
    for service in site.services.values():
        service.kill()
        with open(service.log, "ab") as log:
            service.processes.append(subprocess.Popen(service.command, stdin=service.socket, stdout=log, stderr=log,
                                                      env=harness.environment()))
    for each in (token, revoked):
        assert site.request("/app/page.txt", [f"Authorization: Bearer {each}"]).status in (500, 503, 504)
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
