# SPDX-License-Identifier: Apache-2.0
"""The page by which web servers learn of changes: raised by every act before it is acknowledged, whoever is killed."""

import json
import os
import random
import signal
import stat
import subprocess
import threading
import time

import pytest

import generation
import harness
import jwks_source
import tokens
import ways
from generation import Keeper, Page, ask, fresh, log_out, parameters
from profile_service import Service

INVALIDATED = "Token has been invalidated"
LOCAL_ONLY = "backend cleanup may have failed"


def start(site, *names):
    for name in names or harness.SOCKETS:
        site.services[name].start()
    return site


@pytest.fixture(scope="module")
def site():
    made = start(generation.site(processes=2, sections={'policy "site"': {"local-user": "on"}}))
    yield made
    made.close()


@pytest.fixture
def make():
    made = []

    def one(*names, **how):
        made.append(generation.site(**how))
        return start(made[-1], *names)

    yield one
    for each in made:
        each.close()


@pytest.fixture
def page(site):
    with Page(site.state) as opened:
        yield opened


# --- the file ------------------------------------------------------------------------

def test_it_is_there_when_a_program_serves(make):
    site = make("verify")
    status = os.lstat(site.state / "generation.page")
    assert stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o644 and status.st_size == generation.SIZE
    with Page(site.state) as page:
        before = page.number()
        assert before
        site.services["verify"].stop()
        site.services["verify"].start()
        assert page.number() not in (before, None), "a program that begins may have another configuration"
    assert os.lstat(site.state / "generation.page").st_ino == status.st_ino


def test_in_a_folder_that_two_users_share(make):
    site = generation.site(preexec=harness.drop_privileges)
    try:
        harness.give_away(site.folder)
        os.chown(site.state, 0, harness.NOBODY)
        site.state.chmod(0o2770)
        site.authctl("revocations", "add", "--user", "alice")
        assert os.lstat(site.state / "generation.page").st_mode & 0o777 == 0o664
        start(site, "verify", "logout")
        with Page(site.state) as page:
            before = page.number()
            assert INVALIDATED in log_out(site, fresh("bob"))
            assert page.number() not in (before, None)
    finally:
        site.close()


@pytest.mark.parametrize("harm", ["emptied", "short", "overwritten"])
def test_harm_is_mended_by_the_next_change(site, page, harm):
    before = page.number()
    if harm == "overwritten":
        page.path.write_bytes(b"x" * generation.SIZE)
    else:
        os.truncate(page.path, {"emptied": 0, "short": 20}[harm])
    assert page.number() is None
    assert INVALIDATED in log_out(site, fresh())
    assert page.number() not in (before, None)


def test_a_deleted_one_is_made_anew(make):
    site = make("verify", "logout")
    with Page(site.state) as old:
        before = old.number()
        old.path.unlink()
        assert old.number() is None
        assert INVALIDATED in log_out(site, fresh())
        assert old.number() is None
        with Page(site.state) as new:
            assert new.number() not in (before, None)


# --- every act -----------------------------------------------------------------------

def test_logouts(site, page):
    for _ in range(5):
        before, token = page.number(), fresh()
        assert INVALIDATED in log_out(site, token)
        after = page.number()
        assert after not in (before, None)
        # Whoever revoked it first may have been killed before the page.
        assert INVALIDATED in log_out(site, token)
        assert page.number() not in (after, None)


def test_logout_as_plain_cgi(site, page):
    before = page.number()
    answer = ways.run(site, "logout", "/auth/logout", [f"Authorization: Bearer {fresh()}", "Accept: application/json"],
                      "POST", script="/auth/logout")
    assert answer.json["detail"] == INVALIDATED
    assert page.number() not in (before, None)


