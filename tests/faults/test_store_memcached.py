# SPDX-License-Identifier: Apache-2.0
"""The store of many hosts on real memcached servers, when servers and hosts die, hang, restart empty and fill up. A
host is a state-dir and the processes that use it. What an add has acknowledged no other host calls good a second
later."""

import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from test_store_faults import CLIENT, DEADLINE, Client, within

SEED = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(2**32)))
GOOD_START = ["-M", "-F", "-n", "40"]
SECOND = 1000  # milliseconds
SETTLES = 15  # seconds: far more than anything here takes

pytestmark = pytest.mark.skipif(not shutil.which("memcached"), reason="needs memcached (packages.debian)")


class Server:
    """A memcached on a unix socket."""

    def __init__(self, path, options=()):
        self.path, self.options, self.process = path, list(options) or GOOD_START, None
        self.start()

    @property
    def address(self):
        return f"unix:{self.path}"

    def start(self):
        self.path.unlink(missing_ok=True)
        user = ["-u", "root"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(["memcached", *user, "-t", "2", "-s", self.path, *self.options],
                                        stderr=subprocess.DEVNULL)
        assert within(DEADLINE, self.answers)

    def answers(self):
        try:
            return self.say("version", 1).startswith("VERSION")
        except OSError:
            return False

    def say(self, line, seconds=DEADLINE):
        """One command, with its data line if it has one; the answer's text."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(seconds)
            s.connect(str(self.path))
            s.sendall(line.encode() + b"\r\n")
            got = b""
            while not re.search(rb"(^|\n)(END|STORED|NOT_STORED|DELETED|NOT_FOUND|EXISTS|VERSION.*|SERVER_ERROR.*"
                                rb"|OK)\r\n$", got):
                data = s.recv(65536)
                assert data, got
                got += data
        return got.decode()

    def value(self, key):
        """Or None."""
        answer = self.say(f"get {key}").split("\r\n")
        return answer[1] if len(answer) > 2 else None

    def keys(self, letter):
        """Names of the items of that class; now and then memcached leaves one out that it is moving about."""
        dump = self.say("lru_crawler metadump all")
        return sorted(unquote(key) for key in re.findall(r"^key=(\S+)", dump, re.M) if key.startswith(letter))

    def fill(self):
        """Until it has no room left for items of a revocation's size."""
        number, answer = 0, ""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(DEADLINE)
            s.connect(str(self.path))
            while "out of memory" not in answer:
                s.sendall(b"".join(b"set x%022d 0 0 6\r\nfiller\r\n" % (number + i) for i in range(100)))
                number, answer = number + 100, ""
                while answer.count("\n") < 100:
                    answer += s.recv(65536).decode()

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def restart(self):
        self.kill()
        self.start()

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


def own_key(letter, host=None, namespace=b"fcgi-auth"):
    """What memcache_key.h calls the keys of the farm itself."""
    h = 0x6c62272e07bb014262b821756295c58d
    for byte in namespace:
        h = (h ^ byte) * 0x0000000001000000000000000000013b % 2**128
    short = h ^ h >> 32 ^ h >> 64 ^ h >> 96
    return f"{letter}{short % 2**32:08x}" + (f":{host}" if host else "")


def fnv(text):
    """What a host calls a server in its list."""
    h = 0x811c9dc5
    for byte in text:
        h = (h ^ byte) * 0x01000193 % 2**32
    return h


def id_of(client):
    return re.search(r"this host is (\w{16})", lines(client)[0]).group(1)


class Farm:
    """Servers, hosts and their processes; everything ends with it."""

    def __init__(self, servers):
        self.folder = Path(tempfile.mkdtemp(prefix="farm-"))
        self.servers = [Server(self.folder / f"s{i}") for i in range(servers)]
        self.processes = []
        self.states = {}

    def host(self, name, *arguments, servers=None):
        """A process on that host, with the store open."""
        state = self.states.setdefault(name, self.folder / name)
        state.mkdir(mode=0o700, exist_ok=True)
        addresses = ",".join(server.address for server in (servers or self.servers))
        process = Client(state, program=CLIENT, arguments=[f"servers={addresses}", *arguments])
        assert process.first == "open", process.first
        self.processes.append(process)
        return process

    def close(self):
        for process in self.processes:
            process.__exit__()
        for server in self.servers:
            server.go_on()
            server.kill()
        shutil.rmtree(self.folder)


@pytest.fixture(name="farm")
def make_farm():
    print("TEST_SEED", SEED)
    farm = Farm(2)
    yield farm
    farm.close()


@pytest.fixture(name="one")
def make_farm_of_one_server():
    farm = Farm(1)
    yield farm
    farm.close()


def lines(client):
    return client("describe").rstrip("|").split("|")


def trusted(client):
    """How many servers' answers count."""
    return len([line for line in lines(client) if line.startswith("ok memcached")])


def settled(*clients, servers=2):
    return within(SETTLES, lambda: all(trusted(client) == servers for client in clients))


def watch(client, number, ms):
    """Ask for so long: how often which answer came, and when the last good one did."""
    client.send(f"watch {number} {ms}")


def watched(client):
    return {key: int(value) for key, value in (pair.split("=") for pair in client.line().split())}


def becomes(client, number, want):
    """Within a few seconds; what is revoked is never called good meanwhile."""
    def look():
        answer = client(f"ask {number}")
        assert want == "good" or answer != "good"
        return answer == want
    return within(SETTLES, look)


def never_good_after(acknowledged, got):
    assert got["last"] <= acknowledged + SECOND, got
    assert got["good"] + got["revoked"] + got["error"] > 0


# Without faults


def test_every_host_knows_at_once(farm):
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    watch(b, 1, 1500)
    assert a("add 1") == "ok"
    acknowledged = int(a("time"))
    got = watched(b)
    never_good_after(acknowledged, got)
    assert got["revoked"] > got["error"], "a call may time out on a busy machine"
    assert b("ask 2") == "good"
    assert a("user 3 1234") == "ok" and b("since 3") == "1234"
    assert b("user 3 1000") == "ok" and a("since 3") == "1234" == b("since 3"), "a mark is only ever raised"
    assert a("record 4 {some text}") == "ok" and b("get 4") == "{some text}" and b("get 5") == "none"
    assert a("remove 1") == "yes" and a("ask 1") == "good" == b("ask 1")


def test_both_lists_are_local(farm):
    a, b = farm.host("a"), farm.host("b")
    assert a("add 1") == "ok"
    assert a("list") == "1" and b("list") == "0"
    assert a("check") == "ok" == b("check")


@pytest.mark.parametrize("expires", [29 * 86400, 31 * 86400, 400 * 86400, 2**31 - 1 - int(time.time()),
                                     2**33, 2**62], ids=str)
def test_far_ends(farm, expires):
    """memcached takes more than 30 days for a date, and does not know all dates."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a(f"add 1 {int(time.time()) + expires}") == "ok"
    assert b("ask 1") == "revoked"
    farm.servers[0].restart()
    farm.servers[1].restart()
    assert becomes(b, 1, "revoked")


def test_expired_is_kept_for_a_while(farm):
    """A clock that was set back must not make it good."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a(f"add 1 {int(time.time()) - 60}") == "ok"
    assert b("ask 1") == "revoked"


def test_namespaces_do_not_meet(farm):
    a, other = farm.host("a"), farm.host("other", "namespace=other")
    assert a("add 1") == "ok"
    assert other("ask 1") == "good"
    assert not any("host" in line and "runs" in line for line in lines(other))


def test_tools_use_the_link_of_others(farm):
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    tool = farm.host("a", "lasting=0")
    assert tool("add 1") == "ok" and b("ask 1") == "revoked" and tool("ask 2") == "good"
    alone = farm.host("c", "lasting=0")
    assert alone("ask 1") == "error", "nobody keeps the link of this host"
    assert lines(alone)[0].startswith("bad no program of this host keeps the link")


# Servers that fail


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_one_server_fails(farm, fault):
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a("add 1") == "ok"
    getattr(farm.servers[0], fault)()
    for number in range(2, 12):
        watch(b, number, 300)
        said, acknowledged = a(f"add {number}"), int(a("time"))
        got = watched(b)
        if said == "ok":
            never_good_after(acknowledged, got)
    assert within(SETTLES, lambda: a("add 20") == "ok"), "the other server is enough"
    assert within(SETTLES, lambda: b("ask 1") == "revoked" and b("ask 99") == "good")
    assert all(becomes(b, number, "revoked") for number in range(1, 12))
    assert any(line.startswith(f"bad memcached {farm.servers[0].address} does not answer") for line in lines(a))


@pytest.mark.parametrize("which", [[0], [1], [0, 1]], ids=str)
def test_restarted_empty(farm, which):
    """Each host writes what it knows again, and before that the server's answers count for nothing."""
    a, b, c = farm.host("a"), farm.host("b"), farm.host("c")
    assert settled(a, b, c)
    for number in range(300):
        assert (a, b)[number % 2](f"add {number}") == "ok"
    for i in which:
        farm.servers[i].restart()
    choice = random.Random(SEED)
    stop = time.monotonic() + 3
    while time.monotonic() < stop:
        assert c(f"ask {choice.randrange(300)}") in ("revoked", "error")
    assert settled(a, b, c)
    assert all(c(f"ask {number}") == "revoked" for number in range(300))
    assert c("ask 1000") == "good"


def test_all_servers_fail(farm):
    a, b = farm.host("a"), farm.host("b")
    local = farm.host("b", "on-failure=local", "lasting=0")
    assert settled(a, b)
    for server in farm.servers:
        server.kill()
    assert a("add 1") == "partial"
    assert a("ask 1") == "revoked", "durable on this host"
    assert within(SETTLES, lambda: b("ask 1") == "error")
    assert local("ask 1") == "good" and local("ask 2") == "good"
    assert a("record 2 text") == "partial" and b("get 2") == "error"
    for server in farm.servers:
        server.start()
    assert within(SETTLES, lambda: b("ask 1") == "revoked"), "told as soon as they could be"
    assert within(SETTLES, lambda: b("get 2") == "text")


def test_a_hanging_server_costs_little(farm):
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    farm.servers[0].hang()
    slowest = 0
    for number in range(200):
        begun = time.monotonic()
        assert b(f"ask {number}") in ("good", "error")
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 0.5, "a few calls time out, and then it is left alone"
    farm.servers[0].go_on()
    assert settled(a, b)


def test_put_into_a_hanging_server(farm):
    """What a server carries out late, when it goes on, takes nothing back."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    farm.servers[0].hang()
    said = [a(f"add {number}") for number in range(5)]
    assert a("remove 0") == "partial"
    said[0] = a("add 0")
    acknowledged = int(a("time"))
    farm.servers[0].go_on()
    for number in range(5):
        watch(b, number, 300)
        got = watched(b)
        if said[number] == "ok":
            never_good_after(acknowledged, got)
    assert within(SETTLES, lambda: all(b(f"ask {number}") == "revoked" for number in range(5)))
    assert settled(a, b)
    assert within(SETTLES, lambda: all(len(server.keys("r")) == 5 for server in farm.servers))


@pytest.mark.parametrize("options, word", [(["-F"], "start it with -M"), (["-M", "-C"], "was started with -C"),
                                           (["-m", "1", "-I", "512k"], "start it with -M")], ids=str)
def test_unfit_server(farm, options, word):
    """It could forget a revocation at any time: it is never believed, and people are told what to do."""
    farm.servers[0].options = options
    farm.servers[0].restart()
    a, b = farm.host("a"), farm.host("b")
    assert within(SETTLES, lambda: any(word in line and line.startswith("bad ") for line in lines(a)))
    assert within(SETTLES, lambda: trusted(a) == 1 == trusted(b))
    assert within(SETTLES, lambda: a("add 1") == "ok")
    assert b("ask 1") == "revoked" and b("ask 2") == "good"
    assert within(SETTLES, lambda: any(word in line for line in a.log))


def test_full_server(farm):
    """One that has no memory left says so; what it did not take it does not vouch for."""
    farm.servers[0].options = ["-M", "-F", "-n", "40", "-m", "2"]
    farm.servers[0].restart()
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a("add 0") == "ok"
    farm.servers[0].fill()
    for number in range(1, 10):
        watch(b, number, 200)
        said, acknowledged = a(f"add {number}"), int(a("time"))
        got = watched(b)
        if said == "ok":
            never_good_after(acknowledged, got)
    assert within(SETTLES, lambda: any("no memory left" in line for line in a.log))
    assert within(SETTLES, lambda: a("add 20") == "ok"), "the other one is enough"
    assert all(becomes(b, number, "revoked") for number in [*range(10), 20])


# Hosts that fail


def test_killed_after_acknowledging(farm):
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    for number in range(50):
        assert a(f"add {number}") == "ok"
    a.kill()
    assert all(b(f"ask {number}") == "revoked" for number in range(50))
    assert b("ask 100") == "good", "a host that died is no obstacle while the servers have all it promised"
    assert b("add 51") == "ok"


def test_server_lost_while_a_host_is_dead(farm):
    """What only the dead host knows nobody can tell, until it is back or given up."""
    a, b = farm.host("a", "host-timeout=4000"), farm.host("b", "host-timeout=4000")
    assert settled(a, b)
    assert a("add 1") == "ok"
    a.kill()
    farm.servers[0].restart()
    assert b("ask 1") == "revoked", "the other server has it"
    farm.servers[1].restart()
    assert within(SETTLES, lambda: b("ask 1") == "error")
    assert b("add 2") in ("ok", "partial")
    again = farm.host("a", "host-timeout=4000")
    assert settled(again, b)
    assert b("ask 1") == "revoked"
    again.kill()
    for server in farm.servers:
        server.restart()
    assert within(SETTLES, lambda: b("ask 9") == "good"), "after host-timeout it is not waited for"
    assert any("not waited for any more" in line for line in lines(b))


def test_partial_while_a_host_is_dead(farm):
    """Without one of the servers an acknowledgement needs that every other host has heard of it."""
    a, b, c = farm.host("a"), farm.host("b"), farm.host("c")
    assert settled(a, b, c)
    c.kill()
    assert a("add 1") == "ok", "every server has it"
    farm.servers[0].kill()
    assert within(SETTLES, lambda: any("does not answer" in line for line in lines(a)))
    assert a("add 2") == "partial" and a("ask 2") == "revoked"
    again = farm.host("c")
    assert within(SETTLES, lambda: a("add 3") == "ok")
    assert within(SETTLES, lambda: again("ask 2") == "revoked" == b("ask 2"))


def test_at_rest(farm):
    """A host that ends in good order leaves everything behind; the next start goes on where it was."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a("add 1") == "ok"
    assert a.end() == 0
    assert within(SETTLES, lambda: any("has ended in good order" in line for line in lines(b)))
    assert b("ask 1") == "revoked" and b("ask 2") == "good" and b("add 3") == "ok"
    a = farm.host("a")
    generations = [server.value(own_key("g", id_of(a))) for server in farm.servers]
    assert settled(a, b)
    assert a("ask 3") == "revoked" and a("ask 2") == "good"
    assert [server.value(own_key("g", id_of(a))) for server in farm.servers] == generations
    assert not any("lacks revocations" in line for line in a.log), "nothing had to be written again"


def test_reboot(farm):
    """Without the page, which is worth nothing after a boot, it goes on by what is in the file."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a("add 1") == "ok"
    farm.servers[0].hang()
    assert within(SETTLES, lambda: a("add 2") == "ok")
    key, hung = own_key("h", id_of(a)), f"{fnv(farm.servers[0].address.encode()):08x}"
    last = farm.servers[1].value(key).split()[4]
    a.kill()
    (farm.states["a"] / "farm.page").unlink()
    a = farm.host("a")
    marks = [farm.servers[1].value(key).split() for _ in range(1000)]
    assert marks[-1][4] > last and all(hung in mark[7] for mark in marks), "it still is not vouched for"
    assert becomes(b, 2, "revoked")
    assert not any("lacks revocations" in line for line in a.log)
    farm.servers[0].go_on()
    assert settled(a, b)
    assert a("ask 1") == "revoked" and b("ask 2") == "revoked"


def test_cut_off_for_long(farm):
    """Who was away for about host-timeout makes himself known before he believes anything."""
    a, b = farm.host("a", "host-timeout=4000"), farm.host("b", "host-timeout=4000")
    assert settled(a, b)
    assert a("add 1") == "ok"
    for server in farm.servers:
        server.hang()
    assert a("add 2") == "partial"
    stop = time.monotonic() + 4
    while time.monotonic() < stop:
        assert b("ask 1") in ("revoked", "error")
    for server in farm.servers:
        server.go_on()
    assert settled(a, b)
    assert within(SETTLES, lambda: b("ask 2") == "revoked")
    assert b("ask 1") == "revoked" and a("add 3") == "ok" and b("ask 3") == "revoked"


def test_page_deleted(farm):
    a, b = farm.host("a"), farm.host("b")
    second = farm.host("a")
    assert settled(a, b, second)
    (farm.states["a"] / "farm.page").unlink()
    assert within(SETTLES, lambda: any("farm.page was deleted" in line for line in a.log) and
                  any("farm.page was deleted" in line for line in second.log))
    assert settled(a, b, second)
    assert a("add 1") == "ok" and b("ask 1") == "revoked"


def test_a_host_joins(farm):
    a = farm.host("a")
    assert a("add 1") == "ok"
    b = farm.host("b")
    assert settled(a, b)
    assert b("ask 1") == "revoked" and b("ask 2") == "good"
    assert b("add 3") == "ok" and a("ask 3") == "revoked"
    assert [line for line in lines(a) if " host " in line and "runs" in line]


def test_takeover(farm):
    """When the process that keeps the link dies, another one of the host goes on at once."""
    b = farm.host("b")
    first = farm.host("a")
    second = farm.host("a")
    assert settled(first, second, b)
    watch(second, 1, 3000)
    first.kill()
    got = watched(second)
    assert got["good"] > got["error"], got
    assert second("add 2") == "ok" and b("ask 2") == "revoked"
    assert settled(second, b)


def test_lists_are_durable_before_they_are_echoed(farm):
    """Of a host that is played here: whatever it wrote between two marks that were read, the newest list is in the file
    of whoever has echoed a mark with it."""
    b = farm.host("b")
    assert settled(b)
    played, mine = "00000000000000aa", id_of(b)
    own = farm.servers[0].value(own_key("h", mine)).split()
    listed = f"{fnv(farm.servers[0].address.encode()):08x}"

    def put(letter, value, *servers):
        for server in servers:
            server.say(f"set {own_key(letter, played if letter == 'h' else None)} 0 0 {len(value)}\r\n{value}")

    def echoed(server):
        return f"{played}:" in server.value(own_key("h", mine)) and \
            server.value(own_key("h", mine)).split(played + ":")[1][:16]

    def kept():
        with sqlite3.connect(farm.states["b"] / "revocations.db") as db:
            return db.execute("SELECT sequence, without FROM host WHERE id = ?", (played,)).fetchone()

    def mark(sequence, since, without):
        return f"1 {played} 00000000000000bb W {sequence:016x} {since:016x} {own[6]} {without} -"

    put("h", mark(3, 3, listed), *farm.servers)
    put("m", f"{mine} {played}", *farm.servers)
    assert within(SETTLES, lambda: echoed(farm.servers[0]) == f"{3:016x}")
    assert kept() == (3, listed)
    assert within(SETTLES, lambda: trusted(b) == 1), "the other one is still vouched for"
    put("h", mark(7, 7, listed), farm.servers[1])
    assert within(SETTLES, lambda: echoed(farm.servers[1]) == f"{7:016x}")
    assert kept() == (7, listed), "the same list again, but another one may have been between"
    put("h", mark(5, 5, "-"), farm.servers[0])
    b.kill()
    farm.servers[1].restart()
    (farm.states["b"] / "farm.page").unlink()
    b = farm.host("b")
    assert within(SETTLES, lambda: echoed(farm.servers[0]) == f"{5:016x}")
    assert b("ask 1") == "error", "an older list is not believed"
    put("h", mark(9, 9, "-"), *farm.servers)
    assert settled(b) and kept() == (9, "")


def test_roster_lost(farm):
    """Hosts that know each other go on, and write the list anew."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    roster = own_key("m")
    for change in (f"delete {roster}", f"set {roster} 0 0 7\r\ngarbage"):
        for server in farm.servers:
            server.say(change)
        assert within(SETTLES, lambda: len(farm.servers[0].value(roster) or "") == 33)
        assert a("add 1") == "ok" and b("ask 1") == "revoked" and b("ask 2") == "good"


@pytest.mark.parametrize("letter", ["g", "h"])
def test_sentinel_or_mark_lost(farm, letter):
    """Somebody deletes what stands for a whole server: it is not believed until it is whole again."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a("add 1") == "ok"
    for server in farm.servers:
        for host in a, b:
            server.say(f"delete {own_key(letter, id_of(host))}")
    stop = time.monotonic() + 2
    while time.monotonic() < stop:
        assert b("ask 1") in ("revoked", "error")
    assert settled(a, b)
    assert b("ask 1") == "revoked" and b("ask 2") == "good"


def test_other_servers_than_the_others(farm):
    """Lists that differ are a mistake: it is said, and nothing is believed because of it."""
    third = Server(farm.folder / "s9")
    farm.servers.append(third)
    a = farm.host("a", servers=farm.servers[:2])
    b = farm.host("b", servers=farm.servers[1:])
    assert within(SETTLES, lambda: any("has other servers than this host" in line for line in lines(a)))
    assert within(SETTLES, lambda: a("ask 1") == "error" == b("ask 1"))


def test_changed_without_servers(farm):
    """A program whose configuration has no servers revokes: the others hear of it from the next that has."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    assert a.end() == 0
    with Client(farm.states["a"]) as alone:
        assert alone("add 1") == "ok"
    a = farm.host("a")
    assert within(SETTLES, lambda: b("ask 1") == "revoked")
    assert settled(a, b)


def test_backup_put_in_place(farm):
    """What the backup knows, the servers get to know."""
    a, b = farm.host("a"), farm.host("b")
    assert settled(a, b)
    with Client(Path(tempfile.mkdtemp(dir=farm.folder))) as other:
        assert other("add 7") == "ok"
        backup = other.process.args[1]
        assert other.end() == 0
    os.replace(Path(backup) / "revocations.db", farm.states["a"] / "revocations.db")
    for suffix in ("-wal", "-shm"):
        (farm.states["a"] / f"revocations.db{suffix}").unlink(missing_ok=True)
    assert within(SETTLES, lambda: b("ask 7") == "revoked")
    assert settled(a, b)
    assert a("add 8") == "ok" and b("ask 8") == "revoked"


def test_one_server_is_enough(one):
    a, b = one.host("a"), one.host("b")
    assert settled(a, b, servers=1)
    assert a("add 1") == "ok" and b("ask 1") == "revoked"
    one.servers[0].hang()
    assert a("add 2") == "partial"
    assert within(SETTLES, lambda: b("ask 2") == "error" and b("ask 3") == "error")
    one.servers[0].go_on()
    assert settled(a, b, servers=1)
    assert b("ask 2") == "revoked" and b("ask 3") == "good"


def test_faults_at_random(farm):
    """Whatever happens in whatever order: what was acknowledged is never good a second later."""
    choice = random.Random(SEED)
    names = ["a", "b", "c"]
    hosts = {name: farm.host(name, "host-timeout=600000") for name in names}
    state = dict.fromkeys(range(2), "runs")
    acknowledged, number = [], 0
    stop = time.monotonic() + float(os.environ.get("FARM_SECONDS", "20"))
    while time.monotonic() < stop:
        fault = choice.random()
        if fault < 0.1:
            i = choice.randrange(2)
            if state[i] == "runs":
                farm.servers[i].hang()
                state[i] = "hangs"
            else:
                farm.servers[i].go_on()
                state[i] = "runs"
        elif fault < 0.15:
            i = choice.randrange(2)
            farm.servers[i].go_on()
            farm.servers[i].restart()
            state[i] = "runs"
        elif fault < 0.2:
            name = choice.choice(names)
            hosts[name].kill() if choice.random() < 0.5 else hosts[name].end()
            hosts[name] = farm.host(name, "host-timeout=600000")
        writer = hosts[choice.choice(names)]
        number += 1
        said = writer(f"add {number}")
        if said == "ok":
            acknowledged.append((number, int(writer("time"))))
        assert said in ("ok", "partial")
        for reader in hosts.values():
            for old, at in [*choice.sample(acknowledged, min(20, len(acknowledged))), *acknowledged[-1:]]:
                answer = reader(f"ask {old}")
                # "good" is right only within the second.
                assert answer != "good" or int(reader("time")) <= at + SECOND, (old, at, SEED)
    for server in farm.servers:
        server.go_on()
    assert len(acknowledged) > 10
    assert settled(*hosts.values())
    assert all(host(f"ask {n}") == "revoked" for host in hosts.values() for n in range(1, number + 1))
