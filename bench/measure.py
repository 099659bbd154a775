# SPDX-License-Identifier: Apache-2.0
"""The measurements: one function each, figures as plain dicts."""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import threading
import time

import fastcgi
from contestants import Failed, Process, listening_socket
from environment import PAGE, THREADS

IDLE_PER_WORKER = 64
IDLE = IDLE_PER_WORKER * THREADS
SLOW = 16
LIGHTTPD_CLIENTS = 16


def cost(processes, before, requests):
    """CPU seconds per 10,000 requests."""
    return (sum(process.cpu_seconds() for process in processes) - before) / requests * 10000


def load(environment, server, clients, keep, seconds=None, requests=None, extra=(), token=None, answer=None):
    """The load client's line, and what the requests cost the server."""
    parameters = environment.parameter_file(server.name, token or server.token)
    command = [environment.program("bench/load"), "-a", server.address, "-p", parameters,
               "-c", str(clients), "-t", answer or server.contestant.answer, *extra]
    command += ["-k"] if keep else []
    command += ["-n", str(requests)] if requests else ["-s", str(seconds)]
    before = server.cpu_seconds()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    figures = json.loads(done.stdout) if done.stdout else {"first_error": "no result"}
    if done.returncode != 0:
        raise Failed(f"{server.name}, {clients} clients: {figures['first_error']}: {server.last_words()}")
    figures["cpu_per_10000"] = cost([server], before, figures["requests"])
    return figures


def check_load_client(environment, server):
    """A run of wrong answers must not pass as a figure."""
    try:
        load(environment, server, clients=2, keep=False, requests=10, extra=["-e", "401"])
    except Failed:
        return
    raise Failed("the load client takes a wrong status for a right one")


# --- through lighttpd --------------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class WebServer(Process):
    def __init__(self, environment, servers, port):
        self.port = port or free_port()
        self.token = environment.token
        super().__init__(["/usr/sbin/lighttpd", "-D", "-f", environment.lighttpd(self.port, servers)],
                         environment.folder / "lighttpd.out")

    def get(self, name, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", f"/{name}/page.html", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait_until_ready(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.get("unprotected", {})
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"lighttpd does not answer: {self.last_words()}") from error
                time.sleep(0.01)

    def check(self, name, verifies):
        """The page comes with the token and, where somebody verifies, does not without."""
        if self.get(name, {"Cookie": f"sso={self.token}"}) != (200, PAGE):
            raise Failed(f"lighttpd does not serve the page of {name}")
        if verifies and self.get(name, {})[0] != 401:
            raise Failed(f"lighttpd serves the page of {name} without a token")


def wrk(port, path, header, clients, seconds):
    """A run of wrk with kept connections, each answer 2xx."""
    command = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--latency", "-H", header,
               f"http://127.0.0.1:{port}{path}"]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    requests = int(re.search(r"(\d+) requests in", text)[1])
    if requests == 0 or re.search(r"Non-2xx|Socket errors", text):
        raise Failed(text)
    latency = dict(re.findall(r"(\d+)%\s+([\d.]+[mu]?s)", text))
    return {"requests": requests, "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
            "p50_us": microseconds(latency["50"]), "p99_us": microseconds(latency["99"])}


def through_lighttpd(web, server, seconds):
    """The folder of that contestant; server None: the unprotected one."""
    processes = [web] if server is None else [web, server]
    name = "unprotected" if server is None else server.name
    before = sum(process.cpu_seconds() for process in processes)
    own = server.cpu_seconds() if server else 0
    figures = wrk(web.port, f"/{name}/page.html", f"Cookie: sso={web.token}", LIGHTTPD_CLIENTS, seconds)
    if server and server.cpu_seconds() == own:
        raise Failed(f"lighttpd with {name}: nobody was asked")
    web.check(name, server is not None and server.contestant.verifies)
    return figures | {"cpu_per_10000": cost(processes, before, figures["requests"])}


def microseconds(text):
    number, unit = re.match(r"([\d.]+)(\D+)", text).groups()
    return float(number) * {"us": 1, "ms": 1000, "s": 1000000}[unit]


# --- idle connections and slow clients -----------------------------------------