def test_every_command_that_changes_something(site, page):
    token = fresh("carol")
    assert ask(site, parameters(token)).status == 200
    record = json.loads(site.authctl("records", "list", "--json", "--user", "carol").stdout)["local_user_id"]
    changes = [
        ("users", "add", "carol", "--generate"), ("users", "passwd", "carol", "--generate"),
        ("users", "disable", "carol"), ("users", "enable", "carol"), ("users", "remove", "carol"),
        ("revocations", "add", "--token", "-"), ("revocations", "add", "--user", "dave"),
        ("revocations", "add", "--session", "s1"), ("api-keys", "add", "--owner", "dave"),
        ("cache", "flush"), ("records", "remove", str(record)),
    ]
    for words in changes:
        before = page.number()
        done = site.authctl(*words, text=token if "--token" in words else "")
        assert page.number() not in (before, None), words
        if words[0] == "api-keys":
            key = done.stdout.strip().splitlines()[0]
    for listed, act in ((site.authctl("revocations", "list", "--json"), "revocations remove"),
                        (site.authctl("api-keys", "list", "--json"), "api-keys revoke")):
        name = json.loads(listed.stdout.splitlines()[0])["key" if "revocations" in act else "id"]
        before = page.number()
        site.authctl(*act.split(), name)
        assert page.number() not in (before, None), act
    assert key


def test_what_changes_nothing(site, page):
    token = fresh()
    ask(site, parameters(token))
    before = page.number()
    assert ask(site, parameters(token)).status == 200
    assert ask(site, parameters(None)).status != 200
    for words in (("users", "list"), ("revocations", "list"), ("revocations", "stats"), ("cache", "stats"),
                  ("api-keys", "list"), ("records", "list"), ("token", "issue", "--user", "alice")):
        site.authctl(*words)
    site.authctl("token", "verify", "--policy", "site", text=token)
    ways.run(site, "verify", "/app/page.txt", [f"Authorization: Bearer {token}"])
    assert page.number() == before


def test_a_login_changes_nothing(make):
    site = make("login")
    password = site.add_user("erin")
    with Page(site.state) as page:
        before = page.number()
        answer = ways.run(site, "login", "/auth/login", ["Content-Type: application/json"], "POST",
                          json.dumps({"username": "erin", "password": password}).encode(), "/auth/login")
        assert answer.status == 200
        assert page.number() == before


def test_key_rings(make):
    ring = harness.RUN / "generation-ring.json"
    site = generation.site(sections={'issuer "main"': {"algorithms": "ES256", "secret": None,
                                                    "key-ring": f"file:{ring}"}})
    try:
        site.state.rmdir()
        first = site.authctl("keys", "add").stdout.strip()
        assert not site.state.exists(), "a site that is being set up has nobody to be told"
        site.state.mkdir(0o700)
        start(site, "verify")
        keeper = Keeper(site)
        token = tokens.sensitive(site.authctl("token", "issue", "--user", "alice").stdout.strip())
        assert keeper.allows(token) and keeper.allows(token) and keeper.used == 1
        for words in (("add",), ("promote", "--at-once", None), ("retire", first)):
            before = keeper.page.number()
            second = site.authctl("keys", *(word or second for word in words)).stdout.strip()
            assert keeper.page.number() not in (before, None), words
        harness.wait_for("the reload", lambda: not keeper.allows(token))
        tokens.SENSITIVE.update(key["d"] for key in json.loads(ring.read_text())["keys"])
        keeper.close()
    finally:
        site.close()


# --- reloads -------------------------------------------------------------------------

def test_reload(make):
    site = make("verify", processes=2)
    with Page(site.state) as page:
        before = page.number()
        for pid in site.services["verify"].workers():
            os.kill(pid, signal.SIGHUP)
            now = harness.wait_for("the reload", lambda: page.number() if page.number() != before else None)
            before = now


def test_a_secret_that_is_exchanged(make):
    """Noticed by itself; from then on the old token is refused by whoever asks."""
    site = make("verify")
    keeper, token = Keeper(site), fresh()
    assert keeper.allows(token) and keeper.allows(token) and keeper.used == 1
    site.secret.write_text("another secret that is long enough for HS256 tokens\n")
    before = keeper.page.number()
    harness.wait_for("the new secret", lambda: keeper.page.number() != before)
    assert not keeper.allows(token)
    keeper.close()


