# SPDX-License-Identifier: Apache-2.0
"""Records of users when their file fails: who is known goes on, who is new waits, nobody gets another's number.

What is promised then stands in the table of SECURITY.md."""

import os
import pathlib
import shutil
import sqlite3

import pytest

import harness
import tokens
from user_records import Records, bearer, number, refused


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def site(make_site, records):
    return make_site(processes=2, sections=records.sections())


def is_let_in(site, user):
    return site.request("/app/page.txt", bearer(user)).status == 200


def test_locked(site, records):
    """A process that hangs while it writes: known users are let in, new ones when it is over."""
    first = number(site, "ann")
    holder = sqlite3.connect(records.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for _ in range(10):
        assert number(site, "ann", email="new@example.org") == first
    refused(site, "bob")
    assert number(site, "ann") == first
    holder.close()
    harness.wait_for("the end of the pause", lambda: is_let_in(site, "bob"))
    assert number(site, "bob") != first


def test_reader_that_hangs(site, records):
    """An application that never ends its transaction stops nobody."""
    first = number(site, "ann")
    holder = sqlite3.connect(f"file:{records.path}?mode=ro", uri=True, isolation_level=None)
    holder.execute("BEGIN")
    assert holder.execute("SELECT count(*) FROM users").fetchall() == [(1,)]
    assert [number(site, f"user{i}") for i in range(20)] == list(range(first + 1, first + 21))
    assert holder.execute("SELECT count(*) FROM users").fetchall() == [(1,)]
    holder.close()


def test_full(site, records):
    """No room for new records."""
    first = number(site, "ann")
    size = records.path.with_name("user-records.db-wal").stat().st_size
    workers = site.services["verify"].workers()
    for process in workers:
        harness.limit_files(process, size)
    refused(site, "bob")
    assert number(site, "ann", email="new@example.org") == first
    for process in workers:
        harness.limit_files(process, harness.UNLIMITED)
    harness.wait_for("room", lambda: is_let_in(site, "bob"))


def test_lost_and_restored(site, records):
    """All of the policy's users wait for the file, rather than begin again with number 1."""
    first, second = number(site, "ann"), number(site, "bob")
    aside = records.base / "aside"
    aside.mkdir()
    backup = sqlite3.connect(aside / "user-records.db")
    sqlite3.connect(f"file:{records.path}?mode=ro", uri=True).backup(backup)
    backup.close()
    for path in records.folder.iterdir():
        path.unlink()
    harness.wait_for("that the loss is noticed", lambda: not is_let_in(site, "ann"))
    refused(site, "ann")
    refused(site, "carl")
    assert list(records.folder.iterdir()) == []
    shutil.copy(aside / "user-records.db", records.path)
    records.path.chmod(0o640)
    harness.wait_for("the restored file", lambda: is_let_in(site, "ann"))
    assert (number(site, "bob"), number(site, "ann")) == (second, first)


def serves(process):
    """Its workers run, which begin when all files are held."""
    return len(list(pathlib.Path(f"/proc/{process}/task").iterdir())) > 2


def test_lost_before_the_first_request(site, records):
    """The programs hold the file from their start on."""
    processes = site.services["verify"].workers()
    harness.wait_for("all workers", lambda: all(map(serves, processes)))
    assert records.path.exists()
    for path in records.folder.iterdir():
        path.unlink()
    for _ in range(20):  # of both processes
        refused(site, "ann")
    assert list(records.folder.iterdir()) == []


def overwrite(path):
    path.write_bytes(b"this is no database " * 1000)


def forbid(path):
    path.chmod(0o400)


@pytest.mark.parametrize("damage", [overwrite, os.unlink, forbid], ids=["damaged", "lost", "read-only"])
def test_before_a_start(make_site, records, damage):
    """The policies without records do their work; the log and the check say what is wrong."""
    site = make_site(start=False, sections=records.sections()
                     | {'policy "admin"': {"require": None, "local-user": "off"}})
    harness.give_away(site.folder)
    harness.give_away(records.base)
    for service in site.services.values():
        service.preexec = harness.drop_privileges
    site.start()
    number(site, "ann")
    for service in site.services.values():
        service.stop()
    damage(records.path)
    for service in site.services.values():
        service.start()
    refused(site, "ann")
    refused(site, "bob")
    assert site.request("/admin/page.txt", bearer("ann")).status == 200
    assert str(records.path) in site.log_text("verify")
    if damage is not forbid:  # to which root is not bound
        told = site.authctl("check", check=False)
        assert told.returncode == 1 and "user-records" in told.stdout and str(records.path) in told.stdout
        told = site.authctl("explain", "--policy", "site", text=tokens.mint("ann"), check=False)
        assert told.returncode == 1 and "store_unavailable" in told.stdout


def test_other_folder_at_a_reload(site, records):
    """Half of the workers would go on in the old file."""
    assert number(site, "ann") == 1
    text = site.configuration.read_text()
    site.configuration.write_text(text.replace(str(records.folder), str(records.base)))
    harness.wait_for("the refusal", lambda: "user-records change at a restart only" in site.log_text("verify"))
    assert number(site, "ann") == 1
    assert not list(records.base.glob("user-records*"))


def test_reserved_name(make_site, records):
    """No attribute may be taken for the number."""
    site = make_site(start=False, sections=records.sections(attribute="AUTH_LOCAL_USER_ID = claim:sub"))
    told = site.authctl("check", check=False)
    assert told.returncode == 78 and "AUTH_LOCAL_USER_ID" in told.stdout
