# SPDX-License-Identifier: Apache-2.0
"""Signing in by JSON from any address, through a web server whose client is a trusted proxy."""

import collections
import concurrent.futures
import itertools
import json
import socket

import harness
import tokens

TARGET = "/auth/login"
#: Every test has addresses of its own.
NETWORKS = itertools.count(1)


def sections(**login):
    """A site that believes the tests about their address, and hashes cheaply."""
    return {"server": {"trusted-proxies": "127.0.0.1"}, "login": {"password-cost": "4"} | login}


def addresses():
    """Addresses of one network after the other."""
    network = next(NETWORKS)
    return (f"10.{network >> 8}.{network & 255}.{last}" for last in itertools.count(1))


def ask(site, target, fields, address, *headers):
    return site.request(target, [f"X-Forwarded-For: {address}", "Content-Type: application/json", *headers],
                        method="POST", body=json.dumps(fields).encode())


def log_in(site, user, password, address):
    answer = ask(site, TARGET, {"username": user, "password": password}, address)
    if answer.status == 200:
        tokens.sensitive(answer.json["token"])
    return answer


class Guesser:
    """Many logins over one connection, with as little work as there can be on this side."""

    def __init__(self, port):
        self.port = port
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), 15)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def close(self):
        self.stream.close()
        self.socket.close()

    def status(self, user, password, address):
        body = json.dumps({"username": user, "password": password}).encode()
        head = (f"POST {TARGET} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Forwarded-For: {address}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        self.socket.sendall(head.encode() + body)
        return self._read()

    def _read(self):
        status, length, keep = int(self.stream.readline().split()[1]), 0, True
        for line in iter(self.stream.readline, b"\r\n"):
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            keep = keep and (name, value.strip()) != (b"connection", b"close")
        self.stream.read(length)
        if not keep:
            self.close()
            self.connect()
        return status


def restart(site, name="login"):
    service = site.services[name]
    assert all(status == 0 for status in service.stop())
    service.start()


def wait_until_let_in(site, user, password, address):
    """The status of the first answer that is not "locked"."""
    return harness.wait_for("the end of the lock", lambda: site_status(site, user, password, address), 15)


def site_status(site, user, password, address):
    status = log_in(site, user, password, address).status
    return status if status != 423 else None


class Attack:
    """Guesses over kept connections to some sites in turn, by so many threads at once."""

    def __init__(self, sites, threads=4):
        self.ports, self.threads = [site.port for site in sites], threads
        self.statuses = collections.Counter()

    def run(self, guesses):
        """guesses: (user, password, address) of each."""
        work = list(guesses)
        with concurrent.futures.ThreadPoolExecutor(self.threads) as pool:
            parts = [pool.submit(self._part, work[i::self.threads], i) for i in range(self.threads)]
            for part in parts:
                self.statuses.update(part.result())
        return self.statuses

    def _part(self, work, number):
        guessers = [Guesser(port) for port in self.ports]
        try:
            return collections.Counter(guessers[(number + i) % len(guessers)].status(*guess)
                                       for i, guess in enumerate(work))
        finally:
            for guesser in guessers:
                guesser.close()
