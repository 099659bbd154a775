# SPDX-License-Identifier: Apache-2.0
"""Each process manager starts the programs for real, by the files that are shipped and the commands of the guide."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

import harness
import servers
import tokens

GUIDE = harness.REPOSITORY / "doc" / "guide" / "process-managers.md"
PACKAGING = harness.BUILD_DIR / "packaging"
GOOD = f"Authorization: Bearer {tokens.mint()}"
PAGE = "/app/page.txt"


def local(site, text):
    """The shipped text with this site's paths, and with users that are here."""
    for name in harness.SOCKETS.values():
        harness.program(name)
    text = re.sub(r"/[\w.-][\w./-]*/bin/(auth-[\w-]+)", rf"{harness.RUN}/\1", text)
    text = re.sub(r"/[\w.-][\w./-]*/fcgi-auth/fcgi-auth\.conf", str(site.configuration), text)
    return re.sub(r"/[\w.-][\w./-]*/fcgi-auth/(verify|login|logout)\.sock", rf"{site.folder}/run/\1.sock", text)


def command(site, *words):
    """The line of the guide that starts with the first word, and has multiwatch in it or not."""
    lines = [line for line in GUIDE.read_text().splitlines() if line.startswith(words[0] + " ")]
    found, = [line for line in lines if ("multiwatch" in words) == ("multiwatch" in line)]
    user = [] if os.geteuid() else ["-u", "nobody", "-g", "nogroup"]
    changed = local(site, found).replace(" -u fcgi-auth -g www-data", "").split()
    return changed[:2] + user + changed[2:]


class Manager:
    """A process manager that runs, or a program that it has become. Its output is a log of the run."""

    def __init__(self, site, words, environment=None):
        self.site, self.log = site, site.folder / "log" / "manager.log"
        harness.LOGS.append(self.log)
        variables = harness.environment() | {"FCGI_AUTH_CONF": str(site.configuration)} | (environment or {})
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([servers.find(words[0]), *words[1:]], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, env=variables)

    @property
    def pid(self):
        return self.process.pid

    def programs(self):
        return {pid for pid in (self.pid, *harness.children(self.pid)) if name_of(pid) == "auth-verify"}

    def end(self, timeout=12):
        """TERM, as long as the programs may take (drain-timeout); its status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        finally:
            self.process.kill()
            self.process.wait()


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return None  # ended


def is_up(pid):
    return pathlib.Path(f"/proc/{pid}").exists()


@pytest.fixture
def bare(make_site):
    """A site without anybody at its sockets, with the configuration where everybody's programs can read it."""
    site = make_site(start=False, server="nginx")
    for service in site.services.values():
        service.path.unlink()
    site.web.start()
    return site


@pytest.fixture
def manage(bare):
    made = []

    def start(words, **how):
        made.append(Manager(bare, words, **how))
        return made[-1]

    yield start
    for manager in made:
        manager.end()


def status(site, *headers, target=PAGE):
    return site.request(target, headers).status


def wait_until_served(site):
    """nobody may have the socket yet; never a page for nobody meanwhile."""
    def served():
        assert status(site) in (401, 503)
        return status(site, GOOD) == 200
    harness.wait_for("an allowed page", served)
    assert status(site) == 401


def forbid(site):
    """After a reload nobody is let in."""
    site.write_configuration({'policy "site"': {"require": "claim:roles = none"}})


def wait_until_forbidden(site):
    """All processes know it: many requests, one after the other."""
    harness.wait_for("the new rule", lambda: {status(site, GOOD) for _ in range(8)} == {403})


def check_log(manager, text="event=deny"):
    harness.wait_for(f"{text} in the log", lambda: text in manager.log.read_text())


# --- spawn-fcgi -----------------------------------------------------------------------------------

def test_spawn_fcgi(bare, manage):
    manager = manage(command(bare, "spawn-fcgi"))
    wait_until_served(bare)
    assert manager.programs() == {manager.pid}, "spawn-fcgi becomes the program"
    check_log(manager)
    os.kill(manager.pid, signal.SIGUSR1)
    assert status(bare, GOOD) == 200
    forbid(bare)
    os.kill(manager.pid, signal.SIGHUP)
    wait_until_forbidden(bare)
    assert manager.end() == 0
    assert status(bare, GOOD) == 503


