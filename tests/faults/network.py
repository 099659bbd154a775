# SPDX-License-Identifier: Apache-2.0
"""The network of the farm. With network namespaces each host and each memcached server has an address of its own,
and what is between two of them can be lost in one direction alone. Where the kernel or the user's rights do not
allow that, everything lives on loopback addresses and a relay (relay.py) stands before each server."""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys

import harness

CLONE_NEWNET = 0x40000000
MEMCACHED_PORT = 11211
#: Where frames get lost: nobody has this address.
NOWHERE = "02:00:00:00:00:01"
IP = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
RELAY = pathlib.Path(__file__).with_name("relay.py")


def enter(namespace):
    """For preexec: run in the namespace."""
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    library = ctypes.CDLL(None, use_errno=True)

    def preexec():
        if library.setns(descriptor, CLONE_NEWNET) != 0:
            os._exit(127)
    return preexec, descriptor


class Unavailable(Exception):
    """This machine does not give us such a network."""


class Namespaces:
    """A bridge in our own namespace, and a namespace with a veth pair for each host and server."""

    name = "network namespaces"

    def __init__(self, hosts, servers):
        self.prefix, self.namespaces, self.descriptors = f"fa{os.getpid()}", [], []
        self.members, self.relays = {}, {}
        # Test runs beside each other have ranges of ports of their own: so have their networks.
        self.net = f"198.18.{harness.PORTS[0] // 100 % 256}"
        self.profile_host = f"{self.net}.254"
        try:
            self.remove_leftovers()
            self.ip(f"link add {self.prefix}b type bridge", f"addr add {self.profile_host}/24 dev {self.prefix}b",
                    f"link set {self.prefix}b up")
            for number, member in enumerate([f"h{i}" for i in range(hosts)] + [f"s{i}" for i in range(servers)]):
                self.add(member, f"{self.net}.{10 + number}")
            self.fix_neighbours()
        except BaseException:
            self.close()
            raise

    def ip(self, *commands, namespace=None):
        where = ["-n", namespace] if namespace else []
        done = subprocess.run([IP or "ip", *where, "-batch", "-"], input="\n".join(commands) + "\n", text=True,
                              capture_output=True, timeout=20)
        if done.returncode != 0:
            raise Unavailable(f"ip {commands}: {done.stderr.strip()}")
        return done.stdout

    def remove_leftovers(self):
        """Of runs that were killed."""
        for path in pathlib.Path("/run/netns").glob("fa*"):
            found = re.fullmatch(r"fa(\d+)[hs]\d", path.name)
            if found and not os.path.exists(f"/proc/{found[1]}"):
                subprocess.run([IP, "netns", "del", path.name], check=False)
        for path in pathlib.Path("/sys/class/net").glob("fa*b"):
            found = re.fullmatch(r"fa(\d+)b", path.name)
            if found and not os.path.exists(f"/proc/{found[1]}"):
                subprocess.run([IP, "link", "del", path.name], check=False)

    def add(self, member, address):
        namespace = self.prefix + member
        self.namespaces.append(namespace)
        self.ip(f"netns add {namespace}", f"link add {namespace} type veth peer name eth0 netns {namespace}",
                f"link set {namespace} master {self.prefix}b up")
        self.ip("link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up", namespace=namespace)
        hardware = re.search(r"ether ([0-9a-f:]+)", self.ip("link show eth0", namespace=namespace))[1]
        preexec, descriptor = enter(namespace)
        self.descriptors.append(descriptor)
        self.members[member] = {"namespace": namespace, "address": address, "hardware": hardware, "enter": preexec}

    def fix_neighbours(self):
        """No questions for hardware addresses: what is lost is lost from one moment to the next."""
        for one in self.members:
            for other in self.members:
                if one != other:
                    self.neighbour(one, other, self.members[other]["hardware"])

    def neighbour(self, one, other, hardware):
        self.ip(f"neigh replace {self.members[other]['address']} lladdr {hardware} dev eth0 nud permanent",
                namespace=self.members[one]["namespace"])

    def preexec(self, member):
        return self.members[member]["enter"]

    # --- servers -------------------------------------------------------------

    def listen(self, server, relayed):
        """(address, port) on which memcached listens; relayed: behind a relay on the server's address."""
        address = self.members[server]["address"]
        if not relayed:
            return address, MEMCACHED_PORT
        self.relays[server] = Relay(f"tcp:{address}:{MEMCACHED_PORT}", f"127.0.0.1:{MEMCACHED_PORT}",
                                    self.preexec(server))
        return "127.0.0.1", MEMCACHED_PORT

    def server(self, server):
        """As hosts have it in their configuration."""
        return f"{self.members[server]['address']}:{MEMCACHED_PORT}"

    # --- faults --------------------------------------------------------------

    def cut(self, host, server, requests=True, answers=True):
        """Lose in silence what the host sends to the server, or what it is answered, or both."""
        if requests:
            self.neighbour(host, server, NOWHERE)
        if answers:
            self.neighbour(server, host, NOWHERE)

    def heal(self, host, server):
        self.neighbour(host, server, self.members[server]["hardware"])
        self.neighbour(server, host, self.members[host]["hardware"])

    def isolate(self, host):
        """The host's cable is pulled."""
        self.ip(f"link set {self.members[host]['namespace']} down")

    def join(self, host):
        self.ip(f"link set {self.members[host]['namespace']} up")

    def slow(self, server, milliseconds, host=None):
        """What hosts, or this host, send to the server arrives that much later (servers behind a relay)."""
        self.relays[server].tell(f"delay {self.members[host]['address'] if host else '*'} {milliseconds}")

    def close(self):
        for relay in self.relays.values():
            relay.close()
        for descriptor in self.descriptors:
            os.close(descriptor)
        # A namespace takes its links away later: the next farm has the same names.
        for what, names in (("link", [*self.namespaces, f"{self.prefix}b"]), ("netns", self.namespaces)):
            for name in names:
                subprocess.run([IP or "true", what, "del", name], stderr=subprocess.DEVNULL, check=False)
        self.namespaces, self.members, self.relays, self.descriptors = [], {}, {}, []


