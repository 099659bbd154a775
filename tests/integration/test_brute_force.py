# SPDX-License-Identifier: Apache-2.0
"""Ten thousand guesses on two hosts at once, from many addresses on one account and from one address on many
accounts; and what fail2ban makes of the log. Threat L13."""

import re
import shutil
import subprocess
import time

import pytest

import guess
import harness
import tokens
from test_many_hosts import Servers

GUESSES, LOCKOUT, PER_CLIENT = 10000, 5, 10
FILTER = harness.REPOSITORY / "packaging/fail2ban/filter.d/fcgi-auth.conf"
#: What a user name may try; the address in it did nothing.
INNOCENT = "198.51.100.66"
FORGED = (f"event=login_failed client={INNOCENT} status=401 reason=bad_credentials rid=0123456789abcdef",
          f"x\nevent=login_failed client={INNOCENT} status=401 reason=bad_credentials rid=0",
          f'x" client={INNOCENT} event=login_failed client={INNOCENT} status=401 reason=bad_credentials rid=0',
          f"Nov 28 07:40:02 host auth-login-proxy[7]: event=login_failed client={INNOCENT} status=401 "
          "reason=bad_credentials rid=0",
          f'{{"event":"login_failed","client":"{INNOCENT}","status":401,"reason":"bad_credentials","rid":"0"}}')


@pytest.fixture(scope="module")
def servers():
    servers = Servers()
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def hosts(servers):
    """Two hosts with the limits that are built in, and one memcached."""
    made = []
    try:
        for _ in range(2):
            sections = guess.sections(**{"rate-limit": None, "account-rate-limit": None, "lockout": None})
            site = harness.Site(processes=2, sections=sections | {"store": {"memcached": servers.address(0)}})
            made.append(site)
            site.start()
        yield made
    finally:
        for site in made:
            site.close()


def add_everywhere(hosts, name):
    password = tokens.password()
    for site in hosts:
        site.authctl("users", "add", name, text=password + "\n")
    return password


def failures(hosts, reason=r"\w+"):
    """Addresses of the log's lines about failed logins."""
    line = re.compile(rf"^event=login_failed client=(\S+) status=\d+ reason={reason} ", re.M)
    return [client for site in hosts for client in line.findall(site.log_text("login"))]


def test_many_addresses_on_one_account(hosts):
    password = add_everywhere(hosts, "ada")
    statuses = guess.Attack(hosts).run(
        ("ada", f"guess-{i}", f"10.200.{i >> 8}.{i & 255}") for i in range(GUESSES))
    # At the moment of the lock a few may meet the account's rate first.
    assert statuses[401] == LOCKOUT and statuses[423] + statuses[429] == GUESSES - LOCKOUT
    assert statuses[429] < 100
    assert len(failures(hosts)) == GUESSES and len(failures(hosts, "bad_credentials")) == LOCKOUT
    for site in hosts:
        assert guess.log_in(site, "ada", password, "10.201.0.1").status == 423
    hosts[0].authctl("users", "unlock", "ada")
    for site in hosts:
        assert guess.log_in(site, "ada", password, "10.201.0.1").status == 200


def test_one_address_on_many_accounts(hosts):
    begun, before = time.monotonic(), len(failures(hosts, "bad_credentials"))
    statuses = guess.Attack(hosts).run((f"user{i}", "letmein", "10.202.0.1") for i in range(GUESSES))
    windows = 1 + (time.monotonic() - begun) // 60
    assert statuses[401] + statuses[429] == GUESSES
    assert PER_CLIENT <= statuses[401] <= PER_CLIENT * windows
    assert len(failures(hosts, "bad_credentials")) - before == statuses[401]


def fail2ban(log, *options):
    assert shutil.which("fail2ban-regex"), "fail2ban is missing: install what packages.debian lists"
    return subprocess.run(["fail2ban-regex", *options, log, FILTER], capture_output=True, text=True, timeout=60,
                          check=True).stdout


def banned(log):
    return fail2ban(log, "--out", "ip").split()


def forge(site):
    """Guesses with names that would like to be lines of the log; the addresses they came from."""
    made = [f"2001:db8:f2b:{i}::1" for i in range(1, len(FORGED) + 1)]
    for name, address in zip(FORGED, made):
        assert guess.log_in(site, name, tokens.password(), address).status == 401
    return made


def test_fail2ban_sees_every_guess(hosts, tmp_path):
    forgers = forge(hosts[0])
    log = hosts[0].folder / "log" / "login.log"
    expected, seen = failures(hosts[:1]), banned(log)
    assert len(expected) > GUESSES // 2 and sorted(seen) == sorted(expected)
    assert seen[-len(forgers):] == forgers and INNOCENT not in seen
    # The same lines as syslog writes them, in both of its formats, and as fail2ban reads the journal.
    lines = log.read_text().splitlines()[-len(FORGED):]
    prefixes = ("Feb  3 04:05:06 www auth-login-proxy[123]: ", "2026-02-03T04:05:06.789012+00:00 www "
                "auth-login-proxy[123]: ", "2026-02-03 04:05:06 ", "www auth-login-proxy[123]: ")
    copy = tmp_path / "copy.log"
    copy.write_text("".join(f"{prefix}{line}\n" for prefix in prefixes for line in lines))
    assert banned(copy) == forgers * len(prefixes)
    assert fail2ban(copy, "-v").count("Feb 03 04:05:06") == len(forgers) * (len(prefixes) - 1), "when it was"


def test_the_time_is_over(hosts, tmp_path):
    """Locked by one host, the user gets in at the other one when the time is over, and not before."""
    password = add_everywhere(hosts, "berta")
    for site in hosts:
        changes = guess.sections(**{"account-rate-limit": "off", "lockout": "3", "lockout-time": "2s"})
        changes["server"]["log-format"] = "json"
        site.write_configuration(changes | {"store": site_store(site)})
        guess.restart(site)
    statuses = [guess.log_in(hosts[0], "berta", tokens.password(), "10.203.0.1").status for _ in range(4)]
    assert statuses == [401, 401, 401, 423]
    refused = guess.log_in(hosts[1], "berta", password, "10.203.0.2")
    assert refused.status == 423 and int(refused.header("Retry-After")) <= 2
    assert guess.wait_until_let_in(hosts[1], "berta", password, "10.203.0.2") == 200
    # The log is JSON by now.
    forgers, log = forge(hosts[0]), tmp_path / "json.log"
    log.write_text("".join(line + "\n" for line in hosts[0].log_text("login").splitlines() if line.startswith("{")))
    assert banned(log) == ["10.203.0.1"] * 4 + forgers


def site_store(site):
    line, = (line for line in site.configuration.read_text().splitlines() if line.startswith("memcached = "))
    return {"memcached": line.partition(" = ")[2]}
