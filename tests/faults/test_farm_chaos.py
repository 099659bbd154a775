# SPDX-License-Identifier: Apache-2.0
"""Everything that can happen to a farm, at random and at the same time, for as long as is asked for. No acknowledged
revocation is accepted, no good token is refused, and when it is over all is well again."""

import collections
import heapq
import itertools
import random
import signal
import threading
import time

import farm
import harness
import load
from crowd import Crowd, amount

SECONDS = amount("CHAOS", 8)
SILENT = 5.0


class Chaos:
    """Faults begin at random and end by themselves. One server at a time is cut off from some hosts: two halves of a
    farm that go on with a server each are beyond what is promised."""

    def __init__(self, running):
        self.running, self.random, self.ends, self.order = running, running.random, [], itertools.count()
        self.counts, self.story, self.began = collections.Counter(), [], time.monotonic()
        self.kinds = [self.kill_host, self.kill_program, self.stop_program, self.kill_server, self.kill_all_servers,
                      self.stop_server, self.cut, self.isolate, self.restart_host]

    def after(self, seconds, end):
        heapq.heappush(self.ends, (time.monotonic() + seconds, next(self.order), end))

    def step(self):
        """End what is over, and begin one more now and then."""
        while self.ends and self.ends[0][0] <= time.monotonic():
            heapq.heappop(self.ends)[2]()
        if self.random.random() < 0.1:
            kind = self.random.choice(self.kinds)
            what = kind()
            if what:
                self.counts[kind.__name__] += 1
                self.story.append(f"{time.monotonic() - self.began:.3f} {kind.__name__} {what}")

    def end(self):
        while self.ends:
            heapq.heappop(self.ends)[2]()

    def duration(self):
        """Most faults are short; some last longer than anything waits."""
        return self.random.choice([self.random.uniform(0.01, 0.3), self.random.uniform(0.3, 2),
                                   self.random.uniform(2, 1.6 * SILENT)])

    # --- what can happen; each says what it did, or None ----------------------

    def kill_host(self):
        host = self.random.choice(self.running.hosts)
        self.running.kill_host(host)
        return host.name

    def program(self):
        host = self.random.choice(self.running.hosts)
        running = [process for process in host.processes() if process.poll() is None]
        return host, self.random.choice(running) if running else None

    def kill_program(self):
        host, process = self.program()
        if process:
            process.kill()
        return process and f"{host.name} {process.pid}"

    def stop_program(self):
        host, process = self.program()
        if not process:
            return None
        process.send_signal(signal.SIGSTOP)
        seconds = self.duration()
        self.after(seconds, lambda: process.send_signal(signal.SIGCONT))
        return f"{host.name} {process.pid} {seconds:.3f}"

    def kill_server(self):
        server = self.random.choice(self.running.servers)
        self.running.kill_servers([server])
        return server.name

    def kill_all_servers(self):
        if self.random.random() < 0.6:
            return None
        self.running.kill_servers(self.running.servers)
        return "all"

    def stop_server(self):
        server = self.random.choice(self.running.servers)
        if not server.is_up():
            return None
        server.stop()
        process, seconds = server.process, self.duration()

        def resume():
            if server.process is process:
                server.resume()
        self.after(seconds, resume)
        return f"{server.name} {seconds:.3f}"

    def cut(self):
        if getattr(self, "damaged", None):
            return None
        server = self.random.choice(self.running.servers)
        hosts = self.random.sample(self.running.hosts, self.random.randint(1, 2))
        way = self.random.choice(["requests", "answers", "both"])
        for host in hosts:
            self.running.network.cut(host.name, server.name, requests=way != "answers", answers=way != "requests")
        self.damaged = server

        def heal():
            for host in hosts:
                self.running.network.heal(host.name, server.name)
            self.damaged = None
        seconds = self.duration()
        self.after(seconds, heal)
        return f"{server.name} from {' '.join(host.name for host in hosts)} {way} {seconds:.3f}"

    def isolate(self):
        if getattr(self, "alone", None):
            return None
        self.alone = host = self.random.choice(self.running.hosts)
        self.running.network.isolate(host.name)

        def join():
            self.running.network.join(host.name)
            self.alone = None
        seconds = self.duration()
        self.after(seconds, join)
        return f"{host.name} {seconds:.3f}"

    def restart_host(self):
        host = self.random.choice(self.running.hosts)
        for process in host.processes():
            process.send_signal(signal.SIGCONT)
            if process.poll() is None and not farm.ends_orderly(process.pid):
                return None
        self.running.restart(host)
        return host.name


class People(threading.Thread):
    """Somebody logs out, somewhere, again and again."""

    def __init__(self, running, crowd, oracle):
        super().__init__(daemon=True)
        self.running, self.crowd, self.oracle, self.ending = running, crowd, oracle, False
        self.random = random.Random(running.seed)

    def run(self):
        while not self.ending:
            self.crowd.revoke(self.oracle, self.random.choice(self.running.hosts))
            farm.pause(self.random.uniform(0, 0.4))


def test_chaos():
    with farm.Farm() as running:
        running.keeper.servers, running.keeper.delay = True, (0.0, 1.0)
        crowd, oracle, chaos = Crowd(running), load.Oracle(), Chaos(running)
        people = [People(running, crowd, oracle) for _ in range(3)]
        with load.Load(running, crowd.choose, oracle, running.seed, rate=200) as asking:
            for one in people:
                one.start()
            try:
                while time.monotonic() < chaos.began + SECONDS and not oracle.violations:
                    chaos.step()
                    farm.pause(0.03)
                    running.check()
            finally:
                chaos.end()
                for one in people:
                    one.ending = True
            for one in people:
                one.join(30)
            back = running.wait_until_good(4 * SILENT)
            farm.pause(load.GRACE + 0.2)
        print(f"seconds={SECONDS} acknowledged={len(crowd.revoked)} {dict(chaos.counts)} {dict(oracle.counts)} "
              f"not_asked={asking.missed} good_again={back:.2f}s")
        assert not oracle.violations, oracle.violations[:3] + chaos.story[-30:]
        harness.wait_for("an acknowledged logout", lambda: crowd.revoke(oracle), 5)
        statuses = {host.status(token.text) for host in running.hosts for token in crowd.revoked}
        assert 401 in statuses and statuses <= {401, 503}, statuses
