# SPDX-License-Identifier: Apache-2.0
"""A farm on one machine: hosts with programs, state and web server of their own, memcached servers that they share,
a profile service, and a process manager that starts again what was killed.

    with farm.Farm(seed=7) as running:
        running.hosts[0].log_out(token)
        running.servers[1].kill()

Each host is a harness.Site. The web server of a host stands outside of the host's network: it asks the programs by
their unix sockets, so that a host without network can still be asked."""

import itertools
import os
import pathlib
import pwd
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import harness
import network
import peers
import tokens

DONE = {"message": "Successfully logged out", "detail": "Token has been invalidated"}
#: How memcached is started for revocations: nothing is ever evicted, and cas is on.
FIT = ("-M", "-m", "64")
MEMCACHED = shutil.which("memcached")
SEEDS = itertools.count(int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 31)))


def new_seed(what):
    """The seed of a random schedule, told to whoever has to repeat it."""
    seed = next(SEEDS)
    print(f"{what}: SEED={seed}", flush=True)
    return seed


def pause(seconds, ended=lambda: False):
    """Let the others go on for that long; ended() cuts it short. For schedules, never to wait for something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not ended():
        time.sleep(0.005)


class Server:
    """One memcached, on an address that all hosts know."""

    def __init__(self, number, name, net, relayed):
        self.number, self.name, self.process, self.options = number, name, None, FIT
        self.preexec, self.configured = net.preexec(name), net.server(name)
        self.relayed = relayed or isinstance(net, network.Loopback)
        self.address, self.port = net.listen(name, relayed)
        self.reachable = (self.address, self.port)
        self.stopped = False
        self.due = None  # when the manager starts it again

    def command(self):
        own = [MEMCACHED, "-l", self.address, "-p", str(self.port), "-U", "0", "-t", "1", *self.options]
        return own + (["-u", pwd.getpwuid(harness.NOBODY).pw_name] if os.geteuid() == 0 else [])

    def start(self, *options):
        """Empty, with these options (FIT without)."""
        self.options = options or FIT
        self.launch()
        if self.can_be_asked():
            harness.wait_for(self.name, self.answers)

    def launch(self):
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=self.preexec)
        self.stopped, self.due = False, None

    def can_be_asked(self):
        """From here: one behind a relay in a namespace cannot."""
        return not (self.relayed and self.preexec)

    def answers(self):
        assert self.process.poll() is None, f"{self.name} does not start: {self.command()}"
        try:
            return self.ask("version").startswith("VERSION")
        except OSError:
            return False

    def ask(self, command, end=b"\r\n"):
        """The text of an answer that ends so."""
        with socket.create_connection(self.reachable, 5) as connection:
            connection.sendall(command.encode() + b"\r\n")
            answer = b""
            while not answer.endswith(end):
                part = connection.recv(1 << 20)
                if not part:
                    raise ConnectionError(f"{command} got no whole answer")
                answer += part
        return answer.decode("latin-1")

    def keys(self):
        """Exactly the keys that it holds. About one dump in 600 lacks an entry that is there (memcached 1.6.18, seen
        while entries are read and written): only one of as many as it counts is taken."""
        def whole():
            lines = self.ask("lru_crawler metadump all", b"END\r\n").splitlines()
            found = {urllib.parse.unquote(line.split()[0].removeprefix("key=")) for line in lines
                     if line.startswith("key=")}
            return (found,) if len(found) == int(self.statistics()["curr_items"]) else None
        return harness.wait_for("a whole dump", whole)[0]

    def value(self, key):
        """The value of one key, None when there is none."""
        lines = self.ask(f"get {key}", b"END\r\n").split("\r\n")
        return lines[1] if len(lines) > 2 else None

    def statistics(self, group=""):
        lines = self.ask(f"stats {group}".strip(), b"END\r\n").splitlines()
        return dict(line.split(" ", 2)[1:] for line in lines if line.startswith("STAT "))

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """It hangs: connections stay, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.stopped = False

    def is_up(self):
        return self.process is not None and self.process.poll() is None and not self.stopped


