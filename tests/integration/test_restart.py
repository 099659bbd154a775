# SPDX-License-Identifier: Apache-2.0
"""Processes come and go under load: nobody gets in who should not, and nobody notices a restart."""

import os
import signal
import threading
import time

import pytest

import harness
import tokens


class Load:
    """Clients that ask again and again, half of them with a good token and half with a revoked one."""

    def __init__(self, site, good, bad, clients=4):
        self.site, self.good, self.bad = site, good, bad
        self.results = {True: [], False: []}
        self.failures = []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i % 2 == 0,)) for i in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        harness.wait_for("load", lambda: all(len(got) > 20 for got in self.results.values()))
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def _run(self, is_good):
        line = f"Authorization: Bearer {self.good if is_good else self.bad}"
        while not self.ending.is_set():
            try:
                status = self.site.request("/app/page.txt", [line]).status
            except OSError as failure:
                status = repr(failure)
            self.results[is_good].append((time.monotonic(), status))

    def wait_for_more(self, n=50):
        sizes = {key: len(got) for key, got in self.results.items()}
        harness.wait_for("more requests", lambda: all(len(got) > sizes[key] + n for key, got in self.results.items()))


@pytest.fixture(params=["fastcgi", "libfcgi"])
def loaded_site(request, make_site):
    site = make_site(transport=request.param, processes=4, managed=True)
    bad = tokens.mint("mallory")
    site.request("/auth/logout", [f"Authorization: Bearer {bad}", "Accept: application/json"], "POST", b"")
    return site, tokens.mint(), bad


def test_kill_under_load(loaded_site):
    """Under multiwatch: a killed process costs at most its own requests, and is replaced within a second."""
    site, good, bad = loaded_site
    service = site.services["verify"]
    harness.wait_for("four processes", lambda: len(service.workers()) == 4)
    with Load(site, good, bad) as load:
        for _ in range(3):
            victim = service.workers()[0]
            killed = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            harness.wait_for("the next process", lambda gone=victim: gone not in service.workers() and
                             len(service.workers()) == 4, 1)
            service.wait_until_ready(1)
            load.wait_for_more(20)
    statuses = {status for _, status in load.results[False]}
    assert 200 not in statuses
    late = [status for when, status in load.results[True] if when > killed + 1]
    assert set(late) <= {200}
    failed = [status for _, status in load.results[True] if status != 200]
    assert len(failed) <= 3 * 4, failed


def test_kill_of_all_under_load(loaded_site):
    site, good, bad = loaded_site
    service = site.services["verify"]
    with Load(site, good, bad) as load:
        victims = service.workers()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        harness.wait_for("new processes", lambda: len(service.workers()) == 4 and
                         not set(service.workers()) & set(victims), 1)
        # The end of the test sends TERM, which multiwatch loses for a child that it has only just forked.
        service.wait_until_ready(4)
        load.wait_for_more(20)
    assert 200 not in {status for _, status in load.results[False]}
    assert load.results[True][-1][1] == 200


@pytest.mark.parametrize("transport", ["fastcgi", "libfcgi"])
def test_processes_of_lighttpd(make_site, transport):
    """With bin-path lighttpd starts auth-verify itself, and again when it is killed; it waits
    up to two seconds before it trusts a server again that was down."""
    site = make_site(start=False, transport=transport)
    command = f'"bin-path" => "{harness.program("auth-verify")} -c {site.configuration}", "max-procs" => 1,'
    protect = site.folder / "lighttpd" / "protect.conf"
    text = protect.read_text()
    protect.write_text(text.replace('"mode" => "authorizer",', f'"mode" => "authorizer", {command}'))
    assert "bin-path" in protect.read_text()
    site.web.start()
    good, bad = tokens.mint(), tokens.mint(key=tokens.OTHER_SECRET)

    def statuses():
        found = [site.request("/app/page.txt", [f"Authorization: Bearer {token}"]).status for token in (good, bad)]
        assert found[1] in (401, 500, 503)
        return found

    assert statuses() == [200, 401]
    for _ in range(2):
        child, = harness.children(site.web.process.pid)
        os.kill(child, signal.SIGKILL)
        harness.wait_for("the next process", lambda: statuses() == [200, 401], 5)
        assert [child] != harness.children(site.web.process.pid)
    site.web.stop()


@pytest.mark.parametrize("transport", ["fastcgi", "libfcgi"])
def test_rolling_restart_under_load(make_site, transport):
    """TERM to one process after the other, a new one before each: no request fails."""
    site = make_site(transport=transport, processes=2)
    good, bad = tokens.mint(), tokens.mint("mallory")
    site.request("/auth/logout", [f"Authorization: Bearer {bad}", "Accept: application/json"], "POST", b"")
    service = site.services["verify"]
    with Load(site, good, bad) as load:
        for old in list(service.processes):
            service.start_one()
            load.wait_for_more(10)
            old.send_signal(signal.SIGTERM)
            assert old.wait(10) == 0
            service.processes.remove(old)
            load.wait_for_more(10)
    assert {status for _, status in load.results[True]} == {200}
    assert {status for _, status in load.results[False]} == {401}


def test_reload_keeps_the_good_configuration(make_site):
    """HUP and USR2 read the configuration anew; a bad one is refused and the old one stays."""
    site = make_site(processes=2)
    token = tokens.mint()
    service = site.services["verify"]

    def status():
        return site.request("/app/page.txt", [f"Authorization: Bearer {token}"]).status

    assert status() == 200
    before = site.configuration.read_text()
    site.configuration.write_text(before + "\n[nonsense]\n")
    for pid in service.workers():
        os.kill(pid, signal.SIGHUP)
    harness.wait_for("the complaint", lambda: "nonsense" in site.log_text("verify"))
    assert status() == 200
    site.configuration.write_text(before.replace("require = claim:roles = admin", "", 1)
                                  .replace("path-user", "require = claim:roles = nobody\npath-user"))
    for pid in service.workers():
        os.kill(pid, signal.SIGUSR2)
    harness.wait_for("the new rule", lambda: {status() for _ in range(6)} == {403})
    assert len(service.workers()) == 2


def test_secret_is_rotated_without_a_signal(make_site):
    site = make_site(processes=2)
    new = tokens.sensitive(tokens.secrets.token_urlsafe(48))
    old_token, new_token = tokens.mint(), tokens.mint(key=new)

    def status(token):
        return site.request("/app/page.txt", [f"Authorization: Bearer {token}"]).status

    assert (status(old_token), status(new_token)) == (200, 401)
    site.secret.write_text(new + "\n")
    harness.wait_for("the new secret", lambda: {status(new_token) for _ in range(6)} == {200}, 20)
    assert status(old_token) == 401
