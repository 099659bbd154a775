# SPDX-License-Identifier: Apache-2.0
"""The store when processes die, hang and share, and when disks and files fail: a test for each fault, with what is
promised then. Nothing revoked is ever called good, nothing acknowledged is lost, and no process dies."""

import os
import queue
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

CLIENT = Path("tests/faults/store_client").resolve()
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "50"))
NOBODY = 65534
DEADLINE = 20
WAIT = 0.25  # what a writer waits for another


class Client:
    """A process with the store open; the commands are those of store_client.c."""

    def __init__(self, folder, program=CLIENT, arguments=(), **options):
        self.process = subprocess.Popen([program, folder, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, bufsize=1, **options)
        self.lines = queue.Queue()
        self.log = []
        self.readers = [threading.Thread(target=self.read_lines, daemon=True),
                        threading.Thread(target=self.read_log, daemon=True)]
        for reader in self.readers:
            reader.start()
        self.first = self.line()

    def read_lines(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def line(self):
        """The next line; None when it has closed its output."""
        return self.lines.get(timeout=DEADLINE)

    def send(self, command):
        self.process.stdin.write(command + "\n")

    def __call__(self, command):
        self.send(command)
        return self.line()

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)
        for reader in self.readers:
            reader.join(DEADLINE)
        lines = []
        while (line := self.lines.get(timeout=DEADLINE)) is not None:
            lines.append(line)
        return lines

    def end(self):
        """End it as asked; its status."""
        self.process.stdin.close()
        status = self.process.wait(DEADLINE)
        for reader in self.readers:
            reader.join(DEADLINE)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)


@pytest.fixture
def folder():
    """A state-dir that another user could be given."""
    path = Path(tempfile.mkdtemp(prefix="fcgi-auth-faults-"))
    path.chmod(0o700)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def nobody(folder):
    """Options for a process that modes apply to, and a client that it may run."""
    options = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    place = Path(tempfile.mkdtemp(prefix="fcgi-auth-client-"))
    place.chmod(0o755)
    program = shutil.copy(CLIENT, place)
    if options:
        os.chown(folder, NOBODY, NOBODY)
    yield {"program": program, **options}
    shutil.rmtree(place)


def fill(folder, n):
    with Client(folder) as client:
        assert client.first == "open"
        for i in range(n):
            assert client(f"add {i}") == "ok"
        assert client.end() == 0


def fill_fast(folder, n):
    """Many entries, so that the tables have many pages; keys as store_client.c makes them."""
    fill(folder, 1)
    db = sqlite3.connect(folder / "revocations.db")
    rows = [(((i + 1) * 0x9e3779b97f4a7c15 % 2**64).to_bytes(8, sys.byteorder) + i.to_bytes(8, sys.byteorder),)
            for i in range(1, n)]
    with db:
        db.executemany("INSERT INTO revoked (k, exp, created, kind) VALUES (?, 2000000000, 1, 0)", rows)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def answers(client, numbers):
    return [client(f"ask {i}") for i in numbers]


def within(seconds, condition):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


# Processes that die


def test_killed_in_mid_write(folder):
    """Nothing acknowledged is lost, whatever moment the writer is killed at."""
    moment = random.Random(20)
    acknowledged, n = [], 0
    for _ in range(ROUNDS):
        with Client(folder) as writer:
            assert writer.first == "open", writer.first
            writer.send(f"write {n}")
            first = writer.line()
            stop = time.monotonic() + moment.uniform(0, 0.02)
            while time.monotonic() < stop:
                pass
            lines = [first, *writer.kill()]
        acknowledged += [int(line) for line in lines]
        n = acknowledged[-1] + 2
    with Client(folder) as reader:
        assert reader.first == "open"
        lost = [i for i in acknowledged if reader(f"ask {i}") != "revoked"]
        assert not lost and len(acknowledged) >= ROUNDS
        assert reader("check") == "ok"
        assert reader(f"ask {n + 5}") == "good"


def test_killed_readers_leave_nothing_behind(folder):
    fill(folder, 10)
    with Client(folder) as writer:
        for _ in range(5):
            with Client(folder) as reader:
                assert reader("ask 1") == "revoked"
                reader.kill()
        assert writer("add 11") == "ok"
        assert writer.end() == 0
    assert sorted(p.name for p in folder.iterdir()) == ["generation.page", "revocations.created",
                                                        "revocations.db"]


