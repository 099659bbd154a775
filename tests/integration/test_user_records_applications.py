# SPDX-License-Identifier: Apache-2.0
"""The shipped examples as applications of a site: another user, of a group that may read the records and no more."""

import os
import shutil
import socket
import subprocess
import time

import pytest

import harness
from user_records import Records, bearer, number

EXAMPLES = harness.REPOSITORY / "doc" / "examples"
INSTALLED = "/var/lib/fcgi-auth-records/user-records.db"
PHP = shutil.which("php-cgi")
#: A program that becomes nobody, of the group that may read, before it runs what lighttpd has asked for.
AS_READER = "#!/bin/sh\nexec {become}{program} \"$@\"\n"


class Site:
    """A site whose applications are the examples, each in its language's usual way."""

    def __init__(self, make_site):
        self.records = Records()
        base = self.records.base
        if os.geteuid() == 0:
            os.chown(self.records.folder, -1, harness.NOBODY)
        self.records.folder.chmod(0o2750)
        self.scratch = base / "php"
        self.scratch.mkdir()
        harness.give_away(self.scratch)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(base / "php.sock"))
        self.socket.listen(16)
        become = f"setpriv --reuid={harness.NOBODY} --regid={harness.NOBODY} --clear-groups "
        for name, program in (("python", "/usr/bin/python3"), ("perl", "/usr/bin/perl")):
            (base / name).write_text(AS_READER.format(become=become if os.geteuid() == 0 else "", program=program))
            (base / name).chmod(0o755)
        more = (f'cgi.assign += ( ".py" => "{base}/python", ".pl" => "{base}/perl" )\n'
                f'fastcgi.server = ( ".php" => (( "socket" => "{base}/php.sock" )) )\n')
        self.site = make_site(start=False, processes=2, sections=self.records.sections(
            attribute=["AUTH_NAME = claim:name"]), more=more)
        for source in (EXAMPLES / "php/user.php", EXAMPLES / "python/user.py", EXAMPLES / "perl/user.pl"):
            text = source.read_text("utf-8")
            assert INSTALLED in text
            for place in ("app", "public"):
                (self.site.htdocs / place / source.name).write_text(text.replace(INSTALLED, str(self.records.path)),
                                                                    "utf-8")
        self.site.start()

    def start_php(self):
        return subprocess.Popen([PHP, "-d", f"opcache.lockfile_path={self.scratch}"], stdin=self.socket,
                                env=harness.environment(), preexec_fn=harness.drop_privileges)


@pytest.fixture
def examples(make_site):
    site = Site(make_site)
    php = site.start_php()
    yield site
    php.terminate()
    php.wait(10)
    site.socket.close()


SCRIPTS = ["user.php", "user.py", "user.pl"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_shows_the_user(examples, script):
    site = examples.site
    number(site, "bob", name="Bob")
    answer = site.request(f"/app/{script}", bearer("ann", name='Änn "<'))
    today = time.strftime("%Y-%m-%d", time.gmtime(examples.records.ask(
        "SELECT first_seen FROM users WHERE user_id = 'ann'")[0][0]))
    assert (answer.status, answer.text) == (200, f'Hello Änn "<! You are user number 2, here since {today}.\n')
    assert "charset=utf-8" in answer.header("Content-Type").lower()
    assert site.request(f"/app/{script}", bearer("carl")).text.startswith("Hello carl! You are user number 3,")


@pytest.mark.parametrize("script", SCRIPTS)
def test_nobody(examples, script):
    """On a page that is open to all."""
    answer = examples.site.request(f"/public/{script}")
    assert (answer.status, answer.text) == (403, "Nobody is logged in here.\n")


READ = ("import sqlite3, sys; records = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True);"
        "print(records.execute('SELECT user_id FROM users').fetchall())")


def read_as(records, group):
    def become():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(group)
            os.setuid(harness.NOBODY)
    return subprocess.run(["/usr/bin/python3", "-c", READ, records.path], preexec_fn=become, capture_output=True,
                          text=True, timeout=20, env=harness.environment())


def test_readers_need_no_program(examples):
    """While the programs run, after they have been killed, and after they have ended; and only that group reads."""
    site, records = examples.site, examples.records
    number(site, "ann")
    assert read_as(records, harness.NOBODY).stdout == "[('ann',)]\n"
    if os.geteuid() == 0:
        assert "unable to open" in read_as(records, harness.NOBODY - 1).stderr
    for service in site.services.values():
        service.kill()
    assert records.path.with_name("user-records.db-wal").stat().st_size > 0
    assert read_as(records, harness.NOBODY).stdout == "[('ann',)]\n"
    for service in site.services.values():
        service.start()
    assert number(site, "ann") == 1
    for service in site.services.values():
        service.stop()
    assert read_as(records, harness.NOBODY).stdout == "[('ann',)]\n"
    modes = {path.name: path.stat().st_mode & 0o777 for path in records.folder.iterdir()}
    assert set(modes.values()) == {0o640} and len(modes) == 4
