# SPDX-License-Identifier: Apache-2.0
"""One host of several, through the web server: what people are told when the servers between the hosts fail. That
nothing revoked is called good is shown by tests/faults/test_store_memcached.py."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import harness
import tokens
from test_logout import DONE, LOCAL_ONLY, assert_cookie_cleared, log_out, reason, status

pytestmark = pytest.mark.skipif(not shutil.which("memcached"), reason="needs memcached (packages.debian)")


class Servers:
    """Two memcacheds on unix sockets that the programs of a site may use."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="memcached-"))
        self.options, self.processes = [["-M", "-F", "-n", "40"]] * 2, [None, None]
        for i in range(2):
            self.start(i)

    def address(self, i):
        return f"unix:{self.folder}/s{i}"

    def start(self, i):
        user = ["-u", "root"] if os.geteuid() == 0 else []
        self.processes[i] = subprocess.Popen(["memcached", *user, "-t", "1", "-s", self.folder / f"s{i}",
                                              *self.options[i]], stderr=subprocess.DEVNULL)

    def kill(self, i):
        self.processes[i].kill()
        self.processes[i].wait(15)

    def close(self):
        for i in range(2):
            self.kill(i)
        shutil.rmtree(self.folder)


@pytest.fixture(name="servers")
def make_servers():
    servers = Servers()
    yield servers
    servers.close()


def host(make_site, servers, **store):
    site = make_site(sections={"store": {"memcached": f"{servers.address(0)}, {servers.address(1)}", **store}})
    harness.wait_for("both servers", lambda: site.authctl("check", check=False).returncode == 0)
    return site


def test_told_to_all(make_site, servers):
    site = host(make_site, servers)
    token = tokens.mint()
    assert status(site, token) == 200
    answer = log_out(site, token)
    assert answer.status == 200 and answer.json == DONE
    assert reason(site, token) == "token_revoked"
    text = site.log_text("verify")
    assert text.count("has every revocation of this host") <= 4, "once for each server and link"


def test_no_server_left(make_site, servers):
    """Durable on this host; the answer claims no more, and nobody gets in."""
    site = host(make_site, servers)
    token, other = tokens.mint(), tokens.mint()
    for i in range(2):
        servers.kill(i)
    harness.wait_for("denial", lambda: status(site, other) == 503)
    denied = site.request("/app/app.cgi", [f"Authorization: Bearer {other}"])
    assert denied.json["reason"] == "store_unavailable" and denied.header("Retry-After")
    answer = log_out(site, token)
    assert answer.status == 200 and answer.json == LOCAL_ONLY
    assert_cookie_cleared(answer)
    line = next(line for line in site.log_text("logout").splitlines() if "event=logout_failed" in line)
    assert "reason=store_partial" in line and "durable on this host" in line
    assert reason(site, token) == "token_revoked", "this host knows"
    done = site.authctl("revocations", "add", "--user", "bob", "--iss", tokens.ISSUER, check=False)
    assert done.returncode == 1 and "durable on this host" in done.stdout and "other hosts: not all" in done.stderr
    for i in range(2):
        servers.start(i)
    harness.wait_for("answers", lambda: status(site, other) == 200)
    assert reason(site, token) == "token_revoked"


def test_everywhere_without_servers(make_site, servers):
    site = host(make_site, servers, **{"on-failure": "local"})
    one, two = tokens.mint(), tokens.mint()
    for i in range(2):
        servers.kill(i)
    harness.wait_for("this host alone", lambda: status(site, two) == 200)
    answer = site.request("/auth/logout?all=1", [f"Authorization: Bearer {one}", "Accept: application/json"],
                          "POST", b"")
    assert answer.json == LOCAL_ONLY
    assert reason(site, one) == "token_revoked" == reason(site, two)


def test_what_the_admin_sees(make_site, servers):
    site = host(make_site, servers)
    done = site.authctl("check")
    assert done.stdout.count("its answers count") == 2 and "this host is " in done.stdout
    done = site.authctl("revocations", "add", "--user", "bob", "--iss", tokens.ISSUER)
    assert "durable on this host; others refuse it too" in done.stdout
    stats = site.authctl("revocations", "stats").stdout
    assert "users        1" in stats and stats.count("store        ok memcached") == 2
    servers.kill(0)
    servers.options = [["-F"], servers.options[1]]
    servers.start(0)
    harness.wait_for("refusal", lambda: "start it with -M" in site.authctl("check", check=False).stdout)
    assert site.authctl("check", check=False).returncode == 1
    harness.wait_for("line", lambda: any("start it with -M" in site.log_text(name) for name in site.services))


def test_without_a_lasting_program(make_site, servers):
    site = make_site(start=False, sections={"store": {"memcached": servers.address(0)}})
    done = site.authctl("check", check=False)
    assert done.returncode == 1 and "no program of this host keeps the link" in done.stdout