class Host:
    """One machine of the farm: a site of its own, with the secret that all share."""

    def __init__(self, number, net, sections, processes):
        self.number, self.name = number, f"h{number}"
        self.site = harness.Site(sections=sections, processes=processes, preexec=net.preexec(self.name))
        self.preexec = net.preexec(self.name)
        self.due = {}  # service: when the manager starts processes of it again
        self.supervised = True

    @property
    def port(self):
        return self.site.port

    def service(self, name):
        return self.site.services[name]

    def request(self, token, target="/app/page.txt"):
        return self.site.request(target, [f"Authorization: Bearer {token}"])

    def status(self, token):
        return self.request(token).status

    def log_out(self, token, **more):
        """True when the revocation was acknowledged; raises OSError when nobody answered."""
        lines = [f"Authorization: Bearer {token}", "Accept: application/json"]
        body = b""
        if more:
            lines.append("Content-Type: application/json")
            body = b'{"everywhere":true}'
        answer = self.site.request("/auth/logout", lines, "POST", body)
        return answer.status == 200 and answer.body != b"" and answer.json == DONE

    def asks(self, server, command="version"):
        """Seconds until the server's answer reaches this host, None when it does not."""
        program = ("import socket, sys, time\n"
                   "kind, _, where = sys.argv[1].rpartition(':')\n"
                   "s = socket.socket(socket.AF_UNIX if kind == 'unix' else socket.AF_INET)\n"
                   "s.settimeout(0.5)\n"
                   "s.connect(where if kind == 'unix' else (kind, int(where)))\n"
                   "began = time.monotonic()\n"
                   "s.sendall(sys.argv[2].encode() + b'\\r\\n')\n"
                   "s.recv(1) or sys.exit(1)\n"
                   "print(time.monotonic() - began)\n")
        done = subprocess.run([sys.executable, "-c", program, server.configured, command], preexec_fn=self.preexec,
                              capture_output=True, timeout=20, check=False)
        return float(done.stdout) if done.returncode == 0 else None

    def processes(self):
        return [process for service in self.site.services.values() for process in service.processes]

    def kill(self):
        """Every program of the host at one moment."""
        running = self.processes()
        for process in running:
            process.kill()
        for process in running:
            process.wait()

    def log(self, name):
        return self.site.log_text(name)


class Keeper(threading.Thread):
    """The process managers of all hosts: what ends is started again, after a delay of 0 to the one that is set."""

    def __init__(self, farm, seed):
        super().__init__(daemon=True)
        self.farm, self.random, self.lock, self.ending = farm, random.Random(seed), threading.RLock(), False
        self.delay, self.servers, self.failure, self.crashes = (0.0, 0.2), False, None, []

    def run(self):
        try:
            while not self.ending:
                with self.lock:
                    self.look()
                time.sleep(0.01)
        except BaseException as failure:  # noqa: B902 - told by check()
            self.failure = failure

    def look(self):
        now = time.monotonic()
        for host in self.farm.hosts:
            for service in host.site.services.values():
                if host.supervised:
                    self.keep(host, service, now)
        for server in self.farm.servers:
            if self.servers and server.process and server.process.poll() is not None:
                server.due = server.due or now + self.random.uniform(*self.delay)
                if now >= server.due:
                    server.launch()

    def keep(self, host, service, now):
        drain(service.notes)
        running = [process for process in service.processes if process.poll() is None]
        ended = len(running) < len(service.processes)
        # Killed by a test or ended as it was told; anything else is a crash.
        self.crashes += [f"{service.name} of {host.name}: {process.returncode}" for process in service.processes
                         if process.poll() not in (None, 0, -signal.SIGKILL)]
        service.processes = running
        if ended:
            host.due[service.name] = host.due.get(service.name) or now + self.random.uniform(*self.delay)
        if service.name in host.due and now >= host.due[service.name]:
            del host.due[service.name]
            while len(service.processes) < service.count:
                service.launch()

    def check(self):
        if self.failure:
            raise AssertionError("the process manager failed") from self.failure
        assert not self.crashes, self.crashes

    def end(self):
        self.ending = True
        self.join()
        self.check()


def drain(notes):
    """Nobody waits for these: a full socket would hold up the programs."""
    while select.select([notes], [], [], 0)[0]:
        notes.recv(4096)


def ends_orderly(pid):
    """Does the process already take SIGTERM into its own hands? The thread that waits for it shows it unblocked."""
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        fields = dict(line.split(":", 1) for line in path.read_text().splitlines())
        if int(fields["SigBlk"], 16) >> (signal.SIGTERM - 1) & 1:
            return True
    return False