def test_multiwatch(bare, manage):
    manager = manage(command(bare, "spawn-fcgi", "multiwatch"))
    wait_until_served(bare)
    first = harness.wait_for("two programs", lambda: len(manager.programs()) == 2 and manager.programs())
    check_log(manager)
    os.kill(min(first), signal.SIGKILL)
    assert {status(bare, GOOD) for _ in range(20)} == {200}, "the other one answers"
    harness.wait_for("a new one", lambda: len(manager.programs()) == 2 and manager.programs() != first)
    for pid in manager.programs():
        os.kill(pid, signal.SIGUSR1)
    assert status(bare, GOOD) == 200
    forbid(bare)
    os.kill(manager.pid, signal.SIGUSR2)
    wait_until_forbidden(bare)
    last = manager.programs()
    manager.end()
    assert not any(is_up(pid) for pid in last)
    assert status(bare, GOOD) == 503


def test_multiwatch_ends_programs_by_their_signal():
    """Without -s TERM it would send USR1, which ends nobody."""
    for line in GUIDE.read_text().splitlines():
        assert "multiwatch -f" not in line


# --- systemd --------------------------------------------------------------------------------------

def unit(name):
    return (PACKAGING / "systemd" / name).read_text()


def setting(text, key):
    return re.search(rf"(?m)^{key}=(.*)$", text)[1]


def activated(site, name):
    """What systemd does with the two units of a program, as far as it can be done without it."""
    where = local(site, setting(unit(f"fcgi-auth-{name}.socket"), "ListenStream"))
    run = local(site, setting(unit(f"fcgi-auth-{name}.service"), "ExecStart")).split()
    return ["systemd-socket-activate", "-E", f"NOTIFY_SOCKET={site.folder}/run/notify", "-l", where, *run]