# --- keys and profiles from elsewhere ------------------------------------------------

def test_a_key_that_an_issuer_has_taken_back(make):
    old, new = jwks_source.Key("old"), jwks_source.Key("new")
    server = jwks_source.Source(old, new, fields=b"Cache-Control: max-age=1\r\n")
    site = make("verify", sections={
        'issuer "elsewhere"': {"algorithms": "ES256", "iss": jwks_source.ISSUER, "jwks": server.url,
                               "jwks-cooldown": "1s"}, 'policy "site"': {"issuer": ["main", "elsewhere"]}})
    keeper, token = Keeper(site), old.mint()
    try:
        assert keeper.allows(token) and keeper.allows(token) and keeper.used == 1
        before = keeper.page.number()
        fetched = server.fetches
        harness.wait_for("the same set again", lambda: server.fetches > fetched + 1)
        assert keeper.page.number() == before, "the same keys are no change"
        server.publish(new, fields=b"Cache-Control: max-age=1\r\n")
        harness.wait_for("the new set", lambda: keeper.page.number() != before)
        assert not keeper.allows(token) and keeper.allows(new.mint())
    finally:
        keeper.close()
        server.close()


def test_a_profile_that_is_another(make):
    service = Service()
    roles = {"alice": "editor"}
    service.profile = lambda user: {"id": user, "isActive": True, "role": roles.get(user, "reader")}
    site = make("verify", sections={
        'profile "p"': {"url": service.url, "api-key": "text:" + "k" * 32, "ttl": "1s", "stale": "1h",
                        "allow-plain-http": "on"},
        'policy "site"': {"profile": "p", "require": "profile:role = editor"}})
    keeper, token = Keeper(site), fresh()
    try:
        assert keeper.allows(token)
        before = keeper.page.number()
        asked = service.count("alice")
        harness.wait_for("the same again", lambda: keeper.allows(token) and service.count("alice") > asked)
        assert keeper.page.number() == before, "the same profile is no change"
        roles["alice"] = "reader"
        harness.wait_for("the new one", lambda: not keeper.allows(token))
        harness.wait_for("the page", lambda: keeper.page.number() != before)
    finally:
        keeper.close()
        service.close()


# --- when nobody can be told ----------------------------------------------------------