class SlowClient:
    """Sends its request byte by byte; starts anew when the server has had enough."""

    def __init__(self, address, request):
        self.address, self.request, self.connection, self.sent = address, request, None, 0

    def send_byte(self):
        try:
            if self.connection is None:
                self.connection, self.sent = fastcgi.Connection(self.address), 0
            self.connection.send(self.request[self.sent:self.sent + 1])
            self.sent += 1
        except OSError:
            self.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Crowd:
    """Kept connections that asked once and are idle now, and clients that send a byte now and then."""

    def __init__(self, server, parameters, idle=IDLE, slow=SLOW):
        self.server, self.slow, self.over = server, slow, threading.Event()
        self.request = fastcgi.encode(parameters, keep=True)
        self.connections = [fastcgi.Connection(server.address) for _ in range(idle)]
        for connection in self.connections:
            if connection.request(parameters).status != 200:
                raise Failed(f"{server.name} denies one of {idle} connections")
        self.thread = threading.Thread(target=self._drip)
        self.thread.start()

    def _drip(self):
        slow = [SlowClient(self.server.address, self.request) for _ in range(self.slow)]
        while not self.over.wait(0.1):
            for client in slow:
                client.send_byte()
        for client in slow:
            client.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()
        lost = sum(self._is_closed(connection) for connection in self.connections)
        for connection in self.connections:
            connection.close()
        if lost and error[0] is None:
            raise Failed(f"{self.server.name} closed {lost} of {len(self.connections)} idle connections")

    @staticmethod
    def _is_closed(connection):
        connection.socket.setblocking(False)
        try:
            return connection.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


# --- starting --------------------------------------------------------------------

def start_milliseconds(environment, contestant, parameters):
    """From starting the program to its first answer; the question waits on its listening socket."""
    path = environment.folder / "start.sock"
    command = [environment.program(contestant.program), *contestant.arguments(environment)]
    with listening_socket(path) as listening, fastcgi.Connection(f"unix:{path}") as connection:
        connection.send(fastcgi.encode(parameters))
        begun = time.monotonic()
        process = Process(command, environment.folder / "start.log", listening)
        try:
            status = connection.answer().status
            taken = (time.monotonic() - begun) * 1000
        except (OSError, fastcgi.FastCgiError) as error:
            raise Failed(f"{contestant.name} does not answer on descriptor 0: {process.last_words()}") from error
        finally:
            process.stop()
            path.unlink()
    if status != 200:
        raise Failed(f"{contestant.name} answers {status} on descriptor 0")
    return taken


def cgi_milliseconds(command, parameters):
    """One request as plain CGI, from starting the program to its end."""
    reading, writing = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, writing, 1)]
    begun = time.monotonic()
    pid = os.posix_spawn(command[0], command, parameters, file_actions=actions)
    os.close(writing)
    os.close(nothing)
    with open(reading, "rb") as output:
        answer = output.read()
    _, status = os.waitpid(pid, 0)
    taken = (time.monotonic() - begun) * 1000
    if status != 0 or not answer.startswith(b"Status: 200"):
        raise Failed(f"{command[0]} as CGI ends with {status} and answers {answer[:100]!r}")
    return taken


def starts(environment, contestant, times):
    """Medians over alternating starts, in milliseconds."""
    parameters = environment.parameters(environment.token)
    program = str(environment.program(contestant.program))
    plain = [program, "-c", str(environment.configuration(contestant.name))]
    empty = [str(environment.program("bench/empty_cgi"))]
    answers, ours, floor = [], [], []
    for _ in range(times):
        answers.append(start_milliseconds(environment, contestant, parameters))
        ours.append(cgi_milliseconds(plain, parameters))
        floor.append(cgi_milliseconds(empty, parameters))
    return {"first_answer_ms": statistics.median(answers), "cgi_ms": statistics.median(ours),
            "empty_cgi_ms": statistics.median(floor)}


# --- the core of verification ------------------------------------------------------

def core(environment):
    """What bench/core prints: nanoseconds of each operation, and of each kind of token its row of figures."""
    program = environment.program("bench/core")
    if program is None:
        return None
    text = subprocess.run([program], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    operations = re.findall(r"^(\S.*?|  +\S.*?) {2,}(\d+) +\d+$", text, re.MULTILINE)
    kinds = re.findall(r"^(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +([\d.]+) +([\d.]+)$", text, re.MULTILINE)
    if not operations or not kinds:
        raise Failed("bench/core prints no operation, or no token")
    names = ("bytes", "openssl_ns", "cold_ns", "seen_ns", "cold_ratio", "seen_ratio")
    return {"operations": {name.strip(): float(median) for name, median in operations},
            "kinds": {kind: dict(zip(names, map(float, figures))) for kind, *figures in kinds}}
