# SPDX-License-Identifier: Apache-2.0
"""Signing in by JSON from any address, through a web server whose client is a trusted proxy."""

import http.client
import itertools
import json

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
    """Many logins over one connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)

    def status(self, user, password, address):
        self.connection.request("POST", TARGET, json.dumps({"username": user, "password": password}),
                                {"Content-Type": "application/json", "X-Forwarded-For": address})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def close(self):
        self.connection.close()


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