class Farm:
    """hosts, servers: how many; store: more keys of [store], False: none, each host is alone; sections: more of the
    configuration, or a function of the farm and the host's number that gives them; profiles: the profile service
    too, for sections that name its URL; relayed: servers stand behind relays, for slow(); processes: of each program
    on each host."""

    def __init__(self, seed=None, hosts=3, servers=3, store=None, sections=None, profiles=False, relayed=False,
                 processes=2):
        self.seed = new_seed("farm") if seed is None else seed
        self.random, self.hosts, self.servers, self.peer = random.Random(self.seed), [], [], None
        self.network = network.make(hosts, servers)
        print(f"farm: {self.network.name}", flush=True)
        try:
            self.servers = [Server(i, f"s{i}", self.network, relayed) for i in range(servers)]
            if profiles:
                self.peer = peers.Peer("fastapi", HOST="0.0.0.0", MORE_USERS="64")
            for number in range(hosts):
                self.hosts.append(Host(number, self.network, self.sections(number, store, sections), processes))
        except BaseException:
            self.network.close()
            raise
        self.keeper = Keeper(self, self.seed)

    @property
    def profile_url(self):
        return f"http://{self.network.profile_host}:{self.peer.port}/api/v1/users/{{user_id}}"

    def sections(self, number, store, more):
        more = dict(more(self, number) if callable(more) else more or {})
        own = {"server": {"log-level": "info"}, "login": {"cookie-secure": "off"}}
        if self.servers and store is not False:
            own["store"] = {"memcached": [server.configured for server in self.servers]} | (store or {})
        for name, keys in more.items():
            own[name] = own.get(name, {}) | keys
        return own

    def start(self):
        for server in self.servers:
            server.start()
        for host in self.hosts:
            for service in host.site.services.values():
                for _ in range(service.count):
                    service.launch()
        for host in self.hosts:
            for service in host.site.services.values():
                service.wait_until_ready(service.count)
            host.site.web.start()
        self.keeper.start()
        self.wait_until_good()
        return self

    def wait_until_good(self, timeout=20):
        """Until every host lets a good token in through every process, so that whatever there was is over."""
        token = tokens.mint("user-0")

        def good():
            self.keeper.check()
            return all(host.status(token) == 200 for host in self.hosts if host.supervised for _ in range(4))
        began = time.monotonic()
        harness.wait_for("a farm that lets good tokens in", good, timeout)
        return time.monotonic() - began

    def check(self):
        """Nothing has ended by itself."""
        self.keeper.check()

    def close(self):
        try:
            self.keeper.end()
            for host in self.hosts:
                host.supervised = True
                for process in host.processes():
                    if process.poll() is None:
                        harness.wait_for("a program that can be told to end",
                                         lambda pid=process.pid: ends_orderly(pid))
        finally:
            self.close_all()

    def close_all(self):
        failures = []
        for host in self.hosts:
            for service in host.site.services.values():
                service.processes = [process for process in service.processes if process.poll() is None]
            try:
                host.site.close()
            except AssertionError as failure:
                failures.append(str(failure))
        for server in self.servers:
            server.kill()
        if self.peer:
            self.peer.close()
        self.network.close()
        assert not failures, "\n".join(failures)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close_all()
            raise

    def __exit__(self, *_):
        self.close()

    # --- faults --------------------------------------------------------------

    def kill_host(self, host):
        with self.keeper.lock:
            host.kill()

    def kill_servers(self, servers):
        with self.keeper.lock:
            for server in servers:
                server.kill()

    def die(self, host):
        """For good: no process manager either."""
        with self.keeper.lock:
            host.supervised = False
            host.kill()
            for service in host.site.services.values():
                service.processes = []

    def revive(self, host):
        with self.keeper.lock:
            host.supervised = True
            for service in host.site.services.values():
                host.due[service.name] = time.monotonic()

    def restart(self, host):
        """Orderly, as a package upgrade does: TERM to all, and the manager starts them again."""
        with self.keeper.lock:
            for service in host.site.services.values():
                running = [process for process in service.processes if process.poll() is None]
                for process in running:
                    process.send_signal(signal.SIGTERM)
                statuses = [process.wait(15) for process in running]
                assert set(statuses) <= {0}, f"{service.name} of {host.name} ended with {statuses}"
