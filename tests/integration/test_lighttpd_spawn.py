# SPDX-License-Identifier: Apache-2.0
"""lighttpd that starts the programs itself: what becomes of them when one dies, at a restart and at the end."""

import os
import pathlib
import signal
import time

import pytest

import cases
import harness
import tokens
from applications import Scripted
from test_bypass import EMPTY_ANSWERS, PROTECTED, echoed, forged, statuses

USER = 'server.username = "nobody"\nserver.groupname = "nogroup"\n'
GOOD = f"Authorization: Bearer {tokens.mint()}"


@pytest.fixture
def spawning(make_site):
    """A site whose services are not started: all that answers was started by lighttpd."""
    site = make_site(start=False, server="lighttpd-spawn", more=USER)
    site.web.start()
    harness.wait_for("the programs", lambda: len(programs(site)) == 4)
    harness.wait_for("an answer", lambda: site.request("/auth/login").status == 200)
    return site


def programs(site):
    """{process id: program} of lighttpd's children."""
    found = {}
    for pid in harness.children(site.web.process.pid):
        try:
            found[pid] = pathlib.Path(f"/proc/{pid}/exe").readlink().name
        except FileNotFoundError:
            pass  # ended, and not yet waited for
    return found


def pids(site, name):
    return {pid for pid, program in programs(site).items() if program == name}


def kill(site, process_ids):
    for pid in process_ids:
        os.kill(pid, signal.SIGKILL)


def test_started(spawning):
    assert sorted(programs(spawning).values()) == ["auth-login-proxy", "auth-logout", "auth-verify", "auth-verify"]
    assert set(statuses(spawning).values()) == {401}
    assert set(statuses(spawning, headers=[GOOD]).values()) == {200}
    assert spawning.request("/auth/login").status == 200
    assert spawning.request("/auth/signout").status == spawning.request("/auth/logout").status == 200


def test_identity(spawning):
    headers = echoed(spawning, "/papp/x", [GOOD, *cases.FORGED])
    assert forged(headers) == [] and dict(headers)["X-Auth-User"] == "alice"
    assert forged(echoed(spawning, "/public-papp/x", cases.FORGED)) == []


@pytest.mark.parametrize("stdout", EMPTY_ANSWERS.values(), ids=EMPTY_ANSWERS)
def test_no_decision(spawning, stdout):
    """B3 and B4: somebody else at both sockets, who says nothing."""
    paths = [spawning.folder / "run" / f"verify.sock-{n}" for n in range(2)]
    scripts = [Scripted(path, stdout) for path in paths]
    for path in paths:
        path.chmod(0o666)
    with scripts[0], scripts[1]:
        assert set(statuses(spawning).values()) == {503}


def test_one_dies(spawning):
    """That costs the request with which lighttpd notices; the other one answers meanwhile, and a new one comes."""
    victim = min(pids(spawning, "auth-verify"))
    kill(spawning, [victim])
    answers = [spawning.request("/app/page.txt", [GOOD]).status for _ in range(20)]
    assert set(answers) <= {200, 500, 503} and answers.count(200) >= 19
    harness.wait_for("a new process", lambda: len(pids(spawning, "auth-verify") - {victim}) == 2)


def test_all_die(spawning):
    """Denied while nobody is there, and served again within seconds."""
    before = set(programs(spawning))
    kill(spawning, before)
    while spawning.request("/app/page.txt", [GOOD]).status != 200:
        assert spawning.request("/app/page.txt").status in (401, 500, 503)
    harness.wait_for("new processes", lambda: len(set(programs(spawning)) - before) == 4)
    assert spawning.request("/auth/login").status == 200


def test_graceful_restart(spawning):
    """USR1: new processes, nobody left of the old ones, and requests are answered or refused, never let through."""
    before = set(programs(spawning))
    spawning.web.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while len(set(programs(spawning)) - before) < 4 or set(programs(spawning)) & before:
        assert time.monotonic() < deadline, programs(spawning)
        try:
            assert spawning.request("/app/page.txt").status in (401, 503)
        except OSError:
            pass  # not listening for a moment
    harness.wait_for("an answer", lambda: spawning.request("/app/page.txt", [GOOD]).status == 200)


def test_reload_and_logs(spawning):
    """HUP to a child reads the configuration anew; its log lines are in lighttpd's."""
    spawning.request("/app/page.txt")
    harness.wait_for("the denial in the log", lambda: "event=deny" in spawning.log_text("lighttpd"))
    spawning.write_configuration({'policy "site"': {"require": "claim:roles = none"}})
    for pid in pids(spawning, "auth-verify"):
        os.kill(pid, signal.SIGHUP)
    harness.wait_for("the new rule", lambda: spawning.request("/app/page.txt", [GOOD]).status == 403)


def test_end(spawning):
    """Whoever was started ends with lighttpd, before the limit after which it kills."""
    started = set(programs(spawning))
    spawning.web.process.terminate()
    spawning.web.process.wait(4)
    assert spawning.web.process.returncode in (0, 1)  # no signal; 1.4.69 says 1 now and then
    harness.wait_for("the end of all", lambda: not [pid for pid in started if pathlib.Path(f"/proc/{pid}").exists()], 3)