@pytest.fixture
def notes(bare):
    """What programs tell their manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(bare.folder / "run" / "notify"))
        os.chmod(bare.folder / "run" / "notify", 0o666)
        listening.settimeout(10)
        yield listening


def wait_for_note(notes, word):
    while word not in notes.recv(4096).decode():
        pass


def test_systemd(bare, manage, notes):
    managers = {name: manage(activated(bare, name)) for name in ("verify", "login", "logout")}
    for name in managers:
        path = bare.folder / "run" / f"{name}.sock"
        harness.wait_for("the socket", path.exists)
        path.chmod(0o666)  # SocketGroup= does that
    harness.wait_for("an allowed page", lambda: status(bare, GOOD) == 200)
    wait_for_note(notes, "READY=1")
    assert status(bare) == 401
    assert status(bare, target="/auth/login") == status(bare, target="/auth/logout") == 200
    check_log(managers["verify"])
    assert managers["verify"].programs() == {managers["verify"].pid}
    os.kill(managers["verify"].pid, signal.SIGUSR1)
    assert status(bare, GOOD) == 200
    forbid(bare)
    os.kill(managers["verify"].pid, signal.SIGHUP)
    wait_for_note(notes, "RELOADING=1")
    wait_for_note(notes, "READY=1")
    wait_until_forbidden(bare)
    assert [manager.end() for manager in managers.values()] == [0, 0, 0]
    wait_for_note(notes, "STOPPING=1")


def test_units(tmp_path):
    """systemd finds nothing to say about them; they are as closed as they promise."""
    names = sorted(path.name for path in (PACKAGING / "systemd").iterdir())
    assert names == sorted(f"fcgi-auth-{name}.{kind}" for name in harness.SOCKETS for kind in ("service", "socket"))
    for name in names:
        (tmp_path / name).write_text(re.sub(r"/[\w.-][\w./-]*/bin/(auth-[\w-]+)",
                                            lambda word: str(harness.program(word[1])), unit(name)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in names)],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name in names:
        if name.endswith(".service"):
            done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=15",
                                   str(tmp_path / name)], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-300:]


def test_units_name_what_is_there():
    for name, program in harness.SOCKETS.items():
        service = unit(f"fcgi-auth-{name}.service")
        assert setting(service, "ExecStart").split()[0].endswith(f"/{program}")
        assert setting(service, "Requires") == f"fcgi-auth-{name}.socket"
        assert setting(unit(f"fcgi-auth-{name}.socket"), "ListenStream").endswith(f"/fcgi-auth/{name}.sock")
    folder = setting(unit("fcgi-auth-verify.socket"), "ListenStream").rpartition("/")[0]
    assert f"d {folder} 0750 " in (PACKAGING / "tmpfiles.d" / "fcgi-auth.conf").read_text()


@pytest.mark.parametrize("tool, kind", [("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")])
def test_user_and_folder(tmp_path, tool, kind):
    """The two files are accepted and do what they are for, in a folder that stands for the system."""
    for folder in ("etc", "usr/lib", "run", "var/lib"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/group").write_text("root:x:0:\nwww-data:x:33:\nfcgi-auth:x:990:\n")
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nfcgi-auth:x:990:990::/:/bin/sh\n")
    text = (PACKAGING / kind / "fcgi-auth.conf").read_text()
    if kind == "sysusers.d":
        (tmp_path / "etc/group").write_text("root:x:0:\nwww-data:x:33:\n")
        (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "file.conf").write_text(text)
    how = ["--create"] if kind == "tmpfiles.d" else []
    done = subprocess.run([tool, f"--root={tmp_path}", *how, tmp_path / "file.conf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if kind == "sysusers.d":
        assert "fcgi-auth:" in (tmp_path / "etc/passwd").read_text()
        assert re.search(r"(?m)^www-data:.*:fcgi-auth$", (tmp_path / "etc/group").read_text())
    else:
        made = tmp_path / re.search(r"(?m)^d /(\S+)", text)[1]
        found = made.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (990, 33, 0o750)


# --- supervisord ----------------------------------------------------------------------------------

SUPERVISORD = """[supervisord]
nodaemon=true
logfile={folder}/log/supervisord.log
pidfile={folder}/run/supervisord.pid
[unix_http_server]
file={folder}/run/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/run/supervisor.sock
[include]
files = {folder}/conf/programs.conf
"""


@pytest.fixture
def supervisord(bare, manage):
    """Debian's main file, and the shipped one for this site's user."""
    text = local(bare, (PACKAGING / "supervisor" / "fcgi-auth.conf").read_text())
    text = text.replace("/var/log/supervisor", f"{bare.folder}/log")
    if os.geteuid():
        text = re.sub(r"(?m)^(user|socket_owner)=.*\n", "", text)
    else:
        text = text.replace("user=fcgi-auth", "user=nobody").replace("=fcgi-auth:www-data", "=nobody:nogroup")
    assert "fcgi-auth:" not in text
    (bare.folder / "conf" / "programs.conf").write_text(text)
    main = bare.folder / "conf" / "supervisord.conf"
    main.write_text(SUPERVISORD.format(folder=bare.folder))
    manager = manage(["supervisord", "-c", str(main)])
    manager.log = bare.folder / "log" / "auth-verify.log"
    harness.LOGS.append(manager.log)

    def control(*words):
        return subprocess.run(["supervisorctl", "-c", str(main), *words], capture_output=True, text=True).stdout

    manager.control = control
    return manager


def test_supervisord(bare, supervisord):
    wait_until_served(bare)
    assert status(bare, target="/auth/login") == status(bare, target="/auth/logout") == 200
    first = supervisord.programs()
    assert len(first) == 2
    check_log(supervisord)
    os.kill(min(first), signal.SIGKILL)
    assert {status(bare, GOOD) for _ in range(20)} == {200}, "the other one answers"
    harness.wait_for("a new one", lambda: len(supervisord.programs()) == 2 and supervisord.programs() != first)
    supervisord.control("signal", "USR1", "auth-verify:*")
    assert status(bare, GOOD) == 200
    forbid(bare)
    supervisord.control("signal", "HUP", "auth-verify:*")
    wait_until_forbidden(bare)
    started = time.monotonic()
    supervisord.control("stop", "auth-verify:*")
    assert time.monotonic() - started < 10
    log = (bare.folder / "log" / "supervisord.log").read_text()
    assert log.count("(exit status 0)") == 2
    assert status(bare, GOOD) == 503


def test_supervisord_leaves_a_bad_configuration_alone(bare, supervisord):
    """Status 78: it is not started over and over again."""
    wait_until_served(bare)
    bare.configuration.write_text("[server]\nnonsense = 1\n")
    supervisord.control("restart", "auth-verify:auth-verify-0")
    harness.wait_for("its end", lambda: "EXITED" in supervisord.control("status", "auth-verify:auth-verify-0")
                     or "FATAL" in supervisord.control("status", "auth-verify:auth-verify-0"))
    log = (bare.folder / "log" / "supervisord.log").read_text()
    assert "exit status 78" in log


# --- mod_fcgid ------------------------------------------------------------------------------------

def started_by(pid):
    """auth-verify at any depth below the process."""
    below = harness.children(pid)
    return {child for child in below if name_of(child) == "auth-verify"}.union(*map(started_by, below))


def test_fcgid(make_site):
    """Apache starts the authorizer, starts another one when it has died, and takes it along at the end."""
    site = make_site(server="apache-fcgid")
    apache = site.web.process.pid
    assert status(site, GOOD) == 200 and status(site) == 401
    first = started_by(apache)
    assert first
    harness.wait_for("its log line in Apache's", lambda: "event=deny" in site.log_text("apache"))
    for pid in first:
        os.kill(pid, signal.SIGUSR1)
    assert status(site, GOOD) == 200
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    harness.wait_for("an allowed page", lambda: status(site, GOOD) == 200)
    second = started_by(apache)
    assert second and not second & first
    forbid(site)
    for pid in second:
        os.kill(pid, signal.SIGUSR2)
    harness.wait_for("the new rule", lambda: status(site, GOOD) == 401)
    site.web.stop()
    harness.wait_for("the end of all", lambda: not any(is_up(pid) for pid in second))


# --- what they share ------------------------------------------------------------------------------

def test_usr1_opens_the_journal_anew(bare, manage):
    """In a mount namespace of its own, where the journal's socket is the test's: after USR1 lines go to whoever is
    at that path now."""
    bare.write_configuration({"server": {"log": "journal"}})
    words = activated(bare, "verify")
    inside = ('mkdir -p /run/systemd/journal && mount -t tmpfs none /run/systemd/journal && '
              'read -r _ < "$0" && exec "$@"')
    gate = bare.folder / "run" / "gate"
    os.mkfifo(gate)
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    manager = manage(["unshare", *rights, "--mount", "sh", "-c", inside, str(gate), *words])
    mount = pathlib.Path(f"/proc/{manager.pid}/root/run/systemd/journal")
    harness.wait_for("the mount", lambda: f" {'/run/systemd/journal'} " in
                     pathlib.Path(f"/proc/{manager.pid}/mounts").read_text())
    with journal(mount) as old:
        gate.write_text("\n")
        (bare.folder / "run" / "verify.sock").exists() or harness.wait_for(
            "the socket", (bare.folder / "run" / "verify.sock").exists)
        (bare.folder / "run" / "verify.sock").chmod(0o666)
        harness.wait_for("an allowed page", lambda: status(bare, GOOD) == 200)
        assert status(bare) == 401
        assert lines_until(old, "deny")
        with journal(mount) as fresh:
            assert status(bare) == 401
            assert lines_until(old, "deny"), "without the signal it is still the old one"
            os.kill(manager.pid, signal.SIGUSR1)
            harness.wait_for("a line at the new one", lambda: status(bare) == 401 and has_lines(fresh))
    assert manager.end() == 0


def journal(folder):
    """A journal's socket at its place; who was there before keeps what is connected."""
    (folder / "socket").unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o666)
    listening.settimeout(5)
    return listening


def lines_until(listening, word):
    while word not in listening.recv(65536).decode():
        pass
    return True


def has_lines(listening):
    listening.setblocking(False)
    try:
        return listening.recv(65536)
    except BlockingIOError:
        return None