def test_killed_while_creating(folder):
    """A start that is killed leaves nothing that stops the next one."""
    moment = random.Random(21)
    for _ in range(20):
        process = subprocess.Popen([CLIENT, folder], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        stop = time.monotonic() + moment.uniform(0, 0.01)
        while time.monotonic() < stop:
            pass
        process.kill()
        process.communicate()
        with Client(folder) as client:
            assert client.first == "open", client.first
            assert client("add 1") == "ok"
            assert client.end() == 0
        for path in folder.iterdir():
            path.unlink()


def test_two_create_at_once(folder):
    for _ in range(10):
        clients = [Client(folder) for _ in range(4)]
        try:
            assert [client.first for client in clients] == ["open"] * 4
            for i, client in enumerate(clients):
                assert client(f"add {i}") == "ok"
            for client in clients:
                assert answers(client, range(4)) == ["revoked"] * 4
        finally:
            for client in clients:
                client.process.kill()
                client.process.wait()
        for path in folder.iterdir():
            path.unlink()


# Processes that hang


LOCKS = {
    "writer": "BEGIN IMMEDIATE; INSERT INTO mark VALUES (x'00', 1, 2, 3)",
    "reader": "BEGIN; SELECT count(*) FROM revoked",
}


def hold(folder, what):
    """A process that has begun that and hangs, stopped."""
    program = ("import sqlite3, sys, time\n"
               "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
               "for sql in sys.argv[2].split(';'): db.execute(sql).fetchall()\n"
               "print('held', flush=True)\n"
               "sys.stdin.read()\n")
    process = subprocess.Popen([sys.executable, "-c", program, folder / "revocations.db", what],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGSTOP)
    return process


@pytest.fixture
def hung(folder):
    held = []

    def start(what):
        held.append(hold(folder, what))
        return held[-1]
    yield start
    for process in held:
        process.kill()
        process.communicate()


def test_writer_stopped_with_the_lock(folder, hung):
    """Questions are answered, a revocation says in bounded time that it is not durable, a start succeeds."""
    fill(folder, 3)
    with Client(folder) as client:
        process = hung(LOCKS["writer"])
        assert answers(client, [0, 1, 2, 3]) == ["revoked", "revoked", "revoked", "good"]
        begin = time.monotonic()
        assert client("add 3") == "error"
        waited = time.monotonic() - begin
        assert WAIT * 0.5 < waited < DEADLINE / 2
        assert client("sweep 3000000000") == "0"
        assert within(5, lambda: any("locked" in line for line in client.log))
        with Client(folder) as second:
            assert second.first == "open"
            assert second("ask 0") == "revoked"
        process.kill()
        process.wait()
        assert client("add 3") == "ok"
        assert client("ask 3") == "revoked"


def test_reader_stopped(folder, hung):
    """Writers go on, and see what they wrote."""
    fill(folder, 3)
    with Client(folder) as client:
        hung(LOCKS["reader"])
        for i in range(10, 40):
            assert client(f"add {i}") == "ok"
        assert answers(client, range(10, 40)) == ["revoked"] * 30


def test_locked_by_somebody_at_start(folder, hung):
    """A start that cannot read says who is in the way, in bounded time."""
    fill(folder, 3)
    hung("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO mark VALUES (x'00', 1, 2, 3)")
    begin = time.monotonic()
    with Client(folder) as client:
        assert client.first.startswith("refused") and "locked" in client.first and "fuser" in client.first
        assert client.process.wait(DEADLINE) == 1
    assert time.monotonic() - begin < DEADLINE / 2


# Disks


def limit_files(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_no_room_to_write(folder):
    """Writing fails in time and is told; all that was acknowledged answers; room again, and it goes on."""
    with Client(folder, preexec_fn=lambda: limit_files(96 * 1024)) as client:
        assert client.first == "open"
        client.send("write 0")
        acknowledged = []
        while (line := client.line()) != "error":
            acknowledged.append(int(line))
        assert 5 < len(acknowledged) < 2000
        assert client(f"add {len(acknowledged)}") == "error"
        assert set(answers(client, acknowledged)) == {"revoked"}
        assert client(f"ask {len(acknowledged) + 9}") == "good"
        assert within(5, lambda: any("event=store" in line for line in client.log))
    with Client(folder) as client:
        assert client.first == "open"
        assert set(answers(client, acknowledged)) == {"revoked"}
        assert client(f"add {len(acknowledged)}") == "ok"
        assert client("check") == "ok"


def test_no_room_to_create(folder):
    """No room at the first start: said, and nothing is left that looks like a database."""
    with Client(folder, preexec_fn=lambda: limit_files(4096)) as client:
        assert client.first.startswith("refused"), client.first
    assert not list(folder.iterdir())
    fill(folder, 1)


def test_no_descriptors(folder):
    """No descriptor is left for the database: said, not taken for an empty one."""
    fill(folder, 1)
    for descriptors in range(3, 9):
        def limit(n=descriptors):
            resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
        with Client(folder, preexec_fn=limit) as client:
            if client.first == "open":
                assert client("ask 0") in ("revoked", "error")
            else:
                assert client.first is None or client.first.startswith("refused"), client.first
    with Client(folder) as client:
        assert client("ask 0") == "revoked"


# Rights


def test_folder_of_another(folder, nobody):
    """A folder that this user cannot write: named with owner and remedy."""
    fill(folder, 1)
    os.chmod(folder, 0o555)
    if os.geteuid() == 0:
        os.chown(folder, 0, 0)
    with Client(folder, **nobody) as client:
        assert client.first.startswith("refused")
        for word in (str(folder), "uid", "chgrp"):
            assert word in client.first
    os.chmod(folder, 0o700)


def test_file_of_another(folder, nobody):
    """A database that this user cannot write, in a folder that he can."""
    with Client(folder, **nobody) as client:
        assert client.first == "open"
        assert client.end() == 0
    os.chmod(folder / "revocations.db", 0o440)
    if os.geteuid() == 0:
        os.chown(folder / "revocations.db", 0, NOBODY)
    with Client(folder, **nobody) as client:
        assert client.first.startswith("refused")
        for word in ("revocations.db cannot be written", "uid", "0660"):
            assert word in client.first


def test_log_of_another(folder, nobody):
    """The write-ahead log of a database that this user may write is another's: named, too."""
    with Client(folder, **nobody) as client:
        assert client("add 1") == "ok"
        client.kill()
    (folder / "revocations.db-wal").chmod(0o400)
    if os.geteuid() == 0:
        os.chown(folder / "revocations.db-wal", 0, 0)
    with Client(folder, **nobody) as client:
        assert client.first.startswith("refused") and "revocations.db-wal cannot be written" in client.first


def test_rights_taken_away_while_running(folder, nobody):
    """What is open goes on; nothing is lost."""
    with Client(folder, **nobody) as client:
        assert client("add 1") == "ok"
        os.chmod(folder, 0o500)
        os.chmod(folder / "revocations.db", 0o400)
        assert client("ask 1") == "revoked"
        assert client("add 2") == "ok"
        os.chmod(folder, 0o700)
        os.chmod(folder / "revocations.db", 0o600)
    with Client(folder, **nobody) as client:
        assert answers(client, [1, 2]) == ["revoked", "revoked"]


def test_users_of_one_group(folder, nobody):
    """Several users, or one where the tests are not root's, share a folder 2770 of their group, in any order, under
    any umask."""
    group, users = os.getegid(), [{}] * 3
    if os.geteuid() == 0:
        group = 50000
        users = [{"user": uid, "group": uid, "extra_groups": [group]} for uid in (50001, 0, 50002)]
    os.chown(folder, os.geteuid(), group)
    os.chmod(folder, 0o2770)
    clients = []
    try:
        for number, user in enumerate(users):
            clients.append(Client(folder, program=nobody["program"], umask=0o077, **user))
            assert clients[-1].first == "open", clients[-1].first
            assert clients[-1](f"add {number}") == "ok"
        for client in clients:
            assert answers(client, [0, 1, 2, 3]) == ["revoked", "revoked", "revoked", "good"]
        for path in folder.iterdir():
            shown = path.name == "generation.page"  # web servers read it
            assert path.stat().st_mode & 0o777 == (0o664 if shown else 0o660), path
            assert path.stat().st_gid == group, path
    finally:
        for client in clients:
            client.process.kill()
            client.process.wait()


# Files


def overwrite(path, pages):
    with open(path, "r+b") as file:
        for page in pages:
            file.seek(page * 4096)
            file.write(bytes([0xa5]) * 4096)


def test_garbage_in_the_header(folder):
    fill(folder, 3)
    with open(folder / "revocations.db", "r+b") as file:
        file.write(b"this is not a database")
    with Client(folder) as client:
        assert client.first.startswith("refused") and "damaged" in client.first and "backup" in client.first


def test_cut_off(folder):
    """At every length: refused, or answered rightly."""
    fill_fast(folder, 2000)
    whole = (folder / "revocations.db").read_bytes()
    for size in (0, 1, 100, 511, 4095, 4096, 8192, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        (folder / "revocations.db").write_bytes(whole[:size])
        with Client(folder) as client:
            if client.first == "open":
                assert set(answers(client, range(0, 2000, 7))) <= {"revoked", "error"}
            else:
                assert client.first.startswith("refused"), client.first
        if size <= len(whole) - 4096:
            assert client.first.startswith("refused"), f"cut to {size} bytes: {client.first}"


def test_overwritten_pages(folder):
    """Pages overwritten while nothing ran: an error or the right answer, found by check."""
    fill_fast(folder, 5000)
    pages = (folder / "revocations.db").stat().st_size // 4096
    overwrite(folder / "revocations.db", range(10, pages, 3))
    with Client(folder) as client:
        if client.first == "open":
            got = answers(client, range(5000))
            assert set(got) <= {"revoked", "error"} and "error" in got
            assert client("check") != "ok"
            assert len([line for line in client.log if "event=store" in line]) < 20
        assert client.process.poll() in (None, 1)


def test_overwritten_and_killed(folder):
    """After an unclean end the pages are looked at before anything is answered."""
    fill_fast(folder, 5000)
    with Client(folder) as client:
        assert client("add 9000") == "ok"
        client.kill()
    pages = (folder / "revocations.db").stat().st_size // 4096
    overwrite(folder / "revocations.db", [pages - 7])
    with Client(folder) as client:
        assert client.first.startswith("refused") and "damaged" in client.first
    with Client(folder) as client:
        assert client.first.startswith("refused") and "damaged" in client.first, "and it stays so"


def test_cut_off_while_running(folder):
    """The answers are right or errors; the process lives."""
    fill_fast(folder, 5000)
    with Client(folder) as client:
        assert client("ask 1") == "revoked"
        os.truncate(folder / "revocations.db", 8192)
        got = answers(client, range(5000))
        assert set(got) <= {"revoked", "error"} and "error" in got
        assert client.process.poll() is None


def test_deleted_while_running(folder):
    """Within two seconds nothing is answered any more, and a new start refuses."""
    fill(folder, 3)
    with Client(folder) as client:
        assert client("ask 1") == "revoked"
        (folder / "revocations.db").unlink()
        assert client("add 5") == "error"
        assert within(5, lambda: client("ask 1") == "error")
        assert client("ask 7") == "error"
        with Client(folder) as second:
            assert second.first.startswith("refused") and "is gone" in second.first
        assert client("ask 7") == "error"
        assert within(5, lambda: any("deleted or replaced" in line for line in client.log))


def test_folder_deleted_while_running(folder):
    fill(folder, 3)
    with Client(folder) as client:
        moved = folder.with_name(folder.name + "-moved")
        folder.rename(moved)
        try:
            assert within(5, lambda: client("ask 1") == "error")
            assert client("add 5") == "error"
        finally:
            moved.rename(folder)
        assert within(5, lambda: client("ask 1") == "revoked")
        assert client("add 5") == "ok"


def test_replaced_while_running(folder):
    """A file put in its place answers as soon as it is noticed, and what others write into it is seen."""
    fill(folder, 3)
    shutil.copy(folder / "revocations.db", folder / "backup")
    os.chmod(folder / "backup", 0o600)
    with Client(folder) as client:
        assert client("add 9") == "ok"
        os.replace(folder / "backup", folder / "revocations.db")
        for name in ("revocations.db-wal", "revocations.db-shm"):
            (folder / name).unlink()
        with Client(folder) as second:
            assert second.first == "open"
            assert second("add 20") == "ok"
            assert within(5, lambda: client("ask 20") == "revoked")
            assert client("add 21") == "ok"
            assert second("ask 21") == "revoked"


def test_garbage_put_in_its_place_while_running(folder):
    fill(folder, 3)
    (folder / "garbage").write_bytes(b"\xa5" * 9000)
    (folder / "garbage").chmod(0o600)
    with Client(folder) as client:
        assert client("ask 1") == "revoked"
        os.replace(folder / "garbage", folder / "revocations.db")
        assert within(5, lambda: client("ask 1") == "error")
        assert client("ask 7") == "error"
        assert client.process.poll() is None