def test_no_act_is_called_done_when_web_servers_cannot_be_told(make):
    site = make("verify", "logout", "login")
    password = site.add_user("erin")
    path = site.state / "generation.page"
    path.unlink()
    path.mkdir()
    assert LOCAL_ONLY in log_out(site, fresh())
    token = fresh()
    for words, text in ((("revocations", "add", "--token", "-"), token), (("revocations", "add", "--user", "x"), ""),
                        (("users", "disable", "erin"), ""), (("users", "add", "frank", "--generate"), ""),
                        (("cache", "flush"), "")):
        done = site.authctl(*words, text=text, check=False)
        assert done.returncode == 1, words
        assert f"cannot open {path}, by which web servers learn what has changed: Is a directory" in done.stderr, words
    done = site.authctl("check", check=False)
    assert done.returncode == 1 and f"{path}" in done.stdout + done.stderr
    for name in ("verify", "login", "logout"):
        with subprocess.Popen([harness.program(harness.SOCKETS[name]), "-c", str(site.configuration), "-l",
                               f"unix:{site.folder}/run/second-{name}.sock"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, env=harness.environment()) as program:
            assert program.wait(10) == 1
            assert f"cannot open {path}" in program.stderr.read()
    # Those that run go on, and what was revoked is.
    assert ask(site, parameters(token)).status in (302, 401)
    path.rmdir()
    assert INVALIDATED in log_out(site, token)
    assert password


def test_a_reload_that_cannot_be_told_is_told_later(make):
    site = make("verify")
    path = site.state / "generation.page"
    path.unlink()
    path.mkdir()
    os.kill(site.services["verify"].workers()[0], signal.SIGHUP)
    harness.wait_for("the reload", lambda: "configuration read" in site.log_text("verify"))
    path.rmdir()
    harness.wait_for("the page", path.is_file)


# --- all at once ----------------------------------------------------------------------

class Storm:
    """Web servers that keep verdicts, users that log out, and whoever kills the programs between."""

    SECONDS, TOKENS, KEEPERS = 6, 12, 3

    def __init__(self, site):
        self.site, self.lock = site, threading.Lock()
        self.alive = [fresh() for _ in range(self.TOKENS)]
        self.dead, self.leaving = set(), []  # leaving: about to be revoked, or just so
        self.end, self.never = time.monotonic() + self.SECONDS, threading.Event()
        self.faults, self.used, self.asked, self.acknowledged = [], 0, 0, 0

    def is_over(self):
        return time.monotonic() > self.end or self.faults

    def pause(self, seconds):
        """As users take theirs: what comes at once meets nobody in the middle."""
        self.never.wait(seconds)

    def acknowledge(self, token):
        with self.lock:
            self.dead.add(token)
            self.acknowledged += 1

    def keep(self):
        chance, keeper = random.Random(), Keeper(self.site)
        while not self.is_over():
            if keeper.page.number() is None:
                keeper = self.renew(keeper)
            with self.lock:
                token = chance.choice(self.leaving if self.leaving and chance.random() < 0.7 else self.alive)
                dead = token in self.dead
            if keeper.allows(token) and dead:
                self.faults.append(f"{token} was let in after it was acknowledged to be revoked")
        self.renew(keeper).close()

    def renew(self, keeper):
        """As after a restart: nothing is kept."""
        with self.lock:
            self.used += keeper.used
            self.asked += keeper.asked
        keeper.close()
        while True:
            try:
                return Keeper(self.site)
            except (FileNotFoundError, ValueError):
                time.sleep(0.001)

    def log_out(self):
        chance = random.Random()
        while not self.is_over():
            self.pause(chance.random() * 0.02)
            with self.lock:
                token = self.alive.pop(chance.randrange(len(self.alive)))
                self.alive.append(fresh())
                self.leaving = (self.leaving + [token])[-3:]
            if chance.random() < 0.1:
                self.revoke(token, chance)
            elif INVALIDATED in (log_out(self.site, token) or ""):
                self.acknowledge(token)

    def revoke(self, token, chance):
        """By authctl, which may be killed as well."""
        with subprocess.Popen([harness.program("authctl"), "-c", str(self.site.configuration), "revocations", "add",
                               "--token", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=harness.environment()) as program:
            program.stdin.write(token.encode())
            program.stdin.close()
            if chance.random() < 0.3:
                self.pause(chance.random() * 0.02)
                program.kill()
            if program.wait() == 0:
                self.acknowledge(token)

    def harm(self):
        """kill -9 of a program, and the page deleted or cut off, at any time."""
        chance, path = random.Random(), self.site.state / "generation.page"
        while not self.is_over():
            self.pause(0.05 + chance.random() * 0.2)
            act = chance.choice(["verify", "logout", "logout", "delete", "cut"])
            if act in self.site.services:
                service = self.site.services[act]
                process = service.processes.pop(0)
                process.kill()
                process.wait()
                service.start_one()
            elif act == "delete":
                path.unlink(missing_ok=True)
            elif path.exists():
                os.truncate(path, chance.randrange(1, generation.SIZE))

    def run(self):
        work = [self.keep] * self.KEEPERS + [self.log_out, self.log_out, self.harm]
        threads = [threading.Thread(target=self.guarded, args=(one,)) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self

    def guarded(self, work):
        try:
            work()
        except Exception as fault:  # noqa: BLE001 - whatever it is, the test says so
            self.faults.append(repr(fault))


def test_no_kept_verdict_outlives_the_acknowledgement(make):
    storm = Storm(make("verify", "logout", processes=2)).run()
    assert not storm.faults
    print(f"{storm.used} kept verdicts used, {storm.asked} asked for, {storm.acknowledged} logouts")
    assert storm.used > 1000 and storm.acknowledged > 50