class Loopback:
    """Everything on this machine's loopback; relays lose and delay. A relay knows a host by its process group, so
    all hosts can have the same list of servers."""

    name = "loopback addresses and relays"
    profile_host = "127.0.0.1"

    def __init__(self, hosts, servers):
        self.servers = [f"s{i}" for i in range(servers)]
        self.leaders = {f"h{i}": subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                                                  stdin=subprocess.PIPE, process_group=0) for i in range(hosts)}
        self.relays = {}
        self.folder = harness.RUN / f"relays-{next(harness.NUMBERS)}"
        self.folder.mkdir()
        self.folder.chmod(0o755)

    def preexec(self, member):
        leader = self.leaders.get(member)
        if not leader:
            return None
        return lambda: os.setpgid(0, leader.pid)

    def path(self, server):
        return self.folder / f"{server}.sock"

    def listen(self, server, relayed):
        del relayed  # here they always are
        address, port = f"127.0.1.{1 + self.servers.index(server)}", harness.free_ports(1)[0]
        self.relays[server] = Relay(f"unix:{self.path(server)}", f"{address}:{port}", None)
        return address, port

    def server(self, server):
        return f"unix:{self.path(server)}"

    def cut(self, host, server, requests=True, answers=True):
        if requests:
            self.relays[server].tell(f"lose {self.leaders[host].pid} requests")
        if answers:
            self.relays[server].tell(f"lose {self.leaders[host].pid} answers")

    def heal(self, host, server):
        self.relays[server].tell(f"heal {self.leaders[host].pid}")

    def isolate(self, host):
        for server in self.servers:
            self.cut(host, server)

    def join(self, host):
        for server in self.servers:
            self.heal(host, server)

    def slow(self, server, milliseconds, host=None):
        self.relays[server].tell(f"delay {self.leaders[host].pid if host else '*'} {milliseconds}")

    def close(self):
        for relay in self.relays.values():
            relay.close()
        for leader in self.leaders.values():
            leader.kill()
            leader.communicate()


class Relay:
    """A running relay.py."""

    def __init__(self, listen, target, preexec):
        self.process = subprocess.Popen([sys.executable, "-B", str(RELAY), listen, target], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1, preexec_fn=preexec)
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline()
        assert line == word + "\n", f"relay: {line!r} instead of {word!r}"

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.expect("done")

    def close(self):
        self.process.kill()
        self.process.communicate()


def make(hosts, servers):
    """The best network that can be had here; FARM_NETWORK=loopback asks for the other one."""
    if os.environ.get("FARM_NETWORK") != "loopback":
        try:
            with contextlib.suppress(FileNotFoundError):
                return Namespaces(hosts, servers)
            print("farm: no network namespaces: there is no command ip")
        except Unavailable as why:
            print(f"farm: no network namespaces: {why}")
    return Loopback(hosts, servers)
