# SPDX-License-Identifier: Apache-2.0
"""The program of tests/web/echo_server.c: a transport around a handler that tells what it was asked."""

import itertools
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import fastcgi
import http_bytes

BUILD_DIR = pathlib.Path(os.environ.get("BUILD_DIR") or pathlib.Path(__file__).resolve().parents[2] / "build")
PROGRAM = BUILD_DIR / "tests" / "web" / "echo_server"
PORTS = range(21000, 21100)
taken = itertools.count()


def free_address():
    """A TCP address that nobody listens on; another run of the tests takes another one."""
    for _ in PORTS:
        port = PORTS[(os.getpid() * 16 + next(taken)) % len(PORTS)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"tcp:127.0.0.1:{port}"
    raise OSError("no port is free")


class Echo:
    """A running server. Options are those of the program: threads=2, reads_body=1000, noop=True.

    With http=True it speaks HTTP, and so do connect, ask and check."""

    def __init__(self, address=None, family="unix", listen=True, stdin=subprocess.DEVNULL, environment=None,
                 preexec=None, http=False, **options):
        self.folder = tempfile.TemporaryDirectory(prefix="echo-")
        self.log_path = pathlib.Path(self.folder.name, "log")
        if address is None:
            address = free_address() if family == "tcp" else f"unix:{self.folder.name}/socket"
        self.address = address
        self.http = http
        command = [str(PROGRAM)]
        if listen:
            command += ["--listen", "http:" + address.removeprefix("tcp:") if http else address]
        for name, value in options.items():
            command.append("--" + name.replace("_", "-"))
            if value is not True:
                command.append(str(value))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, open(self.log_path, "wb") as log:
            manager.bind(f"{self.folder.name}/notify")
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=log, stderr=log, preexec_fn=preexec,
                env={**os.environ, "NOTIFY_SOCKET": f"{self.folder.name}/notify", **(environment or {})})
            if environment and "NOTIFY_SOCKET" in environment:
                fastcgi.wait_until_listening(address, self.process)
            else:
                self.wait_until_ready(manager)

    def wait_until_ready(self, manager):
        """It serves, or has ended: that is for the test to judge."""
        manager.settimeout(0.1)
        while self.process.poll() is None:
            try:
                assert manager.recv(100) == b"READY=1"
                return
            except TimeoutError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.stop()
        self.folder.cleanup()
        if kind is None:
            assert status == 0, f"ended with {status}"

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text()

    def connect(self, timeout=10):
        return (http_bytes if self.http else fastcgi).Connection(self.address, timeout)

    def ask(self, params=None, timeout=10, **how):
        """One request on a connection of its own."""
        if self.http:
            return http_bytes.request(self.address, timeout=timeout, **how)
        return fastcgi.request(self.address, params or {"A": "B"}, timeout=timeout, **how)

    def check(self):
        """Alive, and a client is answered."""
        assert self.process.poll() is None, self.log()
        answer = self.ask()
        assert answer.status == 200, answer
        assert self.http or answer.body in (b"A=B\n\n", b""), answer

    def stop(self, sign=signal.SIGTERM, timeout=30):
        """End it; gives its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def is_sanitized(self):
        """A sanitizer's own memory says nothing about the program's."""
        with open(f"/proc/{self.pid}/maps") as file:
            maps = file.read()
        return any(name in maps for name in ("libasan", "libtsan", "libubsan"))


def until(condition, timeout=10):
    """Wait until the condition holds; what it gave at last."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result or time.monotonic() > deadline:
            return result
        time.sleep(0.005)  # between two looks
