# SPDX-License-Identifier: Apache-2.0
"""The transport `fastcgi` with many peers: idle, slow and hostile ones hold nobody up, nothing is lost at an end."""

import collections
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import threading

import pytest

import echo
import fastcgi
from echo import Echo, until
from fastcgi import AUTHORIZER, PARAMS, begin, encode, pair, record


@pytest.fixture
def close_all():
    """Connections of the test, closed at its end."""
    connections = []
    yield connections
    for connection in connections:
        connection.close()


@pytest.fixture
def listening(tmp_path):
    """A listening socket for several processes, and its address."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)
        made.listen(1024)
        yield made, "unix:" + path


def serve(listening, **options):
    made, address = listening
    return Echo(address=address, listen=False, stdin=made, **options)


class Load:
    """Clients that ask without a pause until stopped; each answer that does not come is a failure."""

    def __init__(self, address, new=4, kept=4):
        self.address, self.answered, self.failures = address, collections.Counter(), []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(ask,))
                        for ask, n in ((self.ask_new, new), (self.ask_kept, kept)) for _ in range(n)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def run(self, ask):
        while not self.ended.is_set():
            try:
                ask()
            except Exception as failure:
                self.failures.append(f"{ask.__name__}: {failure!r}")
                return

    def count(self, answer):
        assert answer.status == 200
        self.answered[answer.header("X-Pid")] += 1

    def ask_new(self):
        self.count(fastcgi.request(self.address, {"A": "B"}, timeout=20))

    def ask_kept(self):
        """Whoever cannot send has lost nothing; who could must be answered."""
        with fastcgi.Connection(self.address, 20) as connection:
            while not self.ended.is_set():
                try:
                    connection.send(encode({"A": "B"}, keep=True))
                except (BrokenPipeError, ConnectionResetError):
                    return
                self.count(connection.answer())

    def more(self, n, pid=None):
        """Wait for n further answers (of that process); false: the clients failed."""
        goal = self.total(pid) + n
        return until(lambda: self.failures or self.total(pid) >= goal, 30) and not self.failures

    def total(self, pid):
        return self.answered[str(pid)] if pid else sum(self.answered.values())


# --- nobody holds a thread ----------------------------------------------------------

@pytest.mark.parametrize("family", ["unix", "tcp"])
def test_idle_and_slow_peers(family, close_all):
    with Echo(family=family, threads=2) as server:
        idle = [server.connect() for _ in range(100)]
        half = [server.connect() for _ in range(100)]
        deaf = [server.connect() for _ in range(100)]
        close_all += idle + half + deaf
        for connection in idle:
            assert connection.request({"A": "B"}).status == 200
        for connection in half:
            connection.send(begin() + record(PARAMS, pair("A", "B"))[:5])
        for connection in deaf:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.socket.settimeout(0)
            try:
                connection.send(encode({"REPLY_SIZE": 65536}, keep=True) * 100)
            except BlockingIOError:
                pass
        for _ in range(200):
            assert server.ask(timeout=2).status == 200
        # The idle ones are still served, each in its turn.
        for connection in idle:
            assert connection.request({"A": "B"}).status == 200
        for connection in half:
            assert connection.closed()
        assert until(lambda: "does not read the answer" in server.log(), 20)
        server.check()


def test_slow_handlers_leave_the_other_threads(tmp_path, close_all):
    """All but one of the threads wait for something: others are served, whichever processor was theirs."""
    with Echo(threads=16) as server:
        for _ in range(15):
            close_all.append(server.connect())
            close_all[-1].send(encode({"WAIT_FOR": tmp_path / "go"}))
        for _ in range(200):
            assert server.ask().status == 200
        (tmp_path / "go").touch()
        for connection in close_all:
            assert connection.answer().status == 200


def test_overloaded(tmp_path, close_all):
    """Who has waited too long for a thread is told so; afterwards all is as before."""
    with Echo(threads=2) as server:
        close_all += [server.connect() for _ in range(7)]
        for connection in close_all:
            connection.send(encode({"WAIT_FOR": tmp_path / "go"}))
        close_all[-1].timeout = 1.5
        with pytest.raises(TimeoutError):
            close_all[-1].answer()
        close_all[-1].timeout = 10
        (tmp_path / "go").touch()
        statuses = collections.Counter(connection.answer().status for connection in close_all)
        # Two had a thread, whichever they were.
        assert statuses[200] >= 2 and statuses[503] >= 1 and statuses.total() == 7
        # It lasts until nobody waits any more.
        assert until(lambda: server.ask().status == 200)
        server.check()


# --- limits ---------------------------------------------------------------------------

def test_room_is_made_among_idle_connections(close_all):
    with Echo(max_connections=4, threads=2) as server:
        close_all += [server.connect() for _ in range(4)]
        for connection in close_all:
            assert connection.request({"A": "B"}).status == 200
        assert server.ask().status == 200
        ended, _, _ = select.select([connection.socket for connection in close_all], [], [], 10)
        # One, or one more when two threads saw the client wait.
        assert len(ended) in (1, 2) and {end.recv(1) for end in ended} == {b""}
        for connection in close_all:
            assert connection.socket in ended or connection.request({"A": "B"}).status == 200
        assert "max-connections reached" in server.log()


def test_no_room_among_busy_connections(tmp_path, close_all):
    with Echo(max_connections=4) as server:
        close_all += [server.connect() for _ in range(8)]
        for connection in close_all:
            connection.send(encode({"WAIT_FOR": tmp_path / "go"}))
        assert until(lambda: "max-connections reached" in server.log())
        (tmp_path / "go").touch()
        for connection in close_all:
            assert connection.answer().status == 200
        server.check()


def test_descriptors_exhausted_and_freed(close_all):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    with Echo(preexec=few) as server:
        assert until(lambda: "descriptor limit" in server.log())
        close_all += [server.connect() for _ in range(60)]
        assert until(lambda: "no descriptor" in server.log())
        waiting = server.connect()
        close_all.append(waiting)
        waiting.send(encode({"A": "B"}))
        for connection in close_all[:60]:
            connection.close()
        assert waiting.answer().status == 200
        server.check()


def test_memory(close_all):
    with Echo() as server:
        assert server.ask().status == 200
        at_rest = server.memory()
        close_all += [server.connect() for _ in range(1000)]
        for connection in close_all:
            assert connection.request({"A": "B", "HTTP_COOKIE": "c" * 1000}).status == 200
        idle = server.memory()
        assert server.is_sanitized() or at_rest <= 12 << 20 and idle <= 16 << 20, (at_rest, idle)


# --- several processes, beginning and end -------------------------------------------------

def test_several_processes_on_one_socket(listening, tmp_path, close_all):
    with serve(listening, threads=1) as first, serve(listening, threads=1) as second, \
            serve(listening, threads=1) as third:
        for _ in range(3):
            close_all.append(fastcgi.Connection(listening[1], 10))
            close_all[-1].send(encode({"WAIT_FOR": tmp_path / "go"}))
        # Each has but one thread: none of the three is answered by a process that has one already.
        (tmp_path / "go").touch()
        answers = [connection.answer() for connection in close_all]
        assert {answer.status for answer in answers} == {200}
        third.process.kill()
        third.process.wait()
        third.process.returncode = 0
        pids = {fastcgi.request(listening[1], {"A": "B"}, timeout=10).header("X-Pid") for _ in range(50)}
        assert pids <= {str(first.pid), str(second.pid)}


@pytest.mark.parametrize("stopped", [0, 1])
def test_a_stopped_process_holds_nobody_up(listening, stopped):
    """The kernel wakes one that can answer."""
    with serve(listening) as first, serve(listening) as second:
        pid = (first, second)[stopped].pid
        until(lambda: {fastcgi.request(listening[1], {"A": "B"}).header("X-Pid") for _ in range(50)})
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
            answers = [fastcgi.request(listening[1], {"A": "B"}, timeout=5) for _ in range(5)]
        finally:
            os.kill(pid, signal.SIGCONT)
        assert {answer.header("X-Pid") for answer in answers} == {str((first, second)[1 - stopped].pid)}


def test_restart_under_load_loses_nothing(listening):
    """One process after the other takes over, as at a rolling restart."""
    server = serve(listening)
    with Load(listening[1]) as load:
        for _ in range(10):
            assert load.more(50, server.pid), load.failures
            successor = serve(listening)
            assert server.stop() == 0
            assert "closed" not in server.log()
            server = successor
        assert load.more(50), load.failures
    assert load.failures == []
    assert server.stop() == 0


def test_reload_under_load_fails_nobody():
    with Echo() as server, Load(server.address) as load:
        for i in range(100):
            server.process.send_signal(signal.SIGHUP if i % 2 else signal.SIGUSR2)
            assert load.more(5), load.failures
        assert load.failures == []
    assert server.process.returncode == 0


def test_drain(tmp_path, close_all):
    """Idle connections end, begun requests are answered, then the program does."""
    with Echo() as server:
        idle, busy, begun = [server.connect() for _ in range(3)]
        close_all += [idle, busy, begun]
        assert idle.request({"A": "B"}).status == 200
        busy.send(encode({"WAIT_FOR": tmp_path / "go"}, keep=True))
        begun.send(begin(AUTHORIZER, keep=True))
        begun.send(record(PARAMS, pair("A", "B")))
        # Both are with the server when a request that came after them has been answered.
        assert server.ask().status == 200
        server.process.send_signal(signal.SIGTERM)
        assert idle.closed()
        begun.send(record(PARAMS))
        assert begun.answer().status == 200
        assert begun.closed()
        assert server.process.poll() is None
        (tmp_path / "go").touch()
        assert busy.answer().status == 200
        assert busy.closed()
        assert server.process.wait(10) == 0


def test_drain_has_a_limit(tmp_path, close_all):
    with Echo(drain_timeout=200) as server:
        close_all.append(server.connect())
        close_all[0].send(begin())
        assert server.ask().status == 200
        assert server.stop() == 0
        assert "drain-timeout is over" in server.log()


def test_signals():
    with Echo() as server:
        for sign in signal.SIGHUP, signal.SIGUSR2:
            before = server.log().count("event=reload")
            server.process.send_signal(sign)
            assert until(lambda: server.log().count("event=reload") > before)
        server.process.send_signal(signal.SIGUSR1)
        assert until(lambda: "event=reopen" in server.log())
        server.process.send_signal(signal.SIGPIPE)
        assert until(lambda: "event=tick" in server.log())
        server.check()
    with Echo() as server:
        assert server.stop(signal.SIGINT) == 0


def test_standard_error_closed(tmp_path):
    """A manager that has gone takes stderr with it: log lines fail, the service goes on."""
    address = f"unix:{tmp_path}/socket"
    read_end, write_end = socket.socketpair()
    server = subprocess.Popen([echo.PROGRAM, "--listen", address], stdin=subprocess.DEVNULL, stderr=write_end)
    write_end.close()
    read_end.close()
    fastcgi.wait_until_listening(address, server)
    with fastcgi.Connection(address) as connection:
        connection.send(b"no FastCGI")
        assert connection.closed()
    assert fastcgi.request(address, {"A": "B"}).status == 200
    server.terminate()
    assert server.wait(10) == 0
