# SPDX-License-Identifier: Apache-2.0
"""Who is measured: one table, and starting and watching what stands in it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import fastcgi
from environment import MAX_CONNECTIONS, THREADS

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 10


class Failed(Exception):
    """The run cannot go on: a program does not start, or answers wrongly."""


@dataclass(frozen=True)
class Contestant:
    name: str  # also the folder in lighttpd
    what: str
    program: str  # as Environment.program takes it
    arguments: Callable  # of the environment; the listening socket is descriptor 0
    answer: str = "Variable-REMOTE_USER: alice"  # what the right answer's head contains
    verifies: bool = False  # it denies what must be denied, and has a store
    keeps_idle: bool = False  # idle connections cost it no thread
    of_many: bool = False  # one of many hosts: with memcached, and a profile of each user
    kind: str = ""  # of its tokens, by bench/mint; it is compared with OURS for that alone


# A further one is a line here: another issuer or store is a configuration of its own.
CONTESTANTS = [
    Contestant("libfcgi", "no-op authorizer on libfcgi, 8 threads", "bench/floor_libfcgi", lambda environment: ["8"]),
    Contestant("own-loop", f"no-op authorizer on the own FastCGI layer, {THREADS} threads", "tests/web/echo_server",
               lambda environment: ["--noop", "-w", str(THREADS), "-c", str(MAX_CONNECTIONS)],
               answer="Variable-REMOTE_USER: noop", keeps_idle=True),
    Contestant("auth-verify", f"HS256 and a durable revocation look-up, {THREADS} threads", "auth-verify",
               lambda environment: ["-c", environment.configuration("auth-verify"), "-w", str(THREADS)],
               verifies=True, keeps_idle=True),
    Contestant("memcached", "the same as one of many hosts: revocation and profile in one answer of memcached",
               "auth-verify",
               lambda environment: ["-c", environment.configuration_of_many("memcached"), "-w", str(THREADS)],
               verifies=True, of_many=True),
]
OURS = "auth-verify"


def of_kind(kind):
    """auth-verify with an issuer whose tokens are of that kind."""
    return Contestant(kind, f"auth-verify with tokens of {kind}, seen before", OURS,
                      lambda environment: ["-c", environment.configuration(kind, issuer=environment.minted(kind)),
                                           "-w", str(THREADS)], kind=kind)


KINDS = [of_kind(kind) for kind in ("RS256", "PS256", "ES256", "EdDSA", "A256GCM", "A256CBC-HS512")]


def listening_socket(path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(1024)
    return listening


class Process:
    """A started program: its cost, its end."""

    def __init__(self, command, log, stdin=subprocess.DEVNULL, environment=None):
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen([str(word) for word in command], stdin=stdin, stdout=output,
                                            stderr=subprocess.STDOUT, env=environment)
        self.pid = self.process.pid

    def cpu_seconds(self):
        """Of all its threads, user and system."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self):
        """Resident memory in bytes."""
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self):
        with open(self.log, errors="replace") as file:
            return "".join(file.readlines()[-5:]).strip()


class Server(Process):
    """A contestant that answers on its socket."""

    def __init__(self, contestant, environment):
        self.contestant, self.name = contestant, contestant.name
        self.token = environment.minted(contestant.kind).text if contestant.kind else environment.token
        self.path = environment.folder / f"{contestant.name}.sock"
        self.address = f"unix:{self.path}"
        command = [environment.program(contestant.program), *contestant.arguments(environment)]
        log = environment.folder / f"{contestant.name}.log"
        with listening_socket(self.path) as listening:
            super().__init__(command, log, listening)

    def ask(self, parameters):
        return fastcgi.request(self.address, parameters)

    def wait_until_ready(self, parameters):
        """The first answer must be an allow."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                answer = self.ask(parameters)
                break
            except (OSError, fastcgi.FastCgiError) as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"{self.name} does not answer ({error}): {self.last_words()}") from error
                time.sleep(0.01)
        if answer.status != 200:
            raise Failed(f"{self.name} answers {answer.status} to a good token: {self.last_words()}")

    def check_forged(self, environment):
        forged = environment.minted(self.contestant.kind).forged()
        if self.ask(environment.parameters(forged)).status != 401:
            raise Failed(f"{self.name} takes a forged token")

    def check_denials(self, environment):
        """What is measured really verifies and really looks revocations up."""
        if self.contestant.kind:
            self.check_forged(environment)
        if not self.contestant.verifies:
            return
        revoked = environment.issuer.token()
        if self.ask(environment.parameters(revoked)).status != 200:
            raise Failed(f"{self.name} denies a second good token")
        make = environment.configuration_of_many if self.contestant.of_many else environment.configuration
        if not environment.revoke(revoked, make("revoke")):
            raise Failed("auth-logout does not revoke")
        cases = {"no token": None, "a forged token": environment.issuer.token(b"another secret" * 4),
                 "a revoked token": revoked}
        for what, token in cases.items():
            status = self.ask(environment.parameters(token)).status
            if status != 401:
                raise Failed(f"{self.name} answers {status} to {what}")
